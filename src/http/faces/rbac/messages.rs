//! What this face says. A language is a file here: one function that knows every [`Message`].

mod en;
mod zh;

use std::borrow::Cow;

use crate::domain::Noun;
use crate::http::body::BodyError;
use crate::http::call::Call;
use crate::http::locale::Locale;

/// Something that this face has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// 401, whatever is wrong with the token.
    InvalidToken,
    /// 403, whatever is missing.
    Denied,
    /// 403.
    LastSuperAdmin,
    /// 404.
    NotFound(Noun),
    /// 404: nothing is served there.
    NoSuchPath,
    /// 405.
    NoSuchMethod,
    /// 409.
    Taken(Noun),
    /// 400.
    BadRoleCode,
    /// 400: a member or parameter, and what is wrong with it, in English.
    Field(&'static str, Cow<'static, str>),
    /// 400, 408, 413, 415.
    Body(BodyError),
    /// 429.
    TooMany,
    /// 503.
    Later,
    /// 500.
    Internal,
    /// Done.
    RoleDeleted,
    /// Done.
    PermissionDeleted,
    /// Done: a role permits it no longer.
    PermissionRemoved,
    /// Done: a user holds it no longer.
    RoleTaken,
}

impl Message {
    /// The message in a language.
    pub(super) fn text(&self, language: Locale) -> Cow<'static, str> {
        match language {
            Locale::En => en::text(self),
            Locale::Zh => zh::text(self),
        }
    }
}

/// The language of an answer: Chinese, which existing callers compare, unless another one is preferred.
pub(super) fn language(call: &Call) -> Locale {
    Locale::preferred(call.headers()).unwrap_or(Locale::Zh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_contract_s() {
        for (message, zh, en) in [
            (Message::BadRoleCode, "角色编码必须为大写字母、数字和下划线组合", "role code not [A-Z0-9_]+"),
            (Message::InvalidToken, "无效的访问令牌", "invalid access token"),
            (Message::Denied, "权限不足", "insufficient permission"),
            (Message::NotFound(Noun::Role), "角色不存在", "role not found"),
            (Message::NotFound(Noun::Permission), "权限不存在", "permission not found"),
            (Message::NotFound(Noun::User), "用户不存在", "user not found"),
            (Message::Taken(Noun::Role), "角色编码已存在", "role code taken"),
            (Message::Taken(Noun::Permission), "权限编码已存在", "permission code taken"),
            (Message::Internal, "服务器内部错误", "internal error"),
            (Message::RoleDeleted, "角色删除成功", "role deleted"),
        ] {
            assert_eq!((&*message.text(Locale::Zh), &*message.text(Locale::En)), (zh, en));
        }
    }

    #[test]
    fn what_is_wrong_with_a_field_is_said_in_both_languages() {
        for (why, zh) in [
            ("is required", "「limit」为必填项"),
            ("is empty", "「limit」为必填项"),
            ("must be a string", "「limit」必须为字符串"),
            ("is longer than 200 characters", "「limit」最多 200 个字符"),
            ("must be at most 1000 characters", "「limit」最多 1000 个字符"),
            ("must be at most 100 of them", "「limit」最多 100 项"),
            ("anything else", "「limit」格式不正确"),
        ] {
            let message = Message::Field("limit", why.into());
            assert_eq!(message.text(Locale::Zh), zh);
            assert_eq!(message.text(Locale::En), format!("\"limit\" {why}"));
        }
    }
}

//! Chinese, in simplified characters: what existing callers compare.

use std::borrow::Cow;

use super::Message;
use crate::domain::Noun;
use crate::http::body::BodyError;

pub(super) fn text(message: &Message) -> Cow<'static, str> {
    Cow::Borrowed(match message {
        Message::InvalidToken => "无效的访问令牌",
        Message::Denied => "权限不足",
        Message::LastSuperAdmin => "不能移除最后一个超级管理员",
        Message::NotFound(Noun::Role) => "角色不存在",
        Message::NotFound(Noun::Permission) => "权限不存在",
        Message::NotFound(Noun::User) => "用户不存在",
        Message::NotFound(_) => "资源不存在",
        Message::NoSuchPath => "路径不存在",
        Message::NoSuchMethod => "不支持该请求方法",
        Message::Taken(Noun::Role) => "角色编码已存在",
        Message::Taken(Noun::Permission) => "权限编码已存在",
        Message::Taken(_) => "资源已存在",
        Message::BadRoleCode => "角色编码必须为大写字母、数字和下划线组合",
        Message::Field(field, why) => return format!("「{field}」{}", wrong(why)).into(),
        Message::Body(BodyError::TooLarge(most)) => return format!("请求体不能超过 {most} 字节").into(),
        Message::Body(BodyError::TooSlow) => "请求体接收超时",
        Message::Body(BodyError::Incomplete) => "请求体不完整",
        Message::Body(BodyError::WrongType(wanted)) => return format!("Content-Type 必须为 {wanted}").into(),
        Message::Body(BodyError::Malformed(_)) => "请求体必须是有效的 JSON 对象，且成员不能重复",
        Message::TooMany => "请求过于频繁，请稍后再试",
        Message::Later => "服务暂时不可用，请稍后再试",
        Message::Internal => "服务器内部错误",
        Message::RoleDeleted => "角色删除成功",
        Message::PermissionDeleted => "权限删除成功",
        Message::PermissionRemoved => "角色权限移除成功",
        Message::RoleTaken => "用户角色移除成功",
    })
}

/// What is wrong with a member or parameter.
fn wrong(why: &str) -> Cow<'static, str> {
    let number = |before: &str, after: &str| why.strip_prefix(before)?.strip_suffix(after)?.parse::<u64>().ok();
    if let Some(most) = number("is longer than ", " characters").or(number("must be at most ", " characters")) {
        return format!("最多 {most} 个字符").into();
    }
    if let Some(most) = number("must be at most ", " of them") {
        return format!("最多 {most} 项").into();
    }
    Cow::Borrowed(match why {
        "is required" | "is empty" => "为必填项",
        "must be a string" => "必须为字符串",
        "must be a list of strings" => "必须为字符串数组",
        "must be true or false" => "必须为 true 或 false",
        "must be a whole number" => "必须为非负整数",
        "must be from 1 to 1000" => "必须在 1 到 1000 之间",
        "must be given once" => "只能出现一次",
        "is too large" => "数值过大",
        "must not contain a NUL character" => "不能包含 NUL 字符",
        "must be in the future" => "必须是将来的时间",
        "must be a time as in 2030-01-31T18:00:00Z" => "必须是 RFC 3339 时间，例如 2030-01-31T18:00:00Z",
        "must be GLOBAL, TENANT or SYSTEM" => "必须为 GLOBAL、TENANT 或 SYSTEM",
        "must be resource:action" => "必须为 resource:action 形式，并与 resource、action 一致",
        "can't be changed" => "不能修改",
        _ => "格式不正确",
    })
}

//! English.

use std::borrow::Cow;

use super::Message;
use crate::domain::Noun;

pub(super) fn text(message: &Message) -> Cow<'static, str> {
    Cow::Borrowed(match message {
        Message::InvalidToken => "invalid access token",
        Message::Denied => "insufficient permission",
        Message::LastSuperAdmin => "the last super administrator can't lose that role",
        Message::NotFound(Noun::Role) => "role not found",
        Message::NotFound(Noun::Permission) => "permission not found",
        Message::NotFound(Noun::User) => "user not found",
        Message::NotFound(noun) => return format!("{noun} not found").into(),
        Message::NoSuchPath => "not found",
        Message::NoSuchMethod => "method not allowed",
        Message::Taken(Noun::Role) => "role code taken",
        Message::Taken(Noun::Permission) => "permission code taken",
        Message::Taken(noun) => return format!("{noun} taken").into(),
        Message::BadRoleCode => "role code not [A-Z0-9_]+",
        Message::Field(field, why) => return format!("\"{field}\" {why}").into(),
        Message::Body(error) => return error.to_string().into(),
        Message::TooMany => "too many requests, try again later",
        Message::Later => "temporarily unavailable, try again",
        Message::Internal => "internal error",
        Message::RoleDeleted => "role deleted",
        Message::PermissionDeleted => "permission deleted",
        Message::PermissionRemoved => "permission removed from the role",
        Message::RoleTaken => "role removed from the user",
    })
}

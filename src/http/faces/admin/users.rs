//! `/api/admin/v1/users`.

mod wire;

use actix_web::HttpResponse;

use super::caller::{Caller, caller};
use super::error::{Answer, Error};
use super::members::{Body as _, read};
use super::once::{Made, once};
use super::paging::{Page, Paging};
use crate::domain::administration::users::{self as verbs, UserChange, UserFilter};
use crate::domain::users::{self, NewPassword, NewUser};
use crate::domain::{DomainError, Noun, password_policy};
use crate::http::call::Call;
use crate::http::fields::FieldError;
use crate::model::ids::UserId;
use crate::model::permission::code;
use crate::model::user::User;
use wire::{MailBody, NewUserBody, PasswordBody, UserChangeBody, UserShown};

/// Users, by page, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/admin/v1/users",
    params(
        ("search" = Option<String>, Query, description = "Part of the address, username or name"),
        ("role" = Option<String>, Query, description = "Who holds the role of this code"),
        ("is_active" = Option<bool>, Query, description = "Who may sign in, or may not"),
        ("organization" = Option<String>, Query, description = "`org_…`: who belongs to it"),
        ("limit" = Option<u64>, Query, description = "50 unless said otherwise, 200 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "A page", body = Page<UserShown>)),
    security(("access_token" = ["user:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_READ]).await?;
    let query = call.query();
    let organization = query.text("organization")?.map(str::parse).transpose();
    let filter = UserFilter {
        search: query.text("search")?.map(str::to_owned),
        role: query.text("role")?.map(str::to_owned),
        none_of: &[],
        is_active: query.flag("is_active")?,
        organization: organization.map_err(|_| FieldError::new("organization", "is not the id of one"))?,
        now: caller.ctx.now(),
    };
    let paging = Paging::read(&call, &caller)?;
    let found = verbs::list(&caller.ctx, &filter, paging.after(), paging.take()).await?;
    let ids: Vec<UserId> = found.iter().map(|user| user.id).collect();
    let roles = crate::domain::roles::codes_of_users(caller.ctx.core, &ids).await?;
    let locked = verbs::locked(&caller.ctx, &ids).await?;
    let show = |user: User| {
        let (roles, locked) = (roles.get(&user.id).cloned(), locked.get(&user.id));
        UserShown::new(user, roles.unwrap_or_default(), locked.copied())
    };
    Ok(HttpResponse::Ok().json(paging.page(&caller, found, |user| user.id.to_string(), show)?))
}

/// Makes a user, who may do no more than whoever makes them.
#[utoipa::path(
    post,
    path = "/api/admin/v1/users",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is done once"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = NewUserBody,
    responses(
        (status = 201, description = "Made", body = UserShown),
        (status = 409, description = "The address or username is taken, or the same request is being done"),
    ),
    security(("access_token" = ["user:write"])),
)]
pub(super) async fn create(call: Call) -> Answer {
    once(call, &[code::USER_WRITE], |caller, fields| {
        Box::pin(async move {
            let wish = NewUserBody::whole(fields)?;
            let ctx = &caller.ctx;
            let least = password_policy::min_length_given(ctx.core, &ctx.tenant);
            let new = NewUser {
                email: wish.email.as_deref(),
                email_verified: wish.email_verified.unwrap_or(false),
                username: wish.username.as_deref(),
                name: wish.name.as_deref(),
                password: match &wish.password {
                    Some(password) => NewPassword::Plain(password, least),
                    None => NewPassword::None,
                },
                profile: wish.profile.unwrap_or_else(|| serde_json::json!({})),
                roles: wish.roles.as_deref().unwrap_or_default(),
            };
            let user = verbs::create(ctx, &caller.powers, new).await.map_err(|error| match error {
                DomainError::NotFound(Noun::Role) => FieldError::new("roles", "names a role that there is not").into(),
                other => Error::from(other),
            })?;
            Made::new(&shown(caller, user).await?)
        })
    })
    .await
}

/// One user.
#[utoipa::path(
    get,
    path = "/api/admin/v1/users/{user_id}",
    params(
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses((status = 200, description = "The user", body = UserShown)),
    security(("access_token" = ["user:read"])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_READ]).await?;
    let user = users::find(&caller.ctx, id(&call)?).await?;
    Ok(HttpResponse::Ok().json(shown(&caller, user).await?))
}

/// Changes a user.
#[utoipa::path(
    patch,
    path = "/api/admin/v1/users/{user_id}",
    params(
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = UserChangeBody,
    responses(
        (status = 200, description = "The user as it is now", body = UserShown),
        (status = 403, description = "A permission is missing, or the user may do more than the caller"),
        (status = 409, description = "The address or username is taken"),
    ),
    security(("access_token" = ["user:write"])),
)]
pub(super) async fn update(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_WRITE]).await?;
    let user = id(&call)?;
    let wish: UserChangeBody = read(&call).await?;
    let change = UserChange {
        email: wish.email,
        email_verified: wish.email_verified,
        username: wish.username,
        name: wish.name,
        profile: wish.profile,
        enabled: wish.is_active,
    };
    let user = verbs::update(&caller.ctx, &caller.powers, user, change).await?;
    Ok(HttpResponse::Ok().json(shown(&caller, user).await?))
}

/// Deletes an account and all that is its own.
#[utoipa::path(
    delete,
    path = "/api/admin/v1/users/{user_id}",
    params(
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "A permission is missing, or the user may do more than the caller"),
        (status = 409, description = "The last owner of an organization that has other members"),
    ),
    security(("access_token" = ["user:write"])),
)]
pub(super) async fn delete(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_WRITE]).await?;
    verbs::delete(&caller.ctx, &caller.powers, id(&call)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sets a password; everything issued so far ends.
#[utoipa::path(
    post,
    path = "/api/admin/v1/users/{user_id}/password",
    params(
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = PasswordBody,
    responses(
        (status = 204, description = "It is set"),
        (status = 403, description = "A permission is missing, or the user may do more than the caller"),
    ),
    security(("access_token" = ["user:write"])),
)]
pub(super) async fn set_password(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_WRITE]).await?;
    let user = id(&call)?;
    let wish: PasswordBody = read(&call).await?;
    let least = password_policy::min_length_given(caller.ctx.core, &caller.ctx.tenant);
    verbs::set_password(&caller.ctx, &caller.powers, user, &wish.password, least).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Opens an account that too many wrong passwords have locked.
#[utoipa::path(
    post,
    path = "/api/admin/v1/users/{user_id}/unlock",
    params(
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses(
        (status = 204, description = "It is open"),
        (status = 403, description = "A permission is missing, or the user may do more than the caller"),
    ),
    security(("access_token" = ["user:write"])),
)]
pub(super) async fn unlock(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_WRITE]).await?;
    verbs::unlock(&caller.ctx, &caller.powers, id(&call)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends all sessions of a user.
#[utoipa::path(
    post,
    path = "/api/admin/v1/users/{user_id}/end-sessions",
    params(
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    responses(
        (status = 204, description = "They have ended"),
        (status = 403, description = "A permission is missing, or the user may do more than the caller"),
    ),
    security(("access_token" = ["user:write"])),
)]
pub(super) async fn end_sessions(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_WRITE]).await?;
    verbs::end_sessions(&caller.ctx, &caller.powers, id(&call)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Mails a user a link, which proves their address or sets a new password.
#[utoipa::path(
    post,
    path = "/api/admin/v1/users/{user_id}/mail",
    params(
        ("user_id" = String, Path, description = "`usr_…`"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: the caller's own unless said otherwise"),
    ),
    request_body = MailBody,
    responses(
        (status = 202, description = "It is on its way, unless the user had too many of late"),
        (status = 409, description = "The user has no address, or has proved it"),
    ),
    security(("access_token" = ["user:write"])),
)]
pub(super) async fn mail(call: Call) -> Answer {
    let caller = caller(&call, &[code::USER_WRITE]).await?;
    let user = id(&call)?;
    let wish: MailBody = read(&call).await?;
    verbs::mail_link(&caller.ctx, user, wish.kind).await?;
    Ok(HttpResponse::Accepted().finish())
}

pub(super) fn id(call: &Call) -> Result<UserId, DomainError> {
    call.path_part("user_id").parse().map_err(|_| DomainError::NotFound(Noun::User))
}

async fn shown(caller: &Caller<'_>, user: User) -> Result<UserShown, DomainError> {
    let roles = crate::domain::roles::codes_of_users(caller.ctx.core, &[user.id]).await?.remove(&user.id);
    let locked = verbs::locked(&caller.ctx, &[user.id]).await?.remove(&user.id);
    Ok(UserShown::new(user, roles.unwrap_or_default(), locked))
}

//! `/v1/auth/*` and `/v1/users`: the users of a tenant.

use actix_web::HttpResponse;

use super::caller::{tenant_key, user};
use super::error::{Answer, Error, ErrorBody};
use super::wire::{Login, Register, SignedIn, UserBody, UserList};
use crate::crypto::digest::{base64url, from_base64url};
use crate::domain::users::{self, NewPassword, NewUser};
use crate::domain::{DomainError, Noun, authn, tokens};
use crate::http::bearer::Challenge;
use crate::http::call::Call;
use crate::http::fields::{Body as _, FieldError};
use crate::http::limit::Limit;
use crate::model::ids::UserId;
use crate::model::scope::OAuthScope;
use crate::model::tenant::TenantKeyKind::{Public, Secret};

/// Makes an account.
#[utoipa::path(
    post,
    path = "/v1/auth/register",
    request_body = Register,
    responses(
        (status = 201, description = "Made", body = UserBody),
        (status = 400, description = "What is wrong with the input", body = ErrorBody),
        (status = 401, description = "`tenant not found`", body = ErrorBody),
        (status = 409, description = "`email already registered`", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
    ),
    security(("tenant_key" = [])),
)]
pub(super) async fn register(call: Call) -> Answer {
    let ctx = tenant_key(&call, &[Public, Secret]).await?;
    let wish = Register::read(&mut call.json().await?)?;
    call.limit(Limit::SignUp)?;
    let new = NewUser {
        email: Some(&wish.email),
        email_verified: false,
        username: None,
        name: None,
        password: NewPassword::Plain(&wish.password, ctx.tenant.password_min_length(call.core())),
        profile: wish.profile,
        roles: &[],
    };
    let user = users::create(&ctx, new).await?;
    Ok(HttpResponse::Created().json(UserBody::from(user)))
}

/// Signs a person in.
#[utoipa::path(
    post,
    path = "/v1/auth/login",
    request_body = Login,
    responses(
        (status = 200, description = "Signed in; the token lasts a day", body = SignedIn),
        (status = 400, description = "What is missing", body = ErrorBody),
        (status = 401, description = "`tenant not found`, or `invalid email or password`", body = ErrorBody),
        (status = 403, description = "`mfa required`", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
    ),
    security(("tenant_key" = [])),
)]
pub(super) async fn login(call: Call) -> Answer {
    let ctx = tenant_key(&call, &[Public, Secret]).await?;
    let wish = Login::read(&mut call.json().await?)?;
    call.limit(Limit::Login)?;
    let proof = authn::password(&ctx, &wish.email, &wish.password, None).await.map_err(Error::sign_in)?;
    let lifetime = call.core().config.tokens.tenant_login;
    let issued = tokens::for_sign_in(&ctx, proof, OAuthScope::empty(), lifetime).await;
    let (user, issued) = issued.map_err(Error::sign_in)?;
    Ok(HttpResponse::Ok().json(SignedIn { user: user.into(), token: issued.token }))
}

/// The person whose token it is.
///
/// Any token of theirs; one that an app of somebody else holds needs the scopes `profile` and `email`.
#[utoipa::path(
    get,
    path = "/v1/users/me",
    responses(
        (status = 200, description = "The account", body = UserBody),
        (status = 401, description = "`user not authenticated`", body = ErrorBody),
        (status = 403, description = "`Forbidden`: an app of somebody else that may not see it", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn me(call: Call) -> Answer {
    let (ctx, id) = user(&call).await?;
    let user = users::find(&ctx, id).await.map_err(|error| match error {
        DomainError::NotFound(_) => Error::no_user(Challenge::InvalidToken),
        other => other.into(),
    })?;
    Ok(HttpResponse::Ok().json(UserBody::from(user)))
}

/// The users of the tenant, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/v1/users",
    params(
        ("limit" = Option<u64>, Query, description = "How many; 100 unless said otherwise, 1000 at most"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before"),
    ),
    responses(
        (status = 200, description = "Some users", body = UserList),
        (status = 400, description = "A bad limit or cursor", body = ErrorBody),
        (status = 401, description = "`tenant not found`", body = ErrorBody),
    ),
    security(("tenant_key" = [])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let ctx = tenant_key(&call, &[Secret]).await?;
    let query = call.query();
    let limit = query.limit("limit", 100, 1000)?;
    let after = query.text("cursor")?.map(open_cursor).transpose()?;
    let mut found = users::list(&ctx, after, limit + 1).await?;
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        found.pop();
    }
    let next_cursor = found.last().filter(|_| more).map(|last| cursor(last.id));
    Ok(HttpResponse::Ok().json(UserList { users: found.into_iter().map(UserBody::from).collect(), next_cursor }))
}

/// Where a list goes on: after this user.
fn cursor(last: UserId) -> String {
    base64url(last.uuid().as_bytes())
}

fn open_cursor(text: &str) -> Result<UserId, FieldError> {
    let id = from_base64url(text).and_then(|bytes| uuid::Uuid::from_slice(&bytes).ok());
    id.map(UserId::from_uuid).ok_or(FieldError::new("cursor", "is not a cursor"))
}

/// A user of the tenant.
#[utoipa::path(
    get,
    path = "/v1/users/{id}",
    params(("id" = String, Path, description = "`usr_…`")),
    responses(
        (status = 200, description = "The user", body = UserBody),
        (status = 401, description = "`tenant not found`", body = ErrorBody),
        (status = 404, description = "`user not found`", body = ErrorBody),
    ),
    security(("tenant_key" = [])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let ctx = tenant_key(&call, &[Secret]).await?;
    let id = call.path_part("id").parse().map_err(|_| DomainError::NotFound(Noun::User))?;
    Ok(HttpResponse::Ok().json(UserBody::from(users::find(&ctx, id).await?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_to_where_it_was_made_and_nothing_else_is_one() {
        let id = UserId::from_uuid(uuid::Uuid::from_u128(0x0192_0000_7000_8000_0000_0000_0000_0001));
        assert_eq!(open_cursor(&cursor(id)), Ok(id));
        for bad in ["x", "usr_0", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAA", "'; drop table users", "%00"] {
            assert!(open_cursor(bad).is_err(), "{bad}");
        }
    }
}

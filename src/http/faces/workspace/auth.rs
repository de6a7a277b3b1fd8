//! `/api/auth/*`: accounts.

use actix_web::HttpResponse;

use super::caller::bearer;
use super::error::{Answer, Error, ErrorBody};
use super::wire::{
    Account, Login, Me, Message, OwnWorkspace, Refresh, Register, Registered, SecondFactor, SignedIn, Tokens,
};
use crate::domain::api_sign_in::{self, Arrival};
use crate::domain::tokens::{self, Granted};
use crate::domain::{Ctx, DomainError, memberships, registration, tenants, users};
use crate::http::bearer::Challenge;
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::audit::Actor;
use crate::model::user::User;

/// A call about accounts, by somebody who has no token: in the default tenant.
async fn default_tenant(call: &Call) -> Result<Ctx<'_>, Error> {
    Ok(call.ctx(tenants::default(call.core()).await?, Actor::Anonymous))
}

/// Makes an account, and mails a link that proves the address.
///
/// An address that has an account gets the same answer, and a mail that tells its owner so.
#[utoipa::path(
    post,
    path = "/api/auth/register",
    request_body = Register,
    responses(
        (status = 201, description = "Made", body = Registered),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 403, description = "Nobody may make an account of their own here", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 422, description = "What is wrong with the input", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
)]
pub(super) async fn register(call: Call) -> Answer {
    let wish = Register::read(&mut call.json().await?)?;
    call.limit(Limit::SignUp)?;
    let ctx = default_tenant(&call).await?;
    let user = registration::register(&ctx, &wish.email, Some(&wish.name), &wish.password).await?;
    let message = "User registered successfully. Please verify your email.";
    Ok(HttpResponse::Created().json(Registered { message, user_id: user.uuid().to_string() }))
}

/// Signs a person in.
#[utoipa::path(
    post,
    path = "/api/auth/login",
    request_body = Login,
    responses(
        (status = 200, description = "Signed in", body = SignedIn),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 401, description = "`INVALID_CREDENTIALS`", body = ErrorBody),
        (status = 403, description = "`EMAIL_NOT_VERIFIED`, or `MFA_REQUIRED` with an `mfa_token`", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 422, description = "What is missing", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
)]
pub(super) async fn login(call: Call) -> Answer {
    let wish = Login::read(&mut call.json().await?)?;
    call.limit(Limit::Login)?;
    let ctx = default_tenant(&call).await?;
    match api_sign_in::with_password(&ctx, &wish.email, &wish.password).await.map_err(Error::sign_in)? {
        Arrival::Granted(granted) => signed_in(&ctx, *granted).await,
        Arrival::VerificationDue => Err(Error::email_not_verified()),
        Arrival::SecondFactorDue(ticket) => Err(Error::mfa_required(ticket)),
    }
}

/// Signs a person in who has shown a second factor beside the password: a code of their authenticator app,
/// or a recovery code.
#[utoipa::path(
    post,
    path = "/api/auth/mfa",
    request_body = SecondFactor,
    responses(
        (status = 200, description = "Signed in", body = SignedIn),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 401, description = "`INVALID_TOKEN`", body = ErrorBody),
        (status = 403, description = "Signing in here is switched off", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 422, description = "What is missing", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
)]
pub(super) async fn mfa(call: Call) -> Answer {
    let wish = SecondFactor::read(&mut call.json().await?)?;
    call.limit(Limit::Codes)?;
    let ctx = default_tenant(&call).await?;
    let granted = api_sign_in::with_code(&ctx, &wish.mfa_token, &wish.code).await.map_err(Error::token)?;
    signed_in(&ctx, granted).await
}

async fn signed_in(ctx: &Ctx<'_>, granted: Granted) -> Answer {
    let tokens = Tokens::new(&granted);
    Ok(HttpResponse::Ok().json(SignedIn { tokens, user: account(ctx, granted.user).await? }))
}

async fn account(ctx: &Ctx<'_>, user: User) -> Result<Account, DomainError> {
    let role = users::highest_role(ctx.core, &user).await?;
    Ok(Account::new(user, role))
}

/// The next tokens of a sign-in.
///
/// A refresh token counts once; one that was used before ends the sign-in.
#[utoipa::path(
    post,
    path = "/api/auth/refresh",
    request_body = Refresh,
    responses(
        (status = 200, description = "New tokens", body = Tokens),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 401, description = "`INVALID_TOKEN`", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 422, description = "What is missing", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
)]
pub(super) async fn refresh(call: Call) -> Answer {
    let wish = Refresh::read(&mut call.json().await?)?;
    let ctx = default_tenant(&call).await?;
    match api_sign_in::refresh(&ctx, &wish.refresh_token).await {
        Ok(granted) => Ok(HttpResponse::Ok().json(Tokens::new(&granted))),
        Err(refused) => {
            if matches!(refused, DomainError::NotAuthenticated(_)) {
                call.limit(Limit::TokenFailures)?;
            }
            Err(Error::token(refused))
        }
    }
}

/// Ends the sign-in that the token comes from: the session, its refresh tokens and its access tokens.
#[utoipa::path(
    post,
    path = "/api/auth/logout",
    responses(
        (status = 200, description = "Signed out", body = Message),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "A service's token", body = ErrorBody),
        (status = 429, description = "Too many wrong ones from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn logout(call: Call) -> Answer {
    let person = bearer(&call).await?;
    tokens::end_sign_in(&person.ctx, &person.token.claims).await?;
    Ok(HttpResponse::Ok().json(Message { message: "Logged out successfully" }))
}

/// One's own account.
///
/// A token of an app of somebody else needs the scopes `profile` and `email`.
#[utoipa::path(
    get,
    path = "/api/auth/me",
    responses(
        (status = 200, description = "The account", body = Me),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "A token that does not reach that far", body = ErrorBody),
        (status = 429, description = "Too many wrong ones from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn me(call: Call) -> Answer {
    let person = bearer(&call).await?;
    person.require_account()?;
    let user = users::find(&person.ctx, person.user).await.map_err(|error| match error {
        DomainError::NotFound(_) => Error::unauthorized(Challenge::InvalidToken),
        other => other.into(),
    })?;
    let own = memberships::of_user(call.core(), person.ctx.tenant_id(), person.user).await?;
    let workspaces = own.into_iter().map(OwnWorkspace::from).collect();
    Ok(HttpResponse::Ok().json(Me { account: account(&person.ctx, user).await?, workspaces }))
}

//! `GET, POST /oauth/userinfo` (OpenID Connect Core §5.3, RFC 6750).

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};

use super::error::Problem;
use super::wire::ErrorAnswer;
use crate::http::bearer::{Bearer, Challenge};
use crate::http::body;
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::audit::Actor;
use crate::protocol::oauth::userinfo::{UserInfo, userinfo as look};
use crate::protocol::oauth::{ErrorCode, OAuthError, Params};

/// The largest form, in bytes.
const MOST: usize = 64 * 1024;

/// Says what the access token may be used to learn about the person.
#[utoipa::path(
    method(get, post),
    path = "/oauth/userinfo",
    responses(
        (status = 200, description = "Claims, as JSON or as the signed token that the client registered for"),
        (status = 400, description = "The token came in two ways, or in the address", body = ErrorAnswer),
        (status = 401, description = "No access token that counts", body = ErrorAnswer),
        (status = 403, description = "The access token was not granted openid", body = ErrorAnswer),
        (status = 404, description = "No such tenant", body = ErrorAnswer),
        (status = 413, description = "The form is larger than 64 KiB", body = ErrorAnswer),
        (status = 429, description = "Too many failures from this address", body = ErrorAnswer),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorAnswer),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn userinfo(call: Call) -> HttpResponse {
    match answer(&call).await {
        Ok(answer) => answer,
        Err(problem) => refuse(&call, problem),
    }
}

async fn answer(call: &Call) -> Result<HttpResponse, Problem> {
    let ctx = call.ctx(call.tenant().await?, Actor::Anonymous);
    if !matches!(call.query().text("access_token"), Ok(None)) {
        // RFC 6750 §2.3: it would end up in logs.
        return Err(OAuthError::invalid_request("The access token does not belong in the address").into());
    }
    let form = if is_form(call.request()) { call.bytes(MOST).await? } else { bytes::Bytes::new() };
    let params = Params::parse(&form)?;
    let missing = || OAuthError::new(ErrorCode::InvalidToken, "An access token is needed").because("no token");
    let token = match (call.bearer(), params.get("access_token")) {
        (Bearer::Missing, None) => return Err(missing().into()),
        (Bearer::Malformed, _) => {
            return Err(OAuthError::new(ErrorCode::InvalidToken, "The access token is not valid")
                .because("malformed")
                .into());
        }
        (Bearer::Token(_), Some(_)) => {
            return Err(OAuthError::invalid_request("The access token comes in two ways").into());
        }
        (Bearer::Token(token), None) | (Bearer::Missing, Some(token)) => token,
    };
    Ok(match look(&ctx, token).await? {
        UserInfo::Plain(claims) => HttpResponse::Ok().json(claims),
        UserInfo::Signed(token) => HttpResponse::Ok().content_type("application/jwt").body(token),
    })
}

/// Whether the body may hold the token (RFC 6750 §2.2).
fn is_form(request: &HttpRequest) -> bool {
    *request.method() == Method::POST
        && body::check_type(request.headers(), "application/x-www-form-urlencoded").is_ok()
}

/// RFC 6750 §3: what was wrong stands in the challenge too; a caller without a token hears of no error.
fn refuse(call: &Call, problem: Problem) -> HttpResponse {
    let Problem::Protocol(error) = problem else { return problem.answer(call) };
    let (status, challenge) = match error.code {
        ErrorCode::InvalidToken if error.cause.as_deref() == Some("no token") => {
            (StatusCode::UNAUTHORIZED, Challenge::Missing)
        }
        ErrorCode::InvalidToken => (StatusCode::UNAUTHORIZED, Challenge::InvalidToken),
        ErrorCode::InsufficientScope => (StatusCode::FORBIDDEN, Challenge::InsufficientScope("openid")),
        ErrorCode::InvalidRequest => (StatusCode::BAD_REQUEST, Challenge::InvalidRequest),
        _ => return Problem::Protocol(error).answer(call),
    };
    if challenge == Challenge::InvalidToken
        && let Err(limited) = call.limit(Limit::TokenFailures)
    {
        return Problem::Limited(limited).answer(call);
    }
    let mut answer = Problem::Protocol(error).answer(call);
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.header());
    answer
}

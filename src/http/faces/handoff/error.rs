//! `{"detail": "<code>"}`, and `fields` where input is wrong: the one place where anything that goes wrong gets
//! its status and its code on this face and on that of `member.md`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::domain::api_clients::Refusal;
use crate::domain::{DomainError, Noun};
use crate::http::bearer::Challenge;
use crate::http::body::BodyError;
use crate::http::fields::FieldError;
use crate::http::limit::Limited;
use crate::http::shape;

/// What an error answer holds.
#[derive(Serialize, ToSchema)]
pub(in crate::http::faces) struct DetailBody<'a> {
    /// What went wrong, as a code.
    detail: &'a str,
    /// With `validation_error`: what is wrong with which member or parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    fields: Option<BTreeMap<&'a str, &'a str>>,
}

/// How a 401 asks for proof (RFC 9110 §11.6.1).
#[derive(Clone, Copy, Debug)]
enum Proof {
    KeyPair,
    Bearer(Challenge),
}

/// Something that is not done. `Display` is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{}", cause.as_deref().unwrap_or(code))]
pub(in crate::http::faces) struct Error {
    status: StatusCode,
    code: &'static str,
    field: Option<FieldError>,
    wanted: Option<Proof>,
    retry_after: Option<Duration>,
    /// What really happened, where callers are not told.
    cause: Option<String>,
}

/// What handlers answer.
pub(in crate::http::faces) type Answer = Result<HttpResponse, Error>;

impl Error {
    const fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, field: None, wanted: None, retry_after: None, cause: None }
    }

    /// A status with the code that goes with it.
    pub(in crate::http::faces) fn of_status(status: StatusCode) -> Self {
        Self::new(status, shape::detail_code(status))
    }

    fn unauthorized(code: &'static str, wanted: Proof) -> Self {
        Self { wanted: Some(wanted), ..Self::new(StatusCode::UNAUTHORIZED, code) }
    }

    /// There is no bearer token.
    pub(in crate::http::faces) fn missing_bearer_token() -> Self {
        Self::unauthorized("missing_bearer_token", Proof::Bearer(Challenge::Missing))
    }

    /// There is one that does not count.
    pub(in crate::http::faces) fn invalid_bearer_token() -> Self {
        Self::unauthorized("invalid_bearer_token", Proof::Bearer(Challenge::InvalidToken))
    }

    /// There is one that does not reach far enough.
    pub(in crate::http::faces) fn insufficient_scope(scope: &'static str) -> Self {
        let wanted = Some(Proof::Bearer(Challenge::InsufficientScope(scope)));
        Self { wanted, ..Self::new(StatusCode::FORBIDDEN, "insufficient_scope") }
    }

    /// A sign-in did not succeed: one text for every cause.
    pub(in crate::http::faces) fn sign_in(error: DomainError) -> Self {
        match error {
            DomainError::NotAuthenticated(_) => {
                Self::unauthorized("invalid_username_or_password", Proof::Bearer(Challenge::Missing))
            }
            other => other.into(),
        }
    }

    /// What another system says of a person can't be so; `sub` is what this contract calls their name.
    pub(in crate::http::faces) fn of_account(error: DomainError, sub: &'static str) -> Self {
        match error {
            DomainError::Invalid(invalid) if invalid.field == "sub" => FieldError::new(sub, invalid.why).into(),
            DomainError::Invalid(invalid) if invalid.field == "name" => {
                FieldError::new("display_name", invalid.why).into()
            }
            other => other.into(),
        }
    }

    /// Accounts are made elsewhere.
    pub(in crate::http::faces) const fn not_provisioning() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "authentik_admin_not_configured")
    }

    fn again(retry_after: Duration, cause: String) -> Self {
        let (retry_after, cause) = (Some(retry_after), Some(cause));
        Self { retry_after, cause, ..Self::of_status(StatusCode::SERVICE_UNAVAILABLE) }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let key_pair = |code| Self::unauthorized(code, Proof::KeyPair);
        match refusal {
            Refusal::NotConfigured => Self::new(StatusCode::SERVICE_UNAVAILABLE, "internal_secret_not_configured"),
            Refusal::Client => key_pair("invalid_client"),
            Refusal::Secret => key_pair("invalid_api_key"),
            Refusal::Expired => key_pair("client_expired"),
            Refusal::Origin => Self::new(StatusCode::FORBIDDEN, "origin_not_allowed"),
            Refusal::Address => Self::new(StatusCode::FORBIDDEN, "ip_not_allowed"),
            Refusal::Path => Self::new(StatusCode::FORBIDDEN, "path_not_allowed"),
            Refusal::Failed(error) => error.into(),
        }
    }
}

impl From<DomainError> for Error {
    fn from(error: DomainError) -> Self {
        let cause = error.to_string();
        match error {
            DomainError::NotFound(noun) => Self::new(
                StatusCode::NOT_FOUND,
                match noun {
                    Noun::User => "user_not_found",
                    Noun::Organization | Noun::Site => "scope_not_found",
                    Noun::Module => "module_not_found",
                    _ => "not_found",
                },
            ),
            DomainError::Taken(_) => Self::new(StatusCode::CONFLICT, "user_conflict"),
            DomainError::Conflict(_) => Self { cause: Some(cause), ..Self::of_status(StatusCode::CONFLICT) },
            DomainError::Invalid(invalid) => FieldError::new(invalid.field, invalid.why).into(),
            DomainError::NotAuthenticated(_) => Self::invalid_bearer_token(),
            DomainError::SecondFactorNeeded => Self::new(StatusCode::FORBIDDEN, "mfa_required"),
            DomainError::Forbidden(_) | DomainError::NotAllowed(_) => {
                Self { cause: Some(cause), ..Self::of_status(StatusCode::FORBIDDEN) }
            }
            DomainError::Busy { retry_after } => Self::again(retry_after, cause),
            DomainError::Unavailable(_) | DomainError::Contended(_) => Self::again(Duration::from_secs(1), cause),
            DomainError::Defect(_) => Self { cause: Some(cause), ..Self::of_status(StatusCode::INTERNAL_SERVER_ERROR) },
        }
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Incomplete | BodyError::Malformed(_) => FieldError::new("body", error.to_string()).into(),
            other => Self::of_status(other.status()),
        }
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self { field: Some(error), ..Self::of_status(StatusCode::UNPROCESSABLE_ENTITY) }
    }
}

impl From<Limited> for Error {
    fn from(Limited { retry_after }: Limited) -> Self {
        Self { retry_after: Some(retry_after), ..Self::of_status(StatusCode::TOO_MANY_REQUESTS) }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let field = self.field.as_ref().map(|FieldError { field, why }| (*field, Cow::as_ref(why)));
        let body = DetailBody { detail: self.code, fields: field.map(|field| BTreeMap::from([field])) };
        let mut answer = HttpResponse::build(self.status).json(body);
        if let Some(wanted) = self.wanted {
            let challenge = match wanted {
                Proof::KeyPair => HeaderValue::from_static(r#"ApiKey realm="gatehouse""#),
                Proof::Bearer(challenge) => challenge.header(),
            };
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.retry_after {
            shape::retry_after(answer.headers_mut(), wait);
        }
        if self.status == StatusCode::REQUEST_TIMEOUT {
            // What is still to come would be read as the next request.
            answer.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        }
        answer
    }
}

/// What any request with a key pair can be answered with, for the OpenAPI document.
pub(in crate::http::faces) struct KeyPairRefusals;

impl IntoResponses for KeyPairRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        documented(&[
            ("401", "`invalid_client`, `invalid_api_key` or `client_expired`"),
            ("403", "`origin_not_allowed`, `ip_not_allowed`, `path_not_allowed`, or what no API client may do"),
            ("429", "Too many wrong key pairs from this address"),
            (
                "503",
                "`internal_secret_not_configured`: there is no API client yet; `authentik_admin_not_configured`: \
                 accounts are made elsewhere; or try again after Retry-After seconds",
            ),
        ])
    }
}

/// What a body can be answered with, beside those.
pub(in crate::http::faces) struct BodyRefusals;

impl IntoResponses for BodyRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        documented(&[
            ("408", "The body did not arrive in time"),
            ("413", "The body is too large"),
            ("415", "The body is no JSON"),
            ("422", "`validation_error`: what is wrong with which member"),
        ])
    }
}

fn documented(all: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let refusal = |(status, about): &(&str, &str)| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("DetailBody"))).build();
        let response = ResponseBuilder::new().description(*about).content("application/json", content).build();
        ((*status).to_owned(), response.into())
    };
    all.iter().map(refusal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Invalid;

    #[test]
    fn the_codes_are_the_contract_s() {
        for (error, status, code) in [
            (Error::from(Refusal::NotConfigured), 503, "internal_secret_not_configured"),
            (Refusal::Client.into(), 401, "invalid_client"),
            (Refusal::Secret.into(), 401, "invalid_api_key"),
            (Refusal::Expired.into(), 401, "client_expired"),
            (Refusal::Origin.into(), 403, "origin_not_allowed"),
            (Refusal::Address.into(), 403, "ip_not_allowed"),
            (Refusal::Path.into(), 403, "path_not_allowed"),
            (DomainError::NotFound(Noun::User).into(), 404, "user_not_found"),
            (DomainError::NotFound(Noun::Site).into(), 404, "scope_not_found"),
            (DomainError::NotFound(Noun::Module).into(), 404, "module_not_found"),
            (DomainError::Taken(Noun::Identifier).into(), 409, "user_conflict"),
            (DomainError::from(Invalid::new("email", "is not a valid email")).into(), 422, "validation_error"),
            (Error::sign_in(DomainError::NotAuthenticated("whatever")), 401, "invalid_username_or_password"),
            (DomainError::SecondFactorNeeded.into(), 403, "mfa_required"),
            (DomainError::Unavailable(String::new()).into(), 503, "temporarily_unavailable"),
            (Error::of_status(StatusCode::NOT_FOUND), 404, "not_found"),
        ] {
            assert_eq!((error.status.as_u16(), error.code), (status, code));
        }
    }
}

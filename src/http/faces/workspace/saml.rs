//! `/api/sso/saml/*`: signing in to a workspace by its SAML provider.

use actix_web::HttpResponse;
use actix_web::cookie::time::Duration as CookieAge;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header;
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;

use super::caller::bearer;
use super::error::{Answer, Error, ErrorBody};
use crate::crypto::opaque::{self, TokenKind};
use crate::domain::{Ctx, DomainError, Noun, tenants};
use crate::http::body::{self, BodyError};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::audit::Actor;
use crate::model::ids::OrganizationId;
use crate::protocol::saml::{self, Arrived, Posted};

/// The largest body of an answer, in bytes (`workspace.md`).
const MOST: u32 = 512 * 1024;
/// Binds a sign-in that is under way to the browser in which it began. The provider's form comes from
/// another site, so it is `SameSite=None`, which browsers take over https alone.
const COOKIE: &str = "__Secure-gatehouse-saml";
/// How long a sign-in may take.
const PATIENCE: CookieAge = CookieAge::minutes(15);

/// The workspace in the path, and a call about it by nobody yet.
async fn workspace(call: &Call) -> Result<(Ctx<'_>, OrganizationId), Error> {
    let text = call.path_part("workspace_id");
    let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
    let id = id.ok_or(DomainError::NotFound(Noun::Organization))?;
    let ctx = call.ctx(tenants::default(call.core()).await?, Actor::Anonymous);
    Ok((ctx, OrganizationId::from_uuid(id)))
}

/// What does not depend on what a provider said is answered as everywhere; `return_to` is the one thing that
/// a caller can have got wrong.
fn refused(error: DomainError) -> Error {
    match error {
        DomainError::Invalid(wrong) => Error::new(StatusCode::BAD_REQUEST, wrong.to_string()),
        other => other.into(),
    }
}

/// One text for everything that a provider can have said wrong; the audit log knows more.
fn not_let_in(error: DomainError) -> Error {
    match error {
        DomainError::Invalid(_) => Error::new(StatusCode::BAD_REQUEST, "The sign-in could not be completed"),
        DomainError::NotAuthenticated(_)
        | DomainError::NotAllowed(_)
        | DomainError::Forbidden(_)
        | DomainError::Taken(_)
        | DomainError::Conflict(_) => Error::new(StatusCode::FORBIDDEN, "The sign-in is not allowed"),
        other => other.into(),
    }
}

/// Metadata of the service provider: what the workspace's identity provider must know.
#[utoipa::path(
    get,
    path = "/api/sso/saml/metadata/{workspace_id}",
    params(("workspace_id" = Uuid, Path, description = "The workspace")),
    responses(
        (status = 200, description = "SAML 2.0 metadata", body = String, content_type = "application/samlmetadata+xml"),
        (status = 403, description = "The workspace is disabled", body = ErrorBody),
        (status = 404, description = "No such workspace, or it has no connection", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
)]
pub(super) async fn metadata(call: Call) -> Answer {
    let (ctx, workspace) = workspace(&call).await?;
    let xml = saml::describe(&ctx, workspace).await?;
    Ok(HttpResponse::Ok().content_type(saml::metadata::MEDIA_TYPE).body(xml))
}

/// Begins a sign-in: sends the browser to the workspace's identity provider.
#[utoipa::path(
    get,
    path = "/api/sso/saml/login/{workspace_id}",
    params(
        ("workspace_id" = Uuid, Path, description = "The workspace"),
        ("return_to" = Option<String>, Query, description = "Where to go with the tokens, from the workspace's list"),
    ),
    responses(
        (status = 302, description = "To the identity provider, with a signed request"),
        (status = 400, description = "`return_to` is not on the list", body = ErrorBody),
        (status = 403, description = "The workspace is disabled, or the connection is not complete", body = ErrorBody),
        (status = 404, description = "No such workspace, or it has no connection", body = ErrorBody),
        (status = 422, description = "`return_to` is no such parameter", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
)]
pub(super) async fn login(call: Call) -> Answer {
    let query = call.query();
    let return_to = query.text("return_to")?;
    call.limit(Limit::Begun)?;
    let (ctx, workspace) = workspace(&call).await?;
    let cookie = ctx.tenant.issuer.starts_with("https://").then(|| browser(&call, &ctx));
    let digest = cookie.as_ref().map(|cookie| *opaque::digest_of_secret(cookie.value()).as_bytes());
    let location = saml::set_out(&ctx, workspace, return_to, digest).await.map_err(refused)?;
    let mut answer = HttpResponse::Found();
    if let Some(cookie) = cookie {
        answer.cookie(cookie);
    }
    Ok(answer.insert_header((header::LOCATION, location)).finish())
}

/// The cookie of this browser: what it has, so that two windows don't get into each other's way.
fn browser(call: &Call, ctx: &Ctx<'_>) -> Cookie<'static> {
    let sent = call.request().cookie(COOKIE).map(|cookie| cookie.value().to_owned());
    let known = sent.filter(|value| opaque::recognise(TokenKind::Browser, value).is_some());
    let value = known.unwrap_or_else(|| opaque::generate(TokenKind::Browser, &*ctx.core.entropy).expose().clone());
    Cookie::build(COOKIE, value)
        .path("/api/sso/saml")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::None)
        .max_age(PATIENCE)
        .finish()
}

/// Takes the identity provider's answer and sends the browser on with tokens in the fragment.
#[utoipa::path(
    post,
    path = "/api/sso/saml/acs/{workspace_id}",
    params(("workspace_id" = Uuid, Path, description = "The workspace")),
    request_body(content = Answered, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 302, description = "To the front end, with `#access_token=…&refresh_token=…&token_type=Bearer&expires_in=…`"),
        (status = 303, description = "To the page of ours from which the person set out"),
        (status = 400, description = "The answer does not count", body = ErrorBody),
        (status = 403, description = "Its person is not let in, or `MFA_REQUIRED`", body = ErrorBody),
        (status = 404, description = "No such workspace, or it has no connection", body = ErrorBody),
        (status = 408, description = "Too slow", body = ErrorBody),
        (status = 413, description = "Over 512 KiB", body = ErrorBody),
        (status = 415, description = "Not a form", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
)]
pub(super) async fn acs(call: Call) -> Answer {
    call.limit(Limit::Begun)?;
    let (ctx, workspace) = workspace(&call).await?;
    body::check_type(call.headers(), "application/x-www-form-urlencoded")?;
    let bytes = call.bytes_up_to(MOST).await?;
    let form = Form::parse(&bytes)?;
    let browser = call.request().cookie(COOKIE);
    let browser = browser.and_then(|cookie| opaque::recognise(TokenKind::Browser, cookie.value()));
    let posted = Posted {
        response: form.response.as_deref(),
        relay_state: form.relay_state.as_deref(),
        browser: browser.map(|digest| *digest.as_bytes()),
    };
    let (granted, return_to) = match saml::arrive(&ctx, workspace, posted).await.map_err(not_let_in)? {
        Arrived::Granted { granted, return_to } => (granted, return_to),
        Arrived::OnPage(address) => {
            return Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, address)).finish());
        }
    };
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let refresh = granted.refresh.as_ref().map(|token| encoded(token.expose())).unwrap_or_default();
    let location = format!(
        "{return_to}#access_token={}&refresh_token={refresh}&token_type=Bearer&expires_in={}",
        encoded(&granted.access.token),
        granted.access.expires_in.as_secs(),
    );
    Ok(HttpResponse::Found().insert_header((header::LOCATION, location)).finish())
}

/// Ends the sign-in that the token comes from, and says where the browser goes to be signed out at the
/// workspace's identity provider too.
#[utoipa::path(
    post,
    path = "/api/sso/saml/logout/{workspace_id}",
    params(
        ("workspace_id" = Uuid, Path, description = "The workspace"),
        ("return_to" = Option<String>, Query, description = "Where to go in the end, from the workspace's list"),
    ),
    responses(
        (status = 200, description = "Signed out here; where to go", body = Onward),
        (status = 400, description = "`return_to` is not on the list", body = ErrorBody),
        (status = 401, description = "No token that counts", body = ErrorBody),
        (status = 403, description = "A service's token; or the workspace is disabled, or the connection is not complete", body = ErrorBody),
        (status = 404, description = "No such workspace, or it has no connection", body = ErrorBody),
        (status = 422, description = "`return_to` is no such parameter", body = ErrorBody),
        (status = 429, description = "Too many wrong ones from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
    security(("user_token" = [])),
)]
pub(super) async fn logout(call: Call) -> Answer {
    let person = bearer(&call).await?;
    let query = call.query();
    let return_to = query.text("return_to")?;
    let (_, workspace) = workspace(&call).await?;
    let location = saml::leave(&person.ctx, workspace, &person.token.claims, return_to).await.map_err(refused)?;
    Ok(HttpResponse::Ok().json(Onward { location }))
}

/// Takes what the identity provider has to say about a sign-out, its own wish or its answer to one.
#[utoipa::path(
    get,
    path = "/api/sso/saml/slo/{workspace_id}",
    params(
        ("workspace_id" = Uuid, Path, description = "The workspace"),
        ("SAMLRequest" = Option<String>, Query, description = "A `<LogoutRequest>`"),
        ("SAMLResponse" = Option<String>, Query, description = "A `<LogoutResponse>`"),
        ("RelayState" = Option<String>, Query, description = "What is handed back as it is"),
        ("SigAlg" = String, Query, description = "How it is signed"),
        ("Signature" = String, Query, description = "The signature"),
    ),
    responses(
        (status = 302, description = "Back to the identity provider with the answer, or to where the person wanted"),
        (status = 400, description = "The message does not count", body = ErrorBody),
        (status = 403, description = "The workspace is disabled, or the connection is not complete", body = ErrorBody),
        (status = 404, description = "No such workspace, or it has no connection", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
        (status = 503, description = "Try again after Retry-After seconds", body = ErrorBody),
    ),
)]
pub(super) async fn slo(call: Call) -> Answer {
    call.limit(Limit::Begun)?;
    let (ctx, workspace) = workspace(&call).await?;
    let location = saml::told(&ctx, workspace, call.request().query_string()).await.map_err(not_counted)?;
    Ok(HttpResponse::Found().insert_header((header::LOCATION, location)).finish())
}

/// One text for everything that a provider can have said wrong; the audit log knows more.
fn not_counted(error: DomainError) -> Error {
    match error {
        DomainError::Invalid(_) => Error::new(StatusCode::BAD_REQUEST, "The sign-out could not be completed"),
        other => other.into(),
    }
}

/// Where a browser goes next.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Onward {
    /// The address.
    location: String,
}

/// What an identity provider's form holds (Bindings §3.5.4).
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "its fields are read one by one")]
pub(super) struct Answered {
    /// The response, as base64.
    #[schema(rename = "SAMLResponse")]
    saml_response: String,
    /// What the request said.
    #[schema(rename = "RelayState")]
    relay_state: Option<String>,
}

/// The same as it was posted.
#[derive(Default)]
struct Form {
    response: Option<String>,
    relay_state: Option<String>,
}

impl Form {
    fn parse(bytes: &[u8]) -> Result<Self, BodyError> {
        let mut form = Self::default();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            let field = match &*name {
                "SAMLResponse" => &mut form.response,
                "RelayState" => &mut form.relay_state,
                _ => continue,
            };
            if field.replace(value.into_owned()).is_some() {
                return Err(BodyError::Malformed("a field is there twice"));
            }
        }
        Ok(form)
    }
}

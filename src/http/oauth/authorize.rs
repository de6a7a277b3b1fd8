//! `GET, POST /oauth/authorize` (RFC 6749 §3.1, OpenID Connect Core §3.1.2). With `t` it goes on with a
//! request whose person has done something on our pages.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode, header};

use crate::http::body;
use crate::http::browser::Visit;
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::http::locale::Locale;
use crate::http::pages;
use crate::http::pages::error::Problem;
use crate::http::pages::views::Frame;
use crate::http::pages::views::form_post::FormPost;
use crate::protocol::oauth::authorize::{self, Outcome, Page, Response, Visitor};
use crate::protocol::oauth::{ErrorCode, OAuthError, Params};

/// The largest request, in bytes.
const MOST: usize = 64 * 1024;
/// The longest address that a form is made into, in bytes.
const LONGEST: usize = 8192;

/// Signs a person in for a client: redirects back with the answer, or shows what has to be done first.
#[utoipa::path(
    method(get, post),
    path = "/oauth/authorize",
    params(
        ("client_id" = Option<String>, Query, description = "Who asks"),
        ("redirect_uri" = Option<String>, Query, description = "Where the answer goes: a registered one, byte for byte"),
        ("response_type" = Option<String>, Query, description = "`code`"),
        ("scope" = Option<String>, Query, description = "What for; `openid` signs in"),
        ("state" = Option<String>, Query, description = "Comes back as it is"),
        ("nonce" = Option<String>, Query, description = "Comes back in the ID token"),
        ("code_challenge" = Option<String>, Query, description = "RFC 7636, with `code_challenge_method` `S256`"),
        ("code_challenge_method" = Option<String>, Query, description = "`S256`"),
        ("response_mode" = Option<String>, Query, description = "`query`, `fragment` or `form_post`"),
        ("prompt" = Option<String>, Query, description = "`none`, `login`, `consent`, `select_account`, `create`"),
        ("max_age" = Option<String>, Query, description = "How old the sign-in may be, in seconds"),
        ("request" = Option<String>, Query, description = "All of it, signed (RFC 9101)"),
        ("request_uri" = Option<String>, Query, description = "All of it, pushed before (RFC 9126) or registered"),
    ),
    security((), ("session" = [])),
    responses(
        (status = 200, description = "A page that posts the answer (`form_post`)"),
        (status = 303, description = "The answer, or a page of ours"),
        (status = 400, description = "A page that says what is wrong: there is nobody who could be told"),
        (status = 404, description = "No such tenant"),
        (status = 413, description = "The form is larger than 64 KiB"),
        (status = 415, description = "Not a form"),
        (status = 429, description = "Too many were begun from this address"),
        (status = 503, description = "Try again after Retry-After seconds"),
    ),
)]
pub(super) async fn authorize(call: Call) -> HttpResponse {
    match respond(&call).await {
        Ok(answer) => answer,
        Err(problem) => problem.answer(&call).await,
    }
}

async fn respond(call: &Call) -> Result<HttpResponse, Problem> {
    let visit = Visit::of(call).await?;
    let query = call.request().query_string();
    if *call.request().method() == Method::POST {
        body::check_type(call.headers(), "application/x-www-form-urlencoded")?;
        let form = call.bytes(MOST).await?;
        // A form that another site posts comes without our cookies (SameSite=Lax).
        if !visit.is_known_browser()
            && let Some(address) = as_address(&visit, "/oauth/authorize", &form)
        {
            return Ok(address);
        }
        return begin(&visit, &form).await;
    }
    let reference = call.query().text("t").ok().flatten().map(str::to_owned);
    match reference {
        Some(reference) => {
            let outcome = authorize::resume(&visit.ctx, &reference, visitor(&visit)).await?;
            show(&visit, outcome)
        }
        None => begin(&visit, query.as_bytes()).await,
    }
}

async fn begin(visit: &Visit<'_>, encoded: &[u8]) -> Result<HttpResponse, Problem> {
    if visit.any_session().is_none() {
        visit.call.limit(Limit::Begun)?;
    }
    let (params, repeated) = match Params::parse_repeated(encoded) {
        Ok(parsed) => parsed,
        Err(error) => return Err(error.noted(&visit.ctx, "authorization.refuse").await?.into()),
    };
    let outcome = authorize::begin(&visit.ctx, &params, repeated.as_deref(), visitor(visit)).await?;
    show(visit, outcome)
}

/// Sends the browser to the same request as an address, with which our cookies come; nothing for a form
/// that is no address.
pub(super) fn as_address(visit: &Visit<'_>, path: &str, form: &[u8]) -> Option<HttpResponse> {
    let form = std::str::from_utf8(form).ok().filter(|form| form.len() <= LONGEST && form.is_ascii())?;
    let form = form.trim_matches(|c: char| c.is_ascii_whitespace());
    (!form.contains(|c: char| c.is_ascii_control() || c == ' ' || c == '#'))
        .then(|| visit.send(&format!("{}{path}?{form}", visit.base())))
}

/// Who stands at the door.
pub(in crate::http) fn visitor<'v>(visit: &'v Visit<'_>) -> Visitor<'v> {
    Visitor { browser: visit.browser().digest, session: visit.any_session() }
}

impl From<OAuthError> for Problem {
    fn from(error: OAuthError) -> Self {
        match error.code {
            ErrorCode::TemporarilyUnavailable => {
                let cause = error.cause.unwrap_or(error.description).into_owned();
                match error.retry_after {
                    Some(retry_after) if retry_after.as_secs() > 1 => {
                        crate::domain::DomainError::Busy { retry_after }.into()
                    }
                    _ => crate::domain::DomainError::Unavailable(cause).into(),
                }
            }
            ErrorCode::ServerError => {
                crate::domain::DomainError::Defect(error.cause.unwrap_or(error.description).into_owned()).into()
            }
            code => Self::Client { code: code.as_str(), description: error.description.into_owned() },
        }
    }
}

/// What a request has come to, as the browser gets it.
pub(in crate::http) fn show(visit: &Visit<'_>, outcome: Outcome) -> Result<HttpResponse, Problem> {
    let answer = match outcome {
        Outcome::Refuse(error) => return Err(error.into()),
        Outcome::Over => return Err(Problem::Stale),
        Outcome::Answer(response) => deliver(visit, &response),
        Outcome::Show { page, reference, request } => {
            let path = match page {
                Page::Login => "/login",
                Page::SecondFactor => "/login/mfa",
                Page::SelectAccount => "/login/select-account",
                Page::Consent => "/consent",
                Page::Register => "/register",
            };
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("t", reference.expose());
            // The reader's own choice comes before the client's.
            let chosen = Locale::chosen(visit.call.request().query_string()).map(Locale::tag);
            if let Some(tags) = chosen.or(request.ui_locales.as_deref()) {
                query.append_pair("ui_locales", tags);
            }
            visit.go(&format!("{path}?{}", query.finish()))
        }
    };
    Ok(visit.dress(answer))
}

/// Sends the answer: as an address, or as a form that the browser posts.
fn deliver(visit: &Visit<'_>, response: &Response) -> HttpResponse {
    if let Some(address) = response.location() {
        let mut answer = visit.send(&address);
        let no_store = header::HeaderValue::from_static("no-store");
        answer.headers_mut().insert(header::CACHE_CONTROL, no_store);
        return answer;
    }
    let target = &response.target;
    let frame = Frame::of(visit.call, &visit.ctx.tenant).leading_to(&target.redirect_uri);
    let host = url::Url::parse(&target.redirect_uri).ok().and_then(|uri| uri.host_str().map(str::to_owned));
    let fields = response.parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let view = FormPost { frame, client: host.as_deref().unwrap_or_default(), action: &target.redirect_uri, fields };
    pages::page(StatusCode::OK, &view)
}

//! `GET, POST /oauth/logout`: the end-session endpoint (OpenID Connect RP-Initiated Logout 1.0).

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode, header};

use super::authorize::as_address;
use crate::domain::{logout, users};
use crate::http::body;
use crate::http::browser::Visit;
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::http::pages;
use crate::http::pages::error::Problem;
use crate::http::pages::views::logout::{Logout, SignedOut};
use crate::http::pages::views::{ClientView, Frame};
use crate::model::session::Session;
use crate::protocol::oauth::Params;
use crate::protocol::oauth::logout::{LogoutRequest, check};

/// The largest request, in bytes.
const MOST: usize = 64 * 1024;
/// How long clients' frames have to load before the person goes on, in seconds.
const FRAMES_LOAD: u32 = 2;
/// What is carried on by the page that asks.
pub(in crate::http) const CARRIED: [&str; 5] =
    ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

/// Signs a person out: at once for a client that shows whom it signed in, else after asking them.
#[utoipa::path(
    method(get, post),
    path = "/oauth/logout",
    params(
        ("id_token_hint" = Option<String>, Query, description = "An ID token of ours, expired or not"),
        ("client_id" = Option<String>, Query, description = "Who asks"),
        ("post_logout_redirect_uri" = Option<String>, Query, description = "Where the person goes then: a registered one, byte for byte"),
        ("state" = Option<String>, Query, description = "Comes back as it is"),
        ("ui_locales" = Option<String>, Query, description = "The languages that the person reads"),
    ),
    security((), ("session" = [])),
    responses(
        (status = 200, description = "A page that asks, or says that it is done"),
        (status = 303, description = "To the registered address"),
        (status = 400, description = "A page that says what is wrong; the person goes nowhere"),
        (status = 404, description = "No such tenant"),
        (status = 413, description = "The form is larger than 64 KiB"),
        (status = 415, description = "Not a form"),
        (status = 429, description = "Too many without a session from this address"),
        (status = 503, description = "Try again after Retry-After seconds"),
    ),
)]
pub(super) async fn end_session(call: Call) -> HttpResponse {
    match respond(&call).await {
        Ok(answer) => answer,
        Err(problem) => problem.answer(&call).await,
    }
}

async fn respond(call: &Call) -> Result<HttpResponse, Problem> {
    let visit = Visit::of(call).await?;
    let form;
    let encoded = if *call.request().method() == Method::POST {
        body::check_type(call.headers(), "application/x-www-form-urlencoded")?;
        form = call.bytes(MOST).await?;
        // As at the authorization endpoint: what another site posts comes without our cookies.
        if !visit.is_known_browser()
            && let Some(address) = as_address(&visit, "/oauth/logout", &form)
        {
            return Ok(address);
        }
        &*form
    } else {
        call.request().query_string().as_bytes()
    };
    if visit.any_session().is_none() {
        visit.call.limit(Limit::Begun)?;
    }
    let params = match Params::parse(encoded) {
        Ok(params) => params,
        Err(error) => return Err(error.noted(&visit.ctx, "logout.refuse").await?.into()),
    };
    let request = check(&visit.ctx, &params).await?;
    let answer = match visit.any_session() {
        Some(session) if !request.needs_no_word(session) => ask(&visit, &request, &params, session).await?,
        _ => end(&visit, &request).await?,
    };
    Ok(visit.dress(answer))
}

/// Asks whether the person wants to sign out; anybody could have sent them here.
async fn ask(
    visit: &Visit<'_>,
    request: &LogoutRequest,
    params: &Params<'_>,
    session: &Session,
) -> Result<HttpResponse, Problem> {
    let user = users::find(&visit.ctx, session.user).await?;
    let mut frame =
        Frame::of(visit.call, &visit.ctx.tenant).preferring(request.ui_locales.as_deref()).csrf(visit.csrf());
    if let Some(address) = &request.redirect {
        frame = frame.leading_to(address);
    }
    let view = Logout {
        frame,
        client: request.client.as_ref().map(|client| ClientView {
            name: client.client.name.clone(),
            logo: client.client.settings.logo_uri.clone(),
            terms: None,
            privacy: None,
        }),
        account: user.email.as_deref().or(user.username.as_deref()).unwrap_or_default(),
        carried: CARRIED.iter().filter_map(|name| Some((*name, params.get(name)?))).collect(),
    };
    Ok(pages::page(StatusCode::OK, &view))
}

/// Ends the session, tells the clients, and sends the person where the request says.
pub(in crate::http) async fn end(visit: &Visit<'_>, request: &LogoutRequest) -> Result<HttpResponse, Problem> {
    let mut frames = Vec::new();
    if let Some(session) = visit.any_session() {
        frames = logout::front_channel(&visit.ctx, session).await?;
        logout::sign_out(&visit.ctx, session).await?;
        visit.leave();
    }
    if let (Some(address), true) = (&request.redirect, frames.is_empty()) {
        return Ok(visit.send(address));
    }
    let frame = Frame::of(visit.call, &visit.ctx.tenant)
        .preferring(request.ui_locales.as_deref())
        .framing(frames.iter().map(String::as_str));
    let name = request.client.as_ref().map_or("", |client| client.client.name.as_str());
    let next = request.redirect.as_deref().map(|address| (address, name));
    let mut answer = pages::page(StatusCode::OK, &SignedOut { frame, next, frames });
    if let Some(refresh) = request
        .redirect
        .as_deref()
        .and_then(|address| header::HeaderValue::try_from(format!("{FRAMES_LOAD}; url={address}")).ok())
    {
        answer.headers_mut().insert(header::REFRESH, refresh);
    }
    Ok(answer)
}

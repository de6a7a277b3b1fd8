//! `/device`: the code that a device shows, and whether it may (RFC 8628 §3.3).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::transaction::client_view;
use super::views::consent::Want;
use super::views::device::{Device, DeviceConfirm};
use super::views::done::Done;
use super::views::{Errors, Frame};
use super::{Page, frame, page, serve, sign_in_name, too_many};
use crate::domain::{device_codes, users};
use crate::http::browser::{FormFields, Visit};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::session::Session;
use crate::protocol::oauth::device::{self, Waiting};

/// Asks for the code, of whoever is signed in.
#[utoipa::path(get, path = "/device", responses((status = 200)))]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let query = call.query();
        // The address may carry it (§3.3.1); it is still for the person to send.
        let code = query.text("user_code").ok().flatten().and_then(device_codes::canonical);
        let code = code.as_deref().map(device_codes::readable).unwrap_or_default();
        if visit.session().is_none() {
            let next = if code.is_empty() { "/device".to_owned() } else { format!("/device?user_code={code}") };
            return Ok(visit.send(&frame(visit).on_the_way_to(Some(&next)).href("/login")));
        }
        let frame = frame(visit);
        let frame = if code.is_empty() { frame } else { frame.keeping("user_code", code.as_str()) };
        Ok(form(frame, StatusCode::OK, &code, &Errors::default()))
    })
    .await
}

fn form(frame: Frame, status: StatusCode, user_code: &str, errors: &Errors) -> HttpResponse {
    page(status, &Device { frame, user_code, errors })
}

/// Finds the device; then takes the answer.
#[utoipa::path(post, path = "/device", responses((status = 200)))]
pub(super) async fn decide(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let fields = visit.form().await?;
        let Some(session) = visit.session() else {
            return Ok(visit.send(&frame(visit).on_the_way_to(Some("/device")).href("/login")));
        };
        try_code(visit, session, &fields).await
    })
    .await
}

async fn try_code(visit: &Visit<'_>, session: &Session, fields: &FormFields) -> Page {
    let (frame, typed) = (frame(visit), fields.text("user_code").trim());
    if let Err(limited) = visit.call.limit(Limit::Codes) {
        return Ok(too_many(limited, frame, |frame, status| form(frame, status, typed, &Errors::default())));
    }
    let Some(waiting) = device::waiting(&visit.ctx, typed).await? else {
        return Ok(unknown(frame, typed));
    };
    let allow = match fields.get("action") {
        Some("allow") => true,
        Some("deny") => false,
        _ => return confirm(visit, frame, session, &waiting).await,
    };
    if !device::decide(&visit.ctx, &waiting, session, allow).await? {
        return Ok(unknown(frame, typed));
    }
    let t = &frame.t.device;
    let (title, lead) = if allow { (t.allowed, t.allowed_lead) } else { (t.denied, t.denied_lead) };
    Ok(page(StatusCode::OK, &Done { title, lead, next: None, frame }))
}

fn unknown(frame: Frame, typed: &str) -> HttpResponse {
    let errors = Errors::one("user_code", frame.t.device.unknown);
    form(frame, StatusCode::UNPROCESSABLE_ENTITY, typed, &errors)
}

/// Asks about this device: the person compares the code, since anybody could have sent them here.
async fn confirm(visit: &Visit<'_>, frame: Frame, session: &Session, waiting: &Waiting) -> Page {
    let user = users::find(&visit.ctx, session.user).await?;
    let view = DeviceConfirm {
        client: client_view(&waiting.client),
        account: sign_in_name(&user),
        user_code: &device_codes::readable(&waiting.code.user_code),
        wants: waiting.code.scope.iter().map(|scope| Want::of(frame.t, scope, false)).collect(),
        frame,
    };
    Ok(page(StatusCode::OK, &view))
}

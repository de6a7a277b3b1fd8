//! Pages for people. They work without script but for passkeys, in English and Chinese, light and
//! dark, on a phone and on a desktop.
//!
//! One file a page: `GET` shows it and changes nothing, `POST` acts and answers `303 See Other`, or
//! the page again with what is wrong. What a page looks like is in `views/`.

mod account;
mod brand;
mod consent;
mod device;
mod docs;
pub(super) mod error;
mod forgot_password;
mod invitation;
mod landing;
mod login;
mod logout;
mod mfa;
mod passkey_json;
mod qr;
mod register;
mod reset_password;
mod select_account;
mod transaction;
mod upstream;
mod verify_email;
pub(super) mod views;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;

pub(super) use self::docs::reference;
use self::error::Problem;
pub(super) use self::views::docs::Reference;
use self::views::{Frame, View};
use super::browser::Visit;
use super::call::Call;
use super::limit::Limited;
use super::mount::{Endpoint, endpoints};
use super::shape;
use crate::model::user::User;
use crate::telemetry::Surface;

/// What it serves.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let of_installation = endpoints![Surface::Pages; landing::landing, docs::docs];
    let of_tenants = endpoints![Surface::Pages;
        brand::brand,
        login::show,
        login::sign_in,
        upstream::begin,
        upstream::finish,
        mfa::show,
        mfa::prove,
        select_account::show,
        select_account::choose,
        consent::show,
        consent::decide,
        device::show,
        device::decide,
        logout::show,
        logout::sign_out,
        register::show,
        register::register,
        verify_email::show,
        verify_email::verify,
        forgot_password::show,
        forgot_password::ask,
        reset_password::show,
        reset_password::reset,
        invitation::show,
        invitation::follow,
        passkey_json::options,
        passkey_json::sign_in,
    ];
    let mut all = of_installation;
    all.extend(of_tenants.into_iter().chain(account::endpoints()).map(Endpoint::per_tenant));
    all.into_iter().map(Endpoint::undocumented).collect()
}

/// What a page comes to.
type Page = Result<HttpResponse, Problem>;

/// Answers a browser's request for a page: finds out who visits, and sets the cookies that are new.
async fn serve(call: &Call, page: impl AsyncFnOnce(&Visit<'_>) -> Page) -> HttpResponse {
    let visit = match Visit::of(call).await {
        Ok(visit) => visit,
        Err(error) => return Problem::from(error).answer(call).await,
    };
    let answer = match page(&visit).await {
        Ok(answer) => answer,
        Err(problem) => problem.answer(call).await,
    };
    visit.dress(answer)
}

/// What is around a page of this visit's tenant.
fn frame(visit: &Visit<'_>) -> Frame {
    Frame::of(visit.call, &visit.ctx.tenant).csrf(visit.csrf())
}

/// A page again, for somebody who has tried too often from one address.
fn too_many(limited: Limited, frame: Frame, again: impl FnOnce(Frame, StatusCode) -> HttpResponse) -> HttpResponse {
    let text = frame.t.general.too_many;
    let mut answer = again(frame.bad(text), StatusCode::TOO_MANY_REQUESTS);
    shape::retry_after(answer.headers_mut(), limited.retry_after);
    answer
}

/// What somebody signs in with, by which they know their account again.
fn sign_in_name(user: &User) -> &str {
    user.email.as_deref().or(user.username.as_deref()).or(user.name.as_deref()).unwrap_or_default()
}

/// Renders a page.
pub(super) fn page<V: View>(status: StatusCode, view: &V) -> HttpResponse {
    match view.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::VARY, "accept-language"))
            .insert_header((header::CONTENT_SECURITY_POLICY, view.frame().policy(V::SCRIPTS)))
            .body(html),
        Err(why) => HttpResponse::from_error(actix_web::error::ErrorInternalServerError(why)),
    }
}

//! What a page says when something is wrong and nothing can be done on it: never anything that the
//! caller sent, and a code by which support finds what really happened.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::error::InternalError;
use actix_web::http::StatusCode;

use super::page;
use super::views::Frame;
use super::views::account::Section;
use super::views::error::ErrorPage;
use crate::domain::DomainError;
use crate::http::body::BodyError;
use crate::http::browser::FormError;
use crate::http::call::Call;
use crate::http::limit::Limited;
use crate::http::locale::texts::ErrorTexts;
use crate::http::shape;
use crate::telemetry::Surface;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum Problem {
    /// A verb was not done.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The form can't be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Too many tries from this address.
    #[error("too many tries from this address")]
    Limited(Limited),
    /// The form does not come from a page that this browser was shown.
    #[error("the anti-forgery token is missing or another browser's")]
    Forged,
    /// The sign-in is over, or another browser's.
    #[error("no such sign-in is under way in this browser")]
    Stale,
    /// The link of a mail does not count any more.
    #[error("the link does not count")]
    Link,
    /// There is another answer than the page.
    #[error("answered")]
    Answered(Box<HttpResponse>),
    /// The client's request is wrong in a way that it can't be told by a redirect.
    #[error("{code}: {description}")]
    Client {
        /// The standard's code.
        code: &'static str,
        /// What is wrong, for the client's makers.
        description: String,
    },
}

impl From<FormError> for Problem {
    fn from(error: FormError) -> Self {
        match error {
            FormError::Body(error) => Self::Body(error),
            FormError::Forged => Self::Forged,
        }
    }
}

impl From<Limited> for Problem {
    fn from(limited: Limited) -> Self {
        Self::Limited(limited)
    }
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::Domain(error) => match error {
                DomainError::NotFound(_) => StatusCode::NOT_FOUND,
                DomainError::Forbidden(_) | DomainError::NotAllowed(_) => StatusCode::FORBIDDEN,
                DomainError::Conflict(_) => StatusCode::CONFLICT,
                DomainError::Unavailable(_) | DomainError::Busy { .. } | DomainError::Contended(_) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
                DomainError::Defect(_) => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::BAD_REQUEST,
            },
            Self::Body(error) => error.status(),
            Self::Answered(answer) => answer.status(),
            Self::Stale | Self::Link | Self::Client { .. } => StatusCode::BAD_REQUEST,
            Self::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Forged => StatusCode::FORBIDDEN,
        }
    }

    fn texts(&self, t: &'static ErrorTexts) -> (&'static str, &'static str) {
        match self {
            Self::Forged => (t.forged, t.forged_hint),
            Self::Stale => (t.stale, t.stale_hint),
            Self::Link => (t.link, t.link_hint),
            Self::Client { .. } => (t.client, t.client_hint),
            _ => of_status(t, self.status()),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limited(limited) => Some(limited.retry_after),
            Self::Domain(DomainError::Busy { retry_after }) => Some(*retry_after),
            _ if self.status() == StatusCode::SERVICE_UNAVAILABLE => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// The same for a script of ours, which has the words from its page.
    pub(in crate::http) fn json(self) -> HttpResponse {
        let status = self.status();
        let mut answer = shape::json(Surface::Pages, status, status.canonical_reason().unwrap_or_default());
        if let Some(wait) = self.retry_after() {
            shape::retry_after(answer.headers_mut(), wait);
        }
        HttpResponse::from_error(InternalError::from_response(self, answer))
    }

    /// The page, in the colours of its tenant where that is known.
    pub(in crate::http) async fn answer(self, call: &Call) -> HttpResponse {
        if let Self::Answered(answer) = self {
            return *answer;
        }
        let (frame, next) = match call.tenant().await {
            Ok(tenant) => {
                let frame = Frame::of(call, &tenant);
                let title = frame.t.account.title;
                (frame, (Section::Overview.path(), title))
            }
            Err(_) => of_nobody(call),
        };
        let (title, hint) = self.texts(&frame.t.error);
        let detail = matches!(self, Self::Client { .. }).then(|| self.to_string());
        let mut answer = show(call, frame, next, self.status(), (title, hint), detail.as_deref());
        if let Some(wait) = self.retry_after() {
            shape::retry_after(answer.headers_mut(), wait);
        }
        // What it was goes to the log, with the code that the page shows.
        HttpResponse::from_error(InternalError::from_response(self, answer))
    }
}

/// The page for a status that no handler chose.
pub(in crate::http) fn answer(call: &Call, status: StatusCode) -> HttpResponse {
    let (frame, next) = of_nobody(call);
    let texts = of_status(&frame.t.error, status);
    show(call, frame, next, status, texts, None)
}

/// Where to go on from a page: the path and its name.
type Next = (&'static str, &'static str);

/// Of no tenant that is known, so that the start of the installation is all there is.
fn of_nobody(call: &Call) -> (Frame, Next) {
    let frame = Frame::of_nobody(call).at("/");
    let home = frame.t.error.home;
    (frame, ("/", home))
}

fn of_status(t: &'static ErrorTexts, status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        404 => (t.missing, t.missing_hint),
        429 => (t.limited, t.limited_hint),
        503 => (t.busy, t.busy_hint),
        400..=499 => (t.bad, t.bad_hint),
        _ => (t.failed, t.failed_hint),
    }
}

fn show(
    call: &Call,
    frame: Frame,
    next: Next,
    status: StatusCode,
    (title, hint): (&'static str, &'static str),
    detail: Option<&str>,
) -> HttpResponse {
    let code: Option<Arc<str>> = call.origin().request_id;
    // That a page is not there needs no support.
    let code = code.as_deref().filter(|_| status != StatusCode::NOT_FOUND);
    page(status, &ErrorPage { frame, title, hint, detail, code, next })
}

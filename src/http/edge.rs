//! What every request passes through: refused if its path is ambiguous, given an id, kept from
//! taking the process down, counted, logged, and answered with the headers that fit.
//!
//! One function around everything and no allocation that is not needed: a token for a machine has
//! eight microseconds for all that HTTP does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode, Uri};
use actix_web::{Error, HttpMessage as _, HttpResponse, web};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

use super::mount::surface_of;
use super::trace::{REQUEST_ID, Trace};
use super::{AppState, path, shape};
use crate::model::access_log::AccessLogEntry;
use crate::telemetry::Surface;

/// Answers a request by way of `next`.
pub(super) fn answer<F, Fut>(
    state: &web::Data<AppState>,
    request: ServiceRequest,
    next: F,
) -> LocalBoxFuture<'static, Result<ServiceResponse, Error>>
where
    F: FnOnce(ServiceRequest) -> Fut,
    Fut: Future<Output = Result<ServiceResponse, Error>> + 'static,
{
    let passage = Passage::begin(state, &request);
    let next = match path::check(request.uri().path()) {
        Ok(()) => match catch_unwind(AssertUnwindSafe(|| next(request))) {
            Ok(next) => Next::UnderWay(next),
            Err(_) => Next::Panicked,
        },
        Err(why) => {
            let answer = shape::json(passage.surface, why.status, why.text);
            Next::Refused(Box::new(ServiceResponse::new(request.into_parts().0, answer)))
        }
    };
    Box::pin(async move {
        let outcome = match next {
            Next::UnderWay(next) => {
                let freshness = Arc::clone(passage.state.core.db.freshness());
                // Most requests are answered when they are first looked at, and need no timer.
                tokio::select! {
                    biased;
                    done = AssertUnwindSafe(next).catch_unwind() => done.map_err(|_| Abandoned::Panicked),
                    () = freshness.given_up(passage.trace.started) => Err(Abandoned::InVain),
                }
            }
            Next::Refused(answer) => Ok(Ok(*answer)),
            Next::Panicked => Err(Abandoned::Panicked),
        };
        match outcome {
            Ok(Ok(mut answer)) => {
                passage.end(answer.response_mut());
                Ok(answer)
            }
            // Handlers' errors are answers by now; this is middleware's.
            Ok(Err(error)) => Err(passage.end_without_request(error.error_response(), &error.to_string())),
            Err(Abandoned::Panicked) => {
                passage.state.core.metrics.panics.increment(1);
                let answer = shape::json(passage.surface, StatusCode::INTERNAL_SERVER_ERROR, "internal error");
                Err(passage.end_without_request(answer, "the handler panicked"))
            }
            Err(Abandoned::InVain) => {
                let text = "temporarily unavailable, try again";
                let mut answer = shape::json(passage.surface, StatusCode::SERVICE_UNAVAILABLE, text);
                shape::retry_after(answer.headers_mut(), Duration::from_secs(1));
                Err(passage.end_without_request(answer, "the database does not answer"))
            }
        }
    })
}

enum Next<Fut> {
    UnderWay(Fut),
    Refused(Box<ServiceResponse>),
    Panicked,
}

/// Why a handler has not come to its end.
enum Abandoned {
    Panicked,
    /// It waited for a database that does not answer.
    InVain,
}

/// One request from its beginning to its end.
struct Passage {
    state: web::Data<AppState>,
    trace: Rc<Trace>,
    surface: Surface,
    method: Method,
    uri: Uri,
    user_agent: Option<HeaderValue>,
    _in_flight: InFlight,
}

/// Counts a request for as long as it lives, also when its caller goes away.
struct InFlight(web::Data<AppState>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.core.metrics.http.leave();
    }
}

impl Passage {
    fn begin(state: &web::Data<AppState>, request: &ServiceRequest) -> Self {
        let trace = Trace::begin(request.head(), &state.core.config.http, &state.request_ids);
        request.extensions_mut().insert(Rc::clone(&trace));
        state.core.metrics.http.enter();
        let surface = surface_of(request.uri().path());
        let logged = is_access_logged(surface, request.uri().path());
        Self {
            state: state.clone(),
            trace,
            surface,
            method: request.method().clone(),
            uri: request.uri().clone(),
            user_agent: if logged { request.headers().get(header::USER_AGENT).cloned() } else { None },
            _in_flight: InFlight(state.clone()),
        }
    }

    fn end(self, answer: &mut HttpResponse) {
        let status = answer.status();
        // A probe that hears "not ready" is an answer, not a failure.
        if status.is_server_error() && self.uri.path() != "/readyz" {
            let cause = answer.error().map(ToString::to_string);
            self.warn(status, cause.as_deref());
        }
        self.dress(answer);
        self.record(status);
    }

    /// The same where the request itself is lost, which the transport answers as an error.
    fn end_without_request(self, mut answer: HttpResponse, cause: &str) -> Error {
        let status = answer.status();
        self.warn(status, Some(cause));
        self.dress(&mut answer);
        self.record(status);
        InternalError::from_response("answered", answer).into()
    }

    /// The one line about an error: where it is answered.
    fn warn(&self, status: StatusCode, cause: Option<&str>) {
        tracing::warn!(
            request_id = &*self.trace.request_id,
            method = self.method.as_str(),
            path = self.uri.path(),
            status = status.as_u16(),
            cause = cause.unwrap_or("unknown"),
            "request failed"
        );
    }

    fn dress(&self, answer: &mut HttpResponse) {
        if self.surface == Surface::Admin {
            shape::identify(answer, &self.trace.request_id);
        }
        let closing = self.state.is_draining();
        let is_page = {
            let kind = answer.headers().get(header::CONTENT_TYPE);
            kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
        };
        let leads_on = answer.status().is_redirection();
        let headers = answer.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&self.trace.request_id) {
            headers.insert(HeaderName::from_static(REQUEST_ID), id);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if is_page {
            if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
                headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
            }
            headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        }
        if is_page || leads_on {
            // What stands in our addresses and in answers to clients is nobody else's (RFC 9700 §4.2).
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        if self.state.core.config.http.issuer.is_https() {
            let two_years = HeaderValue::from_static("max-age=63072000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, two_years);
        }
        if closing {
            answer.head_mut().set_connection_type(ConnectionType::Close);
        }
    }

    fn record(&self, status: StatusCode) {
        let elapsed = self.trace.started.elapsed();
        let core = &self.state.core;
        core.metrics.http.record(self.surface, self.method.as_str(), status.as_u16(), elapsed);
        tracing::debug!(
            request_id = &*self.trace.request_id,
            method = self.method.as_str(),
            path = self.uri.path(),
            status = status.as_u16(),
            micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            "request"
        );
        if let Some((tenant, client)) = self.trace.service.get()
            && is_access_logged(self.surface, self.uri.path())
        {
            core.access_log.record(AccessLogEntry {
                id: 0,
                tenant: *tenant,
                client: client.clone(),
                endpoint: self.uri.path().to_owned(),
                method: self.method.as_str().to_owned(),
                status: status.as_u16(),
                response_time_ms: i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX),
                address: self.trace.address.map(|address| address.to_string()),
                user_agent: self.user_agent.as_ref().map(readable),
                at: core.clock.now(),
            });
        }
    }
}

/// What a page may load, where its handler says nothing else: our own style sheet and pictures, and
/// no script at all.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Whether what services do there is logged (`idaas.md`).
fn is_access_logged(surface: Surface, path: &str) -> bool {
    surface == Surface::Control || path.starts_with("/v1/internal/")
}

/// What a caller calls itself, as far as it can be read: at most 512 characters.
fn readable(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).chars().filter(|c| !c.is_control()).take(512).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::domain::Seams;
    use actix_web::test::TestRequest;

    async fn state() -> (web::Data<AppState>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::in_folder(folder.path());
        config.passwords.argon2_memory = 7168;
        let opened = crate::app::open(Arc::new(config), Seams::default()).await.unwrap();
        (web::Data::new(AppState::new(opened.core)), folder)
    }

    fn panicking() -> Result<ServiceResponse, Error> {
        panic!("a handler of this test")
    }

    #[actix_web::test]
    async fn a_panic_costs_one_request() {
        let (state, _folder) = state().await;
        for path in ["/v1/users", "/api/internal/users", "/oauth/token"] {
            let request = TestRequest::with_uri(path).to_srv_request();
            let error = answer(&state, request, |_| async { panicking() }).await.unwrap_err();
            let answer = error.error_response();
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(answer.headers().get(header::CONTENT_TYPE).unwrap(), "application/json");
            assert!(answer.headers().contains_key(REQUEST_ID));
        }
        // Also where no future was made yet.
        let request = TestRequest::with_uri("/").to_srv_request();
        let next = |_| {
            let answer = panicking();
            async { answer }
        };
        assert!(answer(&state, request, next).await.is_err());
        let text = state.core.metrics.render();
        assert!(text.contains("gatehouse_panics_total 4"), "{text}");
        assert!(text.contains("gatehouse_http_requests_in_flight 0"), "{text}");
    }

    #[actix_web::test]
    async fn a_refused_path_reaches_nobody() {
        let (state, _folder) = state().await;
        let request = TestRequest::with_uri("/v1//users").to_srv_request();
        let answer = answer(&state, request, |_| async { panicking() }).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert!(answer.headers().contains_key(REQUEST_ID));
    }
}

//! Scripts of other origins (the Fetch standard's CORS protocol), endpoint by endpoint. Never with
//! credentials: no answer of ours depends on a cookie and may be read from elsewhere.

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;

/// Whether an origin is known for the tenant that the request's path names.
pub type OriginCheck = fn(HttpRequest, String) -> LocalBoxFuture<'static, bool>;

/// Who may read an endpoint's answers from another origin.
#[derive(Clone, Copy, Default)]
pub enum Cors {
    /// Nobody.
    #[default]
    Nobody,
    /// Everybody: what it says is public.
    Anybody,
    /// The origins that this says yes to.
    Registered(OriginCheck),
}

impl Cors {
    /// Whether anybody may.
    pub(super) const fn is_any(self) -> bool {
        !matches!(self, Self::Nobody)
    }
}

/// What scripts may send.
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, dpop, if-none-match");
/// What scripts may read.
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("www-authenticate, dpop-nonce, retry-after, etag, x-request-id");
/// For how long a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Lets the request through and says afterwards who may read the answer.
pub(super) fn around<F, Fut>(
    cors: Cors,
    request: ServiceRequest,
    next: F,
) -> LocalBoxFuture<'static, Result<ServiceResponse, Error>>
where
    F: FnOnce(ServiceRequest) -> Fut,
    Fut: Future<Output = Result<ServiceResponse, Error>> + 'static,
{
    let origin = request.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).map(str::to_owned);
    let answer = next(request);
    Box::pin(async move {
        let mut answer = answer.await?;
        match (cors, origin) {
            (Cors::Anybody, Some(_)) => permit(answer.headers_mut(), HeaderValue::from_static("*")),
            (Cors::Registered(is_known), origin) => {
                answer.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
                if let Some(origin) = origin
                    && is_known(answer.request().clone(), origin.clone()).await
                    && let Ok(value) = HeaderValue::try_from(origin)
                {
                    permit(answer.headers_mut(), value);
                }
            }
            (Cors::Anybody | Cors::Nobody, _) => {}
        }
        Ok(answer)
    })
}

fn permit(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
}

/// Answers `OPTIONS`; [`around`] adds for whom it counts.
pub(super) async fn preflight(methods: HeaderValue) -> HttpResponse {
    let add = |name: HeaderName, value: HeaderValue| (name, value);
    HttpResponse::NoContent()
        .insert_header(add(header::ALLOW, methods.clone()))
        .insert_header(add(header::ACCESS_CONTROL_ALLOW_METHODS, methods))
        .insert_header(add(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS))
        .insert_header(add(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE))
        .finish()
}

/// The methods as `Allow` lists them.
pub(super) fn allow(methods: &[Method]) -> HeaderValue {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static(""))
}

//! One request as a handler sees it: who calls from where, and the body when it asks for it.
//!
//! There is one extractor and it can't fail, so that each handler decides in which order things are
//! checked, and everything that is wrong is answered in its own face's shape.

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest, web};
use bytes::Bytes;

use super::AppState;
use super::bearer::Bearer;
use super::body::{self, BodyError};
use super::fields::Fields;
use super::limit::{Limit, Limited};
use super::locale::Locale;
use super::query::Query;
use super::trace::Trace;
use crate::config::HttpConfig;
use crate::domain::tenants::{self, LiveTenant};
use crate::domain::{Core, Ctx, DomainError, Noun, Origin};
use crate::model::audit::Actor;
use crate::model::ids::{ClientId, TenantId};
use crate::model::language::Language;

/// One request.
pub(super) struct Call {
    state: web::Data<AppState>,
    request: HttpRequest,
    trace: Option<Rc<Trace>>,
    payload: RefCell<Payload>,
}

impl FromRequest for Call {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let Some(state) = request.app_data::<web::Data<AppState>>() else {
            return ready(Err(actix_web::error::ErrorInternalServerError("the application has no state")));
        };
        ready(Ok(Self {
            state: state.clone(),
            request: request.clone(),
            trace: Trace::of(request),
            payload: RefCell::new(payload.take()),
        }))
    }
}

impl Call {
    /// What is shared by all requests.
    pub(super) fn state(&self) -> &AppState {
        &self.state
    }

    /// What the verbs run on.
    pub(super) fn core(&self) -> &Core {
        &self.state.core
    }

    /// The request itself.
    pub(super) const fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Its headers.
    pub(super) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// A part of the path, with its escapes undone; nothing structural can be among them.
    pub(super) fn path_part(&self, name: &str) -> &str {
        self.request.match_info().get(name).unwrap_or_default()
    }

    /// The parameters of the query string.
    pub(super) fn query(&self) -> Query<'_> {
        Query::parse(self.request.query_string())
    }

    /// The bearer token that it carries.
    pub(super) fn bearer(&self) -> Bearer<'_> {
        Bearer::of(self.request.headers())
    }

    /// The client's address, as far as the configured proxies can be believed.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.trace.as_ref().and_then(|trace| trace.address)
    }

    /// Where the request came from, for the verbs.
    pub(super) fn origin(&self) -> Origin {
        let origin = self.trace.as_ref().map(|trace| trace.origin()).unwrap_or_default();
        let language = match Locale::of_request(&self.request) {
            Locale::En => Language::En,
            Locale::Zh => Language::Zh,
        };
        Origin { language, ..origin }
    }

    /// A call of a verb, about this tenant and by this actor.
    pub(super) fn ctx(&self, tenant: Arc<LiveTenant>, actor: Actor) -> Ctx<'_> {
        Ctx::new(self.core(), tenant, actor, self.origin())
    }

    /// The tenant whose issuer the path belongs to: the one it names under `/t/`, or the default one.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] for an unknown one, and for the default one under a name that is
    /// not its issuer.
    pub(super) async fn tenant(&self) -> Result<Arc<LiveTenant>, DomainError> {
        let Some(id) = self.request.match_info().get("tenant_id") else {
            return tenants::default(self.core()).await;
        };
        let id: TenantId = id.parse().map_err(|_| DomainError::NotFound(Noun::Tenant))?;
        let tenant = tenants::live(self.core(), id).await?;
        if tenant.tenant.is_default { Err(DomainError::NotFound(Noun::Tenant)) } else { Ok(tenant) }
    }

    /// Counts one try of this caller.
    ///
    /// # Errors
    /// There were too many.
    pub(super) fn limit(&self, limit: Limit) -> Result<(), Limited> {
        self.state.limits.check(limit, self.address())
    }

    /// Notes which service makes the request, for the access log.
    pub(super) fn made_by(&self, tenant: TenantId, service: ClientId) {
        if let Some(trace) = &self.trace {
            // The first one stays: a request is made by one.
            let _ = trace.service.set((tenant, service));
        }
    }

    /// The whole body, at most `max` bytes of it. Reads it the first time only.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub(super) async fn bytes(&self, max: usize) -> Result<Bytes, BodyError> {
        let payload = std::mem::replace(&mut *self.payload.borrow_mut(), Payload::None);
        body::read(payload, self.request.headers(), &self.core().config.http, max).await
    }

    /// The same where a contract says how much, whatever the configuration says.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub(super) async fn bytes_up_to(&self, max: u32) -> Result<Bytes, BodyError> {
        let payload = std::mem::replace(&mut *self.payload.borrow_mut(), Payload::None);
        let config = HttpConfig { max_body: max, ..self.core().config.http.clone() };
        body::read(payload, self.request.headers(), &config, usize::MAX).await
    }

    /// The members of a JSON body.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub(super) async fn json(&self) -> Result<Fields, BodyError> {
        body::check_type(self.request.headers(), "application/json")?;
        Fields::parse(&self.bytes(usize::MAX).await?)
    }
}

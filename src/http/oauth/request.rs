//! What the endpoints for clients have in common: a form, read within bounds, about a tenant.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header;
use bytes::Bytes;

use super::error::{no_body, no_tenant, refuse};
use crate::domain::Ctx;
use crate::domain::tenants::LiveTenant;
use crate::http::body;
use crate::http::call::Call;
use crate::model::audit::Actor;
use crate::protocol::oauth::{OAuthError, Params};

/// The largest form, in bytes.
const MOST: usize = 64 * 1024;
/// The only encoding of a form (RFC 6749 Appendix B).
const FORM: &str = "application/x-www-form-urlencoded";

/// A form and the tenant that it is for; borrowed from by [`Form::params`].
pub(super) struct Form {
    tenant: Arc<LiveTenant>,
    bytes: Bytes,
}

impl Form {
    /// Reads it.
    ///
    /// # Errors
    /// The answer: no such tenant, a body of the wrong kind or size, or a query string, where a
    /// secret would end up in logs (RFC 6749 §2.3.1).
    pub(super) async fn read(call: &Call) -> Result<Self, HttpResponse> {
        let tenant = call.tenant().await.map_err(|error| no_tenant(call, error))?;
        if call.headers().get(header::CONTENT_TYPE).is_none() {
            return Err(no_body(&body::BodyError::WrongType(FORM)));
        }
        body::check_type(call.headers(), FORM).map_err(|error| no_body(&error))?;
        if !call.request().query_string().is_empty() {
            return Err(refuse(call, OAuthError::invalid_request("Parameters belong in the body, not in the address")));
        }
        let bytes = call.bytes(MOST).await.map_err(|error| no_body(&error))?;
        Ok(Self { tenant, bytes })
    }

    /// Its parameters.
    ///
    /// # Errors
    /// The answer.
    pub(super) fn params(&self, call: &Call) -> Result<Params<'_>, HttpResponse> {
        Params::parse(&self.bytes).map_err(|error| refuse(call, error))
    }

    /// A call of a verb about its tenant.
    pub(super) fn ctx<'c>(&self, call: &'c Call) -> Ctx<'c> {
        call.ctx(Arc::clone(&self.tenant), Actor::Anonymous)
    }
}

/// The Authorization header. More than one, or one that is not text, proves nothing.
///
/// # Errors
/// The answer.
pub(super) fn authorization(call: &Call) -> Result<Option<&str>, HttpResponse> {
    let mut lines = call.headers().get_all(header::AUTHORIZATION);
    let Some(line) = lines.next() else { return Ok(None) };
    match (line.to_str(), lines.next()) {
        (Ok(text), None) => Ok(Some(text)),
        _ => Err(refuse(call, OAuthError::invalid_request("The Authorization header is repeated or not text"))),
    }
}

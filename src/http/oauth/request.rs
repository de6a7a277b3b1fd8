//! What the endpoints for clients have in common: a form, read within bounds, about a tenant.

use std::sync::Arc;

use actix_web::http::header;
use bytes::Bytes;

use super::error::Problem;
use crate::domain::Ctx;
use crate::domain::tenants::LiveTenant;
use crate::http::body::{self, BodyError};
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
    /// No such tenant, a body of the wrong kind or size, or a query string, where a secret would end
    /// up in logs (RFC 6749 §2.3.1).
    pub(super) async fn read(call: &Call) -> Result<Self, Problem> {
        let tenant = call.tenant().await?;
        if !call.headers().contains_key(header::CONTENT_TYPE) {
            return Err(BodyError::WrongType(FORM).into());
        }
        body::check_type(call.headers(), FORM)?;
        if !call.request().query_string().is_empty() {
            return Err(OAuthError::invalid_request("Parameters belong in the body, not in the address").into());
        }
        Ok(Self { tenant, bytes: call.bytes(MOST).await? })
    }

    /// Its parameters.
    ///
    /// # Errors
    /// `invalid_request`.
    pub(super) fn params(&self) -> Result<Params<'_>, OAuthError> {
        Params::parse(&self.bytes)
    }

    /// A call of a verb about its tenant.
    pub(super) fn ctx<'c>(&self, call: &'c Call) -> Ctx<'c> {
        call.ctx(Arc::clone(&self.tenant), Actor::Anonymous)
    }
}

/// The Authorization header. More than one, or one that is not text, proves nothing.
///
/// # Errors
/// `invalid_request`.
pub(super) fn authorization(call: &Call) -> Result<Option<&str>, OAuthError> {
    let mut lines = call.headers().get_all(header::AUTHORIZATION);
    let Some(line) = lines.next() else { return Ok(None) };
    match (line.to_str(), lines.next()) {
        (Ok(text), None) => Ok(Some(text)),
        _ => Err(OAuthError::invalid_request("The Authorization header is repeated or not text")),
    }
}

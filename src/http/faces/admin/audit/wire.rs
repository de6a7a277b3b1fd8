//! The audit log on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::audit::StoredAuditEntry;

/// What somebody did.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct AuditShown {
    /// A number that rises.
    id: i64,
    /// RFC 3339.
    at: String,
    /// Who: `user:usr_…`, `client:svc_…`, `tenant-key:secret`, `operator`, `system`, `anonymous`.
    actor: String,
    /// What, as `noun.verb`.
    action: String,
    /// To whom, as `kind:id`.
    target: Option<String>,
    /// From where.
    address: Option<String>,
    /// By which request.
    request_id: Option<String>,
    /// `success` or `failure`.
    outcome: &'static str,
    /// What else there is to know.
    detail: Option<String>,
}

impl From<(i64, StoredAuditEntry)> for AuditShown {
    fn from((id, entry): (i64, StoredAuditEntry)) -> Self {
        Self {
            id,
            at: entry.at.rfc3339(),
            actor: entry.actor,
            action: entry.action,
            target: entry.target,
            address: entry.address,
            request_id: entry.request_id,
            outcome: entry.outcome.as_str(),
            detail: entry.detail,
        }
    }
}

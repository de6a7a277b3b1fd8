//! Who asks, from where, about which tenant: the first parameter of every verb.

use std::sync::Arc;

use super::core::Core;
use super::tenants::LiveTenant;
use crate::model::audit::{Actor, AuditEntry, Outcome};
use crate::model::ids::TenantId;
use crate::model::language::Language;
use crate::model::time::Timestamp;

/// Where a request came from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The caller's address, as far as the configured proxies can be believed.
    pub address: Option<String>,
    /// The request's id, as it stands in logs and in `X-Request-Id`.
    pub request_id: Option<Arc<str>>,
    /// The language that whoever asks reads best.
    pub language: Language,
}

/// One call of a verb.
#[derive(Clone)]
pub struct Ctx<'a> {
    /// What gatehouse runs on.
    pub core: &'a Core,
    /// The tenant that it is about.
    pub tenant: Arc<LiveTenant>,
    /// Who acts.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
}

impl<'a> Ctx<'a> {
    /// A call by nobody in particular; faces replace the actor by who proved to be one.
    #[must_use]
    pub const fn new(core: &'a Core, tenant: Arc<LiveTenant>, actor: Actor, origin: Origin) -> Self {
        Self { core, tenant, actor, origin }
    }

    /// The same call, by this actor.
    #[must_use]
    pub fn by(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// The tenant's id.
    #[must_use]
    pub fn tenant_id(&self) -> TenantId {
        self.tenant.tenant.id
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.core.clock.now()
    }

    /// An audit row about this call.
    #[must_use]
    pub fn audit(
        &self,
        action: &'static str,
        target: Option<String>,
        outcome: Outcome,
        detail: Option<String>,
    ) -> AuditEntry {
        AuditEntry {
            tenant: self.tenant_id(),
            at: self.now(),
            actor: self.actor.describe(),
            action,
            target: target.map(printable),
            address: self.origin.address.clone(),
            request_id: self.origin.request_id.as_ref().map(ToString::to_string),
            outcome,
            detail: detail.map(printable),
        }
    }
}

/// What callers said goes into the log without line breaks and at a bounded length.
fn printable(text: String) -> String {
    if text.len() <= 512 && !text.contains(char::is_control) {
        return text;
    }
    text.chars().filter(|c| !c.is_control()).take(512).collect()
}

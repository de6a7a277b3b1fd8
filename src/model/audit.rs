//! Audit rows: who did what to whom, from where, and how it ended. Append-only.

use super::ids::{ApiClientId, ClientId, TenantId, UserId};
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// How it ended.
    Outcome {
        /// It was done.
        Success = "success",
        /// It was refused.
        Failure = "failure",
    }
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody who proved anything.
    Anonymous,
    /// A person.
    User(UserId),
    /// A service or an app, for itself.
    Client(ClientId),
    /// A trusted system with a key pair.
    ApiClient(ApiClientId),
    /// A tenant's own key.
    TenantKey(&'static str),
    /// Whoever has the command line.
    Operator,
    /// gatehouse itself: start-up and background jobs.
    System,
}

impl Actor {
    /// `kind:id`, as it is stored.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::User(id) => format!("user:{id}"),
            Self::Client(id) => format!("client:{id}"),
            Self::ApiClient(id) => format!("api-client:{id}"),
            Self::TenantKey(kind) => format!("tenant-key:{kind}"),
            Self::Operator => "operator".to_owned(),
            Self::System => "system".to_owned(),
        }
    }
}

/// One row.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Where it happened.
    pub tenant: TenantId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What, as `noun.verb`.
    pub action: &'static str,
    /// To whom, as `kind:id`.
    pub target: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// By which request.
    pub request_id: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What else there is to know; never a secret.
    pub detail: Option<String>,
}

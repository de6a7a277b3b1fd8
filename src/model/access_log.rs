//! The access log: what services did with their tokens.

use super::ids::{ClientId, TenantId};
use super::time::Timestamp;

/// One request that a service made with its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLogEntry {
    /// Running number; zero before it is stored.
    pub id: i64,
    /// Whose service.
    pub tenant: TenantId,
    /// Which service.
    pub client: ClientId,
    /// The path that was asked for.
    pub endpoint: String,
    /// GET, POST and so on.
    pub method: String,
    /// The answer's status.
    pub status: u16,
    /// How long the answer took, in milliseconds.
    pub response_time_ms: i64,
    /// From where.
    pub address: Option<String>,
    /// What the caller called itself.
    pub user_agent: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What a service did since some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AccessStatistics {
    /// Requests in all.
    pub total: i64,
    /// Those answered with 400 or above.
    pub errors: i64,
    /// Mean time to the answer, in milliseconds.
    pub mean_response_ms: f64,
}

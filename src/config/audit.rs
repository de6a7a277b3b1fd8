//! How long the audit trail is kept.

use std::time::Duration;

use super::section::section;

section! {
    /// How long the audit trail is kept.
    AuditConfig, "Audit";

    /// How long audit rows are kept; 0 means for ever.
    retention: Duration = "audit.retention", Duration::from_secs(365 * 86_400),
        from Duration::ZERO, to Duration::from_secs(100 * 365 * 86_400);
}

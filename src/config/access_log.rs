//! The record of what services did with their tokens.

use std::time::Duration;

use super::section::section;

section! {
    /// The record of what services did with their tokens.
    AccessLogConfig, "Access log of services";

    /// How many rows may wait to be written; beyond it they are shed and counted.
    queue: u32 = "access_log.queue", 8_192, from 16, to 1_000_000;
    /// How long rows are kept; 0 means for ever.
    retention: Duration = "access_log.retention", Duration::from_secs(30 * 86_400),
        from Duration::ZERO, to Duration::from_secs(100 * 365 * 86_400);
}

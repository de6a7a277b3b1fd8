//! What the process tells its operator: logs and metrics.
//!
//! Logs go to standard error, human on a terminal and JSON otherwise; standard output is left to
//! what a command answers. Built with the feature `otlp`, they can go to a collector too. Metrics
//! belong to one application each, so that several can run in one process, as the tests do.

mod logs;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;

pub use logs::{DroppedLines, LogGuard, LoggingError, init_logging};
pub use metrics::{
    ByLabel, DatabaseMetrics, HashMetrics, HttpMetrics, JobMetrics, Metrics, Observed, Surface, TokenMetrics,
};

//! What the process tells its operator: logs and metrics.

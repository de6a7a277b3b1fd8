//! For operators and their machines: alive, ready, metrics, and the description of everything.

mod metrics;
mod probes;

use super::mount::{Endpoint, endpoints};
use crate::telemetry::Surface;

/// What it serves.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut all = endpoints![Surface::Operator; probes::health, probes::readyz, probes::openapi];
    all.extend(endpoints![Surface::Member; probes::healthz]);
    all
}

/// `/metrics`, which may have an address of its own.
pub(super) fn metrics_endpoints() -> Vec<Endpoint> {
    endpoints![Surface::Operator; metrics::metrics]
}

//! Arguments that must be one of a few names, a length of time, or a moment.

use std::time::Duration;

use crate::config::Value as _;
use crate::model::time::Timestamp;

/// An argument that is one of the names of a `text_enum!`; `--help` lists them.
macro_rules! one_of {
    ($name:ty) => {{
        use clap::builder::TypedValueParser as _;
        clap::builder::PossibleValuesParser::new(<$name>::ALL.iter().map(|each| each.as_str()))
            .try_map(|name| name.parse::<$name>())
    }};
}
pub(super) use one_of;

/// A length of time as the configuration writes it: `300`, `5m`, `24h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    Duration::parse(text).map_err(|refused| format!("{text:?} {}; write {}", refused.why, Duration::EXPECTED))
}

/// How long the secret before goes on working: a month at most, as in the management API.
pub(super) fn overlap(text: &str) -> Result<Duration, String> {
    let overlap = duration(text)?;
    if overlap > MONTH {
        return Err("is longer than 31d".to_owned());
    }
    Ok(overlap)
}

const MONTH: Duration = Duration::from_secs(31 * 86_400);

/// A moment as RFC 3339 writes it.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| "write a time as in 2030-01-31T18:00:00Z (RFC 3339)".to_owned())
}

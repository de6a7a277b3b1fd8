//! Arguments that must be one of a few names, or a length of time.

use std::time::Duration;

use crate::config::Value as _;

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

//! Why a command was not done, and what the program exits with.

use std::fmt;

use crate::app::StartError;
use crate::config::ConfigError;
use crate::domain::DomainError;

/// Why a command was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The arguments don't make sense together.
    Usage(String),
    /// The configuration is not usable.
    Config(ConfigError),
    /// It was refused, or could not be done.
    Refused(String),
    /// Whoever reads the answer went away: nothing to say and nobody to say it to.
    ReaderGone,
}

impl Failure {
    /// What the program exits with.
    pub(super) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) => ConfigError::EXIT_CODE,
            Self::Refused(_) => 1,
            Self::ReaderGone => 0,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(why) | Self::Refused(why) => f.write_str(why),
            Self::Config(error) => error.fmt(f),
            Self::ReaderGone => Ok(()),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<DomainError> for Failure {
    fn from(error: DomainError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Refused(error.to_string()),
        }
    }
}

//! What is wrong with a configuration, said all at once.

use std::fmt;

use serde::Serialize;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the file.
    File {
        /// The file's path as it was given.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of this name.
    Environment(String),
    /// A flag of this name.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "file {path}:{line}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A key as somebody set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Given {
    /// The key's name.
    pub key: String,
    /// The value with what is secret in it hidden; nothing where it is not known what is secret.
    pub value: Option<String>,
    /// Where it was set.
    pub origin: Origin,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(value) = &self.value {
            write!(f, " = {value:?}")?;
        }
        write!(f, " ({})", self.origin)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What it is about: one key, or those that do not go together.
    pub given: Vec<Given>,
    /// What is wrong, worded to follow the first key.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, given) in self.given.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { " with " })?;
            given.fmt(f)?;
        }
        write!(f, " {}. Remedy: {}.", self.why, self.remedy)
    }
}

/// Everything that is wrong with a configuration; there is always at least one problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigError {
    /// The problems, in the order of the sources and then of the keys.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// What the program exits with.
    pub const EXIT_CODE: u8 = 2;
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [one] => write!(f, "the configuration is not usable; nothing was touched.\n  {one}"),
            many => {
                write!(f, "the configuration has {} problems; nothing was touched.", many.len())?;
                for problem in many {
                    write!(f, "\n  {problem}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ConfigError {}

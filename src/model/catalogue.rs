//! The catalogue (`handoff.md`): systems with modules, organizations with sites, and the keys by which other
//! systems know them.

use super::ids::{ModuleId, OrganizationId, SiteId, SystemId};
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// What a catalogue key names, by the two letters that it starts with. Systems and sites share theirs.
    KeyKind {
        /// A system or a site.
        SystemOrSite = "ST",
        /// A module.
        Module = "MD",
        /// A company.
        Company = "CP",
    }
}

impl KeyKind {
    /// What the keys of one day share: the letters and the date (UTC), `ST20260331`.
    #[must_use]
    pub fn prefix(self, at: Timestamp) -> String {
        let date = at.rfc3339();
        let digits: String = date.chars().take(10).filter(char::is_ascii_digit).collect();
        format!("{self}{digits}")
    }
}

/// The key of a number: `ST20260331X0007`; from 10,000 on it has more digits.
#[must_use]
pub fn key(prefix: &str, number: i64) -> String {
    format!("{prefix}X{number:04}")
}

/// A system that has modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// `sys_…`; faces show the bare UUID.
    pub id: SystemId,
    /// `ST…`, stable for life.
    pub key: String,
    /// What people who write grants by hand call it.
    pub code: Option<String>,
    /// For people to read.
    pub name: String,
    /// An inactive one contributes nothing to any decision.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A part of a system that grants name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// `mod_…`; faces show the bare UUID.
    pub id: ModuleId,
    /// `MD…`, stable for life.
    pub key: String,
    /// What people who write grants by hand call it.
    pub code: Option<String>,
    /// Of which system.
    pub system: SystemId,
    /// For people to read.
    pub name: String,
    /// An inactive one contributes nothing to any decision.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A place of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// `sit_…`; faces show the bare UUID.
    pub id: SiteId,
    /// `ST…`, stable for life.
    pub key: String,
    /// What people who write grants by hand call it.
    pub code: Option<String>,
    /// Of which organization.
    pub organization: OrganizationId,
    /// For people to read.
    pub name: String,
    /// An inactive one contributes nothing to any decision.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

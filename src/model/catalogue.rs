//! The catalogue (`handoff.md`): systems with modules, organizations with sites, and the keys by which other
//! systems know them.

use std::str::FromStr;

use super::ids::{ModuleId, OrganizationId, SiteId, SystemId};
use super::text::InvalidText;
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

text_enum! {
    /// A kind of entry.
    EntryKind {
        /// A system.
        System = "system",
        /// A module of a system.
        Module = "module",
        /// A company.
        Company = "company",
        /// A site of a company.
        Site = "site",
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

/// The prefix and the number of a key, if it is one.
#[must_use]
pub fn number_of(text: &str) -> Option<(&str, i64)> {
    let (prefix, number) = text.split_once('X')?;
    let date = KeyKind::ALL.iter().find_map(|kind| prefix.strip_prefix(kind.as_str()))?;
    let number = number.parse().ok().filter(|number| date.len() == 8 && key(prefix, *number) == text)?;
    date.bytes().all(|b| b.is_ascii_digit()).then_some((prefix, number))
}

/// Whether a text has the form of a key.
#[must_use]
pub fn is_key(text: &str) -> bool {
    let Some((letters, rest)) = text.split_at_checked(2) else { return false };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let dated = |(date, number): (&str, &str)| date.len() == 8 && digits(date) && number.len() >= 4 && digits(number);
    letters.parse::<KeyKind>().is_ok() && rest.split_once('X').is_some_and(dated)
}

/// What people who write grants by hand call an entry: 1 to 100 letters, digits, `.`, `_`, `:` and `-`, which
/// can't be taken for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if !is_grant_word(text) || is_key(text) {
            return Err(InvalidText::Malformed("code"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether a text may stand in a grant: as a scope, a module or an action.
#[must_use]
pub fn is_grant_word(text: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
    (1..=100).contains(&text.len()) && text.bytes().all(fine)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_ten_thousand_keys_of_four_digits_and_more_of_five() {
        let prefix = KeyKind::Module.prefix(Timestamp::parse_rfc3339("2026-03-31T23:59:59Z").unwrap());
        assert_eq!((key(&prefix, 7).as_str(), prefix.as_str()), ("MD20260331X0007", "MD20260331"));
        assert_eq!((key(&prefix, 9_999), key(&prefix, 10_000)), ("MD20260331X9999".into(), "MD20260331X10000".into()));
        assert!(is_key(&key(&prefix, 7)) && is_key(&key(&prefix, 10_000)));
    }

    #[test]
    fn a_code_is_no_key() {
        for good in ["tw-main", "campaign", "a", "A.b_c:d-1", "ST20260331", "ST2026033X1111", "XX20260331X1111"] {
            assert!(good.parse::<Code>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "ST20260331X1111", "MD20260331X12345", "\u{e4}", &"a".repeat(101)] {
            assert!(bad.parse::<Code>().is_err(), "{bad}");
        }
    }
}

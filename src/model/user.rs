//! Users.

use std::str::FromStr;

use super::ids::{TenantId, UserId};
use super::text::InvalidText;
use super::time::Timestamp;

/// A person's account.
#[derive(Clone)]
pub struct User {
    /// Whose user it is.
    pub tenant: TenantId,
    /// `usr_…`.
    pub id: UserId,
    /// What other systems know them by, if it was they who made the account (`handoff.md`,
    /// `user_sub`); unique in the tenant.
    pub external_sub: Option<String>,
    /// As it was given; unique by its canonical form.
    pub email: Option<String>,
    /// Whether the address was proved.
    pub email_verified: bool,
    /// Whether the address must be proved before the account counts: it was made by whoever said
    /// that it is theirs.
    pub verification_due: bool,
    /// As it was given; unique by its canonical form, in one name space with the addresses.
    pub username: Option<String>,
    /// For people to read.
    pub name: Option<String>,
    /// Argon2id or an imported hash, PHC or modular form; none for who has no password.
    pub password_hash: Option<String>,
    /// Any JSON object, kept as given.
    pub profile: serde_json::Value,
    /// A disabled user counts for nothing from that moment on.
    pub enabled: bool,
    /// Whether a second factor is enrolled.
    pub has_second_factor: bool,
    /// Rises when everything issued so far shall count for nothing (changed password, "sign out
    /// everywhere"); a counter, because two moments in one second can't be told apart in a token.
    pub token_epoch: i32,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the account was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// What other systems know them by: the name that those gave, or else the id.
    #[must_use]
    pub fn sub(&self) -> String {
        self.external_sub.clone().unwrap_or_else(|| self.id.to_string())
    }
}

/// What another system calls a user: 1 to 255 visible ASCII characters that are fit for a path, and never one
/// of our own ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalSub(String);

impl ExternalSub {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExternalSub {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let fine = |b: u8| b.is_ascii_graphic() && !br"/\;%?#".contains(&b);
        let one_of_ours = text.starts_with(UserId::PREFIX);
        let dots = matches!(text, "." | "..");
        match text.len() {
            0 => Err(InvalidText::Empty),
            256.. => Err(InvalidText::TooLong(255)),
            _ if one_of_ours || dots || !text.bytes().all(fine) => Err(InvalidText::Malformed("sub")),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

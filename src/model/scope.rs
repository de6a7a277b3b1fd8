//! OAuth scopes (RFC 6749 §3.3). Not to be confused with a role's scope or a grant's scope.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A text is not a list of scope tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of scope names (RFC 6749 §3.3)")]
pub struct InvalidScope;

/// An ordered set of scope tokens: the order of the request is kept, repetitions are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OAuthScope(Vec<Arc<str>>);

impl OAuthScope {
    /// The longest request that is read, in bytes.
    pub const MAX_BYTES: usize = 4096;

    /// No scope at all.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// From tokens that are known to be well formed.
    pub fn from_tokens<T: Into<Arc<str>>>(tokens: impl IntoIterator<Item = T>) -> Self {
        let mut scope = Self::empty();
        for token in tokens {
            let token = token.into();
            if !scope.contains(&token) {
                scope.0.push(token);
            }
        }
        scope
    }

    /// Whether no token is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the token is in it.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|t| &**t == token)
    }

    /// Whether every token of this is in `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|t| other.contains(t))
    }

    /// The tokens that are also in `other`, in this order.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|t| other.contains(t)).cloned().collect())
    }

    /// The tokens of this and then those of `other`.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_tokens(self.0.iter().chain(&other.0).cloned())
    }

    /// The tokens that are not in `other`, in this order.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|t| !other.contains(t)).cloned().collect())
    }

    /// The tokens, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

impl fmt::Display for OAuthScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, token) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl serde::Serialize for OAuthScope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for OAuthScope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for OAuthScope {
    type Err = InvalidScope;
    /// `scope-token *( SP scope-token )`, lenient about extra spaces.
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let legal = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if text.len() > Self::MAX_BYTES || !text.bytes().all(legal) {
            return Err(InvalidScope);
        }
        Ok(Self::from_tokens(text.split(' ').filter(|t| !t.is_empty())))
    }
}

//! What an access token says (RFC 9068 §2.2), with gatehouse's own claims.

use serde::{Deserialize, Serialize};

/// The claims of an access token; `S` is `&str` in the mint and `String` in the verifier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessClaims<S = String> {
    /// The tenant's issuer.
    pub iss: S,
    /// A user's id, or a client's own id.
    pub sub: S,
    /// For whom it is (RFC 8707).
    pub aud: Audience<S>,
    /// To whom it was issued (RFC 8693 §4.3).
    pub client_id: S,
    /// What it may be used for (RFC 8693 §4.2); absent where there is nothing.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub scope: Option<S>,
    /// Its own name; what a revocation names.
    pub jti: S,
    /// When it was issued, in seconds since the Unix epoch.
    pub iat: i64,
    /// When it expires, in seconds since the Unix epoch.
    pub exp: i64,
    /// The tenant.
    pub tenant_id: S,
    /// Codes of the user's roles (RFC 9068 §2.2.3.1).
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<S>,
    /// Codes of what those permit.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<S>,
    /// Which of the two lists above are left out, because the token would be too long; introspection
    /// has them.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub omitted: Vec<S>,
    /// The organization in which the user acts: the one that they signed in to, or the only one of theirs.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<S>,
    /// When the person proved who they are, in seconds since the Unix epoch (RFC 9068 §2.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How they did (RFC 8176).
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<S>,
    /// Who acts for the subject (RFC 8693 §4.1).
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub act: Option<Act<S>>,
    /// The authorization that it belongs to; ends with it.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub family: Option<S>,
    /// The user's token epoch; absent is zero.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: i32,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the shape that serde wants
const fn is_zero(epoch: &i32) -> bool {
    *epoch == 0
}

/// Who acts for the subject (RFC 8693 §4.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Act<S = String> {
    /// The actor.
    pub sub: S,
    /// Who acted before them.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Self>>,
}

impl Act {
    /// The same chain, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Act<&str> {
        Act { sub: &self.sub, act: self.act.as_ref().map(|act| Box::new(act.borrowed())) }
    }

    /// How many actors are in the chain.
    #[must_use]
    pub fn length(&self) -> usize {
        1 + self.act.as_ref().map_or(0, |act| act.length())
    }
}

/// One audience or several (RFC 7519 §4.1.3).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience<S = String> {
    /// One, as a string.
    One(S),
    /// Several, as an array.
    Many(Vec<S>),
}

impl<S: AsRef<str>> Audience<S> {
    /// Whether this is among them.
    pub fn contains(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one.as_ref() == audience,
            Self::Many(many) => many.iter().any(|one| one.as_ref() == audience),
        }
    }
}

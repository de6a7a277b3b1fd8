//! What an authorization request asks for and what comes of it (RFC 6749 §4.1, OpenID Connect Core §3).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{FamilyId, SessionId, UserId};
use super::scope::OAuthScope;
use super::text_enum::text_enum;
use super::time::Timestamp;

/// What the answer carries (OAuth 2.0 Multiple Response Types §3 and §5): a set, of which order says
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResponseType {
    /// An authorization code.
    pub code: bool,
    /// An ID token, straight from here.
    pub id_token: bool,
    /// An access token, straight from here.
    pub token: bool,
}

impl ResponseType {
    /// The one that everybody should use.
    pub const CODE: Self = Self { code: true, id_token: false, token: false };

    /// Every one that there is; `token` alone signs nobody in and is left out (RFC 9700 §2.1.2).
    pub const ALL: &'static [Self] = &[
        Self::CODE,
        Self { code: false, id_token: true, token: false },
        Self { code: false, id_token: true, token: true },
        Self { code: true, id_token: true, token: false },
        Self { code: true, id_token: false, token: true },
        Self { code: true, id_token: true, token: true },
    ];

    /// Whether something travels through the browser that must not end in a server's log.
    #[must_use]
    pub const fn is_front_channel(self) -> bool {
        self.id_token || self.token
    }

    /// Whether an access token comes of it, by whichever way.
    #[must_use]
    pub const fn gives_access_token(self) -> bool {
        self.code || self.token
    }
}

impl fmt::Display for ResponseType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(self.code, "code"), (self.id_token, "id_token"), (self.token, "token")];
        let names: Vec<&str> = parts.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
        f.write_str(&names.join(" "))
    }
}

/// A text is not a response type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a response type")]
pub struct NotAResponseType;

impl FromStr for ResponseType {
    type Err = NotAResponseType;
    fn from_str(text: &str) -> Result<Self, NotAResponseType> {
        let mut asked = Self { code: false, id_token: false, token: false };
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let place = match word {
                "code" => &mut asked.code,
                "id_token" => &mut asked.id_token,
                "token" => &mut asked.token,
                _ => return Err(NotAResponseType),
            };
            if std::mem::replace(place, true) {
                return Err(NotAResponseType);
            }
        }
        if Self::ALL.contains(&asked) { Ok(asked) } else { Err(NotAResponseType) }
    }
}

impl Serialize for ResponseType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResponseType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

text_enum! {
    /// How the answer travels (OAuth 2.0 Multiple Response Types §2.1, Form Post).
    ResponseMode {
        /// In the redirect URI's query.
        Query = "query",
        /// In its fragment.
        Fragment = "fragment",
        /// In a form that the browser posts.
        FormPost = "form_post",
    }
}

text_enum! {
    /// What the person must be shown (OpenID Connect Core §3.1.2.1; Initiating User Registration).
    Prompt {
        /// Nothing at all.
        None = "none",
        /// The sign-in, also with a session.
        Login = "login",
        /// The consent, also if it was given before.
        Consent = "consent",
        /// Which account to use.
        SelectAccount = "select_account",
        /// The registration.
        Create = "create",
    }
}

/// One claim that is asked for (OpenID Connect Core §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimWish {
    /// Whether the client can't do without it.
    #[serde(skip_serializing_if = "is_false")]
    pub essential: bool,
    /// The one value that will do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Values that will do, the best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the shape that serde wants
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl ClaimWish {
    /// Whether this value will do; any will where none is named.
    #[must_use]
    pub fn is_met_by(&self, value: &Value) -> bool {
        let named = self.value.iter().chain(&self.values);
        named.clone().next().is_none() || named.into_iter().any(|wanted| wanted == value)
    }
}

/// Single claims that are asked for (OpenID Connect Core §5.5), by where they shall stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// In the ID token.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, ClaimWish>,
    /// At the userinfo endpoint.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, ClaimWish>,
}

impl ClaimsRequest {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id_token.is_empty() && self.userinfo.is_empty()
    }
}

/// How and when somebody proved who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The session that it was in, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// When they last did.
    pub auth_time: Timestamp,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// What that is worth (OpenID Connect Core §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
}

/// What a person allowed a client: all that a code, or a device's code, stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// The family that its tokens will belong to.
    pub family: FamilyId,
    /// Who.
    pub user: UserId,
    /// What for.
    pub scope: OAuthScope,
    /// Audience of the access tokens, if it is not the client's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The client's own mark, put into the ID token as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How and when they proved who they are.
    pub sign_in: SignIn,
    /// Single claims that were asked for.
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// Whether a refresh token goes with it.
    pub refreshable: bool,
    /// The person's token epoch when they allowed it, where no session says that it still counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_response_types_says_nothing() {
        for (text, canonical) in
            [("code", "code"), ("token id_token", "id_token token"), ("id_token  code", "code id_token")]
        {
            assert_eq!(text.parse::<ResponseType>().unwrap().to_string(), canonical);
        }
        for text in ["", "token", "code code", "none", "CODE", "code,token"] {
            assert!(text.parse::<ResponseType>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_wish_without_values_is_met_by_any() {
        let one = Value::from("one");
        assert!(ClaimWish::default().is_met_by(&one));
        assert!(ClaimWish { values: vec![one.clone()], ..ClaimWish::default() }.is_met_by(&one));
        assert!(!ClaimWish { value: Some(one), ..ClaimWish::default() }.is_met_by(&Value::from("two")));
    }
}

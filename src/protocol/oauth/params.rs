//! Parameters of a request, as `application/x-www-form-urlencoded` (RFC 6749 Appendix B).

use std::borrow::Cow;

use super::error::OAuthError;

/// The parameters that have a value. One that is sent without a value counts as absent, one that is
/// sent twice is an error (RFC 6749 §3.2), but for those that may be repeated.
pub struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// What may be repeated: an audience for each (RFC 8707 §2).
const REPEATABLE: &[&str] = &["resource", "audience"];
/// More than any request has.
const MOST: usize = 64;

impl<'a> Params<'a> {
    /// Takes a body or a query apart.
    ///
    /// # Errors
    /// `invalid_request` for a repeated parameter, too many of them, or bytes that are not UTF-8.
    pub fn parse(encoded: &'a [u8]) -> Result<Self, OAuthError> {
        let mut params: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::with_capacity(8);
        for (name, value) in url::form_urlencoded::parse(encoded) {
            // What is not UTF-8 decodes to the replacement character, which nobody means to send.
            if name.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(OAuthError::invalid_request("The parameters are not UTF-8"));
            }
            let repeated = params.iter().any(|(known, _)| *known == name);
            if repeated && !REPEATABLE.contains(&&*name) {
                let name: String = name.chars().take(64).filter(|c| !c.is_control()).collect();
                return Err(OAuthError::invalid_request(format!("The parameter {name} is there more than once")));
            }
            if params.len() == MOST {
                return Err(OAuthError::invalid_request("There are too many parameters"));
            }
            params.push((name, value));
        }
        params.retain(|(_, value)| !value.is_empty());
        Ok(Self(params))
    }

    /// The same for the authorization endpoint, where a repeated parameter must be told to the client:
    /// the first of its values counts until then. Says which parameter is repeated, if one is.
    ///
    /// # Errors
    /// As [`Params::parse`] for everything else.
    pub fn parse_repeated(encoded: &'a [u8]) -> Result<(Self, Option<String>), OAuthError> {
        let mut seen = std::collections::HashSet::new();
        let mut repeated = None;
        let once = url::form_urlencoded::parse(encoded).filter(|(name, _)| {
            let is_new = seen.insert(name.clone()) || REPEATABLE.contains(&&**name);
            if !is_new {
                repeated.get_or_insert_with(|| name.clone().into_owned());
            }
            is_new
        });
        let once: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(once).finish();
        // Checked as any other request, and owned: what is left differs from what was sent.
        let checked = Params::parse(once.as_bytes())?.pairs();
        Ok((Self::of_pairs(checked), repeated))
    }

    /// Parameters that were parsed before.
    #[must_use]
    pub fn of_pairs(pairs: Vec<(String, String)>) -> Self {
        let owned = |(name, value)| (Cow::Owned(name), Cow::Owned(value));
        Self(pairs.into_iter().filter(|(_, value): &(String, String)| !value.is_empty()).map(owned).collect())
    }

    /// All of them, as they can be kept.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Every value of a parameter that may be repeated.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request` names it.
    pub fn require(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::invalid_request(format!("The parameter {name} is missing")))
    }
}

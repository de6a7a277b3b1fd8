//! The authorization response (RFC 6749 §4.1.2, OAuth 2.0 Multiple Response Types, Form Post,
//! RFC 9207): where it goes, in which mode, and what is in it.

use super::super::error::OAuthError;
use super::super::params::Params;
use crate::domain::Ctx;
use crate::model::authorization::{ResponseMode, ResponseType};

/// Where an answer goes and how. Made only for a redirect URI that was compared with the registered
/// ones.
#[derive(Clone)]
pub struct Target {
    /// The redirect URI, as it was registered.
    pub redirect_uri: String,
    /// How the answer travels.
    pub mode: ResponseMode,
    state: Option<String>,
    issuer: String,
}

/// An answer on its way.
pub struct Response {
    /// Where it goes and how.
    pub target: Target,
    /// What it says.
    pub parameters: Vec<(&'static str, String)>,
}

/// The most of a `state` that comes back, in bytes.
const MAX_STATE: usize = 4096;

impl Target {
    /// As far as it is known before the response type is: so errors about that travel as the client
    /// asked, or in the query.
    pub(super) fn draft(ctx: &Ctx<'_>, redirect_uri: String, params: &Params<'_>, repeated: Option<&str>) -> Self {
        let asked = params.get("response_mode").and_then(|mode| mode.parse().ok());
        let by_type = params.get("response_type").and_then(|text| text.parse::<ResponseType>().ok());
        let default = if by_type.is_some_and(ResponseType::is_front_channel) {
            ResponseMode::Fragment
        } else {
            ResponseMode::Query
        };
        let state = params.get("state").filter(|state| state.len() <= MAX_STATE && repeated != Some("state"));
        Self {
            redirect_uri,
            mode: asked.unwrap_or(default),
            state: state.map(str::to_owned),
            issuer: ctx.tenant.issuer.clone(),
        }
    }

    /// The mode that the response type allows (OAuth 2.0 Multiple Response Types §2.1 and §3).
    pub(super) fn settle(&mut self, response_type: ResponseType, params: &Params<'_>) -> Result<(), OAuthError> {
        let default = if response_type.is_front_channel() { ResponseMode::Fragment } else { ResponseMode::Query };
        self.mode = default;
        if let Some(asked) = params.get("response_mode") {
            let asked: ResponseMode =
                asked.parse().map_err(|_| OAuthError::invalid_request("The response_mode is not supported"))?;
            if response_type.is_front_channel() && asked == ResponseMode::Query {
                return Err(OAuthError::invalid_request("Tokens do not travel in a query: use fragment or form_post"));
            }
            self.mode = asked;
        }
        if params.get("state").is_some_and(|state| state.len() > MAX_STATE) {
            return Err(OAuthError::invalid_request(format!("The state is longer than {MAX_STATE} bytes")));
        }
        Ok(())
    }

    /// The origin of the redirect URI, or its scheme where it has none: what a page's policy must
    /// let a form lead to.
    #[must_use]
    pub fn origin(&self) -> String {
        match url::Url::parse(&self.redirect_uri) {
            Ok(uri) if uri.has_host() && matches!(uri.scheme(), "http" | "https") => uri.origin().ascii_serialization(),
            Ok(uri) => format!("{}:", uri.scheme()),
            Err(_) => String::new(),
        }
    }
}

impl Response {
    /// An answer: `state` as it came, and who answers (RFC 9207 §2).
    #[must_use]
    pub fn new(target: Target, mut parameters: Vec<(&'static str, String)>) -> Self {
        parameters.extend(target.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", target.issuer.clone()));
        Self { target, parameters }
    }

    /// A refusal (RFC 6749 §4.1.2.1).
    #[must_use]
    pub fn refusal(target: Target, error: &OAuthError) -> Self {
        let description = printable(&error.description);
        Self::new(target, vec![("error", error.code.as_str().to_owned()), ("error_description", description)])
    }

    /// The address that the browser is sent to; nothing where it posts a form instead.
    #[must_use]
    pub fn location(&self) -> Option<String> {
        let mut serializer = url::form_urlencoded::Serializer::new(String::new());
        let encoded = serializer.extend_pairs(&self.parameters).finish();
        let uri = &self.target.redirect_uri;
        match self.target.mode {
            ResponseMode::FormPost => None,
            ResponseMode::Fragment => Some(format!("{uri}#{encoded}")),
            // A query of the registered URI's own is kept (RFC 6749 §3.1.2).
            ResponseMode::Query => {
                let joint = if !uri.contains('?') {
                    "?"
                } else if uri.ends_with(['?', '&']) {
                    ""
                } else {
                    "&"
                };
                Some(format!("{uri}{joint}{encoded}"))
            }
        }
    }
}

/// What `error_description` may hold (RFC 6749 §4.1.2.1): printable ASCII without quotes and
/// backslashes.
fn printable(text: &str) -> String {
    let ascii = text.replace('§', "section ").replace(['"', '\\'], "'");
    ascii.chars().filter(|c| matches!(c, ' '..='~')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(uri: &str, mode: ResponseMode, state: Option<&str>) -> Response {
        let target = Target {
            redirect_uri: uri.to_owned(),
            mode,
            state: state.map(str::to_owned),
            issuer: "https://op.example".to_owned(),
        };
        Response::new(target, vec![("code", "c".to_owned())])
    }

    #[test]
    fn what_the_redirect_uri_says_itself_is_kept() {
        let iss = "iss=https%3A%2F%2Fop.example";
        for (uri, mode, state, expected) in [
            (
                "https://rp.example/cb",
                ResponseMode::Query,
                Some("a b"),
                format!("https://rp.example/cb?code=c&state=a+b&{iss}"),
            ),
            ("https://rp.example/cb?x=1", ResponseMode::Query, None, format!("https://rp.example/cb?x=1&code=c&{iss}")),
            ("https://rp.example/cb?", ResponseMode::Query, None, format!("https://rp.example/cb?code=c&{iss}")),
            (
                "https://rp.example/cb?x=1",
                ResponseMode::Fragment,
                None,
                format!("https://rp.example/cb?x=1#code=c&{iss}"),
            ),
            ("com.example:/cb", ResponseMode::Query, None, format!("com.example:/cb?code=c&{iss}")),
        ] {
            assert_eq!(response(uri, mode, state).location(), Some(expected));
        }
        assert_eq!(response("https://rp.example/cb", ResponseMode::FormPost, None).location(), None);
    }

    #[test]
    fn a_description_holds_only_what_it_may() {
        assert_eq!(printable("a \"b\" \\ §4 \n é"), "a 'b' ' section 4  ");
    }

    #[test]
    fn a_policy_names_origin_or_scheme() {
        assert_eq!(
            response("https://rp.example:8443/cb", ResponseMode::Query, None).target.origin(),
            "https://rp.example:8443"
        );
        assert_eq!(response("com.example.app:/cb", ResponseMode::Query, None).target.origin(), "com.example.app:");
    }
}

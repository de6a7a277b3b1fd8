//! Bearer tokens in the `Authorization` header (RFC 6750 §2.1) and the challenges that ask for them.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// What the header holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearer<'a> {
    /// No bearer token.
    Missing,
    /// Something that can't be one: two headers, or none of its characters.
    Malformed,
    /// A token, not looked at yet.
    Token(&'a str),
}

impl<'a> Bearer<'a> {
    /// Reads the header.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut lines = headers.get_all(header::AUTHORIZATION);
        let Some(line) = lines.next() else { return Self::Missing };
        if lines.next().is_some() {
            return Self::Malformed;
        }
        let Ok(line) = line.to_str() else { return Self::Malformed };
        let (scheme, token) = line.split_once(' ').unwrap_or((line, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Self::Missing;
        }
        // b64token (RFC 6750 §2.1).
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
        let token = token.trim_start_matches(' ');
        if token.is_empty() || !token.bytes().all(legal) { Self::Malformed } else { Self::Token(token) }
    }
}

/// Why a bearer token is asked for (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// There was none: nothing is said about an error.
    Missing,
    /// It came in a way that is none.
    InvalidRequest,
    /// There was one that does not count.
    InvalidToken,
    /// There was one that does not reach far enough; this scope would.
    InsufficientScope(&'static str),
}

impl Challenge {
    /// The value of `WWW-Authenticate`.
    pub(super) fn header(self) -> HeaderValue {
        match self {
            Self::Missing => HeaderValue::from_static(r#"Bearer realm="gatehouse""#),
            Self::InvalidRequest => HeaderValue::from_static(r#"Bearer realm="gatehouse", error="invalid_request""#),
            Self::InvalidToken => HeaderValue::from_static(r#"Bearer realm="gatehouse", error="invalid_token""#),
            Self::InsufficientScope(scope) => {
                let text = format!(r#"Bearer realm="gatehouse", error="insufficient_scope", scope="{scope}""#);
                HeaderValue::try_from(text)
                    .unwrap_or(HeaderValue::from_static(r#"Bearer realm="gatehouse", error="insufficient_scope""#))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn one_header_of_the_right_scheme_is_read() {
        assert_eq!(Bearer::of(&of(&["Bearer abc.d-e_f~g+h/i="])), Bearer::Token("abc.d-e_f~g+h/i="));
        assert_eq!(Bearer::of(&of(&["bearer  abc"])), Bearer::Token("abc"));
        assert_eq!(Bearer::of(&of(&[])), Bearer::Missing);
        assert_eq!(Bearer::of(&of(&["Basic abc"])), Bearer::Missing);
        for lines in [&["Bearer"] as &[_], &["Bearer "], &["Bearer a b"], &["Bearer a,b"], &["Bearer a", "Bearer a"]] {
            assert_eq!(Bearer::of(&of(lines)), Bearer::Malformed, "{lines:?}");
        }
    }
}

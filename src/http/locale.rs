//! The languages of pages. One more is one file in `locale/` and one line in each list here.

mod en;
mod zh;

use actix_web::http::header::{self, HeaderMap};

/// A language that pages speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locale {
    /// English: where nobody asks for another one.
    En,
    /// Chinese, in simplified characters.
    Zh,
}

/// What pages say in one language.
pub(super) struct Texts {
    /// The language tag (RFC 5646) of the page.
    pub(super) lang: &'static str,
    /// The landing page: that it runs.
    pub(super) running: &'static str,
    /// The landing page: what it is.
    pub(super) about: &'static str,
    /// The landing page: the issuer.
    pub(super) issuer: &'static str,
    /// The landing page: links to discovery, the keys, the OpenAPI document and the documentation.
    pub(super) discovery: &'static str,
    /// See `discovery`.
    pub(super) keys: &'static str,
    /// See `discovery`.
    pub(super) openapi: &'static str,
    /// See `discovery`.
    pub(super) docs: &'static str,
    /// An error page: nothing is there.
    pub(super) not_found: &'static str,
    /// An error page: nothing is there, and what to do.
    pub(super) not_found_hint: &'static str,
    /// An error page: the request can't be understood.
    pub(super) bad_request: &'static str,
    /// An error page: the request can't be understood, and what to do.
    pub(super) bad_request_hint: &'static str,
    /// An error page: our own fault.
    pub(super) failed: &'static str,
    /// An error page: our own fault, and what to do.
    pub(super) failed_hint: &'static str,
    /// The way back.
    pub(super) home: &'static str,
    /// The documentation: its heading.
    pub(super) docs_title: &'static str,
    /// The documentation: an operation's parameters.
    pub(super) parameters: &'static str,
    /// The documentation: an operation's answers.
    pub(super) answers: &'static str,
}

impl Locale {
    /// What its pages say.
    pub(super) const fn texts(self) -> &'static Texts {
        match self {
            Self::En => &en::TEXTS,
            Self::Zh => &zh::TEXTS,
        }
    }

    /// The first of ours that the reader prefers (RFC 9110 §12.5.4).
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut best = (0.0, Self::En);
        for line in headers.get_all(header::ACCEPT_LANGUAGE).filter_map(|line| line.to_str().ok()) {
            for range in line.split(',').take(32) {
                let mut parts = range.split(';').map(str::trim);
                let tag = parts.next().unwrap_or_default();
                let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
                let known = match tag.split('-').next().unwrap_or_default() {
                    primary if primary.eq_ignore_ascii_case("zh") => Self::Zh,
                    primary if primary.eq_ignore_ascii_case("en") => Self::En,
                    _ => continue,
                };
                if weight > best.0 {
                    best = (weight, known);
                }
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn the_reader_s_first_choice_that_we_speak() {
        for (asked, expected) in [
            ("", Locale::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Locale::Zh),
            ("en-GB, zh;q=0.5", Locale::En),
            ("fr, zh;q=0.3, en;q=0.2", Locale::Zh),
            ("fr", Locale::En),
            ("zh;q=0", Locale::En),
            ("*", Locale::En),
            ("zh;q=x, en;q=nan", Locale::Zh),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(asked));
            assert_eq!(Locale::of(&headers), expected, "{asked}");
        }
    }
}

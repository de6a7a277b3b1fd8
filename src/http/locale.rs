//! The languages of pages. One more is one file in `locale/` and one line in each list here.

mod en;
pub(super) mod texts;
mod zh;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};
use chrono::{Datelike as _, Timelike as _};

use crate::model::time::Timestamp;
pub(super) use texts::Texts;

/// A language that pages speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Locale {
    /// English: where nobody asks for another one.
    En,
    /// Chinese, in simplified characters.
    Zh,
}

/// A moment as a calendar and a clock show it, in UTC.
pub(in crate::http) struct Moment {
    year: i32,
    month0: usize,
    day: u32,
    hour: u32,
    minute: u32,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        let at = at.to_chrono();
        let month0 = usize::try_from(at.month0()).unwrap_or_default();
        Self { year: at.year(), month0, day: at.day(), hour: at.hour(), minute: at.minute() }
    }
}

impl Locale {
    /// Every one of them, as pages offer them.
    pub(super) const ALL: &'static [Self] = &[Self::En, Self::Zh];

    /// The primary subtag of its language tag (RFC 5646 §2.2.1).
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language of a tag, whatever follows its primary subtag.
    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.iter().copied().find(|locale| primary.eq_ignore_ascii_case(locale.tag()))
    }

    /// The first of ours in a list of tags (`ui_locales`, OpenID Connect Core §3.1.2.1).
    pub(super) fn of_list(tags: &str) -> Option<Self> {
        tags.split_ascii_whitespace().take(32).find_map(Self::of_tag)
    }

    /// The one that the reader chose on a page (`ui_locales`, or `lang` for short).
    pub(super) fn chosen(query: &str) -> Option<Self> {
        let parameters: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let asked = |name: &str| Self::of_list(&parameters.iter().find(|(known, _)| known == name)?.1);
        asked("ui_locales").or_else(|| asked("lang"))
    }

    /// The one to answer a request in: chosen on a page, or preferred in general.
    pub(super) fn of_request(request: &HttpRequest) -> Self {
        Self::chosen(request.query_string()).unwrap_or_else(|| Self::of(request.headers()))
    }

    /// What its pages say.
    pub(super) const fn texts(self) -> &'static Texts {
        match self {
            Self::En => &en::TEXTS,
            Self::Zh => &zh::TEXTS,
        }
    }

    /// The first of ours that the reader prefers; English where they prefer none.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self::preferred(headers).unwrap_or(Self::En)
    }

    /// The first of ours that the reader prefers (RFC 9110 §12.5.4).
    pub(super) fn preferred(headers: &HeaderMap) -> Option<Self> {
        let mut best = (0.0, None);
        for line in headers.get_all(header::ACCEPT_LANGUAGE).filter_map(|line| line.to_str().ok()) {
            for range in line.split(',').take(32) {
                let mut parts = range.split(';').map(str::trim);
                let tag = parts.next().unwrap_or_default();
                let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
                if let Some(known) = Self::of_tag(tag).filter(|_| weight > best.0) {
                    best = (weight, Some(known));
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

    #[test]
    fn the_first_of_a_list_that_we_speak() {
        for (asked, expected) in
            [("", None), ("fr de", None), ("fr-CA zh-Hant en", Some(Locale::Zh)), ("EN-us zh", Some(Locale::En))]
        {
            assert_eq!(Locale::of_list(asked), expected, "{asked}");
        }
    }

    #[test]
    fn moments_are_written_as_people_write_them() {
        let moment = Moment::from(Timestamp::parse_rfc3339("2026-12-09T14:05:59Z").unwrap());
        let written = |locale: Locale| (locale.texts().general.moment)(&moment);
        assert_eq!(written(Locale::En), "9 Dec 2026, 14:05 UTC");
        assert_eq!(written(Locale::Zh), "2026年12月9日 14:05（UTC）");
    }
}

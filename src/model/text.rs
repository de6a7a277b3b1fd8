//! Names that people type, each parsed once into a type; one canonical form for what must be unique.

use std::str::FromStr;

/// A text that names none of the known values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a {what}; known: {}", known.join(", "))]
pub struct UnknownName {
    /// The kind of thing that was wanted.
    pub what: &'static str,
    /// What was given, cut to 64 characters.
    pub given: String,
    /// What would have been right.
    pub known: &'static [&'static str],
}

/// Why a text is not of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing but white space.
    #[error("is empty")]
    Empty,
    /// Longer than the stated number of characters.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// Not of the wanted form.
    #[error("is not a valid {0}")]
    Malformed(&'static str),
}

/// The one canonical form of usernames and e-mail addresses: NFKC, full case folding, NFKC again.
/// Two names that a person could take for the same have the same form, and the form is a fixed
/// point of this function.
#[must_use]
pub fn canonical(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let nfkc = icu_normalizer::ComposingNormalizerBorrowed::new_nfkc();
    let fold = |text: &str| {
        let folded = icu_casemap::CaseMapper::new().fold_string(text).into_owned();
        nfkc.normalize(&folded).into_owned()
    };
    let mut form = fold(&nfkc.normalize(text));
    // Folding can undo the normal form and the other way round; a few turns reach the fixed point.
    for _ in 0..3 {
        let next = fold(&form);
        if next == form {
            break;
        }
        form = next;
    }
    form
}

/// The canonical form of whatever somebody typed as their name: at most 320 characters and without
/// control characters, which no stored name has (and PostgreSQL would refuse to compare).
#[must_use]
pub fn canonical_identifier(typed: &str) -> String {
    let plain: String = typed.trim().chars().filter(|c| !c.is_control()).take(320).collect();
    canonical(&plain)
}

/// An e-mail address as it was given; mail goes to exactly this (RFC 5321 §4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// The address as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which it is unique.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(&self.0)
    }
}

impl FromStr for Email {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidText::Empty);
        }
        if text.len() > 254 {
            return Err(InvalidText::TooLong(254));
        }
        let options = email_address::Options::default().without_display_text().without_domain_literal();
        let one_at = text.bytes().filter(|b| *b == b'@').count() == 1;
        let plain = !text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '"');
        let canonical_is_same_kind = canonical(text).bytes().filter(|b| *b == b'@').count() == 1;
        let dotted_or_local = text.rsplit('@').next().is_some_and(|host| host.contains('.') || host == "localhost");
        if !(one_at && plain && canonical_is_same_kind && dotted_or_local) {
            return Err(InvalidText::Malformed("email"));
        }
        email_address::EmailAddress::parse_with_options(text, options)
            .map(|_| Self(text.to_owned()))
            .map_err(|_| InvalidText::Malformed("email"))
    }
}

/// A username: what a person signs in with instead of an e-mail address. Never contains `@`, so
/// that it can't be taken for somebody's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// The name as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which it is unique.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(&self.0)
    }
}

impl FromStr for Username {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidText::Empty);
        }
        if text.chars().count() > 64 {
            return Err(InvalidText::TooLong(64));
        }
        let form = canonical(text);
        let fine = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
        if form.is_empty() || !form.chars().all(fine) {
            return Err(InvalidText::Malformed("username"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A name for people to read (of a tenant, a user, a service): trimmed, no control characters, at
/// most 200 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidText::Empty);
        }
        if text.chars().count() > 200 {
            return Err(InvalidText::TooLong(200));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidText::Malformed("name"));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_strictly() {
        for good in ["a@b.example", "Ünïcode@exämple.org", "a+tag@sub.example.co", "root@localhost"] {
            assert!(good.parse::<Email>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@",
            "@b.c",
            "a@b@c.d",
            "a b@c.d",
            "<a@b.c>",
            "A <a@b.c>",
            "a@[127.0.0.1]",
            "a\u{ff20}b@c.d",
            "a@b\n.c",
            "a@b",
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn look_alike_names_share_one_form() {
        assert_eq!(canonical("ＡＤＭＩＮ"), "admin");
        assert_eq!(canonical("Straße"), canonical("STRASSE"));
        assert_eq!(canonical("ᴮᴵᴳᴮᴵᴿᴰ"), "bigbird");
    }

    proptest::proptest! {
        #[test]
        fn the_canonical_form_is_a_fixed_point(text in "\\PC{0,40}") {
            let once = canonical(&text);
            proptest::prop_assert_eq!(canonical(&once), once);
        }
    }
}

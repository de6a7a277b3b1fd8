//! What people say of themselves (OpenID Connect Core §5.1): which claims, and how each is written.

use serde_json::{Map, Value};

/// How a claim is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    /// A web address.
    Url,
    /// `YYYY-MM-DD` or `YYYY`.
    Date,
    /// A phone number with its country code (E.164, as people write it).
    Phone,
    /// A language tag (RFC 5646).
    LanguageTag,
    /// A name of the time zone database.
    TimeZone,
}

/// The claims of a profile that its owner writes, each with its form.
const CLAIMS: &[(&str, Form)] = &[
    ("given_name", Form::Text),
    ("middle_name", Form::Text),
    ("family_name", Form::Text),
    ("nickname", Form::Text),
    ("gender", Form::Text),
    ("birthdate", Form::Date),
    ("phone_number", Form::Phone),
    ("picture", Form::Url),
    ("profile", Form::Url),
    ("website", Form::Url),
    ("locale", Form::LanguageTag),
    ("zoneinfo", Form::TimeZone),
];

/// The members of an address that its owner writes (OpenID Connect Core §5.1.1).
const ADDRESS: &[&str] = &["street_address", "postal_code", "locality", "region", "country"];

/// The longest value, in characters.
const LONGEST: usize = 500;

/// Everything that a profile may say, by the names of claims and members of an address.
pub fn names() -> impl Iterator<Item = &'static str> {
    CLAIMS.iter().map(|(name, _)| *name).chain(ADDRESS.iter().copied())
}

/// What a profile says to one of [`names`].
#[must_use]
pub fn get<'p>(profile: &'p Value, name: &str) -> &'p str {
    let holder = if ADDRESS.contains(&name) { profile.get("address") } else { Some(profile) };
    holder.and_then(|holder| holder.get(name)?.as_str()).unwrap_or_default()
}

/// Whether a value of one of [`names`] is written as it must be; nothing at all always is.
#[must_use]
pub fn fits(name: &str, value: &str) -> bool {
    let form = CLAIMS.iter().find(|(known, _)| *known == name).map_or(Form::Text, |(_, form)| *form);
    let value = value.trim();
    if value.is_empty() {
        return true;
    }
    let word =
        |part: &str, longest, fine: fn(u8) -> bool| !part.is_empty() && part.len() <= longest && part.bytes().all(fine);
    let fits = match form {
        Form::Text => true,
        Form::Url => url::Url::parse(value)
            .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host() && url.username().is_empty()),
        Form::Date => is_date(value),
        Form::Phone => {
            let digits = value.bytes().filter(u8::is_ascii_digit).count();
            let fine = |b: u8| b.is_ascii_digit() || b" -.()/".contains(&b);
            (7..=15).contains(&digits) && value.strip_prefix('+').is_some_and(|rest| rest.bytes().all(fine))
        }
        Form::LanguageTag => {
            let mut parts = value.split('-');
            parts.next().is_some_and(|primary| primary.len() > 1 && word(primary, 8, |b| b.is_ascii_alphabetic()))
                && parts.all(|part| word(part, 8, |b| b.is_ascii_alphanumeric()))
        }
        Form::TimeZone => {
            value.split('/').all(|part| word(part, 32, |b| b.is_ascii_alphanumeric() || b"_+-".contains(&b)))
        }
    };
    fits && value.chars().count() <= LONGEST && !value.chars().any(char::is_control)
}

/// `YYYY`, or a day that the calendar has.
fn is_date(text: &str) -> bool {
    let year = |text: &str| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('-') {
        None => year(text),
        Some((first, _)) => text.len() == 10 && year(first) && text.parse::<chrono::NaiveDate>().is_ok(),
    }
}

/// Writes what somebody says of themselves into their profile; what is not among [`names`] stays.
/// What was proved of a value does not hold for another one.
pub fn put(profile: &mut Value, said: &[(&str, String)]) {
    if !profile.is_object() {
        *profile = Value::Object(Map::new());
    }
    let before = (get(profile, "phone_number").to_owned(), profile.get("address").cloned());
    let Some(members) = profile.as_object_mut() else { return };
    let mut address = members.get("address").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, value) in said {
        let holder = if ADDRESS.contains(name) { &mut address } else { &mut *members };
        match value.trim() {
            "" => holder.remove(*name),
            value => holder.insert((*name).to_owned(), Value::from(value)),
        };
    }
    if before.1.as_ref().and_then(Value::as_object) != Some(&address) {
        // One line for all of it would now say something else.
        address.remove("formatted");
    }
    if address.is_empty() {
        members.remove("address");
    } else {
        members.insert("address".to_owned(), Value::Object(address));
    }
    if members.get("phone_number").and_then(Value::as_str).unwrap_or_default() != before.0 {
        members.remove("phone_number_verified");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_claim_has_its_form() {
        for (name, good, bad) in [
            (
                "birthdate",
                &["", "1990", "1990-12-31", "0000-02-29"] as &[_],
                &["1990-02-30", "31.12.1990", "90", "1990-1-1"] as &[_],
            ),
            (
                "website",
                &["https://example.org/~ann"],
                &["example.org", "javascript:alert(1)", "https://a@b.c", "https://"],
            ),
            (
                "phone_number",
                &["+44 20 7946 0000", "+1 (555) 010-9999"],
                &["020 7946", "+", "+44 20 x", "+1234567890123456"],
            ),
            ("locale", &["en-GB", "zh-Hant-TW", "de"], &["e", "en_GB", "en-", "-en"]),
            ("zoneinfo", &["Europe/Berlin", "UTC", "Etc/GMT+5"], &["Europe/", "../etc", "a b"]),
            ("nickname", &["Ann 安"], &["a\u{7}"]),
        ] {
            for value in good {
                assert!(fits(name, value), "{name}: {value}");
            }
            for value in bad {
                assert!(!fits(name, value), "{name}: {value}");
            }
        }
        assert!(!fits("nickname", &"x".repeat(501)));
    }

    #[test]
    fn what_others_keep_in_a_profile_stays() {
        let mut profile = json!({ "shoe": 42, "phone_number": "+1 5550100", "phone_number_verified": true,
            "address": { "formatted": "1 Road\nTown", "locality": "Town" } });
        let same = [("phone_number", "+1 5550100".to_owned()), ("locality", "Town".to_owned())];
        let before = profile.clone();
        put(&mut profile, &same);
        assert_eq!(profile, before);
        put(&mut profile, &[("phone_number", "+1 5550101 ".to_owned()), ("locality", String::new())]);
        assert_eq!(profile, json!({ "shoe": 42, "phone_number": "+1 5550101" }));
        put(&mut profile, &[("country", "Norway".to_owned())]);
        assert_eq!((get(&profile, "country"), get(&profile, "locality")), ("Norway", ""));
    }
}

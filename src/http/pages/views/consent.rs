//! `/consent`.

use askama::Template;

use super::{ClientView, Frame, views};
use crate::http::locale::Texts;

/// May it?
#[derive(Template)]
#[template(path = "pages/consent.html")]
pub(in crate::http) struct Consent<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// Who asks.
    pub(in crate::http) client: ClientView,
    /// Who is asked.
    pub(in crate::http) account: &'a str,
    /// What for.
    pub(in crate::http) wants: Vec<Want>,
    /// Single claims that it asks for, in words.
    pub(in crate::http) claims: String,
    /// The host or application that the answer goes to.
    pub(in crate::http) destination: &'a str,
}

/// One scope, in words.
pub(in crate::http) struct Want {
    pub(super) text: String,
    pub(super) known: bool,
}

impl Want {
    /// A scope; `known` says that it was allowed before.
    pub(in crate::http) fn of(t: &Texts, scope: &str, known: bool) -> Self {
        Self { text: words(t, scope), known }
    }
}

/// A scope in words.
pub(in crate::http) fn words(t: &Texts, scope: &str) -> String {
    let t = &t.consent;
    let text = match scope {
        "openid" => t.openid,
        "profile" => t.profile,
        "email" => t.email,
        "phone" => t.phone,
        "address" => t.address,
        "offline_access" => t.offline_access,
        other => return (t.custom)(other),
    };
    text.to_owned()
}

/// A claim in words; its name where there are none.
pub(in crate::http) fn claim<'a>(t: &Texts, name: &'a str) -> &'a str {
    let t = &t.profile;
    match name {
        "name" => t.name,
        "given_name" => t.given_name,
        "middle_name" => t.middle_name,
        "family_name" => t.family_name,
        "nickname" => t.nickname,
        "preferred_username" => t.preferred_username,
        "gender" => t.gender,
        "birthdate" => t.birthdate,
        "email" | "email_verified" => t.email,
        "phone_number" | "phone_number_verified" => t.phone_number,
        "address" => t.address,
        "profile" => t.profile,
        "website" => t.website,
        "picture" => t.picture,
        "zoneinfo" => t.zoneinfo,
        "locale" => t.locale,
        other => other,
    }
}

views!(Consent);

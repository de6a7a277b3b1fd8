//! How mail leaves the house.

use std::time::Duration;

use url::Url;

use super::http::is_loopback;
use super::mask::{HIDDEN, mask_url};
use super::section::section;
use super::value::{Refused, Value};
use crate::model::secret::Secret;
use crate::model::text::{DisplayName, Email};

section! {
    /// How mail leaves the house.
    MailConfig, "Mail";

    /// Mail server: smtps://user:password@host:465 (TLS from the start) or
    /// smtp://user:password@host:587 (STARTTLS; ?tls=none or ?tls=opportunistic to change that).
    /// When unset, mails are written as .eml files to data_dir/outbox and their links are logged.
    smtp_url: Option<SmtpUrl> = "smtp_url", None, like "smtp://user:password@mail.example.org:587";
    /// Who mails come from. Needed with smtp_url.
    from: Option<Mailbox> = "mail_from", None, like "Example Sign-in <no-reply@example.org>";
    /// For how long a mail that could not be delivered is tried again.
    retry_for: Duration = "mail.retry_for", Duration::from_secs(24 * 3600),
        from Duration::ZERO, to Duration::from_secs(7 * 86_400);
    /// How long the mail server may take to answer.
    timeout: Duration = "mail.timeout", Duration::from_secs(15),
        from Duration::from_secs(1), to Duration::from_secs(300);
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (`smtps://`).
    Implicit,
    /// STARTTLS or nothing is sent (the default of `smtp://`).
    Required,
    /// STARTTLS if the server offers it.
    Opportunistic,
    /// In the clear.
    None,
}

/// A mail server; may hold a password, so it prints only as a masked text.
#[derive(Clone)]
pub struct SmtpUrl {
    text: Secret<String>,
    /// The server's name or address.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// User name and password, percent-decoded.
    pub login: Option<(String, Secret<String>)>,
}

impl std::fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SmtpUrl").field(&mask_url(self.text.expose())).finish()
    }
}

/// A percent-encoded part of a URL as plain text.
fn decoded(part: &str) -> String {
    // A plus sign is itself here, unlike in a form.
    url::form_urlencoded::parse(part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D").as_bytes())
        .next()
        .map_or_else(String::new, |(text, _)| text.into_owned())
}

impl Value for SmtpUrl {
    const EXPECTED: &'static str = "\"smtps://user:password@host:465\" or \"smtp://user:password@host:587\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        let url = Url::parse(text).map_err(|_| "is not a URL")?;
        let (mut tls, default_port) = match url.scheme() {
            "smtps" => (SmtpTls::Implicit, 465),
            "smtp" => (SmtpTls::Required, 587),
            _ => return Err("is neither smtp:// nor smtps://".into()),
        };
        let Some(name) = url.host_str().filter(|host| !host.is_empty()) else {
            return Err("has no host".into());
        };
        // The scheme is not one for which the parser knows addresses from names.
        let local = url::Host::parse(name).is_ok_and(|host| is_loopback(&host_ref(&host)));
        for (option, value) in url.query_pairs() {
            tls = match (url.scheme(), option.as_ref(), value.as_ref()) {
                ("smtp", "tls", "required") => SmtpTls::Required,
                ("smtp", "tls", "opportunistic") => SmtpTls::Opportunistic,
                ("smtp", "tls", "none") => SmtpTls::None,
                _ => {
                    return Err(Refused {
                        why: "has an option that is not known".to_owned(),
                        remedy: Some("with smtp:// write ?tls=required, ?tls=opportunistic or ?tls=none".to_owned()),
                    });
                }
            };
        }
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) => return Err("has a password but no user name".into()),
            (_, None) => return Err("has a user name but no password".into()),
            (user, Some(password)) => Some((decoded(user), Secret::new(decoded(password)))),
        };
        let readable = matches!(tls, SmtpTls::Opportunistic | SmtpTls::None);
        if login.is_some() && readable && !local {
            return Err(Refused {
                why: "would send a password that others can read on the way".to_owned(),
                remedy: Some("write ?tls=required, or smtps://".to_owned()),
            });
        }
        Ok(Self {
            host: name.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(default_port),
            tls,
            login,
            text: Secret::new(text.to_owned()),
        })
    }

    fn text(&self) -> String {
        self.text.expose().clone()
    }

    fn mask(text: &str) -> String {
        // Without a scheme it could be anything, a password alone among it.
        if text.contains("://") { mask_url(text) } else { HIDDEN.to_owned() }
    }
}

fn host_ref(host: &url::Host<String>) -> url::Host<&str> {
    match host {
        url::Host::Domain(name) => url::Host::Domain(name.as_str()),
        url::Host::Ipv4(address) => url::Host::Ipv4(*address),
        url::Host::Ipv6(address) => url::Host::Ipv6(*address),
    }
}

/// An address with or without a name: `no-reply@example.org` or `Example <no-reply@example.org>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name before the address.
    pub name: Option<String>,
    /// The address.
    pub address: Email,
}

impl Value for Mailbox {
    const EXPECTED: &'static str = "an address such as \"no-reply@example.org\" or \"Example <no-reply@example.org>\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim(), address),
            None => ("", text),
        };
        if name.contains(['<', '>', '"', '@', ',']) || (!name.is_empty() && name.parse::<DisplayName>().is_err()) {
            return Err("has a name before the address that mail programs would not read".into());
        }
        Ok(Self { name: (!name.is_empty()).then(|| name.to_owned()), address: Email::parse(address)? })
    }

    fn text(&self) -> String {
        match &self.name {
            Some(name) => format!("{name} <{}>", self.address.as_str()),
            None => self.address.as_str().to_owned(),
        }
    }
}

//! How long a browser stays signed in.

use std::time::Duration;

use super::section::section;
use super::value::{Refused, Value};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

section! {
    /// How long a browser stays signed in.
    SessionConfig, "Sessions";

    /// After how long unused a session ends.
    idle: Duration = "sessions.idle", 12 * HOUR, from Duration::from_secs(60), to 30 * DAY;
    /// After how long a session ends in any case.
    absolute: Duration = "sessions.absolute", 7 * DAY, from Duration::from_secs(60), to 365 * DAY;
    /// After how long unused the session of somebody who asked to be remembered ends.
    remembered_idle: Duration = "sessions.remembered_idle", 30 * DAY,
        from Duration::from_secs(60), to 365 * DAY;
    /// After how long such a session ends in any case.
    remembered_absolute: Duration = "sessions.remembered_absolute", 90 * DAY,
        from Duration::from_secs(60), to 365 * DAY;
    /// How long ago a sign-in may be for changing a password or a second factor.
    recent: Duration = "sessions.recent", Duration::from_secs(600),
        from Duration::from_secs(10), to DAY;
    /// For how long "trust this browser" spares a person the second factor; 0 does not offer it.
    trust_browser: Duration = "sessions.trust_browser", 30 * DAY, from Duration::ZERO, to 365 * DAY;
    /// Name of the session cookie. Over https it gets the prefix __Host-.
    cookie: CookieName = "sessions.cookie", CookieName::known("gatehouse_session");
    /// Name of the cookie that knows a browser again, so that its owner can still sign in while
    /// strangers have the account locked. Over https it gets the prefix __Host-.
    device_cookie: CookieName = "sessions.device_cookie", CookieName::known("gatehouse_device");
}

/// A cookie's name without a prefix: letters, digits, `_`, `-` and `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieName(String);

impl CookieName {
    fn known(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The name as it goes over the wire: with `__Host-` over https, which binds the cookie to
    /// this host, to TLS and to the whole site (RFC 6265bis §4.1.3.2).
    #[must_use]
    pub fn on_the_wire(&self, https: bool) -> String {
        if https { format!("__Host-{}", self.0) } else { self.0.clone() }
    }
}

impl Value for CookieName {
    const EXPECTED: &'static str = "a name of letters, digits, dots, _ and -";

    fn parse(text: &str) -> Result<Self, Refused> {
        let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(fine) {
            return Err("is not a cookie name".into());
        }
        if text.starts_with("__") {
            return Err(Refused {
                why: "has a prefix, which is put there over https by itself".to_owned(),
                remedy: Some("write the name without it".to_owned()),
            });
        }
        Ok(Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

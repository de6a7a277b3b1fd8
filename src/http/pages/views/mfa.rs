//! `/login/mfa`.

use askama::Template;

use super::{Errors, Field, Frame, views};

/// The second factor.
#[derive(Template)]
#[template(path = "pages/mfa.html")]
pub(in crate::http) struct SecondFactor<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// Whose.
    pub(in crate::http) account: &'a str,
    /// What is asked for.
    pub(in crate::http) method: Method,
    /// What there is.
    pub(in crate::http) factors: Choice,
    /// What is wrong.
    pub(in crate::http) errors: &'a Errors,
}

/// A second factor, as the address names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Method {
    /// A code of an authenticator app.
    Totp,
    /// A recovery code.
    Recovery,
    /// A passkey.
    Passkey,
}

/// The factors that an account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct Choice {
    /// An authenticator app.
    pub(in crate::http) totp: bool,
    /// A passkey.
    pub(in crate::http) passkey: bool,
    /// Recovery codes.
    pub(in crate::http) recovery: bool,
}

impl Choice {
    /// What to ask for: what the reader chose, if the account has it; else the first that it has.
    pub(in crate::http) fn method(self, chosen: Option<&str>) -> Method {
        match chosen {
            Some("recovery") if self.recovery => Method::Recovery,
            Some("passkey") if self.passkey => Method::Passkey,
            _ if self.totp => Method::Totp,
            _ if self.passkey => Method::Passkey,
            _ => Method::Recovery,
        }
    }
}

views!(SecondFactor: Own);

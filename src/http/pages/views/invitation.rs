//! `/invitation`: somebody was asked into an organization.

use askama::Template;

use super::{Errors, Field, Frame, views};

/// Who looks at it, and so what they can do.
pub(in crate::http) enum Guest<'a> {
    /// Whoever it is for, signed in under this name.
    Welcome(&'a str),
    /// Somebody else, signed in under this name.
    Other(&'a str),
    /// Nobody yet; the address has an account, which signs in there.
    SignedOut(String),
    /// Nobody yet, and the address has no account.
    New {
        /// What was typed.
        name: &'a str,
        /// Fewest characters of a password.
        least: usize,
        /// What is wrong.
        errors: &'a Errors,
    },
}

/// Join?
#[derive(Template)]
#[template(path = "pages/invitation.html")]
pub(in crate::http) struct Invitation<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// Where to.
    pub(in crate::http) organization: &'a str,
    /// The address that was asked.
    pub(in crate::http) address: &'a str,
    /// What the link carried.
    pub(in crate::http) token: &'a str,
    /// Who looks at it.
    pub(in crate::http) guest: Guest<'a>,
}

views!(Invitation);

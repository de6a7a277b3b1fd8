//! `/reset-password`.

use askama::Template;

use super::{Errors, Field, Frame, views};

/// A new password for an old one that is forgotten.
#[derive(Template)]
#[template(path = "pages/reset-password.html")]
pub(in crate::http) struct ResetPassword<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// Whose.
    pub(in crate::http) account: &'a str,
    /// What the link carried.
    pub(in crate::http) token: &'a str,
    /// Fewest characters.
    pub(in crate::http) least: usize,
    /// What is wrong.
    pub(in crate::http) errors: &'a Errors,
}

views!(ResetPassword);

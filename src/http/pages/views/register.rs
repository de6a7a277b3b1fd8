//! `/register`.

use askama::Template;

use super::{ClientView, Errors, Field, Frame, views};

/// A new account.
#[derive(Template)]
#[template(path = "pages/register.html")]
pub(in crate::http) struct Register<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// Whom for.
    pub(in crate::http) client: Option<ClientView>,
    /// What was typed.
    pub(in crate::http) name: &'a str,
    /// What was typed.
    pub(in crate::http) email: &'a str,
    /// Fewest characters of a password.
    pub(in crate::http) least: usize,
    /// What is wrong.
    pub(in crate::http) errors: &'a Errors,
}

views!(Register);

//! `/`.

use askama::Template;

use super::{Frame, views};

/// Says that it runs.
#[derive(Template)]
#[template(path = "pages/landing.html")]
pub(in crate::http) struct Landing<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// The issuer.
    pub(in crate::http) issuer: &'a str,
}

views!(Landing);

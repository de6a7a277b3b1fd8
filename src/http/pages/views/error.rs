//! Something is wrong, and nothing can be done on this page.

use askama::Template;

use super::{Frame, views};

/// What, and what to do.
#[derive(Template)]
#[template(path = "pages/error.html")]
pub(in crate::http) struct ErrorPage<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// What is wrong.
    pub(in crate::http) title: &'a str,
    /// What to do.
    pub(in crate::http) hint: &'a str,
    /// The same for those who made the request: the standard's code and its description.
    pub(in crate::http) detail: Option<&'a str>,
    /// By which support finds it in the audit log.
    pub(in crate::http) code: Option<&'a str>,
    /// Where to go on: the path and its name.
    pub(in crate::http) next: (&'a str, &'a str),
}

views!(ErrorPage);

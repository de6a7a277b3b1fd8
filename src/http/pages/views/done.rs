//! Something is finished, and perhaps there is somewhere to go.

use askama::Template;

use super::{Frame, views};

/// Says so.
#[derive(Template)]
#[template(path = "pages/done.html")]
pub(in crate::http) struct Done<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// What is finished.
    pub(in crate::http) title: &'a str,
    /// What that means.
    pub(in crate::http) lead: &'a str,
    /// Where to go: address and text.
    pub(in crate::http) next: Option<(String, &'a str)>,
}

views!(Done);

//! The page that carries an answer to the client by a form (OAuth 2.0 Form Post Response Mode).

use askama::Template;

use super::{Frame, views};

/// The form; a script sends it, or a press on its button.
#[derive(Template)]
#[template(path = "pages/form-post.html")]
pub(in crate::http) struct FormPost<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// The client's name.
    pub(in crate::http) client: &'a str,
    /// Its redirect URI.
    pub(in crate::http) action: &'a str,
    /// The answer.
    pub(in crate::http) fields: Vec<(&'a str, &'a str)>,
}

views!(FormPost: Own);

//! `/logout`.

use askama::Template;

use super::{ClientView, Frame, views};

/// Really?
#[derive(Template)]
#[template(path = "pages/logout.html")]
pub(in crate::http) struct Logout<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// Who asks for it.
    pub(in crate::http) client: Option<ClientView>,
    /// Who is signed in.
    pub(in crate::http) account: &'a str,
    /// What the request carried, to be carried on.
    pub(in crate::http) carried: Vec<(&'static str, &'a str)>,
}

/// It is done.
#[derive(Template)]
#[template(path = "pages/signed-out.html")]
pub(in crate::http) struct SignedOut<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// Where to go on: address and whose it is.
    pub(in crate::http) next: Option<(&'a str, &'a str)>,
    /// What to load in the background (front-channel logout).
    pub(in crate::http) frames: Vec<String>,
}

views!(Logout, SignedOut);

//! `/login`, and the choice of an account that it may begin with.

use askama::Template;

use super::{ClientView, Errors, Field, Frame, initial, views};

/// Who are you? Or, where `account` is given: are you still there?
#[derive(Template)]
#[template(path = "pages/login.html")]
pub(in crate::http) struct Login<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// Whom for.
    pub(in crate::http) client: Option<ClientView>,
    /// The only account that will do.
    pub(in crate::http) account: Option<&'a str>,
    /// What was typed, or the client's hint.
    pub(in crate::http) identifier: &'a str,
    /// Whether to stay signed in.
    pub(in crate::http) remember: bool,
    /// Whether people may make an account themselves.
    pub(in crate::http) registration: bool,
    /// Which connections have a button: address and name.
    pub(in crate::http) connections: &'a [(String, String)],
    /// Whether the password is asked for at once, and not only the name by which somebody may belong elsewhere.
    pub(in crate::http) asks_password: bool,
    /// Whether nobody shall be sent elsewhere for their address.
    pub(in crate::http) local: bool,
    /// What is wrong.
    pub(in crate::http) errors: &'a Errors,
}

/// Go on as this one?
#[derive(Template)]
#[template(path = "pages/select-account.html")]
pub(in crate::http) struct SelectAccount<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// Whom for.
    pub(in crate::http) client: Option<ClientView>,
    /// Who is signed in.
    pub(in crate::http) account: AccountView<'a>,
}

/// An account, for people to read.
pub(in crate::http) struct AccountView<'a> {
    /// Its name.
    pub(in crate::http) name: &'a str,
    /// What tells it from another of that name.
    pub(in crate::http) detail: Option<&'a str>,
}

impl AccountView<'_> {
    fn mark(&self) -> String {
        initial(self.name)
    }
}

views!(Login: Own, SelectAccount);

//! What each page shows, as data: one file a page or a few that belong together, each with its
//! template. Nothing here decides anything.

pub(in crate::http) mod account;
pub(in crate::http) mod consent;
pub(in crate::http) mod device;
pub(in crate::http) mod docs;
pub(in crate::http) mod done;
pub(in crate::http) mod error;
mod field;
pub(in crate::http) mod form_post;
mod frame;
pub(in crate::http) mod invitation;
pub(in crate::http) mod landing;
pub(in crate::http) mod login;
pub(in crate::http) mod logout;
pub(in crate::http) mod mail;
pub(in crate::http) mod mfa;
pub(in crate::http) mod register;
pub(in crate::http) mod reset_password;
#[cfg(test)]
mod tests;

pub(in crate::http) use field::{Errors, Field};
pub(in crate::http) use frame::{ClientView, Frame, Scripts};

/// A page: its template, and what it has around its own content.
pub(in crate::http) trait View: askama::Template {
    /// Whether it loads a script of ours.
    const SCRIPTS: Scripts = Scripts::None;

    /// What is around its content.
    fn frame(&self) -> &Frame;
}

/// `views!(Login: Own, Consent)`: pages, and those among them that load a script.
macro_rules! views {
    ($($view:ident $(: $scripts:ident)?),+ $(,)?) => {$(
        impl $crate::http::pages::views::View for $view<'_> {
            $(const SCRIPTS: $crate::http::pages::views::Scripts = $crate::http::pages::views::Scripts::$scripts;)?

            fn frame(&self) -> &$crate::http::pages::views::Frame {
                &self.frame
            }
        }
    )+};
}
use views;

/// The first letter of a name, for where there is no picture.
fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().collect()).unwrap_or_default()
}

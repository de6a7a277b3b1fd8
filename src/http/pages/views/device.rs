//! `/device`.

use askama::Template;

use super::consent::Want;
use super::{ClientView, Errors, Field, Frame, views};

/// Which code?
#[derive(Template)]
#[template(path = "pages/device.html")]
pub(in crate::http) struct Device<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// What was typed.
    pub(in crate::http) user_code: &'a str,
    /// What is wrong.
    pub(in crate::http) errors: &'a Errors,
}

/// This one, for this application?
#[derive(Template)]
#[template(path = "pages/device-confirm.html")]
pub(in crate::http) struct DeviceConfirm<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// Who asks.
    pub(in crate::http) client: ClientView,
    /// Who is asked.
    pub(in crate::http) account: &'a str,
    /// The code, as the device shows it.
    pub(in crate::http) user_code: &'a str,
    /// What for.
    pub(in crate::http) wants: Vec<Want>,
}

views!(Device, DeviceConfirm);

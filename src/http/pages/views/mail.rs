//! Pages around mails: `/verify-email`, `/forgot-password`, and "check your mail".

use askama::Template;

use super::{Errors, Field, Frame, views};

/// Asks where to send a link.
#[derive(Template)]
#[template(path = "pages/forgot-password.html")]
pub(in crate::http) struct ForgotPassword<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// What was typed.
    pub(in crate::http) email: &'a str,
    /// What is wrong.
    pub(in crate::http) errors: &'a Errors,
}

/// Says that a mail is on its way.
#[derive(Template)]
#[template(path = "pages/check-mail.html")]
pub(in crate::http) struct CheckMail<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// What it is about.
    pub(in crate::http) title: &'a str,
    /// What to do.
    pub(in crate::http) lead: &'a str,
    /// What to do where nothing comes.
    pub(in crate::http) hint: &'a str,
    /// Whether it can be sent again from here.
    pub(in crate::http) resend: bool,
    /// What was typed.
    pub(in crate::http) email: &'a str,
    /// What is wrong.
    pub(in crate::http) errors: &'a Errors,
}

impl<'a> CheckMail<'a> {
    /// After a registration.
    pub(in crate::http) fn to_verify(frame: Frame, email: &'a str, errors: &'a Errors) -> Self {
        let t = &frame.t.verify;
        Self { title: t.sent, lead: t.sent_lead, hint: t.no_mail, resend: true, email, errors, frame }
    }

    /// After a forgotten password.
    pub(in crate::http) fn to_recover(frame: Frame, errors: &'a Errors) -> Self {
        let t = &frame.t.forgot;
        Self { title: t.sent, lead: t.sent_lead, hint: t.no_mail, resend: false, email: "", errors, frame }
    }
}

/// Asks whether the address is right: the link of a mail may have been opened by a machine.
#[derive(Template)]
#[template(path = "pages/verify-email.html")]
pub(in crate::http) struct VerifyEmail<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// The address.
    pub(in crate::http) address: &'a str,
    /// What the link carried.
    pub(in crate::http) token: &'a str,
}

views!(ForgotPassword, CheckMail, VerifyEmail);

//! `/account`: what people see and change of their own account.

mod applications;
mod delete;
mod overview;
mod passkeys;
mod password;
mod profile;
mod recovery_codes;
mod sessions;
mod sign_ins;
mod totp;

use super::error::Problem;
use super::views::Frame;
use super::views::account::Section;
use super::{frame, sign_in_name};
use crate::domain::users;
use crate::http::browser::Visit;
use crate::http::mount::{Endpoint, endpoints};
use crate::model::session::{Factor, Session};
use crate::model::user::User;
use crate::telemetry::Surface;

/// What it serves.
pub(super) fn endpoints() -> Vec<Endpoint> {
    endpoints![Surface::Pages;
        overview::show,
        profile::show,
        profile::save,
        password::show,
        password::change,
        passkeys::show,
        passkeys::options,
        passkeys::change,
        totp::show,
        totp::change,
        recovery_codes::show,
        recovery_codes::renew,
        sign_ins::show,
        sign_ins::change,
        sessions::show,
        sessions::end,
        applications::show,
        applications::remove,
        delete::show,
        delete::delete,
    ]
}

/// The owner of an account at one of its pages.
pub(super) struct Owner<'v> {
    /// Who.
    pub(super) user: User,
    /// In which session.
    pub(super) session: &'v Session,
}

impl<'v> Owner<'v> {
    /// Whoever is signed in.
    ///
    /// # Errors
    /// Nobody is: then the answer is the sign-in, which leads back here.
    pub(super) async fn of(visit: &'v Visit<'_>, section: Section) -> Result<Self, Problem> {
        let session = visit.session().ok_or_else(|| sign_in(visit, section))?;
        Ok(Self { user: users::find(&visit.ctx, session.user).await?, session })
    }

    /// Whoever signed in a moment ago: who changes what lets them in must have.
    ///
    /// # Errors
    /// As [`Owner::of`].
    pub(super) async fn recent(visit: &'v Visit<'_>, section: Section) -> Result<Self, Problem> {
        let owner = Self::of(visit, section).await?;
        if crate::domain::sessions::is_recent(&visit.ctx, &owner.user, owner.session) {
            Ok(owner)
        } else {
            Err(sign_in(visit, section))
        }
    }

    /// The session goes on with the factor that was just enrolled in it, under a new cookie.
    ///
    /// # Errors
    /// The database is unavailable.
    pub(super) async fn enrolled(&self, visit: &Visit<'_>, factor: Factor) -> Result<(), Problem> {
        if let Some(entered) =
            crate::domain::sign_in::with_enrolled(&visit.ctx, self.session, factor, &visit.browser()).await?
        {
            visit.enter(&entered);
        }
        Ok(())
    }

    /// What they sign in with.
    pub(super) fn name(&self) -> &str {
        sign_in_name(&self.user)
    }
}

fn sign_in(visit: &Visit<'_>, section: Section) -> Problem {
    let address = frame(visit).on_the_way_to(Some(section.path())).href("/login");
    Problem::Answered(Box::new(visit.send(&address)))
}

/// A word in the address, and what it stands for.
type Word = (&'static str, fn(&Frame) -> &'static str);

/// What is around a page of the account; says what was just done, where the address says so.
pub(super) fn account_frame(visit: &Visit<'_>, done: &[Word]) -> Frame {
    let frame = frame(visit);
    let query = visit.call.query();
    let word = query.text("done").ok().flatten();
    match done.iter().find(|(known, _)| word == Some(known)) {
        Some((_, text)) => {
            let text = text(&frame);
            frame.good(text)
        }
        None => frame,
    }
}

/// Back to the page, which will say what was done.
pub(super) fn done(visit: &Visit<'_>, section: Section, word: &str) -> actix_web::HttpResponse {
    visit.send(&frame(visit).href_with(section.path(), "done", word))
}

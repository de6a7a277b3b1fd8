//! Where a sign-in leads: back to the request of a client that waits for it, or to a page of ours.

use actix_web::HttpResponse;

use super::error::Problem;
use super::views::account::Section;
use super::views::{ClientView, Frame};
use super::{Page, frame};
use crate::crypto::opaque::{self, TokenKind};
use crate::domain::clients::LiveClient;
use crate::domain::upstream_logins::Errand;
use crate::http::browser::{FormFields, Visit};
use crate::http::oauth::authorize::{show, visitor};
use crate::protocol::oauth::authorize::{self, Pending};

/// Where a sign-in leads.
pub(super) struct Goal {
    reference: Option<String>,
    /// The client's request that waits for it, if it is for one.
    pub(super) pending: Option<Pending>,
    /// Which of our own pages comes next, if it is for one.
    next: Option<String>,
}

impl Goal {
    /// As the address of a page says.
    ///
    /// # Errors
    /// A request that waits no longer, or not in this browser.
    pub(super) async fn of_query(visit: &Visit<'_>) -> Result<Self, Problem> {
        let query = visit.call.query();
        let text = |name| query.text(name).ok().flatten();
        Self::of(visit, text("t"), text("next")).await
    }

    /// As a form says.
    ///
    /// # Errors
    /// As [`Goal::of_query`].
    pub(super) async fn of_form(visit: &Visit<'_>, form: &FormFields) -> Result<Self, Problem> {
        Self::of(visit, form.get("t"), form.get("next")).await
    }

    /// As it was when somebody set out to a provider elsewhere.
    ///
    /// # Errors
    /// As [`Goal::of_query`].
    pub(super) async fn of_errand(visit: &Visit<'_>, errand: &Errand) -> Result<Self, Problem> {
        Self::of(visit, errand.transaction.as_deref(), errand.next.as_deref()).await
    }

    /// The same for whoever sets out.
    pub(super) fn errand(&self) -> Errand {
        Errand { transaction: self.reference.clone(), next: self.next.clone(), linking: None }
    }

    async fn of(visit: &Visit<'_>, reference: Option<&str>, next: Option<&str>) -> Result<Self, Problem> {
        let pending = match reference {
            None => None,
            Some(reference) => match authorize::look(&visit.ctx, reference, visitor(visit)).await? {
                Ok(pending) => Some(pending),
                Err(outcome) => return Err(Problem::Answered(Box::new(show(visit, outcome)?))),
            },
        };
        Ok(Self {
            reference: reference.map(str::to_owned),
            pending,
            next: next.filter(|next| is_ours(next)).map(str::to_owned),
        })
    }

    /// Whether there is one.
    pub(super) fn is_some(&self) -> bool {
        self.pending.is_some() || self.next.is_some()
    }

    /// What is around a page on the way there.
    pub(super) fn frame(&self, visit: &Visit<'_>) -> Frame {
        let frame = frame(visit).within(self.reference.as_deref()).on_the_way_to(self.next.as_deref());
        match &self.pending {
            Some(Pending { request, .. }) => {
                frame.preferring(request.ui_locales.as_deref()).leading_to(&request.target.redirect_uri)
            }
            None => frame,
        }
    }

    /// Whom it is for, as people see it.
    pub(super) fn client(&self) -> Option<ClientView> {
        self.pending.as_ref().map(|pending| client_view(&pending.request.client))
    }

    /// On the way: to another page of the sign-in.
    pub(super) fn by_way_of(&self, visit: &Visit<'_>, path: &str) -> HttpResponse {
        visit.send(&self.frame(visit).href(path))
    }

    /// There.
    pub(super) fn reached(&self, visit: &Visit<'_>) -> HttpResponse {
        let frame = self.frame(visit);
        visit.send(&match &self.next {
            _ if self.reference.is_some() => frame.href("/oauth/authorize"),
            Some(next) => frame.action(next),
            None => frame.action(Section::Overview.path()),
        })
    }

    /// The person says no: the client is told, if there is one.
    ///
    /// # Errors
    /// The database is unavailable.
    pub(super) async fn given_up(self, visit: &Visit<'_>) -> Page {
        match self.pending {
            Some(pending) => show(visit, authorize::deny(&visit.ctx, pending).await?),
            None => Ok(visit.go("/")),
        }
    }
}

/// Whether somebody may be sent to this path after a sign-in: a page of the account, the one for
/// devices with the code that they came with, or that of an invitation.
fn is_ours(path: &str) -> bool {
    let code = path.strip_prefix("/device?user_code=");
    let invitation = path.strip_prefix("/invitation?token=");
    Section::at(path).is_some()
        || path == "/device"
        || invitation.is_some_and(|token| opaque::recognise(TokenKind::Invitation, token).is_some())
        || code.is_some_and(|code| code.len() <= 20 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

/// A client as people see it.
pub(super) fn client_view(client: &LiveClient) -> ClientView {
    let settings = &client.client.settings;
    ClientView {
        name: client.client.name.clone(),
        logo: settings.logo_uri.clone(),
        terms: settings.tos_uri.clone(),
        privacy: settings.policy_uri.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn a_sign_in_leads_nowhere_else() {
        for ours in ["/account", "/account/password", "/device", "/device?user_code=BCDF-GHJK"] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "/account/../x",
            "/devices",
            "https://evil.example",
            "/device?user_code=a&b=c",
            "/invitation?token=ghi_1",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}

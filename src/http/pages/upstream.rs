//! `/login/with/{connection}`: to a provider elsewhere, and back from it.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::error::Problem;
use super::transaction::Goal;
use super::views::account::Section;
use super::views::done::Done;
use super::{Page, page, serve};
use crate::domain::sign_in::Arrival;
use crate::domain::{Ctx, DomainError, Noun, connections};
use crate::http::browser::Visit;
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::connection::{Connection, ConnectionKind, Provider};
use crate::protocol::saml;
use crate::protocol::upstream::{self, Answer, Arrived, Refused};

/// The connections of a tenant by which people sign in on these pages.
pub(super) struct Ways(Vec<Connection>);

impl Ways {
    /// All that let people in.
    ///
    /// # Errors
    /// The database is unavailable.
    pub(super) async fn of(ctx: &Ctx<'_>) -> Result<Self, DomainError> {
        let live = connections::live(ctx.core, ctx.tenant_id()).await?;
        // Workspaces, and so their providers, are of the default tenant.
        let leads_here =
            |one: &&Connection| one.provider.kind() != ConnectionKind::Saml || ctx.tenant.tenant.is_default;
        Ok(Self(live.iter().filter(leads_here).cloned().collect()))
    }

    /// Those that everybody is offered: an organization's are for those whose address leads there.
    pub(super) fn offered(&self) -> impl Iterator<Item = &Connection> {
        self.0.iter().filter(|connection| connection.organization.is_none())
    }

    /// Whether any address leads elsewhere.
    pub(super) fn routes(&self) -> bool {
        self.0.iter().any(|connection| !connection.domains.is_empty())
    }

    /// Where an address leads. Its domain alone decides, so nobody learns which addresses there are.
    pub(super) fn of_address(&self, address: &str) -> Option<&Connection> {
        let domain = connections::domain_of(address)?;
        self.0.iter().find(|connection| connection.domains.contains(&domain))
    }

    /// Where forms may lead that send people elsewhere for their address.
    pub(super) fn targets(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.iter().filter(|connection| !connection.domains.is_empty()).filter_map(target)
    }

    /// The one of this id.
    ///
    /// # Errors
    /// [`DomainError::NotFound`].
    pub(super) fn named(self, id: &str) -> Result<Connection, DomainError> {
        let unknown = DomainError::NotFound(Noun::Connection);
        self.0.into_iter().find(|connection| connection.id.to_string() == id).ok_or(unknown)
    }
}

/// Whose pages a connection leads to.
pub(super) fn target(connection: &Connection) -> Option<Cow<'_, str>> {
    match &connection.provider {
        Provider::Oidc(oidc) => Some(Cow::Borrowed(&oidc.issuer)),
        Provider::OAuth2(plain) => Some(Cow::Borrowed(&plain.authorization_endpoint)),
        Provider::Saml(saml) => saml::provider::read(&saml.metadata).ok()?.sign_in.map(Cow::Owned),
    }
}

/// The path at which somebody sets out.
pub(super) fn path(connection: &Connection) -> String {
    format!("/login/with/{}", connection.id)
}

/// Sends somebody there.
#[utoipa::path(get, path = "/login/with/{connection}", params(("connection" = String, Path)), responses((status = 303)))]
pub(super) async fn begin(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let goal = Goal::of_query(visit).await?;
        let connection = Ways::of(&visit.ctx).await?.named(call.path_part("connection"))?;
        call.limit(Limit::Begun)?;
        let again = visit.any_session().is_some();
        match upstream::begin(&visit.ctx, &connection, &visit.browser(), goal.errand(), again).await {
            Ok(address) => Ok(visit.send(&address)),
            Err(why) => refused(visit, &goal, &connection.name, why),
        }
    })
    .await
}

/// Takes in who comes back.
#[utoipa::path(
    get,
    path = "/login/with/{connection}/callback",
    params(("connection" = String, Path)),
    responses((status = 303))
)]
pub(super) async fn finish(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        // One that was disabled meanwhile is still there to say so.
        let id = call.path_part("connection").parse().map_err(|_| DomainError::NotFound(Noun::Connection))?;
        let connection = connections::find(&visit.ctx, id).await?;
        let query = call.query();
        // What is there twice could be read in two ways (RFC 6749 §3.1).
        let text = |name| query.text(name).map_err(|_| Problem::Stale);
        let answer = Answer {
            state: text("state")?.unwrap_or_default(),
            code: text("code")?,
            iss: text("iss")?,
            error: text("error")?,
        };
        let finished = upstream::finish(&visit.ctx, id, answer, &visit.browser(), visit.any_session()).await;
        let (errand, arrived) = match finished {
            Ok(finished) => finished,
            Err(Refused::Domain(why)) => return Err(why.into()),
            Err(_) => return Err(Problem::Stale),
        };
        if let Ok(Arrived::SignedIn(Arrival::Entered(entered))) = &arrived {
            visit.enter(entered);
        }
        let goal = Goal::of_errand(visit, &errand).await?;
        match arrived {
            Ok(Arrived::SignedIn(Arrival::Entered(entered))) if entered.session.second_factor_due => {
                Ok(goal.by_way_of(visit, "/login/mfa"))
            }
            Ok(Arrived::SignedIn(Arrival::Entered(_))) => Ok(goal.reached(visit)),
            Ok(Arrived::SignedIn(Arrival::VerificationDue(_))) => Ok(goal.by_way_of(visit, "/verify-email")),
            Ok(Arrived::Linked) => {
                Ok(visit.send(&goal.frame(visit).href_with(Section::SignIns.path(), "done", "linked")))
            }
            Err(why) => refused(visit, &goal, &connection.name, why),
        }
    })
    .await
}

/// Says why nobody came in, as far as it concerns them; the rest is in the audit log.
fn refused(visit: &Visit<'_>, goal: &Goal, name: &str, why: Refused) -> Page {
    // The answer that led here is used up: another language would find nothing there.
    let frame = goal.frame(visit).at("/login");
    let t = &frame.t.upstream;
    let (status, title, lead) = match why {
        Refused::Stale => return Err(Problem::Stale),
        Refused::LinkOffered => {
            let next = (link_by(goal, visit), t.offered_next);
            let lead = (t.offered_lead)(name);
            let (title, next) = (t.offered, Some(next));
            return Ok(page(StatusCode::CONFLICT, &Done { frame, title, lead: &lead, next }));
        }
        Refused::Declined(_) => (StatusCode::OK, t.declined, t.declined_lead),
        Refused::Unreachable(_) => (StatusCode::SERVICE_UNAVAILABLE, t.unreachable, t.unreachable_lead),
        Refused::Domain(DomainError::NotAllowed(_)) => (StatusCode::FORBIDDEN, t.no_account, t.no_account_lead),
        Refused::Domain(DomainError::Taken(_)) => {
            return Ok(visit.send(&frame.href_with(Section::SignIns.path(), "done", "taken")));
        }
        Refused::Untrusted(_) | Refused::Domain(DomainError::NotAuthenticated(_)) => {
            (StatusCode::FORBIDDEN, t.refused, t.refused_lead)
        }
        Refused::Domain(other) => return Err(other.into()),
    };
    let (lead, next) = (lead(name), Some((frame.href_with("/login", "local", "1"), t.back)));
    Ok(page(status, &Done { frame, title, lead: &lead, next }))
}

/// Where somebody goes on who may link: to the offer, by way of signing in.
fn link_by(goal: &Goal, visit: &Visit<'_>) -> String {
    let frame = goal.frame(visit);
    match visit.session() {
        Some(_) => frame.action(Section::SignIns.path()),
        None if goal.is_some() => frame.href_with("/login", "local", "1"),
        None => frame.on_the_way_to(Some(Section::SignIns.path())).href_with("/login", "local", "1"),
    }
}

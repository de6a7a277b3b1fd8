//! The two endpoints by which a workspace's people sign out at its provider too (Profiles §4.4).

use super::answer::{self, Refused};
use super::request::Outgoing;
use super::sign_in::Sides;
use crate::crypto::digest::hex;
use crate::domain::tokens::AccessClaims;
use crate::domain::{Ctx, DomainError, saml_sign_in, saml_sign_out};
use crate::model::connection::Connection;
use crate::model::ids::OrganizationId;

/// Ends the sign-in that a token comes from: where the browser goes to be signed out at the provider too, or
/// to `return_to` where the provider can't be asked or the token did not come from there.
///
/// # Errors
/// [`DomainError::NotFound`] for a workspace without a connection; [`DomainError::Invalid`] about
/// `return_to`; [`DomainError::NotAllowed`]; or the database is unavailable.
pub async fn leave(
    ctx: &Ctx<'_>,
    workspace: OrganizationId,
    claims: &AccessClaims,
    return_to: Option<&str>,
) -> Result<String, DomainError> {
    let Sides { connection, saml, idp, sp } = Sides::of(ctx, workspace).await?;
    let return_to = saml_sign_in::destination(&saml, return_to)?;
    let from = saml_sign_out::leave(ctx, &connection, claims).await?;
    let (Some(session), Some((to, _))) = (from, idp.sign_out) else { return Ok(return_to) };
    let journey = saml_sign_out::set_out(ctx, &connection, return_to).await?;
    let request = Outgoing { sp: &sp, destination: &to, id: &journey.request_id, now: ctx.now() };
    Ok(request.logout_request(&session, journey.relay_state.expose())?)
}

/// Takes what a provider has to say about a sign-out, as a query: where the browser goes on. What does not
/// count has its reason written down.
///
/// # Errors
/// As [`leave`]; [`DomainError::Invalid`] for a message that does not count.
pub async fn told(ctx: &Ctx<'_>, workspace: OrganizationId, query: &str) -> Result<String, DomainError> {
    let sides = Sides::of(ctx, workspace).await?;
    let connection = sides.connection.clone();
    let is_answer = url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "SAMLResponse");
    let went = if is_answer { done(ctx, sides, query).await } else { wanted(ctx, sides, query).await };
    if let Err(DomainError::Invalid(why)) = &went {
        saml_sign_out::note_refusal(ctx, &connection, &why.to_string()).await?;
    }
    went
}

/// The provider answers somebody's wish to sign out: they go on to where they wanted.
async fn done(ctx: &Ctx<'_>, sides: Sides, query: &str) -> Result<String, DomainError> {
    let Sides { connection, idp, sp, .. } = sides;
    let unknown = || Refused("nobody set out from here under this RelayState".to_owned());
    let relay_state = relay_state(query).ok_or_else(unknown)?;
    let journey = saml_sign_out::journey(ctx, &connection, &relay_state).await?.ok_or_else(unknown)?;
    let (Some(request_id), Some(goal)) = (journey.request_id.clone(), journey.goal.clone()) else {
        return Err(unknown().into());
    };
    let (query, now) = (query.to_owned(), ctx.now());
    let verified =
        tokio::task::spawn_blocking(move || answer::logout_done(&sp, &idp, (&request_id, &relay_state), &query, now));
    verified.await.map_err(|why| DomainError::Defect(why.to_string()))??;
    saml_sign_out::back(ctx, journey).await?;
    Ok(goal)
}

/// The provider wants sessions to end: they do, and it hears so.
async fn wanted(ctx: &Ctx<'_>, sides: Sides, query: &str) -> Result<String, DomainError> {
    let Sides { connection, idp, sp, .. } = sides;
    let nowhere = DomainError::NotAllowed("the provider takes no answer by HTTP-Redirect");
    let (_, to) = idp.sign_out.clone().ok_or(nowhere)?;
    let relay_state = relay_state(query);
    let (query, now) = (query.to_owned(), ctx.now());
    let verified = tokio::task::spawn_blocking(move || {
        let wish = answer::logout_wish(&sp, &idp, &query, now);
        wish.map(|wish| (wish, sp))
    });
    let (wish, sp) = verified.await.map_err(|why| DomainError::Defect(why.to_string()))??;
    end(ctx, &connection, &wish).await?;
    let id = format!("_{}", hex(&ctx.core.entropy.bytes::<20>()));
    let response = Outgoing { sp: &sp, destination: &to, id: &id, now };
    Ok(response.logout_response(&wish.id, relay_state.as_deref())?)
}

async fn end(ctx: &Ctx<'_>, connection: &Connection, wish: &answer::LogoutWish) -> Result<(), DomainError> {
    saml_sign_out::end(ctx, connection, &wish.name_id, wish.indexes.clone(), &wish.once).await
}

fn relay_state(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "RelayState")
        .map(|(_, value)| value.into_owned())
}

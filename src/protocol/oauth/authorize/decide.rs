//! What has to happen before a request can be answered: who is signed in, since when, how well, and
//! what they have allowed (OpenID Connect Core §3.1.2.3 and §3.1.2.4).

use super::super::claims::{self, OFFLINE_ACCESS};
use super::super::error::{ErrorCode, OAuthError};
use super::request::Request;
use crate::domain::{Ctx, DomainError, consents, users};
use crate::model::authorization::Prompt;
use crate::model::authorization_request::Progress;
use crate::model::scope::OAuthScope;
use crate::model::session::{Factor, Session};
use crate::model::time::Timestamp;

/// A page that has to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// The sign-in.
    Login,
    /// A second factor: due, or wanted by the client.
    SecondFactor,
    /// Which account to use.
    SelectAccount,
    /// What the client asks for.
    Consent,
    /// A new account.
    Register,
}

/// What comes next.
pub(super) enum Step {
    /// The request can be answered.
    Answer,
    /// A page has to be shown.
    Show(Page),
    /// It can't be answered.
    Refuse(OAuthError),
}

/// How far the person has come with a request: nothing, where it has just arrived.
pub(super) struct Begun<'a> {
    /// When they began.
    pub(super) at: Timestamp,
    /// What they did.
    pub(super) progress: &'a Progress,
}

/// What comes next for a request, in this order: somebody signed in, the right person, freshly enough,
/// well enough, having chosen the account, and having consented.
pub(super) async fn decide(
    ctx: &Ctx<'_>,
    request: &Request,
    session: Option<&Session>,
    begun: Option<&Begun<'_>>,
) -> Result<Step, DomainError> {
    let asked = |prompt| request.prompts.contains(&prompt);
    let Some(session) = session else {
        return Ok(show(request, if asked(Prompt::Create) { Page::Register } else { Page::Login }));
    };
    let signed_in_for_this = begun.is_some_and(|begun| session.auth_time() >= begun.at);
    if asked(Prompt::Create) && !signed_in_for_this {
        return Ok(show(request, Page::Register));
    }
    if session.second_factor_due {
        return Ok(show(request, Page::SecondFactor));
    }
    if request.person.is_some_and(|person| person != session.user) {
        return Ok(if signed_in_for_this { refuse_person() } else { show(request, Page::Login) });
    }
    let too_old = request.max_age.is_some_and(|age| age.is_zero() || session.auth_time() + age < ctx.now());
    if (asked(Prompt::Login) || too_old) && !signed_in_for_this {
        return Ok(show(request, Page::Login));
    }
    if let Some(step) = assurance(ctx, request, session, begun).await? {
        return Ok(step);
    }
    let chosen = begun.is_some_and(|begun| begun.progress.chosen == Some(session.id));
    if asked(Prompt::SelectAccount) && !chosen && !signed_in_for_this {
        return Ok(show(request, Page::SelectAccount));
    }
    let consented = begun.is_some_and(|begun| begun.progress.consented == Some(session.id));
    // What is remembered decides, also of who has just been asked: the client may ask for more by now.
    if (asked(Prompt::Consent) && !consented) || !missing(ctx, request, session).await?.is_nothing() {
        return Ok(show(request, Page::Consent));
    }
    Ok(Step::Answer)
}

/// Shows a page, or says which one would have to be shown where none may be.
fn show(request: &Request, page: Page) -> Step {
    if !request.prompts.contains(&Prompt::None) {
        return Step::Show(page);
    }
    let (code, text) = match page {
        Page::Login | Page::Register => (ErrorCode::LoginRequired, "Nobody is signed in who could answer this request"),
        Page::SecondFactor => (ErrorCode::InteractionRequired, "The person has to prove a second factor"),
        Page::SelectAccount => (ErrorCode::AccountSelectionRequired, "The person has to choose an account"),
        Page::Consent => (ErrorCode::ConsentRequired, "The person has to consent"),
    };
    Step::Refuse(OAuthError::new(code, text))
}

fn refuse_person() -> Step {
    Step::Refuse(OAuthError::new(ErrorCode::LoginRequired, "Somebody else signed in than was asked for"))
}

/// Whether the sign-in is worth what the client asks for; if not, a second factor may help.
async fn assurance(
    ctx: &Ctx<'_>,
    request: &Request,
    session: &Session,
    begun: Option<&Begun<'_>>,
) -> Result<Option<Step>, DomainError> {
    let reached = session.reached();
    let wanted = &request.acr_values;
    if wanted.is_empty() || wanted.iter().any(|value| reached.contains(&value.as_str())) {
        return Ok(None);
    }
    let second = [Factor::Totp, Factor::Passkey, Factor::VerifiedPasskey, Factor::RecoveryCode];
    let proved_for_this = begun
        .is_some_and(|begun| session.proofs.iter().any(|proof| second.contains(&proof.factor) && proof.at >= begun.at));
    if !proved_for_this && users::find(ctx, session.user).await?.has_second_factor {
        return Ok(Some(show(request, Page::SecondFactor)));
    }
    let text = "The sign-in that is asked for is out of this person's reach";
    Ok(request
        .acr_is_essential
        .then(|| Step::Refuse(OAuthError::new(ErrorCode::UnmetAuthenticationRequirements, text))))
}

/// What of a request the person has not allowed before.
pub struct Missing {
    /// Scopes.
    pub scope: OAuthScope,
    /// Single claims.
    pub claims: Vec<String>,
}

impl Missing {
    fn is_nothing(&self) -> bool {
        self.scope.is_empty() && self.claims.is_empty()
    }
}

/// What of a request the person has not allowed before. An app of the operator's own needs no word
/// but for tokens that outlive the session (OpenID Connect Core §11).
pub(super) async fn missing(ctx: &Ctx<'_>, request: &Request, session: &Session) -> Result<Missing, DomainError> {
    let client = &request.client.client;
    let wanted = if client.settings.first_party {
        let lasting = OAuthScope::from_tokens([OFFLINE_ACCESS]);
        Missing { scope: request.scope.intersection(&lasting), claims: Vec::new() }
    } else {
        Missing { scope: request.scope.clone(), claims: claims::names(&request.claims) }
    };
    if wanted.is_nothing() {
        return Ok(wanted);
    }
    let Some(given) = consents::find(ctx, session.user, &client.id).await? else { return Ok(wanted) };
    let unnamed = wanted.claims.into_iter().filter(|claim| !given.claims.contains(claim)).collect();
    Ok(Missing { scope: wanted.scope.without(&given.scope), claims: unnamed })
}

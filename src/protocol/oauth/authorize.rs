//! The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2).
//!
//! `request.rs` puts a request through its checks, `decide.rs` says what has to happen before it can
//! be answered, `response.rs` is the answer. A request that needs the person is kept, bound to their
//! browser, and goes through all of it again each time they have done something: a client that is
//! disabled meanwhile, or an account, gets nothing.

mod checks;
mod decide;
pub(in crate::protocol::oauth) mod object;
pub(in crate::protocol::oauth) mod request;
mod response;

pub use decide::{Missing, Page};
pub use request::{Refusal, Request};
pub use response::{Response, Target};

pub(in crate::protocol::oauth) use checks::id_token_hint;

use super::claims::{self, OPENID};
use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use crate::domain::tokens::{self, Answering, IdToken};
use crate::domain::{Ctx, consents, login_transactions};
use crate::model::audit::{Actor, Outcome as AuditOutcome};
use crate::model::authorization::{Authorization, SignIn};
use crate::model::authorization_request::{AuthorizationRequest, Progress, Source};
use crate::model::client::GrantType;
use crate::model::ids::FamilyId;
use crate::model::secret::Secret;
use crate::model::session::{ACR_VALUES, Session};
use decide::{Begun, Step};

/// Who stands at the door.
#[derive(Clone, Copy)]
pub struct Visitor<'a> {
    /// SHA-256 of the cookie by which the browser is known again.
    pub browser: [u8; 32],
    /// The session in it, which may wait for a second factor.
    pub session: Option<&'a Session>,
}

/// What a request comes to.
pub enum Outcome {
    /// The client is answered.
    Answer(Box<Response>),
    /// The person is shown a page; `reference` leads back to the request.
    Show {
        /// Which.
        page: Page,
        /// `ght_…`.
        reference: Secret<String>,
        /// The request.
        request: Box<Request>,
    },
    /// The person is told what is wrong, since nobody else can be trusted.
    Refuse(OAuthError),
    /// The request waits no longer, or waits in another browser.
    Over,
}

/// A request that waits for its person in this browser.
pub struct Pending {
    /// The request, checked anew.
    pub request: Request,
    /// Its row.
    pub row: AuthorizationRequest,
}

/// Takes a request from a browser. `repeated` names a parameter that was sent twice.
///
/// # Errors
/// The database is unavailable.
pub async fn begin(
    ctx: &Ctx<'_>,
    params: &Params<'_>,
    repeated: Option<&str>,
    visitor: Visitor<'_>,
) -> Result<Outcome, OAuthError> {
    let request = match request::check(ctx, params, repeated, true).await {
        Ok(request) => request,
        Err(refusal) => return refused(ctx, refusal).await,
    };
    match decide::decide(ctx, &request, visitor.session, None).await? {
        Step::Answer => answer(ctx, request, visitor, None).await,
        Step::Refuse(error) => Ok(told(request.target, &error)),
        Step::Show(page) => {
            let progress = Progress { source: request.source, ..Progress::default() };
            let parameters = request.parameters.clone();
            let id = &request.client.client.id;
            let reference = login_transactions::begin(ctx, id, visitor.browser, parameters, progress).await?;
            Ok(Outcome::Show { page, reference, request: Box::new(request) })
        }
    }
}

/// Goes on with a request after its person has done something.
///
/// # Errors
/// The database is unavailable.
pub async fn resume(ctx: &Ctx<'_>, reference: &str, visitor: Visitor<'_>) -> Result<Outcome, OAuthError> {
    let pending = match look(ctx, reference, visitor).await? {
        Ok(pending) => pending,
        Err(refused) => return Ok(refused),
    };
    let Pending { request, row } = pending;
    let begun = Begun { at: row.created_at, progress: &row.progress };
    match decide::decide(ctx, &request, visitor.session, Some(&begun)).await? {
        Step::Answer => answer(ctx, request, visitor, Some(&row)).await,
        Step::Refuse(error) => Ok(told(request.target, &error)),
        Step::Show(page) => {
            Ok(Outcome::Show { page, reference: Secret::new(reference.to_owned()), request: Box::new(request) })
        }
    }
}

/// The request that waits in this browser, checked anew; or how it has to be refused.
///
/// # Errors
/// The database is unavailable.
pub async fn look(
    ctx: &Ctx<'_>,
    reference: &str,
    visitor: Visitor<'_>,
) -> Result<Result<Pending, Outcome>, OAuthError> {
    let Some(row) = login_transactions::under_way(ctx, reference, &visitor.browser).await? else {
        return Ok(Err(Outcome::Over));
    };
    let params = Params::of_pairs(row.parameters.clone());
    match request::check_stored(ctx, &params, &row).await {
        Ok(request) => Ok(Ok(Pending { request, row })),
        Err(refusal) => Ok(Err(refused(ctx, refusal).await?)),
    }
}

/// What of a waiting request the person has not allowed before: what the consent page shows.
///
/// # Errors
/// The database is unavailable.
pub async fn missing(ctx: &Ctx<'_>, pending: &Pending, session: &Session) -> Result<Missing, OAuthError> {
    Ok(decide::missing(ctx, &pending.request, session).await?)
}

/// The person allows what the request asks for, for now and later.
///
/// # Errors
/// The database is unavailable.
pub async fn allow(ctx: &Ctx<'_>, pending: &Pending, session: &Session) -> Result<(), OAuthError> {
    let request = &pending.request;
    let claims = claims::names(&request.claims);
    consents::allow(ctx, session.user, &request.client.client.id, &request.scope, &claims).await?;
    let progress = Progress { consented: Some(session.id), ..pending.row.progress.clone() };
    Ok(login_transactions::note(ctx, &pending.row, progress).await?)
}

/// The person goes on with the account that they are signed in to.
///
/// # Errors
/// The database is unavailable.
pub async fn choose(ctx: &Ctx<'_>, pending: &Pending, session: &Session) -> Result<(), OAuthError> {
    let progress = Progress { chosen: Some(session.id), ..pending.row.progress.clone() };
    Ok(login_transactions::note(ctx, &pending.row, progress).await?)
}

/// The person says no (RFC 6749 §4.1.2.1).
///
/// # Errors
/// The database is unavailable.
pub async fn deny(ctx: &Ctx<'_>, pending: Pending) -> Result<Outcome, OAuthError> {
    let target = Some(format!("client:{}", pending.request.client.client.id));
    let entry = ctx.audit("authorization.deny", target, AuditOutcome::Success, None);
    crate::domain::audit::append(ctx.core, entry).await?;
    let error = OAuthError::new(ErrorCode::AccessDenied, "The person said no");
    Ok(told(pending.request.target, &error))
}

fn told(target: Target, error: &OAuthError) -> Outcome {
    Outcome::Answer(Box::new(Response::refusal(target, error)))
}

async fn refused(ctx: &Ctx<'_>, refusal: Refusal) -> Result<Outcome, OAuthError> {
    let (Refusal::Page(error) | Refusal::Redirect(_, error)) = &refusal;
    if matches!(error.code, ErrorCode::TemporarilyUnavailable | ErrorCode::ServerError) {
        let (Refusal::Page(error) | Refusal::Redirect(_, error)) = refusal;
        return Err(error);
    }
    match refusal {
        Refusal::Page(error) => Ok(Outcome::Refuse(error.noted(ctx, "authorization.refuse").await?)),
        Refusal::Redirect(target, error) => Ok(told(*target, &error)),
    }
}

/// What the sign-in was worth: of what was asked for the best that was reached, else the best.
fn acr(request: &Request, session: &Session) -> Option<String> {
    let reached = session.reached();
    let best = |among: &mut dyn Iterator<Item = &&'static str>| {
        among.filter(|value| reached.contains(value)).last().map(|value| (*value).to_owned())
    };
    let asked = best(&mut ACR_VALUES.iter().filter(|value| request.acr_values.iter().any(|asked| asked == **value)));
    asked.or_else(|| best(&mut ACR_VALUES.iter()))
}

/// Answers the client, and uses everything up that counts once.
async fn answer(
    ctx: &Ctx<'_>,
    request: Request,
    visitor: Visitor<'_>,
    row: Option<&AuthorizationRequest>,
) -> Result<Outcome, OAuthError> {
    let Some(session) = visitor.session else {
        return Err(OAuthError::new(ErrorCode::ServerError, "Something went wrong on our side").because("no session"));
    };
    let ctx = &ctx.clone().by(Actor::User(session.user));
    let client = &request.client;
    let response_type = request.response_type;
    let sign_in = SignIn {
        session: Some(session.id),
        auth_time: session.auth_time(),
        amr: session.amr(),
        acr: acr(&request, session),
    };
    let authorization = Authorization {
        family: FamilyId::from_uuid(ctx.core.entropy.uuid_v4()),
        user: session.user,
        scope: request.scope.clone(),
        audience: request.audience.clone(),
        nonce: request.nonce.clone(),
        sign_in,
        claims: request.claims.clone(),
        refreshable: response_type.code && client.client.may_use(GrantType::RefreshToken),
        epoch: None,
    };
    let pushed = match request.source {
        Source::Pushed(digest) => Some(digest),
        Source::Browser | Source::SignedObject => None,
    };
    let answering = Answering {
        authorization: &authorization,
        code: response_type.code,
        token: response_type.token,
        redirect_uri: &request.target.redirect_uri,
        challenge: request.challenge.as_deref(),
        requests: row.map(|row| row.digest).into_iter().chain(pushed).collect(),
    };
    let Some(answered) = tokens::answer(ctx, client, answering).await? else {
        if row.is_none() && pushed.is_none() {
            // The session ended at this very moment.
            let error = OAuthError::new(ErrorCode::LoginRequired, "Nobody is signed in who could answer this request");
            return Ok(told(request.target, &error));
        }
        return Ok(Outcome::Over);
    };
    let mut parameters = Vec::new();
    if let Some(access) = &answered.access {
        parameters.push(("access_token", access.token.clone()));
        parameters.push(("token_type", "Bearer".to_owned()));
        parameters.push(("expires_in", access.expires_in.as_secs().to_string()));
        // RFC 6749 §4.2.2: where it is not what was asked for
        let asked = request.parameters.iter().find(|(name, _)| name == "scope").map(|(_, value)| value.as_str());
        let granted = access.scope.to_string();
        if asked != Some(granted.as_str()) {
            parameters.push(("scope", granted));
        }
    }
    if let Some(code) = &answered.code {
        parameters.push(("code", code.expose().clone()));
    }
    if response_type.id_token && authorization.scope.contains(OPENID) {
        let mut said = claims::wished(&answered.user, &authorization.claims.id_token);
        if !response_type.gives_access_token() {
            // OpenID Connect Core §5.4: without an access token there is no other place for them.
            said.extend(claims::of_scope(&answered.user, &authorization.scope));
        }
        let wanted = IdToken {
            user: authorization.user,
            sign_in: &authorization.sign_in,
            nonce: authorization.nonce.as_deref(),
            access_token: answered.access.as_ref().map(|access| access.token.as_str()),
            code: answered.code.as_ref().map(|code| code.expose().as_str()),
            claims: said,
        };
        parameters.push(("id_token", tokens::id_token(ctx, client, wanted).await?));
    }
    Ok(Outcome::Answer(Box::new(Response::new(request.target, parameters))))
}

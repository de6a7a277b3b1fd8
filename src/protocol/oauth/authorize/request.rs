//! An authorization request that passed every check, and how one that did not is answered.

use std::sync::Arc;
use std::time::Duration;

use super::super::error::{ErrorCode, OAuthError};
use super::super::params::Params;
use super::checks;
use super::object;
use super::response::Target;
use crate::domain::Ctx;
use crate::domain::clients::LiveClient;
use crate::domain::login_transactions::Parameters;
use crate::model::authorization::{ClaimsRequest, Prompt, ResponseType};
use crate::model::authorization_request::{AuthorizationRequest, Source};
use crate::model::ids::UserId;
use crate::model::scope::OAuthScope;

/// A request that passed every check.
pub struct Request {
    /// Who asks.
    pub client: Arc<LiveClient>,
    /// Where the answer goes and how.
    pub target: Target,
    /// What the answer carries.
    pub response_type: ResponseType,
    /// What is asked for, less what the client may not ask for.
    pub scope: OAuthScope,
    /// The client's own mark for the ID token.
    pub nonce: Option<String>,
    /// The S256 challenge (RFC 7636 §4.3).
    pub challenge: Option<String>,
    /// What the person must be shown.
    pub prompts: Vec<Prompt>,
    /// How old the sign-in may be.
    pub max_age: Option<Duration>,
    /// The only person for whom it may be answered.
    pub person: Option<UserId>,
    /// Who is expected to sign in, as they would type it.
    pub login_hint: Option<String>,
    /// What the sign-in shall be worth; any of them will do.
    pub acr_values: Vec<String>,
    /// Whether the client can't do without.
    pub acr_is_essential: bool,
    /// Single claims that are asked for.
    pub claims: ClaimsRequest,
    /// Audience of the access tokens (RFC 8707).
    pub audience: Option<String>,
    /// The languages that the person reads, the best first.
    pub ui_locales: Option<String>,
    /// Where its parameters came from.
    pub source: Source,
    /// Its parameters, as they count.
    pub parameters: Parameters,
}

/// How a request that does not pass is answered.
pub enum Refusal {
    /// Where the answer would go can't be trusted: the person is told, and nobody else.
    Page(OAuthError),
    /// The client is told.
    Redirect(Box<Target>, OAuthError),
}

impl From<crate::domain::DomainError> for Refusal {
    fn from(error: crate::domain::DomainError) -> Self {
        Self::Page(error.into())
    }
}

/// Puts a request through every check, in this order: the client, where the answer goes, and then what
/// may be told there. `repeated` names a parameter that was sent twice.
///
/// # Errors
/// See [`Refusal`].
pub(in crate::protocol::oauth) async fn check(
    ctx: &Ctx<'_>,
    sent: &Params<'_>,
    repeated: Option<&str>,
    may_refer: bool,
) -> Result<Request, Refusal> {
    check_with(ctx, sent, repeated, if may_refer { Resolve::Anything } else { Resolve::ByValue }).await
}

/// What may stand for the parameters.
enum Resolve {
    /// A request object, or the reference of one.
    Anything,
    /// A request object.
    ByValue,
    /// Nothing: they were resolved before.
    Kept(Source),
}

async fn check_with(
    ctx: &Ctx<'_>,
    sent: &Params<'_>,
    repeated: Option<&str>,
    resolve: Resolve,
) -> Result<Request, Refusal> {
    // RFC 6749 §4.1.1: who asks
    let client = checks::client(ctx, sent, repeated).await.map_err(Refusal::Page)?;
    // RFC 9101 §4, RFC 9126 §4: what counts, if it is not what the browser sent
    let is_being_pushed = matches!(resolve, Resolve::ByValue);
    let resolved = match resolve {
        Resolve::Anything => object::resolve(ctx, &client, sent, true).await,
        Resolve::ByValue => object::resolve(ctx, &client, sent, false).await,
        Resolve::Kept(source) => Ok((Params::of_pairs(sent.pairs()), source)),
    };
    let (params, source) = match resolved {
        Ok(resolved) => resolved,
        Err(error) => return Err(checks::trusted_anyway(ctx, &client, sent, repeated, error)),
    };
    let params = &params;
    // RFC 6749 §3.1.2.3: where the answer goes, byte for byte
    let redirect_uri = checks::redirect_uri(&client, params, repeated).map_err(Refusal::Page)?;
    // From here on the client is told what is wrong.
    let mut target = Target::draft(ctx, redirect_uri, params, repeated);
    macro_rules! told {
        ($check:expr) => {
            match $check {
                Ok(passed) => passed,
                Err(error) => return Err(Refusal::Redirect(Box::new(target), error)),
            }
        };
    }
    // RFC 6749 §3.1: no parameter twice
    told!(checks::once(repeated));
    // RFC 6749 §3.1.1, OAuth 2.0 Multiple Response Types §2.1
    let response_type = told!(checks::response_type(&client, params));
    told!(target.settle(response_type, params));
    // RFC 9126 §5 and §6, RFC 9101 §10.5: the ways that the client must use
    told!(checks::source(&client, source, is_being_pushed));
    // OpenID Connect Core §3.1.2.6: what is not answered
    told!(checks::unsupported(params));
    // RFC 6749 §3.3
    let scope = told!(checks::scope(&client, params, response_type));
    // OpenID Connect Core §3.2.2.1
    let nonce = told!(checks::nonce(params, response_type));
    // RFC 7636 §4.3, RFC 9700 §2.1.1
    let challenge = told!(checks::pkce(&client, params, response_type));
    // OpenID Connect Core §3.1.2.1
    let prompts = told!(checks::prompts(params));
    let max_age = told!(checks::max_age(&client, params));
    told!(checks::display(params));
    let claims = told!(checks::claims(params));
    let (acr_values, acr_is_essential) = checks::acr(&client, params, &claims);
    let hinted = match checks::id_token_hint(ctx, &client, params).await {
        Ok(hinted) => hinted,
        Err(error) if error.code == ErrorCode::TemporarilyUnavailable => return Err(Refusal::Page(error)),
        Err(error) => return Err(Refusal::Redirect(Box::new(target), error)),
    };
    // OpenID Connect Core §5.5.1: a `sub` that is asked for is the only one that will do
    let person = told!(checks::person(ctx, &client, hinted, &claims));
    // RFC 8707 §2
    let audience = told!(super::super::token::audience(ctx, params, &client));
    let parameters = told!(checks::kept(params));
    Ok(Request {
        target,
        response_type,
        scope,
        nonce,
        challenge,
        prompts,
        max_age,
        person,
        login_hint: params.get("login_hint").filter(|hint| hint.len() <= 320).map(str::to_owned),
        acr_values,
        acr_is_essential,
        claims,
        audience,
        ui_locales: params.get("ui_locales").filter(|tags| tags.len() <= 256).map(str::to_owned),
        source,
        parameters,
        client,
    })
}

/// The same for a request that was kept while its person signed in: what was signed or pushed was
/// opened then, and counts as it was opened.
pub(super) async fn check_stored(
    ctx: &Ctx<'_>,
    params: &Params<'_>,
    row: &AuthorizationRequest,
) -> Result<Request, Refusal> {
    check_with(ctx, params, None, Resolve::Kept(row.progress.source)).await
}

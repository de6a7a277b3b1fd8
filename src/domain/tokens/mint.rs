//! The mint: the only place that makes access tokens.

use std::time::Duration;

use super::claims::{AccessClaims, Act, Audience};
use crate::crypto::digest::base64url;
use crate::crypto::jws;
use crate::crypto::opaque::{self, TokenKind};
use crate::domain::access::{self, Carried};
use crate::domain::authn::Authenticated;
use crate::domain::clients::LiveClient;
use crate::domain::{Ctx, DomainError, Noun, keys};
use crate::model::audit::Outcome;
use crate::model::client::{AccessTokenFormat, Client};
use crate::model::ids::{FamilyId, UserId};
use crate::model::scope::OAuthScope;
use crate::model::signing_key::SigningAlg;
use crate::model::time::Timestamp;
use crate::model::token::OpaqueToken;
use crate::model::user::User;
use crate::storage::{tokens, users};

/// The `typ` of an access token (RFC 9068 §2.1).
pub(super) const TYP: &str = "at+jwt";

/// The `client_id` of tokens that the sign-ins of `idaas.md` and `member.md` hand out, where no client takes part.
pub const IDAAS_CLIENT: &str = "idaas";

/// An access token that was just made.
pub struct Issued {
    /// The token itself.
    pub token: String,
    /// Its `jti`.
    pub jti: String,
    /// How long it lives.
    pub expires_in: Duration,
    /// When it expires.
    pub expires_at: Timestamp,
    /// What it may be used for.
    pub scope: OAuthScope,
}

/// What goes into a token. Whoever makes one has checked that the subject may have it.
pub(super) struct Mintage<'a> {
    pub(super) subject: &'a str,
    pub(super) client_id: &'a str,
    pub(super) scope: OAuthScope,
    pub(super) audience: Option<&'a str>,
    pub(super) lifetime: Duration,
    pub(super) alg: SigningAlg,
    pub(super) format: AccessTokenFormat,
    pub(super) access: &'a Carried,
    pub(super) sign_in: Option<(Timestamp, &'a [String])>,
    pub(super) act: Option<Act<&'a str>>,
    pub(super) family: Option<FamilyId>,
    pub(super) epoch: i32,
}

/// How many bytes of a token the codes of permissions may take, and those of roles: the token fits into a
/// header of 8 KiB whatever its person holds.
const MOST_PERMISSIONS: usize = 3 * 1024;
const MOST_ROLES: usize = 1024;

/// What of a person's roles and permissions goes into a token; a list that is too long is left out whole
/// and named.
struct Fitting<'a> {
    roles: &'a [String],
    permissions: &'a [String],
    omitted: Vec<&'static str>,
}

impl<'a> Fitting<'a> {
    fn of(access: &'a Carried) -> Self {
        let mut omitted = Vec::new();
        let mut within = |list: &'a [String], most: usize, name: &'static str| -> &'a [String] {
            // Quotes and a comma go with each.
            if list.iter().map(|code| code.len() + 3).sum::<usize>() <= most {
                return list;
            }
            omitted.push(name);
            &[]
        };
        let roles = within(&access.roles, MOST_ROLES, "roles");
        let permissions = within(&access.permissions, MOST_PERMISSIONS, "permissions");
        Self { roles, permissions, omitted }
    }
}

/// Makes a token. A reference token is recorded before it is handed out.
pub(super) async fn mint<'a>(ctx: &Ctx<'_>, mintage: Mintage<'a>) -> Result<Issued, DomainError> {
    let now = ctx.now();
    let expires_at = now + mintage.lifetime;
    let jti = base64url(&ctx.core.entropy.bytes::<16>());
    let tenant_id = ctx.tenant_id().to_string();
    let scope = mintage.scope.to_string();
    let family = mintage.family.map(|family| family.to_string());
    // Callers of services read the member, also where nothing was granted (`idaas.md`).
    let for_itself = mintage.subject == mintage.client_id;
    let fitting = Fitting::of(mintage.access);
    let organization = mintage.access.organization.map(|id| id.uuid().to_string());
    let texts = |list: &'a [String]| list.iter().map(String::as_str).collect();
    let claims = AccessClaims::<&str> {
        iss: &ctx.tenant.issuer,
        sub: mintage.subject,
        aud: Audience::One(mintage.audience.unwrap_or(&ctx.tenant.issuer)),
        client_id: mintage.client_id,
        scope: (for_itself || !scope.is_empty()).then_some(scope.as_str()),
        jti: &jti,
        iat: now.seconds(),
        exp: expires_at.seconds(),
        tenant_id: &tenant_id,
        roles: texts(fitting.roles),
        permissions: texts(fitting.permissions),
        omitted: fitting.omitted,
        organization_id: organization.as_deref(),
        auth_time: mintage.sign_in.map(|(at, _)| at.seconds()),
        amr: mintage.sign_in.map_or_else(Vec::new, |(_, amr)| texts(amr)),
        act: mintage.act,
        family: family.as_deref(),
        epoch: mintage.epoch,
    };
    let token = match mintage.format {
        AccessTokenFormat::Jwt => {
            let ring = keys::keyring(ctx.core, ctx.tenant_id()).await?;
            jws::sign(ring.signing(mintage.alg)?, TYP, &claims)?
        }
        AccessTokenFormat::Opaque => {
            let token = opaque::generate(TokenKind::AccessToken, &*ctx.core.entropy);
            let claims = serde_json::to_string(&claims).map_err(|why| DomainError::Defect(why.to_string()))?;
            let digest = *opaque::digest_of_secret(token.expose()).as_bytes();
            record(ctx, OpaqueToken { digest, tenant: ctx.tenant_id(), claims, expires_at }).await?;
            token.expose().clone()
        }
    };
    Ok(Issued { token, jti, expires_in: mintage.lifetime, expires_at, scope: mintage.scope })
}

async fn record(ctx: &Ctx<'_>, token: OpaqueToken) -> Result<(), DomainError> {
    ctx.core
        .db
        .write(token, |tx, token| {
            Box::pin(async move { Ok::<_, DomainError>(tokens::insert_opaque(&tx.of(token.tenant), token).await?) })
        })
        .await
}

/// A token for a service itself (RFC 6749 §4.4). Nothing is recorded: its client is read from a
/// cache that a change anywhere empties within a second, and a revocation names its `jti`.
///
/// # Errors
/// The database is unavailable.
pub async fn for_client(
    ctx: &Ctx<'_>,
    client: &LiveClient,
    scope: OAuthScope,
    audience: Option<&str>,
) -> Result<Issued, DomainError> {
    let row = &client.client;
    let mintage = Mintage {
        subject: row.id.as_str(),
        client_id: row.id.as_str(),
        scope,
        audience: audience.or(row.default_audience.as_deref()),
        lifetime: row.access_token_ttl.unwrap_or(ctx.core.config.tokens.service),
        alg: row.signing_alg,
        format: row.access_token_format,
        access: &Carried::default(),
        sign_in: None,
        act: None,
        family: None,
        epoch: 0,
    };
    let issued = mint(ctx, mintage).await?;
    ctx.core.metrics.tokens.issued.count("client_credentials");
    Ok(issued)
}

/// A token for a person who signed in on a face, without a client.
///
/// # Errors
/// [`DomainError::NotAuthenticated`] if the account changed meanwhile;
/// [`DomainError::SecondFactorNeeded`]; or the database is unavailable.
pub async fn for_sign_in(
    ctx: &Ctx<'_>,
    proof: Authenticated,
    scope: OAuthScope,
    lifetime: Duration,
) -> Result<(User, Issued), DomainError> {
    proof.suffices(ctx)?;
    let (user, access) = settle_sign_in(ctx, &proof).await?;
    let subject = user.id.to_string();
    let mintage = Mintage {
        subject: &subject,
        client_id: IDAAS_CLIENT,
        scope,
        audience: None,
        lifetime,
        alg: SigningAlg::Es256,
        format: AccessTokenFormat::Jwt,
        access: &access,
        sign_in: Some((proof.at, &proof.amr)),
        act: None,
        family: None,
        epoch: user.token_epoch,
    };
    let issued = mint(ctx, mintage).await?;
    ctx.core.metrics.tokens.issued.count("sign_in");
    ctx.core.metrics.sign_ins.count("success");
    Ok((user, issued))
}

/// Records a sign-in: the account as it is now, and what it carries.
async fn settle_sign_in(ctx: &Ctx<'_>, proof: &Authenticated) -> Result<(User, Carried), DomainError> {
    let entry = ctx.audit("user.sign_in", Some(format!("user:{}", proof.user.id)), Outcome::Success, None);
    let input = (ctx.tenant_id(), proof.clone(), ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, proof, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let user = proof.settle(&of).await?;
                let carried = access::carried(&of, user.id, None, *now).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>((user, carried))
            })
        })
        .await
}

/// A short token for a user of `ctx`'s tenant, asked for by a service that acts for them (RFC 8693
/// §4.1). Nobody hands on a permission that they lack: of the codes asked for it carries those in
/// `held`, what the service's own token may be used for.
///
/// # Errors
/// [`DomainError::NotFound`] for a user who does not exist or is disabled; or the database is
/// unavailable.
pub async fn on_behalf(
    ctx: &Ctx<'_>,
    service: &Client,
    held: &OAuthScope,
    user: UserId,
    asked: &OAuthScope,
    lifetime: Duration,
) -> Result<Issued, DomainError> {
    let may_carry = |name: &&str| !name.contains(':') || held.contains(name);
    let scope = OAuthScope::from_tokens(asked.iter().filter(may_carry));
    let detail = Some(format!("scope: {scope}"));
    let entry = ctx.audit("token.on_behalf", Some(format!("user:{user}")), Outcome::Success, detail);
    let input = (ctx.tenant_id(), user, ctx.now(), entry);
    let (user, access) = ctx
        .core
        .db
        .write(input, |tx, (tenant, user, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let user = users::find_for_update(&of, *user).await?.filter(|user| user.enabled);
                let user = user.ok_or(DomainError::NotFound(Noun::User))?;
                let carried = access::carried(&of, user.id, None, *now).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>((user, carried))
            })
        })
        .await?;
    let subject = user.id.to_string();
    let mintage = Mintage {
        subject: &subject,
        client_id: service.id.as_str(),
        scope,
        audience: None,
        lifetime,
        alg: service.signing_alg,
        format: AccessTokenFormat::Jwt,
        access: &access,
        sign_in: None,
        act: Some(Act { sub: service.id.as_str(), act: None }),
        family: None,
        epoch: user.token_epoch,
    };
    let issued = mint(ctx, mintage).await?;
    ctx.core.metrics.tokens.issued.count("on_behalf");
    Ok(issued)
}

//! `gatehouse client create`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::settings::SettingsArgs;
use super::{Failure, Of, Output, Record, Session, details, duration, jwks, refused, union};
use crate::cli::names::one_of;
use crate::domain::clients::{self, NewClient};
use crate::model::client::{AccessTokenFormat, AuthMethod, GrantType};
use crate::model::client_settings::ClientSettings;
use crate::model::ids::TenantId;
use crate::model::scope::OAuthScope;
use crate::model::signing_key::SigningAlg;

/// What `gatehouse client create` takes.
#[derive(Args)]
pub(in crate::cli) struct CreateArgs {
    /// Its name, for people to read
    #[arg(long)]
    name: String,
    /// Its id [default: one is made up, svc_… for a service and app_… for an app]
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    of: Of,
    /// What it is, for people to read
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// It can keep no secret: the same as --auth-method none
    #[arg(long, conflicts_with = "auth_method")]
    public: bool,
    /// How it may obtain tokens; may be given several times [default: authorization_code and
    /// refresh_token with --redirect-uri or --public, else client_credentials]
    #[arg(long = "grant", value_name = "GRANT", value_parser = one_of!(GrantType))]
    grants: Vec<GrantType>,
    /// Where a person may be sent back to, compared byte for byte; may be given several times
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where a person may be sent after sign-out; may be given several times
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// What it may ask for, and for a service the permissions that it is granted (names with a
    /// colon); may be given several times, or hold several names [default for an app: openid profile
    /// email phone address offline_access]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<OAuthScope>,
    /// How it proves who it is at the token endpoint [default: client_secret_basic]
    #[arg(long, value_name = "METHOD", value_parser = one_of!(AuthMethod))]
    auth_method: Option<AuthMethod>,
    /// File with its public keys, a JWK set or one JWK; for private_key_jwt
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// What its access tokens look like
    #[arg(long, value_name = "FORMAT", value_parser = one_of!(AccessTokenFormat), default_value = "jwt")]
    access_token_format: AccessTokenFormat,
    /// What its access tokens are signed with
    #[arg(long, value_name = "ALG", value_parser = one_of!(SigningAlg), default_value = "ES256")]
    signing_alg: SigningAlg,
    /// Life of its access tokens [default: the tenant's]
    #[arg(long, value_name = "SECONDS", value_parser = duration)]
    access_token_ttl: Option<Duration>,
    /// Life of its refresh tokens [default: the tenant's]
    #[arg(long, value_name = "SECONDS", value_parser = duration)]
    refresh_token_ttl: Option<Duration>,
    /// An audience that it may name (RFC 8707); may be given several times
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// Audience of its tokens where a request names none [default: the issuer]
    #[arg(long, value_name = "AUDIENCE")]
    default_audience: Option<String>,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// What an app may ask people for where nothing else is said.
const APP_SCOPE: &[&str] = &["openid", "profile", "email", "phone", "address", "offline_access"];

pub(super) async fn run(
    session: &Session,
    tenant: Option<TenantId>,
    new: NewClient,
    out: Output,
) -> Result<(), Failure> {
    let ctx = session.ctx(tenant).await?;
    let wanted = new.scope.clone();
    let made = clients::create(&ctx, new).await.map_err(|error| refused(error, &wanted))?;
    let secret = made.secret.as_ref().map(|secret| secret.expose().clone());
    let record = Record::default().with("client_id", made.client.id.as_str()).with("client_secret", secret);
    out.record(&details(record, &made.client))
}

/// Whose client it shall be, and what it shall be.
pub(super) fn wish(args: CreateArgs) -> Result<(Option<TenantId>, NewClient), Failure> {
    let grant_types = if !args.grants.is_empty() {
        args.grants
    } else if args.public || args.auth_method == Some(AuthMethod::None) || !args.redirect_uris.is_empty() {
        vec![GrantType::AuthorizationCode, GrantType::RefreshToken]
    } else {
        vec![GrantType::ClientCredentials]
    };
    let scope = if args.scopes.is_empty() && !grant_types.contains(&GrantType::ClientCredentials) {
        OAuthScope::from_tokens(APP_SCOPE.iter().copied())
    } else {
        union(&args.scopes)
    };
    let auth_method =
        if args.public { AuthMethod::None } else { args.auth_method.unwrap_or(AuthMethod::ClientSecretBasic) };
    let new = NewClient {
        settings: args.settings.applied(ClientSettings::default())?,
        id: args.id,
        name: args.name,
        description: args.description,
        auth_method,
        jwks: args.jwks_file.as_deref().map(jwks).transpose()?,
        grant_types,
        redirect_uris: args.redirect_uris,
        post_logout_redirect_uris: args.post_logout_redirect_uris,
        scope,
        default_audience: args.default_audience,
        audiences: args.audiences,
        access_token_format: args.access_token_format,
        signing_alg: args.signing_alg,
        access_token_ttl: args.access_token_ttl,
        refresh_token_ttl: args.refresh_token_ttl,
    };
    Ok((args.of.tenant, new))
}

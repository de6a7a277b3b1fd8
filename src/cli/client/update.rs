//! `gatehouse client update`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::settings::SettingsArgs;
use super::{Failure, Output, Record, Session, Which, details, find, jwks, named, refused, union};
use crate::cli::names::{duration, one_of};
use crate::domain::clients::{self, ClientChange};
use crate::domain::{DomainError, Noun};
use crate::model::client::{AccessTokenFormat, AuthMethod, GrantType};
use crate::model::client_settings::ClientSettings;
use crate::model::scope::OAuthScope;
use crate::model::signing_key::SigningAlg;

/// What `gatehouse client update` takes.
#[derive(Args)]
#[command(after_help = "A list replaces the one before it; --redirect-uri '' empties it.")]
pub(in crate::cli) struct UpdateArgs {
    #[command(flatten)]
    which: Which,
    /// Its name, for people to read
    #[arg(long)]
    name: Option<String>,
    /// What it is, for people to read
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Let it act again
    #[arg(long)]
    enable: bool,
    /// Let it act no longer, and end what it holds
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// How it may obtain tokens; may be given several times
    #[arg(long = "grant", value_name = "GRANT", value_parser = one_of!(GrantType))]
    grants: Vec<GrantType>,
    /// Where a person may be sent back to, compared byte for byte; may be given several times
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where a person may be sent after sign-out; may be given several times
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// What it may ask for, and for a service the permissions that it is granted (names with a
    /// colon); may be given several times, or hold several names
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<OAuthScope>,
    /// How it proves who it is; prints a new secret, for the only time, if it needs one
    #[arg(long, value_name = "METHOD", value_parser = one_of!(AuthMethod))]
    auth_method: Option<AuthMethod>,
    /// File with its public keys, a JWK set or one JWK
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// What its access tokens look like
    #[arg(long, value_name = "FORMAT", value_parser = one_of!(AccessTokenFormat))]
    access_token_format: Option<AccessTokenFormat>,
    /// What its access tokens are signed with
    #[arg(long, value_name = "ALG", value_parser = one_of!(SigningAlg))]
    signing_alg: Option<SigningAlg>,
    /// Life of its access tokens; 0 for the tenant's
    #[arg(long, value_name = "SECONDS", value_parser = duration)]
    access_token_ttl: Option<Duration>,
    /// Life of its refresh tokens; 0 for the tenant's
    #[arg(long, value_name = "SECONDS", value_parser = duration)]
    refresh_token_ttl: Option<Duration>,
    /// An audience that it may name (RFC 8707); may be given several times
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// Audience of its tokens where a request names none; '' for the issuer
    #[arg(long, value_name = "AUDIENCE")]
    default_audience: Option<String>,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Which client, and what shall be different.
pub(super) struct Wish {
    which: Which,
    change: ClientChange,
    settings: SettingsArgs,
}

pub(super) async fn run(session: &Session, wish: Wish, out: Output) -> Result<(), Failure> {
    let Wish { which, mut change, settings } = wish;
    let ctx = session.ctx(which.of.tenant).await?;
    if !settings.is_empty() {
        change.settings = Some(settings.applied(find(&ctx, &which.client_id).await?.settings)?);
        // Keys come from one place: naming the one takes the other away.
        if change.settings.as_ref().is_some_and(|settings| settings.jwks_uri.is_some()) && change.jwks.is_none() {
            change.jwks = Some(None);
        }
    }
    let wanted = change.scope.clone().unwrap_or_default();
    let changed = clients::update(&ctx, &which.client_id, change).await.map_err(|error| match error {
        DomainError::NotFound(Noun::Client) => named(error, &which.client_id),
        other => refused(other, &wanted),
    })?;
    let mut record = Record::default().with("client_id", changed.client.id.as_str());
    if let Some(secret) = &changed.secret {
        record = record.with("client_secret", secret.expose().as_str());
    }
    out.record(&details(record, &changed.client))
}

/// Understands the arguments before anything is opened.
pub(super) fn wish(args: UpdateArgs) -> Result<Wish, Failure> {
    fn given<T>(list: Vec<T>) -> Option<Vec<T>> {
        (!list.is_empty()).then_some(list)
    }
    let texts = |list: Vec<String>| given(list).map(|list| list.into_iter().filter(|text| !text.is_empty()).collect());
    let text = |text: Option<String>| text.map(|text| Some(text).filter(|text| !text.is_empty()));
    let life = |life: Option<Duration>| life.map(|life| Some(life).filter(|life| !life.is_zero()));
    let change = ClientChange {
        name: args.name,
        description: text(args.description),
        enabled: args.enable.then_some(true).or(args.disable.then_some(false)),
        auth_method: args.auth_method,
        grant_types: given(args.grants),
        redirect_uris: texts(args.redirect_uris),
        post_logout_redirect_uris: texts(args.post_logout_redirect_uris),
        scope: given(args.scopes).map(|scopes| union(&scopes)),
        jwks: args.jwks_file.as_deref().map(jwks).transpose()?.map(Some),
        default_audience: text(args.default_audience),
        audiences: texts(args.audiences),
        access_token_format: args.access_token_format,
        signing_alg: args.signing_alg,
        access_token_ttl: life(args.access_token_ttl),
        refresh_token_ttl: life(args.refresh_token_ttl),
        settings: None,
        held_registration_token: None,
    };
    // Whether they can be understood does not depend on what is there.
    args.settings.applied(ClientSettings::default())?;
    if change == ClientChange::default() && args.settings.is_empty() {
        return Err(Failure::Usage("nothing to change: name what shall be different".to_owned()));
    }
    Ok(Wish { which: args.which, change, settings: args.settings })
}

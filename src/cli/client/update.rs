//! `gatehouse client update`.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, Output, Session, Which, details, jwks, named, named_record, refused, union};
use crate::cli::names::one_of;
use crate::domain::clients::{self, ClientChange};
use crate::domain::{DomainError, Noun};
use crate::model::client::{AccessTokenFormat, GrantType};
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
    /// File with its public keys, a JWK set or one JWK
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// What its access tokens look like
    #[arg(long, value_name = "FORMAT", value_parser = one_of!(AccessTokenFormat))]
    access_token_format: Option<AccessTokenFormat>,
    /// What its access tokens are signed with
    #[arg(long, value_name = "ALG", value_parser = one_of!(SigningAlg))]
    signing_alg: Option<SigningAlg>,
}

pub(super) async fn run(session: &Session, which: &Which, change: ClientChange, out: Output) -> Result<(), Failure> {
    let ctx = session.ctx(which.of.tenant).await?;
    let wanted = change.scope.clone().unwrap_or_default();
    let client = clients::update(&ctx, &which.client_id, change).await.map_err(|error| match error {
        DomainError::NotFound(Noun::Client) => named(error, &which.client_id),
        other => refused(other, &wanted),
    })?;
    out.record(&details(named_record(&client), &client))
}

/// Which client, and what shall be different.
pub(super) fn wish(args: UpdateArgs) -> Result<(Which, ClientChange), Failure> {
    fn given<T>(list: Vec<T>) -> Option<Vec<T>> {
        (!list.is_empty()).then_some(list)
    }
    let uris = |list: Vec<String>| given(list).map(|list| list.into_iter().filter(|uri| !uri.is_empty()).collect());
    let change = ClientChange {
        name: args.name,
        enabled: args.enable.then_some(true).or(args.disable.then_some(false)),
        grant_types: given(args.grants),
        redirect_uris: uris(args.redirect_uris),
        post_logout_redirect_uris: uris(args.post_logout_redirect_uris),
        scope: given(args.scopes).map(|scopes| union(&scopes)),
        jwks: args.jwks_file.as_deref().map(jwks).transpose()?,
        access_token_format: args.access_token_format,
        signing_alg: args.signing_alg,
    };
    if is_empty(&change) {
        return Err(Failure::Usage("nothing to change: name what shall be different".to_owned()));
    }
    Ok((args.which, change))
}

/// Whether it leaves everything as it is. Spelled out, so that a new field can't be forgotten.
const fn is_empty(change: &ClientChange) -> bool {
    let ClientChange {
        name,
        enabled,
        grant_types,
        redirect_uris,
        post_logout_redirect_uris,
        scope,
        jwks,
        access_token_format,
        signing_alg,
    } = change;
    let texts = name.is_none() && jwks.is_none() && scope.is_none();
    let lists = grant_types.is_none() && redirect_uris.is_none() && post_logout_redirect_uris.is_none();
    texts && lists && enabled.is_none() && access_token_format.is_none() && signing_alg.is_none()
}

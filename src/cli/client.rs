//! `gatehouse client`: apps, and services that act for themselves.

mod create;
mod settings;
mod update;

use std::path::Path;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::names::{duration, overlap};
use super::output::Output;
use super::record::Record;
use super::session::{Session, named, read};
use super::user::Of;
use crate::config::Loaded;
use crate::domain::{Ctx, DomainError, Noun, clients};
use crate::model::client::Client;
use crate::model::ids::ClientId;
use crate::model::scope::OAuthScope;

/// `gatehouse client …`
#[derive(Subcommand)]
pub(super) enum ClientCommand {
    /// Register a client; prints its secret, if it has one, for the only time
    Create(Box<create::CreateArgs>),
    /// List the clients of a tenant
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Show a client
    Show {
        #[command(flatten)]
        which: Which,
    },
    /// Change a client; what is not named stays
    Update(Box<update::UpdateArgs>),
    /// Replace a client's secret; prints the new one for the only time
    RotateSecret {
        #[command(flatten)]
        which: Which,
        /// For how long the old secret goes on working: 0, 30m, 24h, 7d
        #[arg(long, value_name = "TIME", value_parser = overlap, default_value = "0")]
        overlap: Duration,
    },
    /// Delete a client and all that it holds
    Delete {
        #[command(flatten)]
        which: Which,
    },
}

/// Which client.
#[derive(Args)]
pub(super) struct Which {
    /// The client's id
    client_id: ClientId,
    #[command(flatten)]
    of: Of,
}

const COLUMNS: &[&str] = &["client_id", "client_name", "grant_types", "scope", "enabled", "created_at"];

pub(super) async fn run(command: ClientCommand, loaded: Loaded, out: Output) -> Result<(), Failure> {
    // What the arguments say is understood before anything is opened.
    match command {
        ClientCommand::Create(args) => {
            let (tenant, new) = create::wish(*args)?;
            Session::with(loaded, out, async |session| create::run(session, tenant, new, out).await).await
        }
        ClientCommand::Update(args) => {
            let wish = update::wish(*args)?;
            Session::with(loaded, out, async |session| update::run(session, wish, out).await).await
        }
        other => Session::with(loaded, out, async |session| act(session, other, out).await).await,
    }
}

async fn act(session: &Session, command: ClientCommand, out: Output) -> Result<(), Failure> {
    match command {
        ClientCommand::Create(_) | ClientCommand::Update(_) => Ok(()), // done before
        ClientCommand::List { of } => {
            let found = clients::list(&session.ctx(of.tenant).await?).await?;
            out.list(COLUMNS, &found.iter().map(|client| details(named_record(client), client)).collect::<Vec<_>>())
        }
        ClientCommand::Show { which } => {
            let ctx = session.ctx(which.of.tenant).await?;
            let client = find(&ctx, &which.client_id).await?;
            out.record(&details(named_record(&client), &client))
        }
        ClientCommand::RotateSecret { which, overlap } => {
            let ctx = session.ctx(which.of.tenant).await?;
            let id = &which.client_id;
            let secret = clients::rotate_secret(&ctx, id, overlap).await.map_err(|error| named(error, id))?;
            out.record(
                &Record::default()
                    .with("client_id", id.as_str())
                    .with("client_secret", secret.expose().as_str())
                    .with("previous_works_until", (ctx.now() + overlap).rfc3339()),
            )
        }
        ClientCommand::Delete { which } => {
            let ctx = session.ctx(which.of.tenant).await?;
            clients::delete(&ctx, &which.client_id).await.map_err(|error| named(error, &which.client_id))?;
            out.record(&Record::default().with("client_id", which.client_id.as_str()).with("deleted", true))
        }
    }
}

async fn find(ctx: &Ctx<'_>, id: &ClientId) -> Result<Client, Failure> {
    clients::find(ctx, id).await.map_err(|error| named(error, id))
}

fn named_record(client: &Client) -> Record {
    Record::default().with("client_id", client.id.as_str())
}

/// What there is to say about a client, with the names of RFC 7591 §2 where it has them.
fn details(record: Record, client: &Client) -> Record {
    let grants: Vec<&str> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    let scope = OAuthScope::from_tokens(client.scope.iter().chain(client.permissions.iter()));
    let seconds = |life: Option<Duration>| life.map(|life| life.as_secs());
    let record = record
        .with("client_name", client.name.as_str())
        .with("description", client.description.clone())
        .with("tenant_id", client.tenant.to_string())
        .with("enabled", client.enabled)
        .with("grant_types", grants)
        .with("redirect_uris", client.redirect_uris.clone())
        .with("post_logout_redirect_uris", client.post_logout_redirect_uris.clone())
        .with("scope", scope.to_string())
        .with("token_endpoint_auth_method", client.auth_method.as_str())
        .with("access_token_format", client.access_token_format.as_str())
        .with("signing_alg", client.signing_alg.as_str())
        .with("access_token_ttl", seconds(client.access_token_ttl))
        .with("refresh_token_ttl", seconds(client.refresh_token_ttl))
        .with("audiences", client.audiences.clone())
        .with("default_audience", client.default_audience.clone())
        .with("created_at", client.created_at.rfc3339());
    // The settings have the names of the registry already.
    let settings = serde_json::to_value(&client.settings).ok();
    let settings = settings.as_ref().and_then(serde_json::Value::as_object).into_iter().flatten();
    let told = settings.filter(|(name, _)| *name != "registration_token");
    told.fold(record, |record, (name, value)| record.with(name.clone(), value.clone()))
}

/// A refusal that says which names were asked for.
fn refused(error: DomainError, scope: &OAuthScope) -> Failure {
    match error {
        DomainError::NotFound(Noun::Permission) => {
            Failure::Refused(format!("no such permission among the scopes {scope}"))
        }
        other => other.into(),
    }
}

/// All the names of several `--scope`, each of which may hold several.
fn union(scopes: &[OAuthScope]) -> OAuthScope {
    OAuthScope::from_tokens(scopes.iter().flat_map(OAuthScope::iter))
}

/// A JWK set from a file, which may also hold a single key (RFC 7517 §4, §5).
fn jwks(path: &Path) -> Result<String, Failure> {
    let text = read(path)?;
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(key) if key.get("kty").is_some() => Ok(serde_json::json!({ "keys": [key] }).to_string()),
        Ok(_) => Ok(text),
        Err(why) => Err(Failure::Usage(format!("{} is not JSON: {why}", path.display()))),
    }
}

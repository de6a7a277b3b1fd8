//! `gatehouse api-client`: trusted systems with a key pair.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::names::{moment, overlap};
use super::output::Output;
use super::record::Record;
use super::session::{Session, named};
use crate::config::Loaded;
use crate::domain::Ctx;
use crate::domain::api_clients::{self, AllowLists, ApiClientChange, NewApiClient};
use crate::model::api_client::ApiClient;
use crate::model::time::Timestamp;

/// `gatehouse api-client …`
#[derive(Subcommand)]
pub(super) enum ApiClientCommand {
    /// Make an API client; prints its secret for the only time
    Create(CreateArgs),
    /// List the API clients
    List,
    /// Replace an API client's secret; prints the new one for the only time
    Rotate {
        /// Its client key, gck_…
        client_key: String,
        /// For how long the old secret goes on working: 0, 30m, 24h, 7d
        #[arg(long, value_name = "TIME", value_parser = overlap, default_value = "0")]
        overlap: Duration,
    },
    /// Refuse an API client from now on
    Disable {
        /// Its client key, gck_…
        client_key: String,
    },
    /// Let a disabled API client in again
    Enable {
        /// Its client key, gck_…
        client_key: String,
    },
}

/// What `gatehouse api-client create` takes.
#[derive(Args)]
pub(super) struct CreateArgs {
    /// Its name, for people to read
    #[arg(long)]
    name: String,
    /// A network that it may call from, such as 192.0.2.0/24; may be given several times [default: any]
    #[arg(long = "allow-ip", value_name = "NETWORK")]
    networks: Vec<String>,
    /// An origin that its requests may come from, such as https://app.example.org; may be given several
    /// times [default: any]
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// A path that it may call, and what is below, such as /internal/users; may be given several times
    /// [default: any]
    #[arg(long = "allow-path", value_name = "PATH")]
    paths: Vec<String>,
    /// From when on it counts no longer, as in 2030-01-31T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires_at: Option<Timestamp>,
}

const COLUMNS: &[&str] = &["client_key", "name", "enabled", "expires_at", "created_at"];
/// How many are read at once.
const PAGE: u64 = 500;

pub(super) async fn run(command: ApiClientCommand, loaded: Loaded, out: Output) -> Result<(), Failure> {
    Session::with(loaded, out, async |session| act(&session.ctx(None).await?, command, out).await).await
}

async fn act(ctx: &Ctx<'_>, command: ApiClientCommand, out: Output) -> Result<(), Failure> {
    match command {
        ApiClientCommand::Create(args) => {
            let allowed = AllowLists { origins: args.origins, networks: args.networks, paths: args.paths };
            let new = NewApiClient { name: args.name, expires_at: args.expires_at, allowed };
            let made = api_clients::create(ctx, new).await?;
            out.record(&details(keys(&made.client, Some(made.secret.expose())), &made.client))
        }
        ApiClientCommand::List => list(ctx, out).await,
        ApiClientCommand::Rotate { client_key, overlap } => {
            let rotated = api_clients::rotate(ctx, &client_key, overlap).await;
            let rotated = rotated.map_err(|error| named(error, &client_key))?;
            let until = rotated.client.previous_secret.map(|(_, until)| until.rfc3339());
            out.record(&keys(&rotated.client, Some(rotated.secret.expose())).with("previous_works_until", until))
        }
        ApiClientCommand::Disable { client_key } => set_enabled(ctx, &client_key, false, out).await,
        ApiClientCommand::Enable { client_key } => set_enabled(ctx, &client_key, true, out).await,
    }
}

async fn list(ctx: &Ctx<'_>, out: Output) -> Result<(), Failure> {
    let mut listing = out.listing(COLUMNS);
    let mut after = None;
    loop {
        let found = api_clients::list(ctx, after, PAGE).await?;
        listing.page(&found.iter().map(|client| details(keys(client, None), client)).collect::<Vec<_>>())?;
        match found.last() {
            Some(last) => after = Some(last.id),
            None => return listing.end(),
        }
    }
}

async fn set_enabled(ctx: &Ctx<'_>, client_key: &str, enabled: bool, out: Output) -> Result<(), Failure> {
    let change = ApiClientChange { enabled: Some(enabled), ..ApiClientChange::default() };
    let changed = api_clients::update(ctx, client_key, change).await.map_err(|error| named(error, &client_key))?;
    out.record(&details(keys(&changed, None), &changed))
}

fn keys(client: &ApiClient, secret: Option<&String>) -> Record {
    let record = Record::default().with("client_key", client.client_key.as_str());
    match secret {
        Some(secret) => record.with("api_key", secret.as_str()),
        None => record,
    }
}

fn details(record: Record, client: &ApiClient) -> Record {
    record
        .with("id", client.id.to_string())
        .with("name", client.name.as_str())
        .with("enabled", client.enabled)
        .with("allow_ips", client.networks.iter().map(ToString::to_string).collect::<Vec<_>>())
        .with("allow_origins", client.origins.clone())
        .with("allow_paths", client.paths.clone())
        .with("expires_at", client.expires_at.map(Timestamp::rfc3339))
        .with("created_at", client.created_at.rfc3339())
}

//! `gatehouse connection`: providers elsewhere by whom people sign in here.

mod add;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::output::Output;
use super::record::Record;
use super::session::{Session, named};
use super::user::Of;
use crate::config::Loaded;
use crate::domain::access::Powers;
use crate::domain::connections::{self, ConnectionChange};
use crate::domain::{Ctx, organizations};
use crate::model::connection::{Connection, Provider};
use crate::model::ids::ConnectionId;
use crate::protocol::upstream;

/// `gatehouse connection …`
#[derive(Subcommand)]
pub(super) enum ConnectionCommand {
    /// Add an OpenID provider; prints where it must send people back to
    AddOidc(Box<add::OidcArgs>),
    /// Add a provider that knows OAuth 2 and no more; prints where it must send people back to
    #[command(name = "add-oauth2")]
    AddOAuth2(Box<add::OAuth2Args>),
    /// Add a workspace's SAML provider; prints what it must know of us
    AddSaml(Box<add::SamlArgs>),
    /// List the connections of a tenant
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Find out what stands in the way of signing in by a connection
    Test {
        #[command(flatten)]
        which: Which,
    },
    /// Let people in by it again
    Enable {
        #[command(flatten)]
        which: Which,
    },
    /// Let nobody in by it, also who is under way
    Disable {
        #[command(flatten)]
        which: Which,
    },
    /// Remove a connection; who was linked by it is no longer
    Remove {
        #[command(flatten)]
        which: Which,
    },
}

/// Which connection.
#[derive(Args)]
pub(super) struct Which {
    /// The connection's id, con_…
    connection_id: ConnectionId,
    #[command(flatten)]
    of: Of,
}

const COLUMNS: &[&str] = &["connection_id", "kind", "name", "enabled", "organization", "provider", "domains"];

pub(super) async fn run(command: ConnectionCommand, loaded: Loaded, out: Output) -> Result<(), Failure> {
    // What the arguments say is understood before anything is opened.
    let wish = match command {
        ConnectionCommand::AddOidc(args) => args.wish(out)?,
        ConnectionCommand::AddOAuth2(args) => args.wish(out)?,
        ConnectionCommand::AddSaml(args) => args.wish()?,
        other => return Session::with(loaded, out, async |session| act(session, other, out).await).await,
    };
    Session::with(loaded, out, async |session| add::run(session, wish, out).await).await
}

async fn act(session: &Session, command: ConnectionCommand, out: Output) -> Result<(), Failure> {
    match command {
        ConnectionCommand::AddOidc(_) | ConnectionCommand::AddOAuth2(_) | ConnectionCommand::AddSaml(_) => Ok(()),
        ConnectionCommand::List { of } => {
            let ctx = session.ctx(of.tenant).await?;
            let mut rows = Vec::new();
            for connection in connections::list(&ctx).await? {
                rows.push(details(&ctx, &connection).await?);
            }
            out.list(COLUMNS, &rows)
        }
        ConnectionCommand::Test { which } => test(session, which, out).await,
        ConnectionCommand::Enable { which } => set_enabled(session, which, true, out).await,
        ConnectionCommand::Disable { which } => set_enabled(session, which, false, out).await,
        ConnectionCommand::Remove { which } => {
            let (ctx, id) = (session.ctx(which.of.tenant).await?, which.connection_id);
            connections::remove(&ctx, id).await.map_err(|error| named(error, &id))?;
            out.record(&Record::default().with("connection_id", id.to_string()).with("removed", true))
        }
    }
}

async fn set_enabled(session: &Session, which: Which, enabled: bool, out: Output) -> Result<(), Failure> {
    let (ctx, id) = (session.ctx(which.of.tenant).await?, which.connection_id);
    let change = ConnectionChange { enabled: Some(enabled), ..ConnectionChange::default() };
    let changed = connections::update(&ctx, &Powers::operator(), id, change).await;
    out.record(&details(&ctx, &changed.map_err(|error| named(error, &id))?).await?)
}

/// Says what was looked at and what was found; nobody can sign in if anything is wrong.
async fn test(session: &Session, which: Which, out: Output) -> Result<(), Failure> {
    let (ctx, id) = (session.ctx(which.of.tenant).await?, which.connection_id);
    let connection = connections::find(&ctx, id).await.map_err(|error| named(error, &id))?;
    let findings = upstream::trial(&ctx, &connection).await?;
    let row = |finding: &upstream::Finding| {
        let verdict = if finding.fine { "ok" } else { "wrong" };
        Record::default().with("what", finding.what).with("verdict", verdict).with("found", finding.detail.as_str())
    };
    out.list(&["what", "verdict", "found"], &findings.iter().map(row).collect::<Vec<_>>())?;
    let wrong = findings.iter().filter(|finding| !finding.fine).count();
    if wrong == 0 { Ok(()) } else { Err(Failure::Refused(format!("{wrong} of {} is wrong", findings.len()))) }
}

/// What there is to say about a connection; never its secret.
async fn details(ctx: &Ctx<'_>, connection: &Connection) -> Result<Record, Failure> {
    let organization = match connection.organization {
        Some(id) => Some(organizations::find(ctx, id).await?.slug),
        None => None,
    };
    let (provider, callback) = match &connection.provider {
        Provider::Oidc(oidc) => (&oidc.issuer, Some(upstream::callback(ctx, connection.id))),
        Provider::OAuth2(plain) => (&plain.authorization_endpoint, Some(upstream::callback(ctx, connection.id))),
        Provider::Saml(saml) => (&saml.entity_id, None),
    };
    let saml_metadata = connection.organization.filter(|_| callback.is_none());
    let saml_metadata = saml_metadata.map(|id| format!("{}/api/sso/saml/metadata/{}", ctx.tenant.issuer, id.uuid()));
    Ok(Record::default()
        .with("connection_id", connection.id.to_string())
        .with("kind", connection.provider.kind().as_str())
        .with("name", connection.name.as_str())
        .with("enabled", connection.enabled)
        .with("organization", organization)
        .with("provider", provider.as_str())
        .with("redirect_uri", callback)
        .with("metadata", saml_metadata)
        .with("domains", connection.domains.clone())
        .with("just_in_time", connection.settings.just_in_time)
        .with("created_at", connection.created_at.rfc3339()))
}

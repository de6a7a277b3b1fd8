//! `gatehouse tenant`: separate spaces of users, clients and keys.

mod update;

use std::time::Duration;

use clap::Subcommand;

use super::failure::Failure;
use super::names::{one_of, overlap};
use super::output::Output;
use super::record::Record;
use super::session::Session;
use crate::config::Loaded;
use crate::domain::{Origin, tenants};
use crate::model::audit::Actor;
use crate::model::ids::TenantId;
use crate::model::page::PageNumber;
use crate::model::tenant::{Tenant, TenantKeyKind};

/// `gatehouse tenant …`
#[derive(Subcommand)]
pub(super) enum TenantCommand {
    /// Make a tenant; prints its keys, the secret one for the only time
    Create {
        /// Its name, for people to read
        #[arg(long)]
        name: String,
    },
    /// List all tenants
    List,
    /// Change a tenant's name and settings; what is not named stays
    Update(Box<update::UpdateArgs>),
    /// Make a token that opens client registration where it takes one; prints it for the only time
    InitialAccessToken(update::TokenArgs),
    /// Replace a key of a tenant; prints the new one for the only time
    RotateKey {
        /// The tenant, tnt_…
        tenant: TenantId,
        /// Which of its two keys
        #[arg(long, value_parser = one_of!(TenantKeyKind), default_value = "secret")]
        kind: TenantKeyKind,
        /// For how long the old key goes on working: 0, 30m, 24h, 7d
        #[arg(long, value_name = "TIME", value_parser = overlap, default_value = "24h")]
        overlap: Duration,
    },
}

const COLUMNS: &[&str] = &["id", "name", "public_key", "enabled", "created_at"];
/// How many are read at once.
const PAGE: u64 = 500;

pub(super) async fn run(command: TenantCommand, loaded: Loaded, out: Output) -> Result<(), Failure> {
    // What the arguments say is understood before anything is opened.
    let command = match command {
        TenantCommand::Update(args) => {
            let (tenant, mend) = update::wish(*args)?;
            return Session::with(loaded, out, async |session| update::run(session, tenant, mend, out).await).await;
        }
        other => other,
    };
    Session::with(loaded, out, async |session| match command {
        TenantCommand::Create { name } => create(session, &name, out).await,
        TenantCommand::List => list(session, out).await,
        TenantCommand::Update(_) => Ok(()), // done before
        TenantCommand::InitialAccessToken(args) => update::initial_access_token(session, args, out).await,
        TenantCommand::RotateKey { tenant, kind, overlap } => rotate_key(session, tenant, kind, overlap, out).await,
    })
    .await
}

async fn create(session: &Session, name: &str, out: Output) -> Result<(), Failure> {
    let made = tenants::create(&session.core, Actor::Operator, Origin::default(), name).await?;
    let live = tenants::live(&session.core, made.tenant.id).await?;
    out.record(
        &Record::default()
            .with("id", made.tenant.id.to_string())
            .with_alias("tenant_id", made.tenant.id.to_string())
            .with("name", made.tenant.name)
            .with("public_key", made.public_key)
            .with("secret_key", made.secret_key.expose().as_str())
            .with("issuer", live.issuer.as_str())
            .with("created_at", made.tenant.created_at.rfc3339()),
    )
}

async fn list(session: &Session, out: Output) -> Result<(), Failure> {
    let mut listing = out.listing(COLUMNS);
    let mut page = PageNumber { page: 1, per_page: PAGE };
    loop {
        let found = tenants::list(&session.core, page).await?;
        let mut rows = Vec::new();
        for (tenant, public_key) in &found.rows {
            rows.push(record(session, tenant, public_key.clone()).await?);
        }
        listing.page(&rows)?;
        if page.window().offset + PAGE >= found.total {
            return listing.end();
        }
        page.page += 1;
    }
}

async fn record(session: &Session, tenant: &Tenant, public_key: Option<String>) -> Result<Record, Failure> {
    let issuer =
        if tenant.enabled { Some(tenants::live(&session.core, tenant.id).await?.issuer.clone()) } else { None };
    Ok(Record::default()
        .with("id", tenant.id.to_string())
        .with_alias("tenant_id", tenant.id.to_string())
        .with("name", tenant.name.as_str())
        .with("public_key", public_key)
        .with("issuer", issuer)
        .with("is_default", tenant.is_default)
        .with("enabled", tenant.enabled)
        .with("created_at", tenant.created_at.rfc3339()))
}

async fn rotate_key(
    session: &Session,
    tenant: TenantId,
    kind: TenantKeyKind,
    overlap: Duration,
    out: Output,
) -> Result<(), Failure> {
    let ctx = session.ctx(Some(tenant)).await?;
    let key = tenants::rotate_key(&ctx, kind, overlap).await?;
    let name = match kind {
        TenantKeyKind::Public => "public_key",
        TenantKeyKind::Secret => "secret_key",
    };
    out.record(
        &Record::default()
            .with("id", tenant.to_string())
            .with_alias("tenant_id", tenant.to_string())
            .with("kind", kind.as_str())
            .with(name, key.expose().as_str())
            .with("previous_works_until", (ctx.now() + overlap).rfc3339()),
    )
}

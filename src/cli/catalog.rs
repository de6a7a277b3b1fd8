//! `gatehouse catalog`: systems with modules, companies with sites.

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::names::one_of;
use super::output::{Listing, Output};
use super::record::Record;
use super::session::{Session, named};
use crate::config::Loaded;
use crate::domain::catalogue::{self, Entry, EntryChange, NewEntry};
use crate::domain::organizations::{self, NewOrganization, OrganizationChange};
use crate::domain::{Ctx, DomainError, Noun};
use crate::model::catalogue::{EntryKind as Kind, Module, Site, System};
use crate::model::organization::Organization;
use crate::model::page::{Counted, Window};

/// `gatehouse catalog …`
#[derive(Subcommand)]
pub(super) enum CatalogCommand {
    /// Add a system; prints its key
    AddSystem {
        #[command(flatten)]
        entry: EntryArgs,
    },
    /// Add a module to a system; prints its key
    AddModule {
        /// The system's key, ST…
        #[arg(long, value_name = "KEY")]
        system: String,
        #[command(flatten)]
        entry: EntryArgs,
    },
    /// Add a company, which is a workspace too; prints its key
    AddCompany {
        /// Its name, for people to read
        #[arg(long)]
        name: String,
        /// Its short name, which grants may use too [default: made from the name]
        #[arg(long)]
        slug: Option<String>,
        /// What it has subscribed to [default: free]
        #[arg(long)]
        plan: Option<String>,
    },
    /// Add a site to a company; prints its key
    AddSite {
        /// The company's key, CP…
        #[arg(long, value_name = "KEY")]
        company: String,
        #[command(flatten)]
        entry: EntryArgs,
    },
    /// List the catalogue
    List {
        /// Only these
        #[arg(long, value_parser = one_of!(Kind))]
        kind: Option<Kind>,
    },
    /// Have an entry contribute nothing to any decision
    Disable {
        /// Its key
        key: String,
    },
    /// Have a disabled entry contribute again
    Enable {
        /// Its key
        key: String,
    },
}

/// What systems, modules and sites have in common.
#[derive(Args)]
pub(super) struct EntryArgs {
    /// Its name, for people to read
    #[arg(long)]
    name: String,
    /// What people who write grants by hand call it
    #[arg(long)]
    code: Option<String>,
}

impl EntryArgs {
    fn wish(&self) -> NewEntry<'_> {
        NewEntry { name: &self.name, code: self.code.as_deref() }
    }
}

const COLUMNS: &[&str] = &["kind", "key", "name", "code", "of", "status"];
/// How many are read at once.
const PAGE: u64 = 500;

pub(super) async fn run(command: CatalogCommand, loaded: Loaded, out: Output) -> Result<(), Failure> {
    Session::with(loaded, out, async |session| act(&session.ctx(None).await?, command, out).await).await
}

async fn act(ctx: &Ctx<'_>, command: CatalogCommand, out: Output) -> Result<(), Failure> {
    match command {
        CatalogCommand::AddSystem { entry } => {
            let made = catalogue::add_system(ctx, entry.wish()).await?;
            out.record(&system(made))
        }
        CatalogCommand::AddModule { system: key, entry } => {
            let of = catalogue::find_by_key::<System>(ctx, &key).await.map_err(|error| named(error, &key))?;
            let made = catalogue::add_module(ctx, of.id, entry.wish()).await?;
            out.record(&module((made, of.key)))
        }
        CatalogCommand::AddCompany { name, slug, plan } => {
            let new = NewOrganization { name: &name, slug: slug.as_deref(), plan: plan.as_deref() };
            out.record(&company(organizations::create(ctx, &new).await?))
        }
        CatalogCommand::AddSite { company: key, entry } => {
            let of = organizations::find_by_key(ctx, &key).await.map_err(|error| no_company(error, &key))?;
            let made = catalogue::add_site(ctx, of.id, entry.wish()).await?;
            out.record(&site((made, of.key)))
        }
        CatalogCommand::List { kind } => list(ctx, kind, out).await,
        CatalogCommand::Disable { key } => set_enabled(ctx, &key, false, out).await,
        CatalogCommand::Enable { key } => set_enabled(ctx, &key, true, out).await,
    }
}

/// An organization is a company here.
fn no_company(error: DomainError, key: &str) -> Failure {
    match error {
        DomainError::NotFound(Noun::Organization) => Failure::Refused(format!("no such company: {key}")),
        other => other.into(),
    }
}

async fn list(ctx: &Ctx<'_>, kind: Option<Kind>, out: Output) -> Result<(), Failure> {
    let mut listing = out.listing(COLUMNS);
    let wanted = |one: Kind| kind.is_none_or(|kind| kind == one);
    if wanted(Kind::System) {
        pages(&mut listing, async |window| catalogue::systems(ctx, window).await, system).await?;
    }
    if wanted(Kind::Module) {
        pages(&mut listing, async |window| catalogue::modules(ctx, None, window).await, module).await?;
    }
    if wanted(Kind::Company) {
        pages(&mut listing, async |window| organizations::search(ctx, None, window).await, company).await?;
    }
    if wanted(Kind::Site) {
        pages(&mut listing, async |window| catalogue::sites(ctx, None, window).await, site).await?;
    }
    listing.end()
}

async fn pages<T>(
    listing: &mut Listing,
    read: impl AsyncFn(Window) -> Result<Counted<T>, DomainError>,
    record: impl Fn(T) -> Record,
) -> Result<(), Failure> {
    let mut window = Window { limit: PAGE, offset: 0 };
    loop {
        let found = read(window).await?;
        listing.page(&found.rows.into_iter().map(&record).collect::<Vec<_>>())?;
        window.offset += PAGE;
        if window.offset >= found.total {
            return Ok(());
        }
    }
}

/// Systems and sites share their letters, and no two entries a key.
async fn set_enabled(ctx: &Ctx<'_>, key: &str, enabled: bool, out: Output) -> Result<(), Failure> {
    if let Some(changed) = switched::<System>(ctx, key, enabled).await? {
        return out.record(&system(changed));
    }
    if let Some(changed) = switched::<Site>(ctx, key, enabled).await? {
        let of = organizations::find(ctx, changed.organization).await?;
        return out.record(&site((changed, of.key)));
    }
    if let Some(changed) = switched::<Module>(ctx, key, enabled).await? {
        let of = catalogue::find::<System>(ctx, changed.system).await?;
        return out.record(&module((changed, of.key)));
    }
    let found = organizations::find_by_key(ctx, key).await.map_err(|error| match error {
        DomainError::NotFound(Noun::Organization) => Failure::Refused(format!("nothing has the key {key}")),
        other => other.into(),
    })?;
    let change = OrganizationChange { enabled: Some(enabled), ..OrganizationChange::default() };
    out.record(&company(organizations::update(ctx, found.id, &change).await?))
}

async fn switched<E: Entry>(ctx: &Ctx<'_>, key: &str, enabled: bool) -> Result<Option<E>, Failure> {
    let found = match catalogue::find_by_key::<E>(ctx, key).await {
        Ok(found) => found,
        Err(DomainError::NotFound(_)) => return Ok(None),
        Err(other) => return Err(other.into()),
    };
    let change = EntryChange { enabled: Some(enabled), ..EntryChange::default() };
    Ok(Some(catalogue::change::<E>(ctx, found.id(), &change).await?))
}

/// What every entry is printed with; the key also under the name that it has on the wire.
fn entry(kind: Kind, wire: &'static str, id: uuid::Uuid, key: String, name: String, enabled: bool) -> Record {
    Record::default()
        .with("kind", kind.as_str())
        .with("key", key.as_str())
        .with_alias(wire, key)
        .with("id", id.to_string())
        .with("name", name)
        .with("status", if enabled { "active" } else { "inactive" })
}

fn system(system: System) -> Record {
    let System { id, key, code, name, enabled, created_at } = system;
    let record = entry(Kind::System, "system_key", id.uuid(), key, name, enabled);
    record.with("code", code).with("created_at", created_at.rfc3339())
}

fn module((module, system_key): (Module, String)) -> Record {
    let Module { id, key, code, system: _, name, enabled, created_at } = module;
    let record = entry(Kind::Module, "module_key", id.uuid(), key, name, enabled).with("code", code);
    record.with("of", system_key.as_str()).with_alias("system_key", system_key).with("created_at", created_at.rfc3339())
}

fn company(company: Organization) -> Record {
    let record = entry(Kind::Company, "company_key", company.id.uuid(), company.key, company.name, company.enabled);
    let record = record.with("code", company.slug.as_str()).with_alias("slug", company.slug);
    record.with("plan", company.plan).with("created_at", company.created_at.rfc3339())
}

fn site((site, company_key): (Site, String)) -> Record {
    let Site { id, key, code, organization: _, name, enabled, created_at } = site;
    let record = entry(Kind::Site, "site_key", id.uuid(), key, name, enabled).with("code", code);
    record
        .with("of", company_key.as_str())
        .with_alias("company_key", company_key)
        .with("created_at", created_at.rfc3339())
}

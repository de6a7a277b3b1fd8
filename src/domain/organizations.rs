//! Organizations: made, found, changed. A workspace of `workspace.md` and a company of `handoff.md` are one.

use super::ctx::Ctx;
use super::error::{DomainError, Invalid, Noun};
use super::users::invalid;
use crate::model::audit::Outcome;
use crate::model::catalogue::{self, KeyKind};
use crate::model::ids::OrganizationId;
use crate::model::organization::{Organization, Slug};
use crate::model::page::{Counted, Window};
use crate::model::text::DisplayName;
use crate::model::time::Timestamp;
use crate::storage::scoped_grants::{self, Named};
use crate::storage::{StorageError, TenantTx, catalogue_numbers, organizations};

/// What an organization has subscribed to unless somebody said otherwise.
pub const PLAN: &str = "free";
/// The longest name of a plan, in bytes.
const LONGEST_PLAN: usize = 64;

/// An organization that is to be made.
#[derive(Clone, Debug, Default)]
pub struct NewOrganization<'a> {
    /// For people to read.
    pub name: &'a str,
    /// Its short name; made from the name if there is none.
    pub slug: Option<&'a str>,
    /// What it has subscribed to.
    pub plan: Option<&'a str>,
}

/// What is to change about an organization; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct OrganizationChange {
    /// For people to read.
    pub name: Option<String>,
    /// Its short name.
    pub slug: Option<String>,
    /// What it has subscribed to.
    pub plan: Option<String>,
    /// Whether it contributes to decisions.
    pub enabled: Option<bool>,
}

/// An organization as it will be, but for its key and, if none was given, its slug: those are settled
/// in the transaction.
#[derive(Clone)]
pub(super) struct Draft {
    organization: Organization,
    slug_is_given: bool,
}

impl Draft {
    /// Reads what is wanted.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] names the field.
    pub(super) fn prepare(ctx: &Ctx<'_>, new: &NewOrganization<'_>) -> Result<Self, DomainError> {
        let name: DisplayName = new.name.parse().map_err(invalid("name"))?;
        let given: Option<Slug> = new.slug.map(str::parse).transpose().map_err(invalid("slug"))?;
        let slug_is_given = given.is_some();
        let slug = given.unwrap_or_else(|| Slug::of_name(name.as_str()));
        let now = ctx.now();
        let organization = Organization {
            tenant: ctx.tenant_id(),
            id: OrganizationId::from_uuid(ctx.core.entropy.uuid_v7(now)),
            key: String::new(),
            slug: slug.as_str().to_owned(),
            name: name.as_str().to_owned(),
            plan: plan(new.plan.unwrap_or(PLAN))?,
            enabled: true,
            created_at: now,
            updated_at: now,
        };
        Ok(Self { organization, slug_is_given })
    }

    /// Its id.
    pub(super) const fn id(&self) -> OrganizationId {
        self.organization.id
    }

    /// Writes it, with a key of its own.
    ///
    /// # Errors
    /// [`DomainError::Taken`] for a slug that was given; or the database is unavailable.
    pub(super) async fn insert(&self, tx: &TenantTx<'_>) -> Result<Organization, DomainError> {
        let mut made = self.organization.clone();
        if organizations::find_by_slug(tx, &made.slug).await?.is_some() {
            if self.slug_is_given {
                return Err(DomainError::Taken(Noun::Slug));
            }
            made.slug = Slug::of_name(&made.slug).with_suffix(made.id).as_str().to_owned();
        }
        made.key = next_key(tx, KeyKind::Company, made.created_at).await?;
        organizations::insert(tx, &made).await.map_err(taken)?;
        link(tx, &made).await?;
        Ok(made)
    }
}

/// Links the grants that wait for it, by its key or its slug.
pub(super) async fn link(tx: &TenantTx<'_>, made: &Organization) -> Result<(), StorageError> {
    scoped_grants::link(tx, Named::Company(made.id), &made.key, &[&made.key, &made.slug]).await
}

fn taken(error: StorageError) -> DomainError {
    match error {
        StorageError::Duplicate(_) => DomainError::Taken(Noun::Slug),
        other => other.into(),
    }
}

pub(super) fn plan(text: &str) -> Result<String, Invalid> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if text.is_empty() || text.len() > LONGEST_PLAN || !text.bytes().all(fine) {
        return Err(Invalid::new("plan", format!("must be 1 to {LONGEST_PLAN} letters, digits, dots, - and _")));
    }
    Ok(text.to_owned())
}

/// A catalogue key that nothing else ever had: the letters of the kind, the day, a number.
///
/// # Errors
/// The database is unavailable.
pub(super) async fn next_key(tx: &TenantTx<'_>, kind: KeyKind, at: Timestamp) -> Result<String, StorageError> {
    let prefix = kind.prefix(at);
    Ok(catalogue::key(&prefix, catalogue_numbers::draw(tx, &prefix).await?))
}

/// Makes an organization that nobody belongs to yet.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::Taken`] for the slug; or the database is
/// unavailable.
pub async fn create(ctx: &Ctx<'_>, new: &NewOrganization<'_>) -> Result<Organization, DomainError> {
    let draft = Draft::prepare(ctx, new)?;
    let target = format!("organization:{}", draft.organization.id);
    let entry = ctx.audit("organization.create", Some(target), Outcome::Success, None);
    ctx.core
        .db
        .write((draft, entry), |tx, (draft, entry)| {
            Box::pin(async move {
                let made = draft.insert(&tx.of(draft.organization.tenant)).await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(made)
            })
        })
        .await
}

/// The organization of this id.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find(ctx: &Ctx<'_>, id: OrganizationId) -> Result<Organization, DomainError> {
    let found = organizations::find(&ctx.core.db.read().of(ctx.tenant_id()), id).await?;
    found.ok_or(DomainError::NotFound(Noun::Organization))
}

/// The organization of this key, `CP…`.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find_by_key(ctx: &Ctx<'_>, key: &str) -> Result<Organization, DomainError> {
    let found = organizations::find_by_key(&ctx.core.db.read().of(ctx.tenant_id()), key).await?;
    found.ok_or(DomainError::NotFound(Noun::Organization))
}

/// The organization of this short name.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find_by_slug(ctx: &Ctx<'_>, slug: &str) -> Result<Organization, DomainError> {
    let found = organizations::find_by_slug(&ctx.core.db.read().of(ctx.tenant_id()), slug).await?;
    found.ok_or(DomainError::NotFound(Noun::Organization))
}

/// At most `limit` organizations after `after`, in the order in which they were made.
///
/// # Errors
/// The database is unavailable.
pub async fn list(
    ctx: &Ctx<'_>,
    keyword: Option<&str>,
    after: Option<OrganizationId>,
    limit: u64,
) -> Result<Vec<Organization>, DomainError> {
    Ok(organizations::list_after(&ctx.core.db.read().of(ctx.tenant_id()), keyword, after, limit).await?)
}

/// Part of the organizations whose name or key holds a text, in the order in which they were made; and how many
/// there are in all.
///
/// # Errors
/// The database is unavailable.
pub async fn search(
    ctx: &Ctx<'_>,
    keyword: Option<&str>,
    window: Window,
) -> Result<Counted<Organization>, DomainError> {
    Ok(organizations::search(&ctx.core.db.read().of(ctx.tenant_id()), keyword, window).await?)
}

/// Changes an organization.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::Invalid`] names the field; [`DomainError::Taken`] for the
/// slug; or the database is unavailable.
pub async fn update(
    ctx: &Ctx<'_>,
    id: OrganizationId,
    change: &OrganizationChange,
) -> Result<Organization, DomainError> {
    let name: Option<DisplayName> = change.name.as_deref().map(str::parse).transpose().map_err(invalid("name"))?;
    let slug: Option<Slug> = change.slug.as_deref().map(str::parse).transpose().map_err(invalid("slug"))?;
    let plan = change.plan.as_deref().map(plan).transpose()?;
    let entry = ctx.audit("organization.update", Some(format!("organization:{id}")), Outcome::Success, None);
    let input = (ctx.tenant_id(), id, name, slug, plan, change.enabled, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, id, name, slug, plan, enabled, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let found = organizations::find_for_update(&of, *id).await?;
                let mut organization = found.ok_or(DomainError::NotFound(Noun::Organization))?;
                let new_slug = slug.as_ref().map(Slug::as_str).filter(|slug| *slug != organization.slug);
                if let Some(name) = name {
                    name.as_str().clone_into(&mut organization.name);
                }
                if let Some(slug) = slug {
                    let owner = organizations::find_by_slug(&of, slug.as_str()).await?;
                    if owner.is_some_and(|owner| owner.id != *id) {
                        return Err(DomainError::Taken(Noun::Slug));
                    }
                    slug.as_str().clone_into(&mut organization.slug);
                }
                if let Some(plan) = plan {
                    organization.plan.clone_from(plan);
                }
                organization.enabled = enabled.unwrap_or(organization.enabled);
                organization.updated_at = *now;
                organizations::update(&of, &organization).await.map_err(taken)?;
                if let Some(slug) = new_slug {
                    scoped_grants::link(&of, Named::Company(*id), &organization.key, &[slug]).await?;
                }
                crate::storage::audit::append(tx, entry).await?;
                Ok(organization)
            })
        })
        .await
}

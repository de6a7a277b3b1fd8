//! Who belongs to which organization, as what. Every change locks the organization's row first, so that
//! of two owners who leave at once one stays.

use uuid::Uuid;

use super::core::Core;
use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use super::organizations::{Draft, NewOrganization};
use super::users::invalid;
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::ids::{MembershipId, OrganizationId, TenantId, UserId};
use crate::model::organization::{Membership, MembershipRole, Organization};
use crate::model::text::DisplayName;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::storage::{self, StorageError, TenantTx, memberships, organizations, users};

/// Somebody in an organization of theirs.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Which one.
    pub organization: Organization,
    /// What they are there.
    pub membership: Membership,
}

/// Who looks after the members of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// One of them, as far as what they are there reaches.
    Member(UserId),
    /// Whoever administers the tenant: like an owner.
    Administrator,
}

/// What a keeper may hand out and take at this moment, at most; nobody else changes the members until the
/// transaction ends.
///
/// # Errors
/// [`DomainError::NotFound`] for an organization that is gone, disabled, or none of the keeper's; or the
/// database is unavailable.
async fn reach(tx: &TenantTx<'_>, by: Keeper, id: OrganizationId) -> Result<MembershipRole, DomainError> {
    let unknown = DomainError::NotFound(Noun::Organization);
    let organization = organizations::find_for_update(tx, id).await?;
    match by {
        Keeper::Administrator => organization.map(|_| MembershipRole::Owner).ok_or(unknown),
        Keeper::Member(user) => {
            let Some(_) = organization.filter(|organization| organization.enabled) else { return Err(unknown) };
            memberships::find(tx, id, user).await?.map(|own| own.role).ok_or(unknown)
        }
    }
}

/// The same for who looks after members at all.
///
/// # Errors
/// As [`reach`]; [`DomainError::NotAllowed`] for a plain member.
pub(super) async fn keeper(tx: &TenantTx<'_>, by: Keeper, id: OrganizationId) -> Result<MembershipRole, DomainError> {
    let reach = reach(tx, by, id).await?;
    require_keeper(reach).map(|()| reach)
}

/// Whether somebody who is this looks after members.
///
/// # Errors
/// [`DomainError::NotAllowed`].
pub(super) const fn require_keeper(role: MembershipRole) -> Result<(), DomainError> {
    if role.reaches(MembershipRole::Admin) {
        return Ok(());
    }
    Err(DomainError::NotAllowed("it takes an owner or admin of the workspace"))
}

/// Whether somebody can hand out or take this.
///
/// # Errors
/// [`DomainError::NotAllowed`].
pub(super) const fn require(reach: MembershipRole, role: MembershipRole) -> Result<(), DomainError> {
    if reach.reaches(role) {
        return Ok(());
    }
    Err(DomainError::NotAllowed("nobody decides about a role above their own"))
}

/// The enabled organizations that a user belongs to, by name.
///
/// # Errors
/// The database is unavailable.
pub async fn of_user(core: &Core, tenant: TenantId, user: UserId) -> Result<Vec<Standing>, DomainError> {
    let found = memberships::of_user(&core.db.read().of(tenant), user).await?;
    Ok(found.into_iter().map(|(organization, membership)| Standing { organization, membership }).collect())
}

/// Which of their organizations a user is about: the one that they name by id or slug, else the one that
/// their token names, else the only one; `None` if that says nothing.
///
/// # Errors
/// The database is unavailable.
pub async fn standing(
    ctx: &Ctx<'_>,
    user: UserId,
    named: Option<&str>,
    claimed: Option<Uuid>,
) -> Result<Option<Standing>, DomainError> {
    let mut own = of_user(ctx.core, ctx.tenant_id(), user).await?;
    let id = |id: Uuid| move |standing: &Standing| standing.organization.id.uuid() == id;
    let place = match (named, claimed) {
        (Some(name), _) => match Uuid::try_parse(name).ok().filter(|_| name.len() == 36) {
            Some(uuid) => own.iter().position(id(uuid)),
            None => own.iter().position(|standing| standing.organization.slug == name),
        },
        (None, Some(claimed)) => own.iter().position(id(claimed)).or((own.len() == 1).then_some(0)),
        (None, None) => (own.len() == 1).then_some(0),
    };
    Ok(place.map(|place| own.swap_remove(place)))
}

/// At most `limit` members of an organization after `after`, who came first first.
///
/// # Errors
/// The database is unavailable.
pub async fn list(
    ctx: &Ctx<'_>,
    id: OrganizationId,
    after: Option<MembershipId>,
    limit: u64,
) -> Result<Vec<(Membership, User)>, DomainError> {
    let rows = ctx.core.db.read().of(ctx.tenant_id());
    Ok(memberships::of_organization_after(&rows, id, after, limit).await?)
}

/// A membership that is to begin at this moment.
pub(super) fn draft(ctx: &Ctx<'_>, organization: OrganizationId, user: UserId, role: MembershipRole) -> Membership {
    let now = ctx.now();
    let id = MembershipId::from_uuid(ctx.core.entropy.uuid_v7(now));
    Membership { id, organization, user, role, created_at: now }
}

/// Writes it.
///
/// # Errors
/// [`DomainError::Taken`] for who belongs to it already; or the database is unavailable.
pub(super) async fn insert(tx: &TenantTx<'_>, membership: &Membership) -> Result<(), DomainError> {
    memberships::insert(tx, membership).await.map_err(|error| match error {
        StorageError::Duplicate(_) => DomainError::Taken(Noun::Membership),
        other => other.into(),
    })?;
    Ok(tx.changed(ChangeKind::User, &membership.user.to_string()).await?)
}

/// Makes an organization whose owner is this user.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::Taken`] for the slug; or the database is
/// unavailable.
pub async fn found(ctx: &Ctx<'_>, user: UserId, new: &NewOrganization<'_>) -> Result<Standing, DomainError> {
    let draft = Draft::prepare(ctx, new)?;
    let membership = self::draft(ctx, draft.id(), user, MembershipRole::Owner);
    let target = format!("organization:{}", draft.id());
    let entry = ctx.audit("organization.create", Some(target), Outcome::Success, None);
    ctx.core
        .db
        .write((ctx.tenant_id(), draft, membership, entry), |tx, (tenant, draft, membership, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let organization = draft.insert(&of).await?;
                insert(&of, membership).await?;
                storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(Standing { organization, membership: membership.clone() })
            })
        })
        .await
}

/// Gives an organization another name.
///
/// # Errors
/// [`DomainError::Invalid`] about `name`; [`DomainError::NotFound`]; [`DomainError::NotAllowed`]; or the
/// database is unavailable.
pub async fn rename(ctx: &Ctx<'_>, by: Keeper, id: OrganizationId, name: &str) -> Result<Organization, DomainError> {
    let name: DisplayName = name.parse().map_err(invalid("name"))?;
    let entry = ctx.audit("organization.update", Some(format!("organization:{id}")), Outcome::Success, None);
    ctx.core
        .db
        .write((ctx.tenant_id(), by, id, name, ctx.now(), entry), |tx, (tenant, by, id, name, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                keeper(&of, *by, *id).await?;
                let found = organizations::find(&of, *id).await?.ok_or(DomainError::NotFound(Noun::Organization))?;
                let changed = Organization { name: name.as_str().to_owned(), updated_at: *now, ..found };
                organizations::update(&of, &changed).await?;
                storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(changed)
            })
        })
        .await
}

/// Makes a user a member.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::NotAllowed`]; [`DomainError::Taken`] for who is one already;
/// or the database is unavailable.
pub async fn add(
    ctx: &Ctx<'_>,
    by: Keeper,
    organization: OrganizationId,
    user: UserId,
    role: MembershipRole,
) -> Result<Membership, DomainError> {
    let membership = draft(ctx, organization, user, role);
    let detail = Some(format!("organization:{organization} user:{user} {role}"));
    let entry = ctx.audit("membership.create", Some(format!("membership:{}", membership.id)), Outcome::Success, detail);
    ctx.core
        .db
        .write((ctx.tenant_id(), by, membership, entry), |tx, (tenant, by, membership, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                require(keeper(&of, *by, membership.organization).await?, membership.role)?;
                users::find(&of, membership.user).await?.ok_or(DomainError::NotFound(Noun::User))?;
                insert(&of, membership).await?;
                storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(membership.clone())
            })
        })
        .await
}

/// The membership of this id, or of the user of this id.
async fn member(tx: &TenantTx<'_>, organization: OrganizationId, id: Uuid) -> Result<Membership, DomainError> {
    let found = match memberships::find_by_id(tx, organization, MembershipId::from_uuid(id)).await? {
        None => memberships::find(tx, organization, UserId::from_uuid(id)).await?,
        found => found,
    };
    found.ok_or(DomainError::NotFound(Noun::Membership))
}

/// Why the last owner stays one.
const LAST_OWNER: &str = "the last owner of a workspace stays one until somebody else is";

/// That an organization still has an owner after a change.
async fn still_owned(tx: &TenantTx<'_>, before: &Membership) -> Result<(), DomainError> {
    let was_owner = before.role == MembershipRole::Owner;
    if was_owner && memberships::count_of_role(tx, before.organization, MembershipRole::Owner).await? == 0 {
        return Err(DomainError::Conflict(LAST_OWNER));
    }
    Ok(())
}

/// What follows from a member being less than before: what they have sent out as that is taken back.
async fn lowered(tx: &TenantTx<'_>, before: &Membership, now: Timestamp) -> Result<(), DomainError> {
    let sender = invited_by(before.user);
    storage::invitations::withdraw_by(tx, before.organization, &sender, now).await?;
    Ok(tx.changed(ChangeKind::User, &before.user.to_string()).await?)
}

/// How an invitation names the user who sent it.
pub(super) fn invited_by(user: UserId) -> String {
    format!("user:{user}")
}

/// Makes a member, named by the id of the membership or of the user, something else.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::NotAllowed`] for a role above the keeper's own, held or
/// wanted; [`DomainError::Conflict`] for the last owner; or the database is unavailable.
pub async fn set_role(
    ctx: &Ctx<'_>,
    by: Keeper,
    organization: OrganizationId,
    id: Uuid,
    role: MembershipRole,
) -> Result<(Membership, User), DomainError> {
    let detail = Some(format!("organization:{organization} {role}"));
    let entry = ctx.audit("membership.update", Some(format!("membership:{id}")), Outcome::Success, detail);
    let input = (ctx.tenant_id(), by, organization, id, role, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, by, organization, id, role, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let reach = keeper(&of, *by, *organization).await?;
                let before = member(&of, *organization, *id).await?;
                require(reach, before.role)?;
                require(reach, *role)?;
                let user = users::find(&of, before.user).await?.ok_or(DomainError::NotFound(Noun::Membership))?;
                if before.role != *role {
                    memberships::set_role(&of, before.id, *role).await?;
                    still_owned(&of, &before).await?;
                    if before.role.reaches(*role) {
                        lowered(&of, &before, *now).await?;
                    }
                    storage::audit::append(tx, entry).await?;
                }
                Ok::<_, DomainError>((Membership { role: *role, ..before }, user))
            })
        })
        .await
}

/// Ends a membership, named by its id or the user's; anybody may end their own.
///
/// # Errors
/// As [`set_role`].
pub async fn remove(ctx: &Ctx<'_>, by: Keeper, organization: OrganizationId, id: Uuid) -> Result<(), DomainError> {
    let detail = Some(format!("organization:{organization}"));
    let entry = ctx.audit("membership.delete", Some(format!("membership:{id}")), Outcome::Success, detail);
    let input = (ctx.tenant_id(), by, organization, id, ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, by, organization, id, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let reach = reach(&of, *by, *organization).await?;
                let own = match by {
                    Keeper::Member(user) => memberships::find(&of, *organization, *user).await?,
                    Keeper::Administrator => None,
                };
                let leaving = own.filter(|own| own.id.uuid() == *id || own.user.uuid() == *id);
                let before = match &leaving {
                    Some(own) => own.clone(),
                    None => {
                        keeper(&of, *by, *organization).await?;
                        let other = member(&of, *organization, *id).await?;
                        require(reach, other.role)?;
                        other
                    }
                };
                memberships::delete(&of, before.id).await?;
                still_owned(&of, &before).await?;
                match leaving {
                    // Whom they asked in while they could is still welcome.
                    Some(_) => of.changed(ChangeKind::User, &before.user.to_string()).await?,
                    None => lowered(&of, &before, *now).await?,
                }
                storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(())
            })
        })
        .await
}

/// Ends all memberships of an account that is to be deleted, unless others would be left without an owner.
/// What somebody else deletes may not invite any more; who deletes their own meant it when they could.
///
/// # Errors
/// [`DomainError::Conflict`] for the last owner of who is left; or the database is unavailable.
pub(super) async fn end_all(
    tx: &TenantTx<'_>,
    user: UserId,
    by_themselves: bool,
    now: Timestamp,
) -> Result<(), DomainError> {
    for before in memberships::all_of_user(tx, user).await? {
        organizations::find_for_update(tx, before.organization).await?;
        memberships::delete(tx, before.id).await?;
        if memberships::has_any(tx, before.organization).await? {
            still_owned(tx, &before).await?;
        }
        if !by_themselves {
            lowered(tx, &before, now).await?;
        }
    }
    Ok(())
}

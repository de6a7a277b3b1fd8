//! Invitations into an organization. The secret of a link is made when its mail is sent; it joins only who
//! has the address that was asked, once.

use super::core::Core;
use super::ctx::Ctx;
use super::error::{DomainError, Noun};
use super::mail;
use super::memberships::{self, Keeper, Standing};
use super::users::invalid;
use crate::crypto::digest::Digest;
use crate::crypto::opaque::{self, TokenKind};
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::change::ChangeKind;
use crate::model::ids::{InvitationId, OrganizationId, TenantId, UserId};
use crate::model::mail::MailKind;
use crate::model::organization::{Invitation, Membership, MembershipRole, Organization};
use crate::model::secret::Secret;
use crate::model::text::{Email, canonical};
use crate::model::user::User;
use crate::storage::{self, TenantTx, organizations, users};

/// How many can be open at once in one organization: whoever may ask people in is no mailing list.
const MOST_OPEN: u64 = 1000;

const NO_LINK: DomainError = DomainError::NotFound(Noun::Link);

/// Asks whoever has this address into an organization, in place of what asked them before.
///
/// # Errors
/// [`DomainError::Invalid`] about `email`; [`DomainError::NotFound`]; [`DomainError::NotAllowed`] for who
/// can't, or not as that, or as what they were asked before; [`DomainError::Taken`] for a member;
/// [`DomainError::Conflict`] where a thousand are open; or the database is unavailable.
pub async fn invite(
    ctx: &Ctx<'_>,
    by: Keeper,
    organization: OrganizationId,
    email: &str,
    role: MembershipRole,
) -> Result<InvitationId, DomainError> {
    let email: Email = email.parse().map_err(invalid("email"))?;
    let now = ctx.now();
    let invited_by = match by {
        Keeper::Member(user) => memberships::invited_by(user),
        Keeper::Administrator => ctx.actor.describe(),
    };
    let invitation = Invitation {
        tenant: ctx.tenant_id(),
        id: InvitationId::from_uuid(ctx.core.entropy.uuid_v7(now)),
        organization,
        email: email.as_str().to_owned(),
        role,
        invited_by,
        created_at: now,
        expires_at: now + ctx.core.config.tokens.invitation_link,
        settled_at: None,
    };
    let id = invitation.id;
    let letter = mail::about(ctx, MailKind::Invitation, email.as_str(), id.to_string());
    let detail = Some(format!("organization:{organization} {role}"));
    let entry = ctx.audit("invitation.create", Some(format!("invitation:{id}")), Outcome::Success, detail);
    ctx.core
        .db
        .write((by, invitation, letter, entry), |tx, (by, invitation, letter, entry)| {
            Box::pin(async move {
                let of = tx.of(invitation.tenant);
                let reach = memberships::keeper(&of, *by, invitation.organization).await?;
                memberships::require(reach, invitation.role)?;
                let address = canonical(&invitation.email);
                if let Some(user) = users::find_by_identifier(&of, &address).await?
                    && storage::memberships::find(&of, invitation.organization, user.id).await?.is_some()
                {
                    return Err(DomainError::Taken(Noun::Membership));
                }
                let (at, now) = (invitation.organization, invitation.created_at);
                for replaced in storage::invitations::withdraw_for(&of, at, &address, now).await? {
                    memberships::require(reach, replaced.role)?;
                }
                if storage::invitations::count_open(&of, at, now).await? >= MOST_OPEN {
                    return Err(DomainError::Conflict("too many invitations are open already"));
                }
                storage::invitations::insert(&of, invitation).await?;
                mail::queue(&of, letter).await?;
                storage::audit::append(tx, entry).await?;
                Ok::<_, DomainError>(invitation.id)
            })
        })
        .await
}

/// The invitations into somebody's organization that can still be followed, the oldest first.
///
/// # Errors
/// [`DomainError::NotAllowed`] for a plain member; or the database is unavailable.
pub async fn list(ctx: &Ctx<'_>, by: &Standing) -> Result<Vec<Invitation>, DomainError> {
    memberships::require_keeper(by.membership.role)?;
    of_organization(ctx, by.organization.id).await
}

/// The same, for whoever administers the tenant.
///
/// # Errors
/// The database is unavailable.
pub async fn of_organization(ctx: &Ctx<'_>, id: OrganizationId) -> Result<Vec<Invitation>, DomainError> {
    let rows = ctx.core.db.read().of(ctx.tenant_id());
    Ok(storage::invitations::list_open(&rows, id, ctx.now()).await?)
}

/// Takes an invitation back.
///
/// # Errors
/// [`DomainError::NotFound`] for one that can't be followed; [`DomainError::NotAllowed`]; or the database
/// is unavailable.
pub async fn withdraw(
    ctx: &Ctx<'_>,
    by: Keeper,
    organization: OrganizationId,
    id: InvitationId,
) -> Result<(), DomainError> {
    let entry = ctx.audit("invitation.withdraw", Some(format!("invitation:{id}")), Outcome::Success, None);
    ctx.core
        .db
        .write((ctx.tenant_id(), by, organization, id, ctx.now(), entry), |tx, (tenant, by, at, id, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let reach = memberships::keeper(&of, *by, *at).await?;
                let withdrawn = storage::invitations::withdraw(&of, *at, *id, *now).await?;
                memberships::require(reach, withdrawn.ok_or(DomainError::NotFound(Noun::Invitation))?.role)?;
                Ok::<_, DomainError>(storage::audit::append(tx, entry).await?)
            })
        })
        .await
}

/// An invitation with its link, ready to be mailed.
pub(super) struct Sendable {
    /// What the link carries.
    pub(super) token: Secret<String>,
    /// The address that was asked.
    pub(super) to: String,
    /// What whoever asked calls the organization.
    pub(super) organization: String,
}

/// Makes the link of an invitation; the one that was mailed before leads nowhere from now on. `None` if it
/// can't be followed any more.
pub(super) async fn issue(core: &Core, tenant: TenantId, id: InvitationId) -> Result<Option<Sendable>, DomainError> {
    let token = opaque::generate(TokenKind::Invitation, &*core.entropy);
    let input = (tenant, id, *opaque::digest_of_secret(token.expose()).as_bytes(), core.clock.now());
    let issued = core.db.write(input, |tx, (tenant, id, digest, now)| {
        Box::pin(async move {
            let of = tx.of(*tenant);
            let Some(invitation) = storage::invitations::set_digest(&of, *id, digest, *now).await? else {
                return Ok(None);
            };
            let organization = organizations::find(&of, invitation.organization).await?;
            Ok::<_, DomainError>(organization.map(|organization| (invitation.email, organization.name)))
        })
    });
    Ok(issued.await?.map(|(to, organization)| Sendable { token, to, organization }))
}

/// What a link leads to.
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// Where to.
    pub organization: Organization,
    /// Whose address it is, if it has an account.
    pub account: Option<User>,
}

fn digest(token: &str) -> Result<Digest, DomainError> {
    opaque::recognise(TokenKind::Invitation, token).ok_or(NO_LINK)
}

/// What a link leads to, if it would count now. Changes nothing: it is for showing a page.
///
/// # Errors
/// [`DomainError::NotFound`] for a link that does not count, or the database is unavailable.
pub async fn look(ctx: &Ctx<'_>, token: &str) -> Result<Invited, DomainError> {
    let digest = digest(token)?;
    let rows = ctx.core.db.read().of(ctx.tenant_id());
    let found = storage::invitations::find_by_digest(&rows, digest.as_bytes(), ctx.now()).await?;
    let invitation = found.ok_or(NO_LINK)?;
    let organization = organizations::find(&rows, invitation.organization).await?.ok_or(NO_LINK)?;
    let account = users::find_by_identifier(&rows, &canonical(&invitation.email)).await?;
    Ok(Invited { invitation, organization, account })
}

impl Invited {
    /// Whether it is for this user: whose address is the one that was asked.
    #[must_use]
    pub fn is_for(&self, user: &User) -> bool {
        user.email.as_deref().is_some_and(|email| canonical(email) == canonical(&self.invitation.email))
    }
}

/// Follows a link: the user joins, and has proved their address by it. Who belongs to the organization
/// already keeps what they are.
///
/// # Errors
/// [`DomainError::NotFound`] for a link that does not count, or not for this user; or the database is
/// unavailable.
pub async fn accept(ctx: &Ctx<'_>, user: UserId, token: &str) -> Result<Organization, DomainError> {
    let digest = *digest(token)?.as_bytes();
    // What it is to be part of is known in the transaction.
    let blank = OrganizationId::from_uuid(uuid::Uuid::nil());
    let membership = memberships::draft(ctx, blank, user, MembershipRole::Member);
    let entry = ctx.audit("invitation.accept", Some(format!("user:{user}")), Outcome::Success, None);
    ctx.core
        .db
        .write((ctx.tenant_id(), digest, membership, entry), |tx, (tenant, digest, membership, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let now = membership.created_at;
                // In the order in which every change of members takes its locks.
                let asked = storage::invitations::find_by_digest(&of, digest, now).await?.ok_or(NO_LINK)?;
                let organization = organizations::find_for_update(&of, asked.organization).await?.ok_or(NO_LINK)?;
                let user = users::find_for_update(&of, membership.user).await?.filter(|user| user.enabled);
                let mut user = user.ok_or(NO_LINK)?;
                let address = user.email.as_deref().map(canonical).ok_or(NO_LINK)?;
                let used = storage::invitations::use_once(&of, digest, &address, now).await?.ok_or(NO_LINK)?;
                still_meant(&of, &used).await?;
                if storage::memberships::find(&of, used.organization, user.id).await?.is_none() {
                    let joined = Membership { organization: used.organization, role: used.role, ..membership.clone() };
                    memberships::insert(&of, &joined).await?;
                }
                if !user.email_verified || user.verification_due {
                    (user.email_verified, user.verification_due, user.updated_at) = (true, false, now);
                    users::update(&of, &user).await?;
                    of.changed(ChangeKind::User, &user.id.to_string()).await?;
                }
                let detail = format!("{} organization:{} {}", used.id, used.organization, used.role);
                storage::audit::append(tx, &AuditEntry { detail: Some(detail), ..entry.clone() }).await?;
                Ok::<_, DomainError>(organization)
            })
        })
        .await
}

/// Whoever asked may still ask for as much; or is gone, and meant it when they could. A disabled account
/// may nothing.
async fn still_meant(tx: &TenantTx<'_>, invitation: &Invitation) -> Result<(), DomainError> {
    let sender: Option<UserId> = invitation.invited_by.strip_prefix("user:").and_then(|id| id.parse().ok());
    let Some(sender) = sender else { return Ok(()) };
    if users::find(tx, sender).await?.is_some_and(|sender| !sender.enabled) {
        return Err(NO_LINK);
    }
    match storage::memberships::find(tx, invitation.organization, sender).await? {
        Some(own) if !own.role.reaches(MembershipRole::Admin) || !own.role.reaches(invitation.role) => Err(NO_LINK),
        _ => Ok(()),
    }
}

//! Mail: queued in the transaction of what it tells of; taken, addressed and settled for the job
//! that sends it.
//!
//! A request only ever writes down what is to be said to which name. Whose name that is, if
//! anybody's, is found out when the mail is sent: so what a request does and how long it takes is
//! the same for names that nobody has, and the link's secret never lies in the database.

mod quota;

use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::ctx::{Ctx, Origin};
use super::error::DomainError;
use super::tenants::{self, LiveTenant};
use super::{audit, invitations, mail_links};
use crate::model::audit::{Actor, Outcome};
use crate::model::ids::TenantId;
use crate::model::language::Language;
use crate::model::mail::{LinkPurpose, Mail, MailKind};
use crate::model::secret::Secret;
use crate::model::text;
use crate::model::user::User;
use crate::storage::{StorageError, TenantTx, mail_outbox, unscoped, users};

pub(super) use quota::Quota;

/// How many due mails are looked at for one that nobody else has taken.
const BATCH: u64 = 16;
/// The pause after the first failed attempt; each later one is twice as long, up to an hour.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

fn new(ctx: &Ctx<'_>, kind: MailKind, recipient: &str, language: Language) -> Mail {
    let (now, config) = (ctx.now(), &ctx.core.config);
    Mail {
        tenant: ctx.tenant_id(),
        id: ctx.core.entropy.uuid_v7(now),
        kind,
        recipient: recipient.to_owned(),
        language,
        address: ctx.origin.address.clone(),
        device: None,
        about: None,
        attempts: 0,
        give_up_at: now + config.mail.retry_for,
        created_at: now,
    }
}

/// A mail to whoever has this name, should somebody have it.
#[must_use]
pub fn to_name(ctx: &Ctx<'_>, kind: MailKind, identifier: &str) -> Mail {
    new(ctx, kind, &text::canonical_identifier(identifier), ctx.origin.language)
}

/// A mail to an address about one thing.
pub(super) fn about(ctx: &Ctx<'_>, kind: MailKind, address: &str, thing: String) -> Mail {
    Mail { about: Some(thing), ..new(ctx, kind, address, ctx.origin.language) }
}

/// What a user is told about their own account. It is made before the transaction; the transaction
/// knows the user.
#[derive(Clone)]
pub struct Notice(Mail);

impl Notice {
    /// A notice of what is done by this call.
    #[must_use]
    pub fn new(ctx: &Ctx<'_>, kind: MailKind) -> Self {
        Self(new(ctx, kind, "", ctx.origin.language))
    }

    /// Names the browser that it is done in, as that calls itself.
    #[must_use]
    pub fn in_browser(mut self, user_agent: Option<&str>) -> Self {
        self.0.device = user_agent.map(|agent| agent.chars().filter(|c| !c.is_control()).take(200).collect());
        self
    }

    /// Queues it in the transaction of what it tells of; nothing for who has no address.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn queue(&self, tx: &TenantTx<'_>, user: &User) -> Result<(), StorageError> {
        let Some(address) = &user.email else { return Ok(()) };
        let language = language_of(user).unwrap_or(self.0.language);
        queue(tx, &Mail { recipient: address.clone(), language, ..self.0.clone() }).await
    }
}

/// The language that a user's profile names.
fn language_of(user: &User) -> Option<Language> {
    user.profile.get("locale").and_then(serde_json::Value::as_str).and_then(Language::of_tag)
}

/// Queues a mail; it leaves once the transaction is committed.
///
/// # Errors
/// The database is unavailable.
pub async fn queue(tx: &TenantTx<'_>, mail: &Mail) -> Result<(), StorageError> {
    mail_outbox::insert(tx, mail).await
}

/// Queues a mail to whoever has this name, and notes that somebody asked for it.
pub(super) async fn ask(
    ctx: &Ctx<'_>,
    kind: MailKind,
    identifier: &str,
    action: &'static str,
) -> Result<(), DomainError> {
    let entry = ctx.audit(action, None, Outcome::Success, None);
    let written = ctx.core.db.write((to_name(ctx, kind, identifier), entry), |tx, (mail, entry)| {
        Box::pin(async move {
            queue(&tx.of(mail.tenant), mail).await?;
            crate::storage::audit::append(tx, entry).await?;
            Ok::<_, DomainError>(())
        })
    });
    written.await
}

/// A mail with everything that its text needs.
pub struct Addressed {
    /// What is said.
    pub mail: Mail,
    /// The address that it goes to.
    pub to: String,
    /// Who says it: what people know the tenant by.
    pub sender: String,
    /// The tenant's issuer, by which the reader can tell where it comes from.
    pub issuer: String,
    /// Where the reader goes from here.
    pub link: Option<Secret<String>>,
    /// How long the link counts, if it ends.
    pub link_life: Option<Duration>,
    /// What people call the thing that it tells of: an organization.
    pub about: Option<String>,
}

/// Takes one mail that is due; it is nobody else's for `lease`.
///
/// # Errors
/// The database is unavailable.
pub async fn take(core: &Core, lease: Duration) -> Result<Option<Mail>, DomainError> {
    let now = core.clock.now();
    for mut mail in unscoped::mails_due(core.db.read(), now, BATCH).await? {
        let input = (mail.clone(), now, now + lease);
        let taken = core.db.write(input, |tx, (mail, now, lease_ends)| {
            Box::pin(async move {
                Ok::<_, DomainError>(mail_outbox::take(&tx.of(mail.tenant), mail, *now, *lease_ends).await?)
            })
        });
        if taken.await? {
            mail.attempts += 1;
            return Ok(Some(mail));
        }
    }
    Ok(None)
}

/// Finds out whom a mail goes to and makes its link; `None` if there is nobody to say it to, or
/// they have heard enough.
///
/// # Errors
/// The database is unavailable.
pub async fn address(core: &Core, mail: &Mail) -> Result<Option<Addressed>, DomainError> {
    let tenant = match tenants::live(core, mail.tenant).await {
        Err(DomainError::NotFound(_)) => return Ok(None),
        other => other?,
    };
    let Some((mut mail, user)) = find_recipient(core, mail).await? else { return Ok(None) };
    let asked_by_anybody = user.is_some() || matches!(mail.kind, MailKind::AddressTaken | MailKind::Invitation);
    if asked_by_anybody && mail.attempts == 1 && !core.mail_quota.take(core, mail.tenant, &mail.recipient) {
        return Ok(None);
    }
    let (mut link, mut link_life) = (page_of(mail.kind).map(|page| format!("{}{page}", tenant.issuer)), None);
    let mut about = None;
    if mail.kind == MailKind::Invitation {
        let Some(id) = mail.about.as_deref().and_then(|id| id.parse().ok()) else { return Ok(None) };
        let Some(sendable) = invitations::issue(core, mail.tenant, id).await? else { return Ok(None) };
        link = Some(format!("{}/invitation?token={}", tenant.issuer, sendable.token.expose()));
        link_life = Some(core.config.tokens.invitation_link);
        mail.recipient = sendable.to;
        about = Some(sendable.organization);
    } else if let (Some(purpose), Some(user)) = (mail.kind.purpose(), user) {
        let life = mail_links::life(core, purpose);
        let token = mail_links::issue(core, &user, purpose, life).await?;
        link = Some(format!("{}{}?token={}", tenant.issuer, page_of_link(purpose), token.expose()));
        link_life = Some(life);
        mail.recipient = user.email.unwrap_or_default();
    }
    Ok(Some(Addressed {
        to: mail.recipient.clone(),
        sender: sender(core, &tenant),
        issuer: tenant.issuer.clone(),
        link: link.map(Secret::new),
        link_life,
        about,
        mail,
    }))
}

/// The mail as its reader gets it; with the user whom a link is for. `None` if nobody is to get it.
async fn find_recipient(core: &Core, mail: &Mail) -> Result<Option<(Mail, Option<User>)>, DomainError> {
    let Some(purpose) = mail.kind.purpose() else { return Ok(Some((mail.clone(), None))) };
    let found = users::find_by_identifier(&core.db.read().of(mail.tenant), &mail.recipient).await?;
    let wanted = |user: &User| {
        let proved = user.email_verified && !user.verification_due;
        user.enabled && user.email.is_some() && (purpose != LinkPurpose::VerifyEmail || !proved)
    };
    Ok(found.filter(wanted).map(|user| {
        let recipient = user.email.clone().unwrap_or_default();
        (Mail { recipient, language: language_of(&user).unwrap_or(mail.language), ..mail.clone() }, Some(user))
    }))
}

/// The page that a link opens.
const fn page_of_link(purpose: LinkPurpose) -> &'static str {
    match purpose {
        LinkPurpose::VerifyEmail => "/verify-email",
        LinkPurpose::ResetPassword => "/reset-password",
    }
}

/// The page where a reader can do something about what they are told. Who changed a password knows
/// it, so its owner needs a way that does not ask for it.
const fn page_of(kind: MailKind) -> Option<&'static str> {
    match kind {
        MailKind::AddressTaken | MailKind::PasswordChanged => Some("/forgot-password"),
        MailKind::AccountDeleted => None,
        _ => Some("/account"),
    }
}

/// What people know a tenant by. The default one is the installation itself, whose name its
/// operator gave with the address that mail comes from.
fn sender(core: &Core, tenant: &LiveTenant) -> String {
    if !tenant.tenant.is_default {
        return tenant.tenant.name.clone();
    }
    let name = core.config.mail.from.as_ref().and_then(|from| from.name.clone());
    name.unwrap_or_else(|| core.config.http.issuer.host().to_owned())
}

/// A mail is done with: it was sent, or there was nobody to send it to.
///
/// # Errors
/// The database is unavailable; then it may be sent again.
pub async fn done(core: &Core, mail: &Mail) -> Result<(), DomainError> {
    core.db
        .write(mail.clone(), |tx, mail| {
            Box::pin(async move { Ok::<_, DomainError>(mail_outbox::delete(&tx.of(mail.tenant), mail).await?) })
        })
        .await
}

/// A mail could not be sent: it is tried again later, or dropped with a row in the audit log if that
/// is hopeless or too late. `why` names no address. Says whether it was dropped.
///
/// # Errors
/// The database is unavailable; then the lease runs out and it is tried again.
pub async fn failed(core: &Core, mail: &Mail, why: &str, hopeless: bool) -> Result<bool, DomainError> {
    let now = core.clock.now();
    let doublings = u32::try_from(mail.attempts - 1).unwrap_or(0).min(10);
    let next_at = now + FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    if !hopeless && next_at <= mail.give_up_at {
        let again = core.db.write((mail.clone(), next_at), |tx, (mail, next_at)| {
            Box::pin(
                async move { Ok::<_, DomainError>(mail_outbox::postpone(&tx.of(mail.tenant), mail, *next_at).await?) },
            )
        });
        return again.await.map(|()| false);
    }
    done(core, mail).await?;
    let detail = format!("{} after {} attempts: {why}", mail.kind, mail.attempts);
    if let Some(ctx) = system(core, mail.tenant).await? {
        let entry = ctx.audit("mail.drop", Some(format!("mail:{}", mail.id)), Outcome::Failure, Some(detail));
        audit::append(core, entry).await?;
    }
    Ok(true)
}

async fn system(core: &Core, tenant: TenantId) -> Result<Option<Ctx<'_>>, DomainError> {
    match tenants::live(core, tenant).await {
        Ok(tenant) => Ok(Some(Ctx::new(core, Arc::clone(&tenant), Actor::System, Origin::default()))),
        Err(DomainError::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

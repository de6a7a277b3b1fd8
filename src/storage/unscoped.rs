//! Every query that is not bound to one tenant, each with the reason why.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationTrait,
};

use super::column::{count, count_rows, parsed, total};
use super::db::{Rows, Tx};
use super::entity::{
    authorization_codes, authorization_requests, device_codes, idempotent_requests, invitations, known_browsers,
    link_offers, lockouts, logout_outbox, mail_links, mail_outbox, mfa_tickets, opaque_tokens, revoked_tokens,
    role_assignments, roles, saml_assertions, session_clients, sessions, signing_keys, tenant_keys, tenants,
    token_families, upstream_logins, used_assertions, users, webauthn_ceremonies,
};
use super::error::StorageError;
use super::search;
use super::users::UserFilter;
use crate::model::authorization_request::PATIENCE;
use crate::model::ids::{ClientId, SessionId, TenantId, UserId};
use crate::model::mail::Mail;
use crate::model::page::{Counted, PageNumber};
use crate::model::signing_key::KeyState;
use crate::model::tenant::{Tenant, TenantKey, TenantKeyKind};
use crate::model::time::Timestamp;
use crate::model::user::User;

/// How long codes are kept that do not count any more.
const REPLAYS: Duration = Duration::from_secs(86_400);
/// How long a browser is known after the last sign-in in it: none keeps a cookie for longer (RFC 6265bis §5.5).
const KNOWN: Duration = Duration::from_secs(400 * 86_400);

/// How many ids one statement names.
const CHUNK: usize = 500;

/// Whose key a digest is, expired or not. No tenant: the key is what says which one it is.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn tenant_of_key(rows: Rows<'_>, digest: &[u8; 32]) -> Result<Option<(TenantId, TenantKey)>, StorageError> {
    let Some(row) = tenant_keys::Entity::find_by_id(digest.to_vec()).one(&rows.raw()).await? else {
        return Ok(None);
    };
    let tenant = TenantId::from_uuid(row.tenant_id);
    Ok(Some((tenant, super::tenants::key_noun(row)?)))
}

/// The tenant that serves every path that names none. No tenant: this finds the first one.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn default_tenant(rows: Rows<'_>) -> Result<Option<Tenant>, StorageError> {
    tenants::Entity::find()
        .filter(tenants::Column::IsDefault.eq(true))
        .order_by_asc(tenants::Column::CreatedAt)
        .one(&rows.raw())
        .await?
        .map(super::tenants::noun)
        .transpose()
}

/// One page of all tenants, oldest first, each with its newest public key. No tenant: the
/// installation's administrator sees all of them.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn tenants(rows: Rows<'_>, page: PageNumber) -> Result<Counted<(Tenant, Option<String>)>, StorageError> {
    let window = page.window();
    let part = tenants::Entity::find().order_by_asc(tenants::Column::CreatedAt).order_by_asc(tenants::Column::Id);
    let found = part.limit(window.limit).offset(window.offset).all(&rows.raw()).await?;
    let total = total(rows, tenants::Entity::find(), window, found.len()).await?;
    let ids: Vec<_> = found.iter().map(|row| row.id).collect();
    let mut newest = HashMap::new();
    for some in ids.chunks(CHUNK) {
        let keys = tenant_keys::Entity::find()
            .filter(tenant_keys::Column::TenantId.is_in(some.iter().copied()))
            .filter(tenant_keys::Column::Kind.eq(TenantKeyKind::Public.as_str()))
            .order_by_asc(tenant_keys::Column::CreatedAt)
            .all(&rows.raw())
            .await?;
        // Oldest first: the newest one stays.
        newest.extend(keys.into_iter().map(|key| (key.tenant_id, key.public_text)));
    }
    let mut page = Vec::with_capacity(found.len());
    for row in found {
        let key = newest.remove(&row.id).flatten();
        page.push((super::tenants::noun(row)?, key));
    }
    Ok(Counted { rows: page, total })
}

/// Up to `limit` tenants after one, by id, disabled ones too. No tenant: the installation's administrator
/// sees all of them.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn tenants_after(rows: Rows<'_>, after: Option<TenantId>, limit: u64) -> Result<Vec<Tenant>, StorageError> {
    let mut query = tenants::Entity::find().order_by_asc(tenants::Column::Id).limit(limit);
    if let Some(after) = after {
        query = query.filter(tenants::Column::Id.gt(after.uuid()));
    }
    query.all(&rows.raw()).await?.into_iter().map(super::tenants::noun).collect()
}

/// The ids of up to `limit` tenants after one, in order, whose signing keys want a step: a next key
/// is missing, the active one is due or began to sign by `aged`, or one has been retiring since
/// `faded`. No tenant: the job that advances keys must not read the keys of every tenant to find out.
///
/// # Errors
/// The database is unavailable.
pub async fn tenants_with_keys_due(
    rows: Rows<'_>,
    aged: Timestamp,
    faded: Timestamp,
    after: Option<TenantId>,
    limit: u64,
) -> Result<Vec<TenantId>, StorageError> {
    use signing_keys::Column;
    let pair = || [Column::TenantId, Column::Alg];
    let mut with_next = signing_keys::Entity::find().select_only();
    for column in pair() {
        with_next = with_next.column(column);
    }
    let with_next = with_next.filter(Column::State.eq(KeyState::Next.as_str())).into_query();
    let lacks_next =
        Expr::tuple(pair().map(|column| Expr::col((signing_keys::Entity, column)))).not_in_subquery(with_next);
    let active = Column::State
        .eq(KeyState::Active.as_str())
        .and(lacks_next.or(Column::RetiredAt.is_not_null()).or(Column::ActivatedAt.lte(aged.millis())));
    let retiring = Column::State.eq(KeyState::Retiring.as_str()).and(Column::RetiredAt.lte(faded.millis()));
    let mut query = signing_keys::Entity::find()
        .select_only()
        .column(Column::TenantId)
        .distinct()
        .filter(active.or(retiring))
        .order_by_asc(Column::TenantId)
        .limit(limit);
    if let Some(after) = after {
        query = query.filter(Column::TenantId.gt(after.uuid()));
    }
    let ids: Vec<sea_orm::entity::prelude::Uuid> = query.into_tuple().all(&rows.raw()).await?;
    Ok(ids.into_iter().map(TenantId::from_uuid).collect())
}

/// One page of the users of all tenants. No tenant: the installation's administrator sees all.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn users(rows: Rows<'_>, filter: &UserFilter, page: PageNumber) -> Result<Counted<User>, StorageError> {
    let found = search::find(users::Column::SearchText, filter.search.as_deref(), rows).await?;
    let query = users::Entity::find().filter(found.condition).filter(super::users::condition(filter));
    super::users::paged(rows, query, page).await
}

/// One user of any tenant. No tenant: a contract names users by an id alone.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_user(rows: Rows<'_>, id: UserId) -> Result<Option<User>, StorageError> {
    let query = users::Entity::find().filter(users::Column::Id.eq(id.uuid()));
    query.one(&rows.raw()).await?.map(super::users::noun).transpose()
}

/// The codes of the active roles that users hold at `now`, sorted. No tenant: it goes with [`users`].
///
/// # Errors
/// The database is unavailable.
pub async fn role_codes_of_users(
    rows: Rows<'_>,
    ids: &[UserId],
    now: Timestamp,
) -> Result<HashMap<UserId, Vec<String>>, StorageError> {
    let mut codes = HashMap::<UserId, Vec<String>>::new();
    for some in ids.chunks(CHUNK) {
        // By way of `users`, whose ids have an index without the tenant.
        let pairs: Vec<(sea_orm::entity::prelude::Uuid, String)> = users::Entity::find()
            .select_only()
            .column(users::Column::Id)
            .column(roles::Column::Code)
            .join(JoinType::InnerJoin, role_assignments::Relation::User.def().rev())
            .join(JoinType::InnerJoin, role_assignments::Relation::Role.def())
            .filter(users::Column::Id.is_in(some.iter().map(|id| id.uuid())))
            .filter(roles::Column::IsActive.eq(true))
            .filter(super::roles::counts_at(now))
            .into_tuple()
            .all(&rows.raw())
            .await?;
        for (user, code) in pairs {
            codes.entry(UserId::from_uuid(user)).or_default().push(code);
        }
    }
    for own in codes.values_mut() {
        own.sort_unstable();
    }
    Ok(codes)
}

/// How many users there are. No tenant: it is a figure of the whole installation.
///
/// # Errors
/// The database is unavailable.
pub async fn count_users(rows: Rows<'_>) -> Result<u64, StorageError> {
    let n: Option<i64> = users::Entity::find().select_only().expr(count_rows()).into_tuple().one(&rows.raw()).await?;
    Ok(count(n))
}

/// Up to `limit` mails that are due, the longest first. No tenant: one job sends for all of them.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn mails_due(rows: Rows<'_>, now: Timestamp, limit: u64) -> Result<Vec<Mail>, StorageError> {
    let due = mail_outbox::Entity::find()
        .filter(mail_outbox::Column::NextAt.lte(now.millis()))
        .order_by_asc(mail_outbox::Column::NextAt)
        .limit(limit);
    due.all(&rows.raw()).await?.into_iter().map(super::mail_outbox::noun).collect()
}

/// Up to `limit` clients that are to be told of sign-outs now. No tenant: one job tells for all of
/// them.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn logout_receivers_due(
    rows: Rows<'_>,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<(TenantId, ClientId)>, StorageError> {
    use logout_outbox::Column;
    let due: Vec<(sea_orm::entity::prelude::Uuid, String)> = logout_outbox::Entity::find()
        .select_only()
        .distinct()
        .column(Column::TenantId)
        .column(Column::ClientId)
        .filter(Column::NextAt.lte(now.millis()))
        .limit(limit)
        .into_tuple()
        .all(&rows.raw())
        .await?;
    let receiver = |(tenant, client): (_, String)| {
        Ok((TenantId::from_uuid(tenant), parsed("logout_outbox", "client_id", &client)?))
    };
    due.into_iter().map(receiver).collect()
}

/// Up to `limit` sessions whose time is up and that have not been ended. No tenant: one job ends them
/// for all.
///
/// # Errors
/// The database is unavailable.
pub async fn sessions_expired(
    rows: Rows<'_>,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<(TenantId, SessionId, UserId)>, StorageError> {
    use sea_orm::entity::prelude::Uuid;
    let over: Vec<(Uuid, Uuid, Uuid)> = sessions::Entity::find()
        .select_only()
        .columns([sessions::Column::TenantId, sessions::Column::Id, sessions::Column::UserId])
        .filter(sessions::Column::EndedAt.is_null())
        .filter(sessions::Column::ExpiresAt.lte(now.millis()))
        .limit(limit)
        .into_tuple()
        .all(&rows.raw())
        .await?;
    let named =
        |(tenant, session, user)| (TenantId::from_uuid(tenant), SessionId::from_uuid(session), UserId::from_uuid(user));
    Ok(over.into_iter().map(named).collect())
}

/// Deletes up to `limit` rows from each table of things that expire; says how many in all. Token
/// families stay `retention` longer than they count. No tenant: what has expired counts for none.
///
/// # Errors
/// The database is unavailable.
pub async fn delete_expired(tx: &Tx, now: Timestamp, retention: Duration, limit: u64) -> Result<u64, StorageError> {
    let at = now.millis();
    let over = lockouts::Column::WindowEndsAt.lte(at).and(lockouts::Column::LockedUntil.lte(at));
    let ended = (now - retention).millis();
    let forgotten = Condition::any()
        .add(token_families::Column::ExpiresAt.lte(ended))
        .add(token_families::Column::RevokedAt.lte(ended));
    let mut deleted = 0;
    deleted += delete::<opaque_tokens::Entity>(tx, opaque_tokens::Column::ExpiresAt.lte(at), limit).await?;
    deleted += delete::<revoked_tokens::Entity>(tx, revoked_tokens::Column::ExpiresAt.lte(at), limit).await?;
    deleted += delete::<used_assertions::Entity>(tx, used_assertions::Column::ExpiresAt.lte(at), limit).await?;
    deleted += delete::<tenant_keys::Entity>(tx, tenant_keys::Column::ExpiresAt.lte(at), limit).await?;
    deleted += delete::<lockouts::Entity>(tx, over, limit).await?;
    let answered = idempotent_requests::Column::ExpiresAt.lte(at);
    deleted += delete::<idempotent_requests::Entity>(tx, answered, limit).await?;
    deleted += delete::<mail_links::Entity>(tx, mail_links::Column::ExpiresAt.lte(at), limit).await?;
    deleted += delete::<invitations::Entity>(tx, invitations::Column::ExpiresAt.lte(at), limit).await?;
    deleted += delete::<mfa_tickets::Entity>(tx, mfa_tickets::Column::ExpiresAt.lte(at), limit).await?;
    deleted += delete::<upstream_logins::Entity>(tx, upstream_logins::Column::ExpiresAt.lte(at), limit).await?;
    deleted += delete::<link_offers::Entity>(tx, link_offers::Column::ExpiresAt.lte(at), limit).await?;
    deleted += delete::<saml_assertions::Entity>(tx, saml_assertions::Column::ExpiresAt.lte(at), limit).await?;
    deleted += delete::<webauthn_ceremonies::Entity>(tx, webauthn_ceremonies::Column::ExpiresAt.lte(at), limit).await?;
    let unseen = known_browsers::Column::SeenAt.lte((now - KNOWN).millis());
    deleted += delete::<known_browsers::Entity>(tx, unseen, limit).await?;
    // A used code stays a while, so that its second use is recognised (RFC 6749 §4.1.2).
    let used = authorization_codes::Column::ExpiresAt.lte((now - REPLAYS).millis());
    deleted += delete::<authorization_codes::Entity>(tx, used, limit).await?;
    // A pushed request can be begun with for a minute, and is answered once its person has signed in.
    let asked = authorization_requests::Column::ExpiresAt.lte((now - PATIENCE).millis());
    deleted += delete::<authorization_requests::Entity>(tx, asked, limit).await?;
    let devices = device_codes::Column::ExpiresAt.lte((now - REPLAYS).millis());
    deleted += delete::<device_codes::Entity>(tx, devices, limit).await?;
    deleted += delete::<token_families::Entity>(tx, forgotten, limit).await?;
    let over = sessions::Column::ExpiresAt.lte(ended).and(sessions::Column::EndedAt.is_not_null());
    let gone = sessions::Entity::find()
        .select_only()
        .columns([sessions::Column::TenantId, sessions::Column::Id])
        .filter(over.clone())
        .into_query();
    let of_gone = Expr::tuple([
        Expr::col((session_clients::Entity, session_clients::Column::TenantId)),
        Expr::col((session_clients::Entity, session_clients::Column::SessionId)),
    ]);
    let clients = delete::<session_clients::Entity>(tx, of_gone.in_subquery(gone), limit).await?;
    // As long as there are some, their session says that they may go.
    if clients < limit {
        deleted += delete::<sessions::Entity>(tx, over, limit).await?;
    }
    deleted += clients;
    Ok(deleted)
}

/// `DELETE … WHERE (key) IN (SELECT key … LIMIT n)`, which both databases know.
async fn delete<E: EntityTrait>(
    tx: &Tx,
    condition: impl sea_orm::sea_query::IntoCondition,
    limit: u64,
) -> Result<u64, StorageError> {
    use sea_orm::{Iterable as _, PrimaryKeyToColumn as _};
    let key = || E::PrimaryKey::iter().map(|part| part.into_column());
    let mut chosen = E::find().select_only();
    for column in key() {
        chosen = chosen.column(column);
    }
    let chosen = chosen.filter(condition).limit(limit).into_query();
    let key = Expr::tuple(key().map(|column| Expr::col((E::default(), column))));
    Ok(E::delete_many().filter(key.in_subquery(chosen)).exec(tx.raw()).await?.rows_affected)
}

//! Browser sessions, and at which clients they signed in.

use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::column::{digest, json, parsed, to_json};
use super::db::{TenantRows, TenantTx};
use super::entity::{session_clients, sessions};
use super::error::StorageError;
use crate::model::ids::{ClientId, SessionId, TenantId, UserId};
use crate::model::session::{Proof, Session};
use crate::model::time::Timestamp;

const TABLE: &str = "sessions";

fn noun(row: sessions::Model) -> Result<Session, StorageError> {
    Ok(Session {
        tenant: TenantId::from_uuid(row.tenant_id),
        id: SessionId::from_uuid(row.id),
        digest: digest(TABLE, "digest", &row.digest)?,
        user: UserId::from_uuid(row.user_id),
        proofs: json(TABLE, "proofs", &row.proofs)?,
        second_factor_due: row.second_factor_due,
        remembered: row.remembered,
        browser: row.browser.as_deref().map(|bytes| digest(TABLE, "browser", bytes)).transpose()?,
        address: row.address,
        user_agent: row.user_agent,
        created_at: Timestamp::from_millis(row.created_at),
        seen_at: Timestamp::from_millis(row.seen_at),
        expires_at: Timestamp::from_millis(row.expires_at),
        ends_at: Timestamp::from_millis(row.ends_at),
        ended_at: row.ended_at.map(Timestamp::from_millis),
    })
}

/// Adds a session.
///
/// # Errors
/// Its user does not exist, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, session: &Session) -> Result<(), StorageError> {
    let row = sessions::Model {
        tenant_id: tx.tenant().uuid(),
        id: session.id.uuid(),
        digest: session.digest.to_vec(),
        user_id: session.user.uuid(),
        proofs: to_json(&session.proofs),
        second_factor_due: session.second_factor_due,
        remembered: session.remembered,
        browser: session.browser.map(|digest| digest.to_vec()),
        address: session.address.clone(),
        user_agent: session.user_agent.clone(),
        created_at: session.created_at.millis(),
        seen_at: session.seen_at.millis(),
        expires_at: session.expires_at.millis(),
        ends_at: session.ends_at.millis(),
        ended_at: session.ended_at.map(Timestamp::millis),
    };
    sessions::Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The session of a cookie, ended or not.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_by_digest(rows: &TenantRows<'_>, cookie: &[u8; 32]) -> Result<Option<Session>, StorageError> {
    sessions::Entity::find()
        .filter(sessions::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(sessions::Column::Digest.eq(cookie.to_vec()))
        .one(&rows.raw())
        .await?
        .map(noun)
        .transpose()
}

/// One session, ended or not.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>, id: SessionId) -> Result<Option<Session>, StorageError> {
    sessions::Entity::find()
        .filter(sessions::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(sessions::Column::Id.eq(id.uuid()))
        .one(&rows.raw())
        .await?
        .map(noun)
        .transpose()
}

/// The same, which nobody ends until this transaction does.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_for_share(tx: &TenantTx<'_>, id: SessionId) -> Result<Option<Session>, StorageError> {
    sessions::Entity::find()
        .filter(sessions::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(sessions::Column::Id.eq(id.uuid()))
        .lock(LockType::Share)
        .one(&tx.raw())
        .await?
        .map(noun)
        .transpose()
}

/// The sessions of a user that have neither ended nor expired, the one used last first.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn of_user(rows: &TenantRows<'_>, user: UserId, now: Timestamp) -> Result<Vec<Session>, StorageError> {
    let found = sessions::Entity::find()
        .filter(sessions::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(sessions::Column::UserId.eq(user.uuid()))
        .filter(sessions::Column::EndedAt.is_null())
        .filter(sessions::Column::ExpiresAt.gt(now.millis()))
        .order_by_desc(sessions::Column::SeenAt)
        .all(&rows.raw())
        .await?;
    found.into_iter().map(noun).collect()
}

/// What a raise of assurance makes of a session.
#[derive(Clone, Debug)]
pub struct Raised {
    /// SHA-256 of the new cookie.
    pub digest: [u8; 32],
    /// What is proved from now on.
    pub proofs: Vec<Proof>,
    /// Whether a second factor is still due.
    pub second_factor_due: bool,
    /// When it was used last: now.
    pub seen_at: Timestamp,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
}

/// Raises a session under a new cookie, if it still has the old one and has not ended. Of many who
/// try, one succeeds.
///
/// # Errors
/// The database is unavailable.
pub async fn raise(tx: &TenantTx<'_>, id: SessionId, from: &[u8; 32], raised: &Raised) -> Result<bool, StorageError> {
    use sessions::Column;
    let done = sessions::Entity::update_many()
        .col_expr(Column::Digest, Expr::value(raised.digest.to_vec()))
        .col_expr(Column::Proofs, Expr::value(to_json(&raised.proofs)))
        .col_expr(Column::SecondFactorDue, Expr::value(raised.second_factor_due))
        .col_expr(Column::SeenAt, Expr::value(raised.seen_at.millis()))
        .col_expr(Column::ExpiresAt, Expr::value(raised.expires_at.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::Digest.eq(from.to_vec()))
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.gt(raised.seen_at.millis()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Notes that a session was used.
///
/// # Errors
/// The database is unavailable.
pub async fn touch(
    tx: &TenantTx<'_>,
    id: SessionId,
    seen_at: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    use sessions::Column;
    sessions::Entity::update_many()
        .col_expr(Column::SeenAt, Expr::value(seen_at.millis()))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::EndedAt.is_null())
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// Ends a session; says whether it had not ended before.
///
/// # Errors
/// The database is unavailable.
pub async fn end(tx: &TenantTx<'_>, id: SessionId, now: Timestamp) -> Result<bool, StorageError> {
    use sessions::Column;
    let done = sessions::Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::EndedAt.is_null())
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// The sessions of a user that have not ended: their ids, for ending them one by one.
///
/// # Errors
/// The database is unavailable.
pub async fn open_of_user(rows: &TenantRows<'_>, user: UserId) -> Result<Vec<SessionId>, StorageError> {
    let ids: Vec<uuid::Uuid> = sessions::Entity::find()
        .select_only()
        .column(sessions::Column::Id)
        .filter(sessions::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(sessions::Column::UserId.eq(user.uuid()))
        .filter(sessions::Column::EndedAt.is_null())
        .into_tuple()
        .all(&rows.raw())
        .await?;
    Ok(ids.into_iter().map(SessionId::from_uuid).collect())
}

/// Notes that a session signed in at a client; again for the same changes nothing.
///
/// # Errors
/// The client does not exist, or the database is unavailable.
pub async fn note_client(
    tx: &TenantTx<'_>,
    session: SessionId,
    client: &ClientId,
    now: Timestamp,
) -> Result<(), StorageError> {
    use session_clients::Column;
    let row = session_clients::Model {
        tenant_id: tx.tenant().uuid(),
        session_id: session.uuid(),
        client_id: client.as_str().to_owned(),
        first_at: now.millis(),
    };
    let known = OnConflict::columns([Column::TenantId, Column::SessionId, Column::ClientId]).do_nothing().to_owned();
    session_clients::Entity::insert(row.into_active_model())
        .on_conflict(known)
        .exec_without_returning(&tx.raw())
        .await?;
    Ok(())
}

/// The clients that a session signed in at.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn clients_of(rows: &TenantRows<'_>, session: SessionId) -> Result<Vec<ClientId>, StorageError> {
    let ids: Vec<String> = session_clients::Entity::find()
        .select_only()
        .column(session_clients::Column::ClientId)
        .filter(session_clients::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(session_clients::Column::SessionId.eq(session.uuid()))
        .into_tuple()
        .all(&rows.raw())
        .await?;
    ids.iter().map(|id| parsed("session_clients", "client_id", id)).collect()
}

//! The feed by which every copy learns what another one changed.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::db::{Rows, Tx};
use super::entity::changes;
use super::error::StorageError;
use crate::model::change::ChangeKind;
use crate::model::ids::TenantId;

/// Something is no longer what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose it is; `None` concerns all.
    pub tenant: Option<TenantId>,
    /// What kind of thing.
    pub kind: ChangeKind,
    /// Which one, as its kind says.
    pub key: String,
}

/// Writes a row of the feed and remembers it for this copy's own caches.
pub(in crate::storage) async fn record(
    tx: &Tx,
    tenant: Option<TenantId>,
    kind: ChangeKind,
    key: &str,
) -> Result<(), StorageError> {
    let row = changes::ActiveModel {
        tenant_id: Set(tenant.map(TenantId::uuid)),
        kind: Set(kind.as_str().to_owned()),
        key: Set(key.to_owned()),
        ..Default::default()
    };
    changes::Entity::insert(row).exec_without_returning(tx.raw()).await?;
    tx.remember(Change { tenant, kind, key: key.to_owned() });
    Ok(())
}

/// Up to `limit` rows above `after`, oldest first, each with its number.
///
/// # Errors
/// The database is unavailable.
pub async fn since(rows: Rows<'_>, after: i64, limit: u64) -> Result<Vec<(i64, Change)>, StorageError> {
    let found = changes::Entity::find()
        .filter(changes::Column::Seq.gt(after))
        .order_by_asc(changes::Column::Seq)
        .limit(limit)
        .all(&rows.raw())
        .await?;
    found.into_iter().map(|row| Ok((row.seq, change(row)?))).collect()
}

fn change(row: changes::Model) -> Result<Change, StorageError> {
    let kind = row.kind.parse().map_err(|why: crate::model::text::UnknownName| StorageError::Corrupt {
        table: "changes",
        column: "kind",
        why: why.to_string(),
    })?;
    Ok(Change { tenant: row.tenant_id.map(TenantId::from_uuid), kind, key: row.key })
}

/// The number of the newest row, zero if there is none.
///
/// # Errors
/// The database is unavailable.
pub async fn newest(rows: Rows<'_>) -> Result<i64, StorageError> {
    let top: Option<Option<i64>> = changes::Entity::find()
        .select_only()
        .column_as(changes::Column::Seq.max(), "seq")
        .into_tuple()
        .one(&rows.raw())
        .await?;
    Ok(top.flatten().unwrap_or(0))
}

/// Deletes the rows up to and including `seq`.
///
/// # Errors
/// The database is unavailable.
pub async fn forget(tx: &Tx, seq: i64) -> Result<u64, StorageError> {
    let done = changes::Entity::delete_many().filter(changes::Column::Seq.lte(seq)).exec(tx.raw()).await?;
    Ok(done.rows_affected)
}

//! The access log: what services did with their tokens.

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::{Expr, ExprTrait as _, Func};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::column::{corrupt, count_rows, parsed};
use super::db::{TenantRows, Tx};
use super::entity::access_log::{self, Column, Entity};
use super::error::StorageError;
use crate::model::access_log::{AccessLogEntry, AccessStatistics};
use crate::model::ids::{ClientId, TenantId};
use crate::model::time::Timestamp;

/// How many rows one statement writes: nine parameters each, of the 32 766 that SQLite takes.
const CHUNK: usize = 500;

fn noun(row: access_log::Model) -> Result<AccessLogEntry, StorageError> {
    Ok(AccessLogEntry {
        id: row.id,
        tenant: TenantId::from_uuid(row.tenant_id),
        client: parsed("access_log", "client_id", &row.client_id)?,
        endpoint: row.endpoint,
        method: row.method,
        status: u16::try_from(row.status).map_err(|why| corrupt("access_log", "status", why))?,
        response_time_ms: row.response_time_ms,
        address: row.address,
        user_agent: row.user_agent,
        at: Timestamp::from_millis(row.at),
    })
}

fn row(entry: &AccessLogEntry) -> access_log::ActiveModel {
    access_log::ActiveModel {
        id: NotSet,
        tenant_id: Set(entry.tenant.uuid()),
        client_id: Set(entry.client.as_str().to_owned()),
        endpoint: Set(entry.endpoint.clone()),
        method: Set(entry.method.clone()),
        status: Set(i32::from(entry.status)),
        response_time_ms: Set(entry.response_time_ms),
        address: Set(entry.address.clone()),
        user_agent: Set(entry.user_agent.clone()),
        at: Set(entry.at.millis()),
    }
}

/// Adds rows, of any tenants; their numbers are given here.
///
/// # Errors
/// The database is unavailable.
pub async fn append(tx: &Tx, entries: &[AccessLogEntry]) -> Result<(), StorageError> {
    for some in entries.chunks(CHUNK) {
        Entity::insert_many(some.iter().map(row)).exec_without_returning(tx.raw()).await?;
    }
    Ok(())
}

/// Up to `limit` rows of a service after the first `offset`, newest first.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn of_client(
    rows: &TenantRows<'_>,
    client: &ClientId,
    limit: u64,
    offset: u64,
) -> Result<Vec<AccessLogEntry>, StorageError> {
    let found = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::ClientId.eq(client.as_str()))
        .order_by_desc(Column::At)
        .order_by_desc(Column::Id)
        .offset(offset)
        .limit(limit)
        .all(&rows.raw())
        .await?;
    found.into_iter().map(noun).collect()
}

/// What a service did since some moment, in one statement.
///
/// # Errors
/// The database is unavailable.
pub async fn statistics(
    rows: &TenantRows<'_>,
    client: &ClientId,
    since: Timestamp,
) -> Result<AccessStatistics, StorageError> {
    // The mean is a decimal on PostgreSQL unless it is told otherwise.
    let mean = Expr::from(Func::avg(Expr::col(Column::ResponseTimeMs))).cast_as("double precision");
    let found: Option<(i64, i64, Option<f64>)> = Entity::find()
        .select_only()
        .expr_as(count_rows(), "total")
        .expr_as(Func::count(Expr::case(Column::Status.gte(400), 1)), "errors")
        .expr_as(mean, "mean")
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::ClientId.eq(client.as_str()))
        .filter(Column::At.gte(since.millis()))
        .into_tuple()
        .one(&rows.raw())
        .await?;
    let (total, errors, mean) = found.unwrap_or_default();
    Ok(AccessStatistics { total, errors, mean_response_ms: mean.unwrap_or_default() })
}

/// Deletes up to `limit` rows from before `at`, of all tenants; says how many.
///
/// # Errors
/// The database is unavailable.
pub async fn delete_before(tx: &Tx, at: Timestamp, limit: u64) -> Result<u64, StorageError> {
    let old = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::At.lt(at.millis()))
        .order_by_asc(Column::At)
        .limit(limit);
    let done = Entity::delete_many().filter(Column::Id.in_subquery(old.into_query())).exec(tx.raw()).await?;
    Ok(done.rows_affected)
}

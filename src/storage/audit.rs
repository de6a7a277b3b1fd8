//! The audit log: rows are added, and deleted only for their age.

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::column::parsed;
use super::db::{TenantRows, Tx};
use super::entity::audit_log::{self, Column, Entity};
use super::error::StorageError;
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::ids::TenantId;
use crate::model::time::Timestamp;

/// A row as it was stored; its action may be one that this version no longer knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAuditEntry {
    /// Where it happened.
    pub tenant: TenantId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What, as `noun.verb`.
    pub action: String,
    /// To whom, as `kind:id`.
    pub target: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// By which request.
    pub request_id: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What else there is to know.
    pub detail: Option<String>,
}

fn noun(row: audit_log::Model) -> Result<(i64, StoredAuditEntry), StorageError> {
    let entry = StoredAuditEntry {
        tenant: TenantId::from_uuid(row.tenant_id),
        at: Timestamp::from_millis(row.at),
        actor: row.actor,
        action: row.action,
        target: row.target,
        address: row.address,
        request_id: row.request_id,
        outcome: parsed("audit_log", "outcome", &row.outcome)?,
        detail: row.detail,
    };
    Ok((row.id, entry))
}

/// Adds a row.
///
/// # Errors
/// The database is unavailable.
pub async fn append(tx: &Tx, entry: &AuditEntry) -> Result<(), StorageError> {
    let row = audit_log::ActiveModel {
        id: NotSet,
        tenant_id: Set(entry.tenant.uuid()),
        at: Set(entry.at.millis()),
        actor: Set(entry.actor.clone()),
        action: Set(entry.action.to_owned()),
        target: Set(entry.target.clone()),
        address: Set(entry.address.clone()),
        request_id: Set(entry.request_id.clone()),
        outcome: Set(entry.outcome.as_str().to_owned()),
        detail: Set(entry.detail.clone()),
    };
    Entity::insert(row).exec_without_returning(tx.raw()).await?;
    Ok(())
}

/// Which rows of the log are wanted.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Who acted, as `kind:id`.
    pub actor: Option<String>,
    /// What was done, as `noun.verb`.
    pub action: Option<String>,
    /// To whom, as `kind:id`.
    pub target: Option<String>,
    /// By which request: the support code of an error page.
    pub request_id: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// Older than the row of this number, or of its moment and written before it. If that row was deleted for its age,
/// there is none.
fn is_before(number: i64) -> Condition {
    let that = || Entity::find().select_only().column(Column::At).filter(Column::Id.eq(number)).into_query();
    let (at, that) = (|| Expr::col((Entity, Column::At)), || Expr::SubQuery(None, Box::new(that().into())));
    Condition::all().add(at().lte(that())).add(at().lt(that()).or(Column::Id.lt(number)))
}

/// Up to `limit` rows that a filter lets through, with their numbers, newest first, all older than the row `before`
/// if that is given.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn filtered(
    rows: &TenantRows<'_>,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<(i64, StoredAuditEntry)>, StorageError> {
    let outcome = filter.outcome.map(|outcome| outcome.as_str().to_owned());
    let texts = [
        (Column::Actor, &filter.actor),
        (Column::Action, &filter.action),
        (Column::Target, &filter.target),
        (Column::RequestId, &filter.request_id),
        (Column::Outcome, &outcome),
    ];
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .apply_if(filter.since, |query, at| query.filter(Column::At.gte(at.millis())))
        .apply_if(filter.until, |query, at| query.filter(Column::At.lt(at.millis())))
        .apply_if(before, |query, before| query.filter(is_before(before)));
    for (column, wanted) in texts {
        query = query.apply_if(wanted.as_deref(), |query, text| query.filter(column.eq(text)));
    }
    let newest_first = query.order_by_desc(Column::At).order_by_desc(Column::Id);
    newest_first.limit(limit).all(&rows.raw()).await?.into_iter().map(noun).collect()
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

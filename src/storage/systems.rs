//! The systems of the catalogue.

use sea_orm::sea_query::{Expr, ExprTrait as _, LockType};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select};

use super::catalogue::catalogue_table;
use super::column::total;
use super::db::{TenantRows, TenantTx};
use super::entity::systems::{Column, Entity, Model};
use super::error::StorageError;
use crate::model::catalogue::System;
use crate::model::ids::{SystemId, TenantId};
use crate::model::page::{Counted, Window};
use crate::model::time::Timestamp;

pub(in crate::storage) fn noun(row: Model) -> System {
    System {
        id: SystemId::from_uuid(row.id),
        key: row.key,
        code: row.code,
        name: row.name,
        enabled: row.enabled,
        created_at: Timestamp::from_millis(row.created_at),
    }
}

pub(in crate::storage) fn row(tenant: TenantId, system: &System) -> Model {
    Model {
        tenant_id: tenant.uuid(),
        id: system.id.uuid(),
        key: system.key.clone(),
        code: system.code.clone(),
        name: system.name.clone(),
        enabled: system.enabled,
        created_at: system.created_at.millis(),
    }
}

catalogue_table!(System, SystemId, "system");

/// Part of the systems, in the order in which they were made; and how many there are in all.
///
/// # Errors
/// The database is unavailable.
pub async fn window(rows: &TenantRows<'_>, window: Window) -> Result<Counted<System>, StorageError> {
    let query = of_tenant(rows);
    let part = query.clone().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
    let found = part.limit(window.limit).offset(window.offset).all(&rows.raw()).await?;
    let total = total(rows.unscoped(), query, window, found.len()).await?;
    Ok(Counted { rows: found.into_iter().map(noun).collect(), total })
}

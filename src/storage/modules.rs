//! The modules of the catalogue, each with its system.

use sea_orm::sea_query::{Expr, ExprTrait as _, LockType};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait, Select,
};

use super::catalogue::catalogue_table;
use super::column::{corrupt, total};
use super::db::{TenantRows, TenantTx};
use super::entity::modules::{Column, Entity, Model, Relation};
use super::entity::systems;
use super::error::StorageError;
use crate::model::catalogue::Module;
use crate::model::ids::{ModuleId, SystemId, TenantId};
use crate::model::page::{Counted, Window};
use crate::model::time::Timestamp;

pub(in crate::storage) fn noun(row: Model) -> Module {
    Module {
        id: ModuleId::from_uuid(row.id),
        key: row.key,
        code: row.code,
        system: SystemId::from_uuid(row.system_id),
        name: row.name,
        enabled: row.enabled,
        created_at: Timestamp::from_millis(row.created_at),
    }
}

pub(in crate::storage) fn row(tenant: TenantId, module: &Module) -> Model {
    Model {
        tenant_id: tenant.uuid(),
        id: module.id.uuid(),
        key: module.key.clone(),
        code: module.code.clone(),
        system_id: module.system.uuid(),
        name: module.name.clone(),
        enabled: module.enabled,
        created_at: module.created_at.millis(),
    }
}

catalogue_table!(Module, ModuleId, "module");

/// Part of the modules, of the system of this key or of all, in the order in which they were made, each
/// with the key of its system; and how many there are in all.
///
/// # Errors
/// The database is unavailable.
pub async fn window(
    rows: &TenantRows<'_>,
    system: Option<&str>,
    window: Window,
) -> Result<Counted<(Module, String)>, StorageError> {
    let mut query = of_tenant(rows).join(JoinType::InnerJoin, Relation::System.def());
    if let Some(key) = system {
        query = query.filter(systems::Column::Key.eq(key));
    }
    let part = query.clone().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
    let part = part.limit(window.limit).offset(window.offset);
    let found = part.select_also(systems::Entity).all(&rows.raw()).await?;
    let total = total(rows.unscoped(), query, window, found.len()).await?;
    let with_key = |(row, parent): (Model, Option<systems::Model>)| {
        let parent = parent.ok_or_else(|| corrupt("modules", "system_id", "refers to nothing"))?;
        Ok::<_, StorageError>((noun(row), parent.key))
    };
    Ok(Counted { rows: found.into_iter().map(with_key).collect::<Result<_, _>>()?, total })
}

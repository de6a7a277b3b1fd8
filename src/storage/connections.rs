//! Connections to providers elsewhere, and the domains that lead to them.

use std::collections::HashMap;

use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::column::{corrupt, json, to_json};
use super::db::{TenantRows, TenantTx};
use super::entity::connections::{Column, Entity, Model};
use super::entity::{connection_domains, connections};
use super::error::StorageError;
use crate::model::connection::{Connection, ConnectionKind, Provider};
use crate::model::ids::{ConnectionId, OrganizationId, TenantId};
use crate::model::time::Timestamp;

const TABLE: &str = "connections";

fn noun(row: Model, domains: Vec<String>) -> Result<Connection, StorageError> {
    let provider: Provider = json(TABLE, "provider", &row.provider)?;
    if provider.kind().as_str() != row.kind {
        return Err(corrupt(TABLE, "kind", "not that of the provider"));
    }
    Ok(Connection {
        tenant: TenantId::from_uuid(row.tenant_id),
        id: ConnectionId::from_uuid(row.id),
        organization: row.organization_id.map(OrganizationId::from_uuid),
        name: row.name,
        enabled: row.enabled,
        provider,
        settings: json(TABLE, "settings", &row.settings)?,
        domains,
        sealed_secret: row.sealed_secret,
        created_at: Timestamp::from_millis(row.created_at),
        updated_at: Timestamp::from_millis(row.updated_at),
    })
}

pub(super) fn row(tenant: TenantId, noun: &Connection) -> Model {
    let organization_id = noun.organization.map(OrganizationId::uuid);
    let kind = noun.provider.kind();
    Model {
        tenant_id: tenant.uuid(),
        id: noun.id.uuid(),
        kind: kind.as_str().to_owned(),
        organization_id,
        saml_workspace_id: organization_id.filter(|_| kind == ConnectionKind::Saml),
        name: noun.name.clone(),
        enabled: noun.enabled,
        provider: to_json(&noun.provider),
        settings: to_json(&noun.settings),
        sealed_secret: noun.sealed_secret.clone(),
        created_at: noun.created_at.millis(),
        updated_at: noun.updated_at.millis(),
    }
}

fn of_tenant(rows: &TenantRows<'_>) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(rows.tenant().uuid()))
}

/// With the domains that lead there, sorted.
async fn with_domains(rows: &TenantRows<'_>, found: Vec<Model>) -> Result<Vec<Connection>, StorageError> {
    use connection_domains::Column as Domain;
    let ids: Vec<uuid::Uuid> = found.iter().map(|row| row.id).collect();
    let all = connection_domains::Entity::find()
        .filter(Domain::TenantId.eq(rows.tenant().uuid()))
        .filter(Domain::ConnectionId.is_in(ids))
        .all(&rows.raw())
        .await?;
    let mut domains: HashMap<uuid::Uuid, Vec<String>> = HashMap::new();
    for row in all {
        domains.entry(row.connection_id).or_default().push(row.domain);
    }
    let with = |row: Model| {
        let mut own = domains.remove(&row.id).unwrap_or_default();
        own.sort_unstable();
        noun(row, own)
    };
    found.into_iter().map(with).collect()
}

/// Adds a connection.
///
/// # Errors
/// `Duplicate` if its workspace has a SAML connection already, or a domain leads elsewhere; or the database is
/// unavailable.
pub async fn insert(tx: &TenantTx<'_>, connection: &Connection) -> Result<(), StorageError> {
    let row = row(tx.tenant(), connection).into_active_model();
    Entity::insert(row).exec_without_returning(&tx.raw()).await?;
    insert_domains(tx, connection).await
}

async fn insert_domains(tx: &TenantTx<'_>, connection: &Connection) -> Result<(), StorageError> {
    if connection.domains.is_empty() {
        return Ok(());
    }
    let row = |domain: &String| connection_domains::Model {
        tenant_id: tx.tenant().uuid(),
        domain: domain.clone(),
        connection_id: connection.id.uuid(),
    };
    let rows = connection.domains.iter().map(|domain| row(domain).into_active_model());
    connection_domains::Entity::insert_many(rows).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Writes everything but id, kind, organization and the moment of its making.
///
/// # Errors
/// `Duplicate` if a domain leads elsewhere; or the database is unavailable.
pub async fn update(tx: &TenantTx<'_>, connection: &Connection) -> Result<(), StorageError> {
    let mut row = row(tx.tenant(), connection).into_active_model().reset_all();
    row.tenant_id = NotSet;
    row.id = NotSet;
    row.kind = NotSet;
    row.organization_id = NotSet;
    row.saml_workspace_id = NotSet;
    row.created_at = NotSet;
    Entity::update_many()
        .set(row)
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(connection.id.uuid()))
        .exec(&tx.raw())
        .await?;
    set_domains(tx, connection).await
}

/// Has its domains lead to a connection, and no others.
///
/// # Errors
/// `Duplicate` if a domain leads elsewhere; or the database is unavailable.
pub async fn set_domains(tx: &TenantTx<'_>, connection: &Connection) -> Result<(), StorageError> {
    use connection_domains::Column as Domain;
    connection_domains::Entity::delete_many()
        .filter(Domain::TenantId.eq(tx.tenant().uuid()))
        .filter(Domain::ConnectionId.eq(connection.id.uuid()))
        .exec(&tx.raw())
        .await?;
    insert_domains(tx, connection).await
}

/// Removes a connection with all that is linked by it; says whether there was one.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, id: ConnectionId) -> Result<bool, StorageError> {
    let done = Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(id.uuid()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// All connections, in the order of their making.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list(rows: &TenantRows<'_>) -> Result<Vec<Connection>, StorageError> {
    let found = of_tenant(rows).order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(&rows.raw()).await?;
    with_domains(rows, found).await
}

/// The connection of this id.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>, id: ConnectionId) -> Result<Option<Connection>, StorageError> {
    let found = of_tenant(rows).filter(Column::Id.eq(id.uuid())).all(&rows.raw()).await?;
    Ok(with_domains(rows, found).await?.pop())
}

/// The same, which nobody else changes until this transaction ends.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_for_update(tx: &TenantTx<'_>, id: ConnectionId) -> Result<Option<Connection>, StorageError> {
    let query = of_tenant(tx).filter(Column::Id.eq(id.uuid())).lock(LockType::NoKeyUpdate);
    let found = query.all(&tx.raw()).await?;
    Ok(with_domains(tx, found).await?.pop())
}

/// The SAML connection of a workspace.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn of_workspace(
    rows: &TenantRows<'_>,
    organization: OrganizationId,
) -> Result<Option<Connection>, StorageError> {
    let query = of_tenant(rows).filter(connections::Column::SamlWorkspaceId.eq(organization.uuid()));
    let found = query.all(&rows.raw()).await?;
    Ok(with_domains(rows, found).await?.pop())
}

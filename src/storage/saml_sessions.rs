//! Sessions at SAML providers that tokens or browsers' sessions come from, and go with.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::column::{json, to_json};
use super::db::{TenantRows, TenantTx};
use super::entity::saml_sessions::{Column, Entity, Model};
use super::error::StorageError;
use crate::model::connection::SamlSession;
use crate::model::ids::{ConnectionId, FamilyId, SessionId};
use crate::model::time::Timestamp;

/// What came of a session at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Led {
    /// Tokens.
    Family(FamilyId),
    /// A browser's session.
    Session(SessionId),
}

impl Led {
    fn id(self) -> Uuid {
        match self {
            Self::Family(family) => family.uuid(),
            Self::Session(session) => session.uuid(),
        }
    }
}

/// Remembers where something comes from; what comes from there once more, comes from the later one.
///
/// # Errors
/// The database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, led: Led, from: &SamlSession, now: Timestamp) -> Result<(), StorageError> {
    let row = Model {
        tenant_id: tx.tenant().uuid(),
        id: led.id(),
        family_id: if let Led::Family(id) = led { Some(id.uuid()) } else { None },
        session_id: if let Led::Session(id) = led { Some(id.uuid()) } else { None },
        connection_id: from.connection.uuid(),
        name_id: from.name_id.clone(),
        name_id_attributes: to_json(&from.name_id_attributes),
        session_index: from.index.clone(),
        created_at: now.millis(),
    };
    let latest = [Column::ConnectionId, Column::NameId, Column::NameIdAttributes, Column::SessionIndex];
    let again = OnConflict::columns([Column::TenantId, Column::Id]).update_columns(latest).to_owned();
    Entity::insert(row.into_active_model()).on_conflict(again).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Where tokens come from, if it is a SAML provider.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn of_family(rows: &TenantRows<'_>, family: FamilyId) -> Result<Option<SamlSession>, StorageError> {
    let found = Entity::find_by_id((rows.tenant().uuid(), family.uuid())).one(&rows.raw()).await?;
    let noun = |row: Model| {
        Ok(SamlSession {
            connection: ConnectionId::from_uuid(row.connection_id),
            name_id_attributes: json("saml_sessions", "name_id_attributes", &row.name_id_attributes)?,
            name_id: row.name_id,
            index: row.session_index,
        })
    };
    found.map(noun).transpose()
}

/// What came of somebody's sessions at a provider: of those that it names, or of all where it names none.
/// One that it never gave a name is meant too.
///
/// # Errors
/// The database is unavailable.
pub async fn led_by(
    rows: &TenantRows<'_>,
    connection: ConnectionId,
    name_id: &str,
    indexes: &[String],
) -> Result<Vec<Led>, StorageError> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(rows.tenant().uuid()))
        .filter(Column::ConnectionId.eq(connection.uuid()))
        .filter(Column::NameId.eq(name_id));
    if !indexes.is_empty() {
        let named = Condition::any()
            .add(Column::SessionIndex.is_in(indexes.iter().map(String::as_str)))
            .add(Column::SessionIndex.is_null());
        query = query.filter(named);
    }
    let found = query.all(&rows.raw()).await?;
    let family = |row: &Model| row.family_id.map(|id| Led::Family(FamilyId::from_uuid(id)));
    let session = |row: &Model| row.session_id.map(|id| Led::Session(SessionId::from_uuid(id)));
    Ok(found.iter().filter_map(|row| family(row).or_else(|| session(row))).collect())
}

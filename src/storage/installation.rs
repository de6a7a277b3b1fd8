//! The one row that says to which installation this database belongs.

use sea_orm::{EntityTrait, IntoActiveModel};

use super::db::{Rows, Tx};
use super::entity::installation;
use super::error::StorageError;
use crate::model::ids::TenantId;
use crate::model::time::Timestamp;

/// The only row's key.
const ID: i32 = 1;

/// What was fixed when the installation was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The tenant that serves every path that names none.
    pub default_tenant: TenantId,
    /// Something sealed with the master key, to tell whether the present one is the same.
    pub key_check: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The installation, if it was made.
///
/// # Errors
/// The database is unavailable.
pub async fn find(rows: Rows<'_>) -> Result<Option<Installation>, StorageError> {
    let found = installation::Entity::find_by_id(ID).one(&rows.raw()).await?;
    Ok(found.map(|row| Installation {
        default_tenant: TenantId::from_uuid(row.default_tenant_id),
        key_check: row.key_check,
        created_at: Timestamp::from_millis(row.created_at),
    }))
}

/// Makes the installation. Of many who try, one succeeds.
///
/// # Errors
/// `Duplicate` if it was made already; or the database is unavailable.
pub async fn insert(tx: &Tx, made: &Installation) -> Result<(), StorageError> {
    let row = installation::Model {
        id: ID,
        default_tenant_id: made.default_tenant.uuid(),
        key_check: made.key_check.clone(),
        created_at: made.created_at.millis(),
    };
    installation::Entity::insert(row.into_active_model()).exec_without_returning(tx.raw()).await?;
    Ok(())
}

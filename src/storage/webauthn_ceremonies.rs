//! Questions to passkeys that wait for their answers, by the digest of the challenge.

use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};

use super::column::{digest, parsed};
use super::db::TenantTx;
use super::entity::webauthn_ceremonies::{self, Column, Entity};
use super::error::StorageError;
use crate::model::factors::{Ceremony, CeremonyPurpose};
use crate::model::ids::UserId;
use crate::model::time::Timestamp;

fn noun(row: webauthn_ceremonies::Model) -> Result<Ceremony, StorageError> {
    Ok(Ceremony {
        digest: digest("webauthn_ceremonies", "digest", &row.digest)?,
        purpose: parsed("webauthn_ceremonies", "purpose", &row.purpose)?,
        browser: digest("webauthn_ceremonies", "browser", &row.browser)?,
        user: row.user_id.map(UserId::from_uuid),
        state: row.state,
        expires_at: Timestamp::from_millis(row.expires_at),
    })
}

/// Remembers a question.
///
/// # Errors
/// The database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, ceremony: &Ceremony) -> Result<(), StorageError> {
    let row = webauthn_ceremonies::Model {
        tenant_id: tx.tenant().uuid(),
        digest: ceremony.digest.to_vec(),
        purpose: ceremony.purpose.as_str().to_owned(),
        browser: ceremony.browser.to_vec(),
        user_id: ceremony.user.map(UserId::uuid),
        state: ceremony.state.clone(),
        expires_at: ceremony.expires_at.millis(),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Takes the question that was put with this challenge for this purpose to this browser about this
/// person, unless it has been taken or has expired.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn take(
    tx: &TenantTx<'_>,
    challenge: &[u8; 32],
    purpose: CeremonyPurpose,
    browser: &[u8; 32],
    user: Option<UserId>,
    now: Timestamp,
) -> Result<Option<Ceremony>, StorageError> {
    let about = user.map_or_else(|| Column::UserId.is_null(), |user| Column::UserId.eq(user.uuid()));
    let wanted = Condition::all()
        .add(Column::TenantId.eq(tx.tenant().uuid()))
        .add(Column::Digest.eq(challenge.to_vec()))
        .add(Column::Purpose.eq(purpose.as_str()))
        .add(Column::Browser.eq(browser.to_vec()))
        .add(about)
        .add(Column::ExpiresAt.gt(now.millis()));
    let Some(found) = Entity::find().filter(wanted.clone()).one(&tx.raw()).await? else { return Ok(None) };
    // Who deletes it has it.
    let taken = Entity::delete_many().filter(wanted).exec(&tx.raw()).await?.rows_affected == 1;
    taken.then(|| noun(found)).transpose()
}

//! Token families, reference tokens, and what was revoked before its time.

use sea_orm::sea_query::{BinOper, CaseStatement, Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, UpdateMany};

use super::column::{corrupt, digest, json, json_array, parsed, texts, to_json};
use super::db::{TenantRows, TenantTx};
use super::entity::{opaque_tokens, revoked_tokens, token_families};
use super::error::StorageError;
use crate::model::ids::{ClientId, FamilyId, OrganizationId, SessionId, TenantId, UserId};
use crate::model::time::Timestamp;
use crate::model::token::{OpaqueToken, RevocationReason, TokenFamily};

const FAMILIES: &str = "token_families";

fn family(row: token_families::Model) -> Result<TokenFamily, StorageError> {
    let revoked = match (row.revoked_at, row.revocation_reason) {
        (None, None) => None,
        (Some(at), Some(reason)) => Some((Timestamp::from_millis(at), parsed(FAMILIES, "revocation_reason", &reason)?)),
        _ => return Err(corrupt(FAMILIES, "revocation_reason", "a reason without a time or the other way round")),
    };
    Ok(TokenFamily {
        tenant: TenantId::from_uuid(row.tenant_id),
        id: FamilyId::from_uuid(row.id),
        client: parsed(FAMILIES, "client_id", &row.client_id)?,
        user: UserId::from_uuid(row.user_id),
        scope: parsed(FAMILIES, "scope", &row.scope)?,
        audience: row.audience,
        amr: texts(FAMILIES, "amr", &row.amr)?,
        auth_time: Timestamp::from_millis(row.auth_time),
        session: row.session_id.map(SessionId::from_uuid),
        organization: row.organization_id.map(OrganizationId::from_uuid),
        acr: row.acr,
        claims: row.claims.as_deref().map(|text| json(FAMILIES, "claims", text)).transpose()?.unwrap_or_default(),
        generation: row.generation,
        rotated_at: Timestamp::from_millis(row.rotated_at),
        expires_at: Timestamp::from_millis(row.expires_at),
        revoked,
        created_at: Timestamp::from_millis(row.created_at),
    })
}

/// Adds a family, unless it is there already.
///
/// # Errors
/// Its client or user does not exist, or the database is unavailable.
pub async fn insert_family(tx: &TenantTx<'_>, family: &TokenFamily) -> Result<(), StorageError> {
    let row = token_families::Model {
        tenant_id: tx.tenant().uuid(),
        id: family.id.uuid(),
        client_id: family.client.as_str().to_owned(),
        user_id: family.user.uuid(),
        scope: family.scope.to_string(),
        audience: family.audience.clone(),
        amr: json_array(&family.amr),
        auth_time: family.auth_time.millis(),
        generation: family.generation,
        rotated_at: family.rotated_at.millis(),
        expires_at: family.expires_at.millis(),
        revoked_at: family.revoked.map(|(at, _)| at.millis()),
        revocation_reason: family.revoked.map(|(_, reason)| reason.as_str().to_owned()),
        created_at: family.created_at.millis(),
        session_id: family.session.map(SessionId::uuid),
        organization_id: family.organization.map(OrganizationId::uuid),
        acr: family.acr.clone(),
        claims: (!family.claims.is_empty()).then(|| to_json(&family.claims)),
    };
    let there =
        OnConflict::columns([token_families::Column::TenantId, token_families::Column::Id]).do_nothing().to_owned();
    token_families::Entity::insert(row.into_active_model())
        .on_conflict(there)
        .exec_without_returning(&tx.raw())
        .await?;
    Ok(())
}

/// One family.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_family(rows: &TenantRows<'_>, id: FamilyId) -> Result<Option<TokenFamily>, StorageError> {
    token_families::Entity::find()
        .filter(token_families::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(token_families::Column::Id.eq(id.uuid()))
        .one(&rows.raw())
        .await?
        .map(family)
        .transpose()
}

/// Uses up one generation of a family's refresh token, if it is the one that counts, belongs to
/// this client, and the family has neither expired nor ended. Of many who try, one succeeds.
///
/// # Errors
/// The database is unavailable.
pub async fn rotate_family(
    tx: &TenantTx<'_>,
    id: FamilyId,
    client: &ClientId,
    from_generation: i32,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, StorageError> {
    use token_families::Column;
    let done = token_families::Entity::update_many()
        .col_expr(Column::Generation, Expr::value(from_generation.saturating_add(1)))
        .col_expr(Column::RotatedAt, Expr::value(now.millis()))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::ClientId.eq(client.as_str()))
        .filter(Column::Generation.eq(from_generation))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.millis()))
        .exec(&tx.raw())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Ends what a further filter selects among the families that have not ended.
fn end(tx: &TenantTx<'_>, at: Timestamp, reason: RevocationReason) -> UpdateMany<token_families::Entity> {
    use token_families::Column;
    token_families::Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(at.millis()))
        .col_expr(Column::RevocationReason, Expr::value(reason.as_str()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::RevokedAt.is_null())
}

/// Ends a family; says whether it had not ended before.
///
/// # Errors
/// The database is unavailable.
pub async fn revoke_family(
    tx: &TenantTx<'_>,
    id: FamilyId,
    at: Timestamp,
    reason: RevocationReason,
) -> Result<bool, StorageError> {
    let done = end(tx, at, reason).filter(token_families::Column::Id.eq(id.uuid())).exec(&tx.raw()).await?;
    Ok(done.rows_affected == 1)
}

/// Ends all families of a user; says which had not ended before.
///
/// # Errors
/// The database is unavailable.
pub async fn revoke_families_of_user(
    tx: &TenantTx<'_>,
    user: UserId,
    at: Timestamp,
    reason: RevocationReason,
) -> Result<Vec<FamilyId>, StorageError> {
    let query = end(tx, at, reason).filter(token_families::Column::UserId.eq(user.uuid()));
    Ok(ids(query.exec_with_returning(&tx.raw()).await?))
}

/// Ends all families of a client; says which had not ended before.
///
/// # Errors
/// The database is unavailable.
pub async fn revoke_families_of_client(
    tx: &TenantTx<'_>,
    client: &ClientId,
    at: Timestamp,
    reason: RevocationReason,
) -> Result<Vec<FamilyId>, StorageError> {
    let query = end(tx, at, reason).filter(token_families::Column::ClientId.eq(client.as_str()));
    Ok(ids(query.exec_with_returning(&tx.raw()).await?))
}

/// Ends the families of a session, but those that were granted `offline_access`; says which had not
/// ended before.
///
/// # Errors
/// The database is unavailable.
pub async fn revoke_families_of_session(
    tx: &TenantTx<'_>,
    session: SessionId,
    at: Timestamp,
    reason: RevocationReason,
) -> Result<Vec<FamilyId>, StorageError> {
    use token_families::Column;
    // The scope is a list of words; one at its ends has no space on that side.
    let padded =
        Expr::val(" ").binary(BinOper::Custom("||"), Expr::col(Column::Scope)).binary(BinOper::Custom("||"), " ");
    let query =
        end(tx, at, reason).filter(Column::SessionId.eq(session.uuid())).filter(padded.not_like("% offline_access %"));
    Ok(ids(query.exec_with_returning(&tx.raw()).await?))
}

/// Ends what a client holds for a user; says which had not ended before.
///
/// # Errors
/// The database is unavailable.
pub async fn revoke_families_of_user_at(
    tx: &TenantTx<'_>,
    user: UserId,
    client: &ClientId,
    at: Timestamp,
    reason: RevocationReason,
) -> Result<Vec<FamilyId>, StorageError> {
    use token_families::Column;
    let query = end(tx, at, reason).filter(Column::UserId.eq(user.uuid())).filter(Column::ClientId.eq(client.as_str()));
    Ok(ids(query.exec_with_returning(&tx.raw()).await?))
}

fn ids(ended: Vec<token_families::Model>) -> Vec<FamilyId> {
    ended.into_iter().map(|row| FamilyId::from_uuid(row.id)).collect()
}

/// Adds a reference token.
///
/// # Errors
/// It exists already, or the database is unavailable.
pub async fn insert_opaque(tx: &TenantTx<'_>, token: &OpaqueToken) -> Result<(), StorageError> {
    let row = opaque_tokens::Model {
        tenant_id: tx.tenant().uuid(),
        digest: token.digest.to_vec(),
        claims: token.claims.clone(),
        expires_at: token.expires_at.millis(),
    };
    opaque_tokens::Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// The reference token of a digest, expired or not.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_opaque(rows: &TenantRows<'_>, token: &[u8; 32]) -> Result<Option<OpaqueToken>, StorageError> {
    let found = opaque_tokens::Entity::find()
        .filter(opaque_tokens::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(opaque_tokens::Column::Digest.eq(token.to_vec()))
        .one(&rows.raw())
        .await?;
    let Some(row) = found else { return Ok(None) };
    Ok(Some(OpaqueToken {
        digest: digest("opaque_tokens", "digest", &row.digest)?,
        tenant: TenantId::from_uuid(row.tenant_id),
        claims: row.claims,
        expires_at: Timestamp::from_millis(row.expires_at),
    }))
}

/// Remembers until `expires_at` that a token, or a whole family, counts for nothing. Again for the
/// same token the later time counts.
///
/// # Errors
/// The database is unavailable.
pub async fn revoke(tx: &TenantTx<'_>, token: &str, expires_at: Timestamp) -> Result<(), StorageError> {
    use revoked_tokens::{Column, Entity};
    let until = expires_at.millis();
    let row = revoked_tokens::Model { tenant_id: tx.tenant().uuid(), token: token.to_owned(), expires_at: until };
    let known = Expr::col((Entity, Column::ExpiresAt));
    let later: CaseStatement = Expr::case(known.clone().lt(until), until).finally(known);
    let again = OnConflict::columns([Column::TenantId, Column::Token]).value(Column::ExpiresAt, later).to_owned();
    Entity::insert(row.into_active_model()).on_conflict(again).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Whether any of these tokens or families was revoked.
///
/// # Errors
/// The database is unavailable.
pub async fn any_revoked(rows: &TenantRows<'_>, tokens: &[&str]) -> Result<bool, StorageError> {
    if tokens.is_empty() {
        return Ok(false);
    }
    let found: Option<String> = revoked_tokens::Entity::find()
        .select_only()
        .column(revoked_tokens::Column::Token)
        .filter(revoked_tokens::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(revoked_tokens::Column::Token.is_in(tokens.iter().copied()))
        .into_tuple()
        .one(&rows.raw())
        .await?;
    Ok(found.is_some())
}

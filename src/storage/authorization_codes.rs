//! Authorization codes (RFC 6749 §4.1.2): one row each, every binding a column.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::column::{digest, json, parsed, to_json};
use super::db::{TenantRows, TenantTx};
use super::entity::authorization_codes;
use super::error::StorageError;
use crate::model::authorization::Authorization;
use crate::model::ids::{ClientId, UserId};
use crate::model::time::Timestamp;

/// A code as it is stored.
#[derive(Clone, Debug)]
pub struct CodeRow {
    /// SHA-256 of the code.
    pub digest: [u8; 32],
    /// To whom it was issued.
    pub client: ClientId,
    /// The redirect URI of the request.
    pub redirect_uri: String,
    /// The S256 challenge of the request (RFC 7636 §4.3).
    pub challenge: Option<String>,
    /// What it stands for.
    pub authorization: Authorization,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Whether it was used.
    pub used: bool,
}

/// What whoever redeems a code shows beside it.
#[derive(Clone, Debug)]
pub struct Redemption {
    /// SHA-256 of the code.
    pub digest: [u8; 32],
    /// Who redeems it.
    pub client: ClientId,
    /// The redirect URI, where it was sent.
    pub redirect_uri: Option<String>,
    /// The challenge that the verifier answers.
    pub challenge: Option<String>,
}

const TABLE: &str = "authorization_codes";

fn noun(row: authorization_codes::Model) -> Result<CodeRow, StorageError> {
    Ok(CodeRow {
        digest: digest(TABLE, "digest", &row.digest)?,
        client: parsed(TABLE, "client_id", &row.client_id)?,
        redirect_uri: row.redirect_uri.unwrap_or_default(),
        challenge: row.challenge,
        authorization: json(TABLE, "authorization", &row.authorization)?,
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: Timestamp::from_millis(row.expires_at),
        used: row.used_at.is_some(),
    })
}

/// Adds a code.
///
/// # Errors
/// Its client or user does not exist, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, code: &CodeRow) -> Result<(), StorageError> {
    let row = authorization_codes::Model {
        tenant_id: tx.tenant().uuid(),
        digest: code.digest.to_vec(),
        client_id: code.client.as_str().to_owned(),
        redirect_uri: Some(code.redirect_uri.clone()),
        challenge: code.challenge.clone(),
        family_id: code.authorization.family.uuid(),
        user_id: code.authorization.user.uuid(),
        authorization: to_json(&code.authorization),
        created_at: code.created_at.millis(),
        expires_at: code.expires_at.millis(),
        used_at: None,
    };
    authorization_codes::Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Uses a code up and gives it, if every binding is the same, it was not used and has not expired. Of
/// many who try, one succeeds.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn redeem(tx: &TenantTx<'_>, shown: &Redemption, now: Timestamp) -> Result<Option<CodeRow>, StorageError> {
    use authorization_codes::Column;
    let mut query = authorization_codes::Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::Digest.eq(shown.digest.to_vec()))
        .filter(Column::ClientId.eq(shown.client.as_str()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.millis()));
    query = match &shown.challenge {
        Some(challenge) => query.filter(Column::Challenge.eq(challenge.as_str())),
        // A code of a request with a challenge is worth nothing without its verifier, and the other
        // way round (RFC 9700 §4.8.2).
        None => query.filter(Column::Challenge.is_null()),
    };
    query = match &shown.redirect_uri {
        Some(uri) => query.filter(Column::RedirectUri.eq(uri.as_str())),
        // OAuth 2.1 drops the parameter: PKCE says more.
        None => query.filter(Column::Challenge.is_not_null()),
    };
    query.exec_with_returning(&tx.raw()).await?.into_iter().next().map(noun).transpose()
}

/// Codes that a client has not redeemed for a user expire at this moment.
///
/// # Errors
/// The database is unavailable.
pub async fn expire_of_user_at(
    tx: &TenantTx<'_>,
    user: UserId,
    client: &ClientId,
    now: Timestamp,
) -> Result<(), StorageError> {
    use authorization_codes::Column;
    authorization_codes::Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(now.millis()))
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::UserId.eq(user.uuid()))
        .filter(Column::ClientId.eq(client.as_str()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.millis()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// The code of a digest, used or expired or not.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>, code: &[u8; 32]) -> Result<Option<CodeRow>, StorageError> {
    let found = authorization_codes::Entity::find()
        .filter(authorization_codes::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(authorization_codes::Column::Digest.eq(code.to_vec()))
        .one(&rows.raw())
        .await?;
    found.map(noun).transpose()
}

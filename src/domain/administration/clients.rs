//! Clients, in the hands of administrators.

use std::time::Duration;

use crate::domain::access::Powers;
use crate::domain::clients::{self, ClientChange, NewClient, Registered};
use crate::domain::{Ctx, DomainError, services};
use crate::model::ids::ClientId;
use crate::model::secret::Secret;

/// Makes a client, which may do no more than whoever makes it.
///
/// # Errors
/// As [`clients::create`]; [`DomainError::NotAllowed`] for a permission too much.
pub async fn create(ctx: &Ctx<'_>, by: &Powers, new: NewClient) -> Result<Registered, DomainError> {
    clients::create_by(ctx, by.clone(), new).await
}

/// Changes a client.
///
/// # Errors
/// As [`clients::update`]; [`DomainError::NotAllowed`] for one that may do more, before or after.
pub async fn update(
    ctx: &Ctx<'_>,
    by: &Powers,
    id: &ClientId,
    change: ClientChange,
) -> Result<Registered, DomainError> {
    clients::update_by(ctx, by.clone(), id, change).await
}

/// Deletes a client and all that it holds.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::NotAllowed`] for one that may do more; or the database is
/// unavailable.
pub async fn delete(ctx: &Ctx<'_>, by: &Powers, id: &ClientId) -> Result<(), DomainError> {
    clients::delete_by(ctx, by.clone(), id).await
}

/// Replaces a client's secret; the one before counts for `overlap` more.
///
/// # Errors
/// As [`clients::rotate_secret`]; [`DomainError::NotAllowed`] for one that may do more.
pub async fn rotate_secret(
    ctx: &Ctx<'_>,
    by: &Powers,
    id: &ClientId,
    overlap: Duration,
) -> Result<Secret<String>, DomainError> {
    clients::rotate_secret_by(ctx, by.clone(), id, overlap).await
}

/// Grants a service a permission, or revokes it; doing it twice is doing it once.
///
/// # Errors
/// As [`services::set_scope`]; [`DomainError::NotAllowed`] for what whoever asks lacks.
pub async fn set_permission(
    ctx: &Ctx<'_>,
    by: &Powers,
    id: &ClientId,
    code: &str,
    granted: bool,
) -> Result<(), DomainError> {
    services::set_scope_by(ctx, by.clone(), id, code, granted).await
}

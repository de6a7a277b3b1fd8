//! `grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4).

use super::super::client_auth::AuthenticatedClient;
use super::super::error::OAuthError;
use super::super::params::Params;
use super::{Granted, unsupported};
use crate::domain::Ctx;

/// Not yet.
pub(super) async fn grant(_: &Ctx<'_>, _: &AuthenticatedClient, _: &Params<'_>) -> Result<Granted, OAuthError> {
    Err(unsupported())
}

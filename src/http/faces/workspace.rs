//! `/api/auth/*` and `/api/external/*`: the front end of a workspace product (`workspace.md`).
//!
//! A workspace is an organization. **Ids** are bare UUIDs.
//!
//! **Tenant**: accounts are made and signed in to in the default one; who has a token acts in its own.
//!
//! **Tokens**: what somebody is in a workspace no scope names, so a token that an app of somebody else
//! holds can't act there (`docs/decisions/0011-what-a-token-may-do.md`).

mod auth;
mod caller;
pub(super) mod error;
mod invitations;
mod members;
mod paging;
mod saml;
pub(super) mod wire;
mod workspaces;

use crate::http::mount::{Endpoint, endpoints};
use crate::telemetry::Surface;

/// What it serves.
pub(in crate::http) fn endpoints() -> Vec<Endpoint> {
    endpoints![
        Surface::Workspace;
        auth::register,
        auth::login,
        auth::mfa,
        auth::refresh,
        auth::logout,
        auth::me,
        workspaces::list,
        workspaces::create,
        workspaces::show,
        workspaces::change,
        workspaces::leave,
        members::list,
        members::invite,
        members::change,
        members::remove,
        invitations::list,
        invitations::withdraw,
        saml::metadata,
        saml::login,
        saml::acs,
        saml::logout,
        saml::slo,
    ]
}

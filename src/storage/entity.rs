//! The tables as SeaORM sees them, one file a table. The schema itself is `migration/`.

pub mod access_log;
pub mod audit_log;
pub mod changes;
pub mod client_permissions;
pub mod clients;
pub mod installation;
pub mod leases;
pub mod lockouts;
pub mod opaque_tokens;
pub mod permissions;
pub mod revoked_tokens;
pub mod role_assignments;
pub mod role_permissions;
pub mod roles;
pub mod signing_keys;
pub mod tenant_keys;
pub mod tenants;
pub mod token_families;
pub mod used_assertions;
pub mod user_identifiers;
pub mod users;

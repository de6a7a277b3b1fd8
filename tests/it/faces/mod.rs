//! The REST faces against their contracts: statuses, member names and literals as they are written
//! there.

mod control;
mod control_administrators;
mod idaas;
mod rbac;
mod rbac_assignments;
mod rbac_tokens;
mod services;
mod workspace_accounts;
mod workspace_members;

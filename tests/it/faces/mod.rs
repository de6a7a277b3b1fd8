//! The REST faces against their contracts: statuses, member names and literals as they are written
//! there.

mod control;
mod idaas;
mod rbac;
mod rbac_assignments;
mod rbac_tokens;
mod services;

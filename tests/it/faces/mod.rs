//! The REST faces against their contracts: statuses, member names and literals as they are written
//! there.

mod admin;
mod admin_powers;
mod admin_support;
mod control;
mod control_administrators;
pub mod handoff;
mod handoff_golden;
mod handoff_proof;
mod handoff_races;
mod idaas;
mod member;
pub mod rbac;
mod rbac_assignments;
mod rbac_powers;
mod rbac_tokens;
mod services;
mod workspace_accounts;
mod workspace_members;
mod workspace_owners;

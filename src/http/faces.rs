//! The REST surfaces: one folder a contract, each with its own error shape and its own words.

pub(super) mod admin;
pub(super) mod control;
pub(super) mod handoff;
pub(super) mod idaas;
pub(super) mod member;
pub(super) mod rbac;
pub(super) mod workspace;

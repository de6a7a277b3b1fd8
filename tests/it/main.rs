//! The black-box suite: the real application on a real port over a real database, SQLite and
//! PostgreSQL alike. Modules are named after the rule that they hold.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs
)]

mod access;
mod bad_input;
mod canonical;
mod cli;
mod cross_face;
mod edge;
mod faces;
mod factor_pages;
mod factor_races;
mod factors;
mod invitations;
mod limits;
mod link_races;
mod lockout;
mod mail;
mod mail_pages;
mod oauth;
mod oidc;
mod outage;
mod outbound;
mod pages;
mod password_policy;
mod passwords;
mod plans;
mod propagation;
mod races;
mod recovery;
mod registration;
mod restart;
mod saml;
mod schema;
mod secrets;
mod security;
mod sign_in_races;
mod snapshots;
mod support;
mod tenancy;
mod tidy;
mod transfer;
mod upstream;

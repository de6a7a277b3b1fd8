//! The schema of gatehouse. One file a change, append only; expand → migrate → contract, so that
//! the previous release keeps running on the new schema (`README.md` beside this folder's manifest).

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{MigratorTrait, SchemaManager};

mod grams;
mod m0001_foundation;
mod m0002_sign_in;
mod m0003_mail;
mod m0004_factors;
mod m0005_client_settings;
mod m0006_logout_outbox;
mod m0007_access;
mod m0008_search;
mod m0009_connections;
mod m0010_saml_sessions;
mod m0011_lists;
mod m0012_grams;
mod m0013_indexes;
mod tables;
mod trigrams;

/// All changes, oldest first. It takes no lock: `storage/migrate.rs` wraps it in one.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_foundation::Migration),
            Box::new(m0002_sign_in::Migration),
            Box::new(m0003_mail::Migration),
            Box::new(m0004_factors::Migration),
            Box::new(m0005_client_settings::Migration),
            Box::new(m0006_logout_outbox::Migration),
            Box::new(m0007_access::Migration),
            Box::new(m0008_search::Migration),
            Box::new(m0009_connections::Migration),
            Box::new(m0010_saml_sessions::Migration),
            Box::new(m0011_lists::Migration),
            Box::new(m0012_grams::Migration),
            Box::new(m0013_indexes::Migration),
        ]
    }
}

//! Organizations and their members, the catalogue, API clients, scoped grants.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, binary_null, boolean, integer, string, string_null, text, uuid, uuid_null,
};

use super::tables::{create, drop_all, of_user, owned, plain, reference, unique, widened};

/// The seventh schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for change in widened("users", vec![string_null("external_sub")]) {
            manager.alter_table(change).await?;
        }
        for change in widened("mail_outbox", vec![string_null("about")]) {
            manager.alter_table(change).await?;
        }
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, NAMES).await?;
        let mut index = Index::drop();
        manager.drop_index(index.name("ix_users_tenant_id_external_sub").table(Alias::new("users")).to_owned()).await?;
        for (table, column) in [("users", "external_sub"), ("mail_outbox", "about")] {
            let mut change = Table::alter();
            manager.alter_table(change.table(Alias::new(table)).drop_column(Alias::new(column)).to_owned()).await?;
        }
        Ok(())
    }
}

/// Every table, each after those that it refers to.
const NAMES: &[&str] = &[
    "organizations",
    "memberships",
    "invitations",
    "sites",
    "systems",
    "modules",
    "catalogue_numbers",
    "api_clients",
    "scoped_grants",
    "mfa_tickets",
    "idempotent_requests",
];

fn tables() -> Vec<TableCreateStatement> {
    let of_organization =
        |table| reference(table, &["tenant_id", "organization_id"], "organizations", &["tenant_id", "id"]);
    let of = |table, column, to| reference(table, &["tenant_id", column], to, &["tenant_id", "id"]);
    vec![
        owned("organizations", &["id"])
            .col(uuid("id"))
            .col(string("key"))
            .col(string("slug"))
            .col(string("name"))
            .col(string("plan"))
            .col(boolean("enabled"))
            .col(text("search_text"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .to_owned(),
        owned("memberships", &["id"])
            .col(uuid("id"))
            .col(uuid("organization_id"))
            .col(uuid("user_id"))
            .col(string("role"))
            .col(big_integer("created_at"))
            .foreign_key(&mut of_organization("memberships"))
            .foreign_key(&mut of_user("memberships"))
            .to_owned(),
        // `digest` is of the secret in the mail; there is none before the mail was sent.
        owned("invitations", &["id"])
            .col(uuid("id"))
            .col(uuid("organization_id"))
            .col(string("email"))
            .col(string("canonical_email"))
            .col(string("role"))
            .col(string("invited_by"))
            .col(binary_null("digest"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("settled_at"))
            .foreign_key(&mut of_organization("invitations"))
            .to_owned(),
        owned("sites", &["id"])
            .col(uuid("id"))
            .col(string("key"))
            .col(string_null("code"))
            .col(uuid("organization_id"))
            .col(string("name"))
            .col(boolean("enabled"))
            .col(big_integer("created_at"))
            .foreign_key(&mut of_organization("sites"))
            .to_owned(),
        owned("systems", &["id"])
            .col(uuid("id"))
            .col(string("key"))
            .col(string_null("code"))
            .col(string("name"))
            .col(boolean("enabled"))
            .col(big_integer("created_at"))
            .to_owned(),
        owned("modules", &["id"])
            .col(uuid("id"))
            .col(string("key"))
            .col(string_null("code"))
            .col(uuid("system_id"))
            .col(string("name"))
            .col(boolean("enabled"))
            .col(big_integer("created_at"))
            .foreign_key(&mut of("modules", "system_id", "systems"))
            .to_owned(),
        // The next number of the keys of a kind and day: none is used twice, whatever is deleted.
        owned("catalogue_numbers", &["prefix"]).col(string("prefix")).col(big_integer("next")).to_owned(),
        owned("api_clients", &["id"])
            .col(uuid("id"))
            .col(string("name"))
            .col(string("client_key"))
            .col(binary("secret_digest"))
            .col(binary_null("previous_secret_digest"))
            .col(big_integer_null("previous_secret_expires_at"))
            .col(big_integer_null("expires_at"))
            .col(boolean("enabled"))
            .col(text("origins"))
            .col(text("networks"))
            .col(text("paths"))
            .col(big_integer("created_at"))
            .to_owned(),
        // `scope` and `module` are what snapshots show: a key of the catalogue, or the text as given
        // where the catalogue does not hold the thing; then the references are null.
        owned("scoped_grants", &["id"])
            .col(uuid("id"))
            .col(uuid("user_id"))
            .col(string("scope_type"))
            .col(string("scope"))
            .col(string("module"))
            .col(string("action"))
            .col(uuid_null("organization_id"))
            .col(uuid_null("site_id"))
            .col(uuid_null("module_id"))
            .col(string("granted_by"))
            .col(big_integer("granted_at"))
            .foreign_key(&mut of_user("scoped_grants"))
            .foreign_key(&mut of_organization("scoped_grants"))
            .foreign_key(&mut of("scoped_grants", "site_id", "sites"))
            .foreign_key(&mut of("scoped_grants", "module_id", "modules"))
            .to_owned(),
        // A sign-in whose password was right and whose second factor is still to come.
        owned("mfa_tickets", &["digest"])
            .col(binary("digest"))
            .col(uuid("user_id"))
            .col(integer("epoch"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut of_user("mfa_tickets"))
            .to_owned(),
        // By the digest of who asked and the key that they gave; the answer is sealed, since it may
        // hold a secret that is shown once.
        owned("idempotent_requests", &["digest"])
            .col(binary("digest"))
            .col(binary("request_digest"))
            .col(integer("status"))
            .col(binary_null("sealed_answer"))
            .col(big_integer("expires_at"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("users", &["tenant_id", "external_sub"]),
        unique("organizations", &["tenant_id", "key"]),
        unique("organizations", &["tenant_id", "slug"]),
        plain("organizations", &["tenant_id", "created_at", "id"]),
        unique("memberships", &["tenant_id", "organization_id", "user_id"]),
        plain("memberships", &["tenant_id", "user_id"]),
        plain("invitations", &["tenant_id", "organization_id", "canonical_email"]),
        plain("invitations", &["digest"]),
        plain("invitations", &["expires_at"]),
        unique("sites", &["tenant_id", "key"]),
        unique("sites", &["tenant_id", "code"]),
        plain("sites", &["tenant_id", "organization_id", "created_at", "id"]),
        plain("sites", &["tenant_id", "created_at", "id"]),
        unique("systems", &["tenant_id", "key"]),
        unique("systems", &["tenant_id", "code"]),
        plain("systems", &["tenant_id", "created_at", "id"]),
        unique("modules", &["tenant_id", "key"]),
        unique("modules", &["tenant_id", "code"]),
        plain("modules", &["tenant_id", "system_id", "created_at", "id"]),
        plain("modules", &["tenant_id", "created_at", "id"]),
        unique("api_clients", &["tenant_id", "client_key"]),
        unique("scoped_grants", &["tenant_id", "user_id", "scope_type", "scope", "module", "action"]),
        plain("scoped_grants", &["tenant_id", "organization_id"]),
        plain("scoped_grants", &["tenant_id", "site_id"]),
        plain("scoped_grants", &["tenant_id", "module_id"]),
        plain("scoped_grants", &["tenant_id", "scope"]),
        plain("scoped_grants", &["tenant_id", "module"]),
        plain("mfa_tickets", &["tenant_id", "user_id"]),
        plain("mfa_tickets", &["expires_at"]),
        plain("idempotent_requests", &["expires_at"]),
        plain("users", &["tenant_id", "created_at", "id"]),
    ]
}

//! Sign-in from elsewhere: connections to other providers, who is who there, and what is under way.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, binary_null, boolean, string, string_null, text, text_null, uuid, uuid_null,
};

use super::tables::{create, drop_all, of_user, owned, plain, reference, unique};

/// The ninth schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(), indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, NAMES).await
    }
}

/// Every table, each after those that it refers to.
const NAMES: &[&str] = &[
    "connections",
    "connection_domains",
    "identities",
    "upstream_logins",
    "link_offers",
    "saml_assertions",
    "saml_keys",
];

fn tables() -> Vec<TableCreateStatement> {
    let of = |table, column, to| reference(table, &["tenant_id", column], to, &["tenant_id", "id"]);
    let of_connection = |table| of(table, "connection_id", "connections");
    vec![
        // `saml_workspace_id` is the organization once more, of SAML connections alone: there is one a workspace.
        owned("connections", &["id"])
            .col(uuid("id"))
            .col(string("kind"))
            .col(uuid_null("organization_id"))
            .col(uuid_null("saml_workspace_id"))
            .col(string("name"))
            .col(boolean("enabled"))
            .col(text("provider"))
            .col(text("settings"))
            .col(binary_null("sealed_secret"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .foreign_key(&mut of("connections", "organization_id", "organizations"))
            .to_owned(),
        owned("connection_domains", &["domain"])
            .col(string("domain"))
            .col(uuid("connection_id"))
            .foreign_key(&mut of_connection("connection_domains"))
            .to_owned(),
        // Who somebody is there says who they are here; nothing else does.
        owned("identities", &["connection_id", "subject"])
            .col(uuid("connection_id"))
            .col(string("subject"))
            .col(uuid("user_id"))
            .col(big_integer("created_at"))
            .col(big_integer("used_at"))
            .foreign_key(&mut of_connection("identities"))
            .foreign_key(&mut of_user("identities"))
            .to_owned(),
        // By the digest of `state` or `RelayState`.
        owned("upstream_logins", &["digest"])
            .col(binary("digest"))
            .col(uuid("connection_id"))
            .col(binary_null("browser"))
            .col(text_null("goal"))
            .col(string_null("nonce"))
            .col(binary_null("sealed_verifier"))
            .col(string_null("request_id"))
            .col(text_null("pending"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("used_at"))
            .foreign_key(&mut of_connection("upstream_logins"))
            .to_owned(),
        owned("link_offers", &["digest"])
            .col(binary("digest"))
            .col(uuid("connection_id"))
            .col(string("subject"))
            .col(binary("browser"))
            .col(text_null("label"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut of_connection("link_offers"))
            .to_owned(),
        owned("saml_assertions", &["connection_id", "digest"])
            .col(uuid("connection_id"))
            .col(binary("digest"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut of_connection("saml_assertions"))
            .to_owned(),
        // The key with which a tenant signs what it asks SAML providers, and opens what they encrypt.
        owned("saml_keys", &[])
            .col(binary("sealed_private"))
            .col(text("certificate"))
            .col(big_integer("created_at"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        plain("connections", &["tenant_id", "organization_id"]),
        unique("connections", &["tenant_id", "saml_workspace_id"]),
        plain("connection_domains", &["tenant_id", "connection_id"]),
        plain("identities", &["tenant_id", "user_id"]),
        plain("upstream_logins", &["tenant_id", "connection_id"]),
        plain("upstream_logins", &["expires_at"]),
        plain("link_offers", &["tenant_id", "connection_id"]),
        plain("link_offers", &["expires_at"]),
        plain("saml_assertions", &["expires_at"]),
    ]
}

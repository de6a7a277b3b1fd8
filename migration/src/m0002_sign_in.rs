//! People sign in: sessions, login transactions, codes, consents, devices' codes.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, binary_null, boolean, integer, string, string_null, text, text_null, uuid,
    uuid_null,
};

use super::tables::{create, drop_all, of_client, of_user, owned, plain, unique, widened};

/// The second schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(), indexes()).await?;
        // A family remembers from which sign-in it comes, and what was asked for beside the scope.
        let columns = vec![uuid_null("session_id"), text_null("acr"), text_null("claims")];
        for change in widened("token_families", columns) {
            manager.alter_table(change).await?;
        }
        manager.create_index(plain("token_families", &["tenant_id", "session_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index =
            Index::drop().name("ix_token_families_tenant_id_session_id").table(Alias::new("token_families")).to_owned();
        manager.drop_index(index).await?;
        for column in ["session_id", "acr", "claims"] {
            let table = Alias::new("token_families");
            manager.alter_table(Table::alter().table(table).drop_column(Alias::new(column)).to_owned()).await?;
        }
        drop_all(manager, NAMES).await
    }
}

/// Every table, each after those that it refers to.
const NAMES: &[&str] =
    &["sessions", "session_clients", "authorization_requests", "authorization_codes", "consents", "device_codes"];

fn tables() -> Vec<TableCreateStatement> {
    vec![
        // `digest` is that of the cookie, which changes; `id` is the `sid` that clients see.
        owned("sessions", &["id"])
            .col(uuid("id"))
            .col(binary("digest"))
            .col(uuid("user_id"))
            .col(text("proofs"))
            .col(boolean("second_factor_due"))
            .col(boolean("remembered"))
            .col(binary_null("browser"))
            .col(string_null("address"))
            .col(string_null("user_agent"))
            .col(big_integer("created_at"))
            .col(big_integer("seen_at"))
            .col(big_integer("expires_at"))
            .col(big_integer("ends_at"))
            .col(big_integer_null("ended_at"))
            .foreign_key(&mut of_user("sessions"))
            .to_owned(),
        // Which clients a session signed in at: whom a sign-out must tell.
        owned("session_clients", &["session_id", "client_id"])
            .col(uuid("session_id"))
            .col(string("client_id"))
            .col(big_integer("first_at"))
            .foreign_key(&mut of_client("session_clients"))
            .to_owned(),
        // Pushed requests (RFC 9126), and sign-ins that are under way in a browser.
        owned("authorization_requests", &["digest"])
            .col(binary("digest"))
            .col(string("kind"))
            .col(string("client_id"))
            .col(binary_null("browser"))
            .col(text("parameters"))
            .col(text("progress"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("used_at"))
            .foreign_key(&mut of_client("authorization_requests"))
            .to_owned(),
        owned("authorization_codes", &["digest"])
            .col(binary("digest"))
            .col(string("client_id"))
            .col(text_null("redirect_uri"))
            .col(string_null("challenge"))
            .col(uuid("family_id"))
            .col(uuid("user_id"))
            .col(text("authorization"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("used_at"))
            .foreign_key(&mut of_client("authorization_codes"))
            .foreign_key(&mut of_user("authorization_codes"))
            .to_owned(),
        owned("consents", &["user_id", "client_id"])
            .col(uuid("user_id"))
            .col(string("client_id"))
            .col(text("scope"))
            .col(text("claims"))
            .col(big_integer("first_at"))
            .col(big_integer("last_at"))
            .foreign_key(&mut of_user("consents"))
            .foreign_key(&mut of_client("consents"))
            .to_owned(),
        // A device's code, and the short one that a person types.
        owned("device_codes", &["digest"])
            .col(binary("digest"))
            .col(string("user_code"))
            .col(string("client_id"))
            .col(text("scope"))
            .col(text_null("audience"))
            .col(string("state"))
            .col(uuid("family_id"))
            .col(text_null("authorization"))
            .col(integer("interval"))
            .col(big_integer_null("polled_at"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut of_client("device_codes"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("sessions", &["tenant_id", "digest"]),
        plain("sessions", &["tenant_id", "user_id"]),
        plain("sessions", &["expires_at"]),
        plain("session_clients", &["tenant_id", "client_id"]),
        plain("authorization_requests", &["tenant_id", "client_id"]),
        plain("authorization_requests", &["expires_at"]),
        plain("authorization_codes", &["tenant_id", "client_id"]),
        plain("authorization_codes", &["tenant_id", "user_id"]),
        plain("authorization_codes", &["expires_at"]),
        plain("consents", &["tenant_id", "client_id"]),
        unique("device_codes", &["tenant_id", "user_code"]),
        plain("device_codes", &["tenant_id", "client_id"]),
        plain("device_codes", &["expires_at"]),
    ]
}

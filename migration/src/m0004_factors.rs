//! Second factors, passkeys, and browsers that are known again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, string, string_null, text, text_null, uuid, uuid_null,
};

use super::tables::{create, drop_all, of_user, owned, plain};

/// The fourth schema.
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

/// Every table.
const NAMES: &[&str] = &["totp_factors", "recovery_codes", "passkeys", "webauthn_ceremonies", "known_browsers"];

fn tables() -> Vec<TableCreateStatement> {
    vec![
        // One authenticator app a person; `last_step` is the step of the last code that counted.
        owned("totp_factors", &["user_id"])
            .col(uuid("user_id"))
            .col(binary("sealed_secret"))
            .col(big_integer_null("last_step"))
            .col(big_integer("created_at"))
            .col(big_integer_null("confirmed_at"))
            .foreign_key(&mut of_user("totp_factors"))
            .to_owned(),
        owned("recovery_codes", &["user_id", "digest"])
            .col(uuid("user_id"))
            .col(binary("digest"))
            .col(big_integer("created_at"))
            .col(big_integer_null("used_at"))
            .foreign_key(&mut of_user("recovery_codes"))
            .to_owned(),
        owned("passkeys", &["credential_id"])
            .col(binary("credential_id"))
            .col(uuid("user_id"))
            .col(string("name"))
            .col(text("credential"))
            .col(big_integer("created_at"))
            .col(big_integer_null("last_used_at"))
            .foreign_key(&mut of_user("passkeys"))
            .to_owned(),
        // By the digest of the challenge: a browser may have several tabs open.
        owned("webauthn_ceremonies", &["digest"])
            .col(binary("digest"))
            .col(string("purpose"))
            .col(binary("browser"))
            .col(uuid_null("user_id"))
            .col(text("state"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut of_user("webauthn_ceremonies"))
            .to_owned(),
        owned("known_browsers", &["user_id", "browser"])
            .col(uuid("user_id"))
            .col(binary("browser"))
            .col(big_integer_null("trusted_until"))
            .col(big_integer("first_at"))
            .col(big_integer("seen_at"))
            .col(text_null("user_agent"))
            .col(string_null("address"))
            .foreign_key(&mut of_user("known_browsers"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        plain("passkeys", &["tenant_id", "user_id"]),
        plain("webauthn_ceremonies", &["tenant_id", "user_id"]),
        plain("webauthn_ceremonies", &["expires_at"]),
        plain("known_browsers", &["seen_at"]),
    ]
}

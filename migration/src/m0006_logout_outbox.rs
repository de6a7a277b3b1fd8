//! Sign-outs that clients are still to be told of.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, string, uuid};

use super::tables::{create, drop_all, of_client, owned, plain};

/// The sixth schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A session ends once, so session and client name the row. Neither session nor user is
        // referred to: both may be gone before the client was told.
        let outbox = owned("logout_outbox", &["session_id", "client_id"])
            .col(uuid("session_id"))
            .col(string("client_id"))
            .col(uuid("user_id"))
            .col(integer("attempts"))
            .col(big_integer("next_at"))
            .col(big_integer("give_up_at"))
            .col(big_integer("created_at"))
            .foreign_key(&mut of_client("logout_outbox"))
            .to_owned();
        let indexes = vec![plain("logout_outbox", &["tenant_id", "client_id"]), plain("logout_outbox", &["next_at"])];
        create(manager, vec![outbox], indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["logout_outbox"]).await
    }
}

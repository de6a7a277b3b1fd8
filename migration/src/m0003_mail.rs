//! Mail on its way out, the links that it carries, and accounts whose address must be proved first.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, binary, boolean, integer, string, string_null, uuid};

use super::tables::{create, drop_all, of_user, owned, plain, widened};

/// The third schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(), indexes()).await?;
        for change in widened("users", vec![boolean("verification_due").default(false).to_owned()]) {
            manager.alter_table(change).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let users = Alias::new("users");
        manager.alter_table(Table::alter().table(users).drop_column(Alias::new("verification_due")).to_owned()).await?;
        drop_all(manager, NAMES).await
    }
}

const NAMES: &[&str] = &["mail_outbox", "mail_links"];

fn tables() -> Vec<TableCreateStatement> {
    vec![
        // What is to be said to whom. The text, and the link in it, are made when it is sent: no
        // secret lies here. Who sends raises `attempts` and moves `next_at` on: that is the lease.
        owned("mail_outbox", &["id"])
            .col(uuid("id"))
            .col(string("kind"))
            .col(string("recipient"))
            .col(string("language"))
            .col(string_null("address"))
            .col(string_null("device"))
            .col(integer("attempts"))
            .col(big_integer("next_at"))
            .col(big_integer("give_up_at"))
            .col(big_integer("created_at"))
            .to_owned(),
        // `address` and `epoch` are what the user had when it was made.
        owned("mail_links", &["digest"])
            .col(binary("digest"))
            .col(string("purpose"))
            .col(uuid("user_id"))
            .col(string("address"))
            .col(integer("epoch"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("used_at"))
            .col(big_integer("created_at"))
            .foreign_key(&mut of_user("mail_links"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        plain("mail_outbox", &["next_at"]),
        plain("mail_links", &["tenant_id", "user_id"]),
        plain("mail_links", &["expires_at"]),
    ]
}

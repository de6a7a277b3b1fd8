//! In which workspace a sign-in counts, and which session at a SAML provider it comes from.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, string_null, text, uuid, uuid_null};

use super::tables::{create, drop_all, owned, plain, reference, widened};

/// The tenth schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Not referred to: who has left the organization has left it in their tokens too.
        for change in widened("token_families", vec![uuid_null("organization_id")]) {
            manager.alter_table(change).await?;
        }
        let of = |column, to| reference("saml_sessions", &["tenant_id", column], to, &["tenant_id", "id"]);
        // Of tokens or of a browser's session, whose id it has; it goes with them.
        let sessions = owned("saml_sessions", &["id"])
            .col(uuid("id"))
            .col(uuid_null("family_id"))
            .col(uuid_null("session_id"))
            .col(uuid("connection_id"))
            .col(string("name_id"))
            .col(text("name_id_attributes"))
            .col(string_null("session_index"))
            .col(big_integer("created_at"))
            .foreign_key(&mut of("family_id", "token_families"))
            .foreign_key(&mut of("session_id", "sessions"))
            .foreign_key(&mut of("connection_id", "connections"))
            .to_owned();
        let indexes = vec![
            plain("saml_sessions", &["tenant_id", "family_id"]),
            plain("saml_sessions", &["tenant_id", "session_id"]),
            plain("saml_sessions", &["tenant_id", "connection_id", "name_id"]),
        ];
        create(manager, vec![sessions], indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["saml_sessions"]).await?;
        let mut change = Table::alter();
        manager
            .alter_table(
                change.table(Alias::new("token_families")).drop_column(Alias::new("organization_id")).to_owned(),
            )
            .await
    }
}

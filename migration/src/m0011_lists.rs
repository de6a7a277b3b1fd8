//! What lists are read by, so that a page takes the same time however long the list is.

use sea_orm_migration::prelude::*;

use super::tables::plain;
use super::trigrams;

/// The eleventh schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        trigrams::add(manager, "organizations").await?;
        for (table, columns) in REPLACED {
            drop_index(manager, &name(table, columns)).await?;
        }
        for (table, columns) in INDEXES {
            manager.create_index(plain(table, columns)).await?;
        }
        // Few are disabled, so these are small; and as they are partial, SQLite does not take them for narrow ones.
        for (name, columns) in DISABLED {
            let index = format!("CREATE INDEX {name} ON users ({columns}) WHERE NOT enabled");
            manager.get_connection().execute_unprepared(&index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in DISABLED {
            drop_index(manager, name).await?;
        }
        for (table, columns) in INDEXES {
            drop_index(manager, &name(table, columns)).await?;
        }
        for (table, columns) in REPLACED {
            manager.create_index(plain(table, columns)).await?;
        }
        trigrams::remove(manager, "organizations").await
    }
}

type Columns = (&'static str, &'static [&'static str]);

/// Of indexes that fit a query equally well SQLite takes the youngest: a filter by what is said of more rows comes
/// before one by what is said of fewer.
const INDEXES: [Columns; 11] = [
    ("audit_log", &["tenant_id", "at", "id"]),
    ("audit_log", &["tenant_id", "outcome", "at", "id"]),
    ("audit_log", &["tenant_id", "action", "at", "id"]),
    ("audit_log", &["tenant_id", "actor", "at", "id"]),
    ("audit_log", &["tenant_id", "target", "at", "id"]),
    ("access_log", &["tenant_id", "client_id", "at", "id", "status", "response_time_ms"]),
    ("role_assignments", &["tenant_id", "role_id", "user_id"]),
    ("roles", &["code", "tenant_id", "id"]),
    ("memberships", &["tenant_id", "organization_id", "id"]),
    ("memberships", &["tenant_id", "organization_id", "role"]),
    ("tenants", &["created_at", "id"]),
];

/// What the beginning of one of these does as well.
const REPLACED: [Columns; 3] = [
    ("audit_log", &["tenant_id", "id"]),
    ("access_log", &["tenant_id", "client_id", "id"]),
    ("role_assignments", &["tenant_id", "role_id"]),
];

/// Of one tenant, and of all.
const DISABLED: [(&str, &str); 2] =
    [("ix_users_disabled", "tenant_id, id"), ("ix_users_disabled_of_all", "id, tenant_id")];

fn name(table: &str, columns: &[&str]) -> String {
    format!("ix_{table}_{}", columns.join("_"))
}

async fn drop_index(manager: &SchemaManager<'_>, name: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(&format!("DROP INDEX {name}")).await?;
    Ok(())
}

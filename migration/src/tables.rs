//! What tables and indexes of every change have in common.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::uuid;

/// A table without columns.
pub(crate) fn named(name: &'static str) -> TableCreateStatement {
    Table::create().table(Alias::new(name)).to_owned()
}

/// An index over these columns.
pub(crate) fn key(columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    for column in columns {
        index.col(Alias::new(*column));
    }
    index.to_owned()
}

/// A table of a tenant: the tenant leads its primary key and goes with all that is its own.
pub(crate) fn owned(name: &'static str, rest_of_key: &[&'static str]) -> TableCreateStatement {
    let mut columns = vec!["tenant_id"];
    columns.extend(rest_of_key);
    named(name)
        .col(uuid("tenant_id"))
        .primary_key(&mut key(&columns))
        .foreign_key(&mut reference(name, &["tenant_id"], "tenants", &["id"]))
        .to_owned()
}

/// A foreign key whose rows go with the row that they refer to.
pub(crate) fn reference(
    from: &'static str,
    columns: &[&'static str],
    to: &'static str,
    targets: &[&'static str],
) -> ForeignKeyCreateStatement {
    let mut foreign = ForeignKey::create();
    foreign.name(format!("fk_{from}_{}", columns.join("_")));
    foreign.from_tbl(Alias::new(from)).to_tbl(Alias::new(to)).on_delete(ForeignKeyAction::Cascade);
    for column in columns {
        foreign.from_col(Alias::new(*column));
    }
    for target in targets {
        foreign.to_col(Alias::new(*target));
    }
    foreign.to_owned()
}

/// Columns that are added to a table which the previous release goes on using: each may be absent.
pub(crate) fn widened(table: &'static str, columns: Vec<ColumnDef>) -> Vec<TableAlterStatement> {
    // SQLite takes one column at a time.
    columns
        .into_iter()
        .map(|mut column| Table::alter().table(Alias::new(table)).add_column(&mut column).to_owned())
        .collect()
}

/// An index, named after what it covers.
pub(crate) fn plain(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    key(columns).name(format!("ix_{table}_{}", columns.join("_"))).table(Alias::new(table)).to_owned()
}

/// The same where every row differs.
pub(crate) fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    plain(table, columns).unique().to_owned()
}

/// References to a tenant's own rows.
pub(crate) fn of_user(table: &'static str) -> ForeignKeyCreateStatement {
    reference(table, &["tenant_id", "user_id"], "users", &["tenant_id", "id"])
}

/// See [`of_user`].
pub(crate) fn of_client(table: &'static str) -> ForeignKeyCreateStatement {
    reference(table, &["tenant_id", "client_id"], "clients", &["tenant_id", "id"])
}

/// Makes tables, then indexes.
pub(crate) async fn create(
    manager: &SchemaManager<'_>,
    tables: Vec<TableCreateStatement>,
    indexes: Vec<IndexCreateStatement>,
) -> Result<(), DbErr> {
    for table in tables {
        manager.create_table(table).await?;
    }
    for index in indexes {
        manager.create_index(index).await?;
    }
    Ok(())
}

/// Drops tables, the last first.
pub(crate) async fn drop_all(manager: &SchemaManager<'_>, names: &[&'static str]) -> Result<(), DbErr> {
    for name in names.iter().rev() {
        manager.drop_table(Table::drop().table(Alias::new(*name)).to_owned()).await?;
    }
    Ok(())
}

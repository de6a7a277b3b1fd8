//! Parts of names are found by an index however short they are.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::Statement;
use sea_orm_migration::sea_orm::prelude::Uuid;

use super::{grams, trigrams};

/// The twelfth schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// What has a `search_text`.
const TABLES: [&str; 2] = ["users", "organizations"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            trigrams::remove_index(manager, table).await?;
            read_out(manager.get_connection(), table).await?;
            grams::add(manager, table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            grams::remove(manager, table).await?;
            trigrams::add_index(manager, table).await?;
        }
        Ok(())
    }
}

/// Characters that are not ASCII stood in these texts as their numbers, so that three letters were enough to find one.
async fn read_out(run: &SchemaManagerConnection<'_>, table: &str) -> Result<(), DbErr> {
    let spelt = format!("SELECT tenant_id, id, search_text FROM {table} WHERE search_text LIKE '%\u{1}%'");
    for row in run.query_all_raw(Statement::from_string(run.get_database_backend(), spelt)).await? {
        let spelt: String = row.try_get("", "search_text")?;
        let mut update = Query::update();
        update.table(Alias::new(table)).value(Alias::new("search_text"), read(&spelt));
        for column in ["tenant_id", "id"] {
            update.and_where(Expr::col(Alias::new(column)).eq(row.try_get::<Uuid>("", column)?));
        }
        run.execute(&update).await?;
    }
    Ok(())
}

/// A text with its characters in place of their numbers: sixteen capital letters, `A` for zero, between two marks.
fn read(spelt: &str) -> String {
    let mut text = String::with_capacity(spelt.len());
    for part in spelt.split('\u{2}') {
        let (plain, number) = part.split_once('\u{1}').unwrap_or((part, ""));
        text.push_str(plain);
        let number = number
            .bytes()
            .try_fold(0_u32, |n, digit| n.checked_mul(16)?.checked_add(u32::from(digit.checked_sub(b'A')?)));
        text.extend(number.and_then(char::from_u32).filter(|_| part.len() > plain.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_read() {
        assert_eq!(super::read("\u{1}JGHD\u{2}\u{1}FJCH\u{2} a\u{1}OJ\u{2}\n\nx"), "陳大 aé\n\nx");
        assert_eq!(super::read("plain"), "plain");
    }
}

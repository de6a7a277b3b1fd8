//! Rows that are found by a part of their names. The names of a row stand in its `search_text`, a line each, in their
//! canonical form, of which the four characters that begin at each place are indexed (`migration/src/grams.rs`).

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait as _, DbBackend, Statement};

use super::db::{Rows, TenantRows};
use super::error::StorageError;
use crate::model::text::canonical;

/// How many characters the index knows at a time.
const GRAM: usize = 4;

/// From how many rows on SQLite is not led to each of them.
const MANY: i64 = 1000;

/// What a row with these names is found by.
pub(in crate::storage) fn text<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(canonical).collect::<Vec<_>>().join("\n")
}

/// Which rows have a part in one of their names.
pub(in crate::storage) struct Found {
    /// What says so of a row.
    pub condition: Condition,
    /// Whether an index leads to them.
    pub is_narrow: bool,
}

/// Finds rows by a part of their names, or all of them.
///
/// # Errors
/// The database is unavailable.
pub(in crate::storage) async fn find<C: ColumnTrait>(
    search_text: C,
    part: Option<&str>,
    rows: Rows<'_>,
) -> Result<Found, StorageError> {
    let part = canonical(part.unwrap_or_default());
    if part.is_empty() {
        return Ok(Found { condition: Condition::all(), is_narrow: false });
    }
    if part.contains(char::is_control) {
        // No name has one, but between the names stands one.
        return Ok(Found { condition: Condition::all().add(Expr::cust("1 = 0")), is_narrow: true });
    }
    let table = search_text.entity_name().to_string();
    let (holds, by_index) = if rows.raw().get_database_backend() == DbBackend::Sqlite {
        ("instr(?, ?) > 0", in_sqlite(rows, &table, &part).await?)
    } else {
        ("strpos($1, $2) > 0", Some(in_postgres(&table, &part)))
    };
    let holds = Expr::cust_with_exprs(holds, [Expr::col(search_text.as_column_ref()), Expr::val(part)]);
    Ok(Found { is_narrow: by_index.is_some(), condition: Condition::all().add(holds).add_option(by_index) })
}

/// PostgreSQL knows how many rows have something, and goes by the index where that helps.
fn in_postgres(table: &str, part: &str) -> Expr {
    let terms = terms(part, |gram| format!("'{}':", gram.replace('\\', "\\\\").replace('\'', "''")), " & ");
    Expr::cust_with_values(format!("{table}.search_grams @@ CAST($1 AS tsquery)"), [terms])
}

/// SQLite does not, and would always go by it: so it is not shown the index where going through the table comes to as
/// many rows sooner.
async fn in_sqlite(rows: Rows<'_>, table: &str, part: &str) -> Result<Option<Expr>, StorageError> {
    // FTS5 knows letters and digits alone: the digits of their bytes stand for the characters.
    let terms = terms(part, |gram| gram.bytes().map(|byte| format!("{byte:02X}")).collect(), " ");
    let those = format!("FROM {table}_search WHERE {table}_search MATCH ?");
    let some = format!("SELECT count(*) FROM (SELECT 1 {those} LIMIT {MANY})");
    let some = Statement::from_sql_and_values(DbBackend::Sqlite, some, [terms.as_str().into()]);
    let count = rows.raw().query_one_raw(some).await?.map(|row| row.try_get_by_index(0)).transpose()?;
    let by_index = format!("{table}.search_number IN (SELECT rowid {those})");
    Ok((count < Some(MANY)).then(|| Expr::cust_with_values(by_index, [terms])))
}

/// What of the index leads to a part of a name, in the words of the database: as few of its fours as cover the part,
/// for each of them may be in very many names; or those that begin with it.
fn terms(part: &str, word: impl Fn(String) -> String, and: &str) -> String {
    let characters: Vec<char> = part.chars().collect();
    let Some(last) = characters.len().checked_sub(GRAM) else { return word(part.to_owned()) + "*" };
    let grams = characters.windows(GRAM).enumerate().filter(|(place, _)| place % GRAM == 0 || *place == last);
    grams.map(|(_, gram)| word(String::from_iter(gram))).collect::<Vec<_>>().join(and)
}

/// That a row is of the tenant. SQLite takes that for a narrow way, and would go through all of the tenant's rows;
/// where there is a narrower one, it may not.
pub(in crate::storage) fn of_tenant<C: ColumnTrait>(tenant_id: C, rows: &TenantRows<'_>, is_narrow: bool) -> Expr {
    let tenant = rows.tenant().uuid();
    if is_narrow && rows.raw().get_database_backend() == DbBackend::Sqlite {
        Expr::cust_with_exprs("+? = ?", [Expr::col(tenant_id.as_column_ref()), Expr::val(tenant)])
    } else {
        tenant_id.eq(tenant)
    }
}

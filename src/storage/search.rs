//! Rows that are found by a part of their names. The names of a row stand in its `search_text`, a line each, in their
//! canonical form, of which the three characters that begin at each place are indexed (`migration/src/grams.rs`).

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait as _, DbBackend};

use super::db::{Rows, TenantRows};
use crate::model::text::canonical;

/// How many characters the index knows at a time.
const GRAM: usize = 3;

/// What a row with these names is found by.
pub(in crate::storage) fn text<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(canonical).collect::<Vec<_>>().join("\n")
}

/// What of the index leads to a part of a name: as few of its threes as cover it, for each of them may be in very
/// many names; or a part shorter than that, with which some of the threes begin.
fn grams(part: &str) -> Vec<String> {
    let characters: Vec<char> = part.chars().collect();
    let threes: Vec<String> = characters.windows(GRAM).map(String::from_iter).collect();
    let Some(last) = threes.len().checked_sub(1) else { return vec![part.to_owned()] };
    threes
        .into_iter()
        .enumerate()
        .filter(|(place, _)| place % GRAM == 0 || *place == last)
        .map(|(_, gram)| gram)
        .collect()
}

/// Whether a row has this in one of its names. PostgreSQL goes by its index where that helps; SQLite always does.
pub(in crate::storage) fn finds<C: ColumnTrait>(search_text: C, part: &str, rows: Rows<'_>) -> Condition {
    let part = canonical(part);
    if part.is_empty() {
        return Condition::all();
    }
    if part.contains(char::is_control) {
        return Condition::all().add(Expr::cust("1 = 0")); // no name has one, but between the names stands one
    }
    let (table, text) = (search_text.entity_name().to_string(), Expr::col(search_text.as_column_ref()));
    let beginning = if part.chars().count() < GRAM { "*" } else { "" };
    let grams = grams(&part).into_iter();
    let (indexed, terms, holds) = if rows.raw().get_database_backend() == DbBackend::Sqlite {
        let digits = |gram: String| gram.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
        let terms = grams.map(|gram| digits(gram) + beginning).collect::<Vec<_>>().join(" ");
        let indexed =
            format!("{table}.search_number IN (SELECT rowid FROM {table}_search WHERE {table}_search MATCH ?)");
        (indexed, terms, "instr(?, ?) > 0")
    } else {
        let quoted = |gram: String| format!("'{}':{beginning}", gram.replace('\\', "\\\\").replace('\'', "''"));
        let terms = grams.map(quoted).collect::<Vec<_>>().join(" & ");
        (format!("{table}.search_grams @@ CAST($1 AS tsquery)"), terms, "strpos($1, $2) > 0")
    };
    let indexed = Expr::cust_with_values(indexed, [terms]);
    Condition::all().add(indexed).add(Expr::cust_with_exprs(holds, [text, Expr::val(part)]))
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

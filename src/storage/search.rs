//! Rows that are found by a part of their names. The names of a row stand in its `search_text`, a line each, in a
//! form of which every three letters that follow one another are indexed (`migration/src/search.rs`).

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait as _, DbBackend};

use super::column::contains_folded;
use super::db::{Rows, TenantRows};
use crate::model::text::canonical;

/// The least number of letters that the indexes find.
const TRIGRAM: usize = 3;

/// What a row with these names is found by.
pub(in crate::storage) fn text<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(form).collect::<Vec<_>>().join("\n")
}

/// The canonical form, in which whatever is not ASCII is spelt as its number: in capital letters, which that form
/// does not have, between two marks. So a single Chinese character is three letters and more, and PostgreSQL, which
/// only indexes what its locale calls letters, indexes it in every locale. One text is a part of another exactly if
/// their forms are.
fn form(text: &str) -> String {
    let mut form = String::with_capacity(text.len());
    for c in canonical(text).chars() {
        if c == ' ' || c.is_ascii_graphic() {
            form.push(c);
            continue;
        }
        let number = format!("{:x}", u32::from(c));
        form.push('\u{1}');
        form.extend(number.chars().filter_map(|digit| char::from_u32(u32::from('A') + digit.to_digit(16)?)));
        form.push('\u{2}');
    }
    form
}

/// Whether the indexes find this part of a name; else all names are looked at.
pub(in crate::storage) fn is_indexed(part: &str) -> bool {
    form(part).chars().nth(TRIGRAM - 1).is_some()
}

/// Whether a row has this in its names. PostgreSQL goes by its index where that helps; SQLite has to be told.
pub(in crate::storage) fn finds<C: ColumnTrait>(search_text: C, part: &str, rows: Rows<'_>) -> Expr {
    let form = form(part);
    if rows.raw().get_database_backend() != DbBackend::Sqlite {
        return contains_folded(search_text, &form);
    }
    if !is_indexed(part) {
        return Expr::cust_with_exprs("instr(?, ?) > 0", [Expr::col(search_text.as_column_ref()), Expr::val(form)]);
    }
    let table = search_text.entity_name().to_string();
    let phrase = format!("\"{}\"", form.replace('"', "\"\""));
    let found = format!("{table}.search_number IN (SELECT rowid FROM {table}_search WHERE search_text MATCH ?)");
    Expr::cust_with_values(found, [phrase])
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

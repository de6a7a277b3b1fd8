//! Columns → types. What the schema allows and the types do not is a damaged row.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use sea_orm::sea_query::{Asterisk, BinOper, Expr, ExprTrait as _, Func, FunctionCall};
use sea_orm::{ColumnTrait, EntityTrait, QuerySelect, Select};

use super::db::Rows;
use super::error::StorageError;
use crate::model::page::Window;
use crate::model::time::Timestamp;

/// Says that a column holds what no version of this program writes there.
pub(in crate::storage) fn corrupt(table: &'static str, column: &'static str, why: impl Display) -> StorageError {
    StorageError::Corrupt { table, column, why: why.to_string() }
}

/// A text column as its type.
pub(in crate::storage) fn parsed<T>(table: &'static str, column: &'static str, text: &str) -> Result<T, StorageError>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|why| corrupt(table, column, why))
}

/// A binary column that holds a SHA-256.
pub(in crate::storage) fn digest(
    table: &'static str,
    column: &'static str,
    bytes: &[u8],
) -> Result<[u8; 32], StorageError> {
    bytes.try_into().map_err(|_| corrupt(table, column, format_args!("{} bytes instead of 32", bytes.len())))
}

/// A text column that holds a JSON array of texts.
pub(in crate::storage) fn texts(
    table: &'static str,
    column: &'static str,
    json: &str,
) -> Result<Vec<String>, StorageError> {
    // serde's message may quote what it did not understand, so it is left out.
    serde_json::from_str(json).map_err(|_| corrupt(table, column, "not a JSON array of texts"))
}

/// A text column that holds JSON of a type.
pub(in crate::storage) fn json<T: serde::de::DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    text: &str,
) -> Result<T, StorageError> {
    // serde's message may quote what it did not understand, so it is left out.
    serde_json::from_str(text).map_err(|_| corrupt(table, column, "not the JSON that is written there"))
}

/// A value as JSON. What is stored are types of ours, which all have a JSON form.
pub(in crate::storage) fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Texts as a JSON array.
pub(in crate::storage) fn json_array<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    serde_json::Value::from_iter(texts.into_iter().map(|text| text.as_ref().to_owned())).to_string()
}

/// A column of whole seconds.
pub(in crate::storage) fn seconds(
    table: &'static str,
    column: &'static str,
    value: Option<i32>,
) -> Result<Option<Duration>, StorageError> {
    value
        .map(|seconds| u64::try_from(seconds).map(Duration::from_secs).map_err(|why| corrupt(table, column, why)))
        .transpose()
}

/// Whole seconds as a column holds them; sixty-eight years at most.
pub(in crate::storage) fn from_seconds(span: Option<Duration>) -> Option<i32> {
    span.map(|span| i32::try_from(span.as_secs()).unwrap_or(i32::MAX))
}

/// A moment as a column holds it.
pub(in crate::storage) fn millis(moment: Option<Timestamp>) -> Option<i64> {
    moment.map(Timestamp::millis)
}

/// A column that may hold a moment.
pub(in crate::storage) fn moment(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}

/// `COUNT(*)`.
pub(in crate::storage) fn count_rows() -> FunctionCall {
    Func::count(Expr::col(Asterisk))
}

/// A count as the database gives it.
pub(in crate::storage) fn count(n: Option<i64>) -> u64 {
    n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// How many rows a query finds in all, of which so many were found in a window. They are counted only where the
/// window does not tell: it is full, or lies behind the last one.
pub(in crate::storage) async fn total<E: EntityTrait>(
    rows: Rows<'_>,
    query: Select<E>,
    window: Window,
    found: usize,
) -> Result<u64, StorageError> {
    let found = u64::try_from(found).unwrap_or(u64::MAX);
    if found < window.limit && (found > 0 || window.offset == 0) {
        return Ok(window.offset.saturating_add(found));
    }
    let n: Option<i64> = query.select_only().expr(count_rows()).into_tuple().one(&rows.raw()).await?;
    Ok(count(n))
}

/// `lower(column) LIKE lower('%text%')`, in which no character of the text stands for others. Both sides
/// are folded by the same function, so that a text always finds itself.
pub(in crate::storage) fn contains(column: impl ColumnTrait, text: &str) -> Expr {
    let pattern = Func::lower(Expr::val(containing(text))).binary(BinOper::Escape, Expr::Constant('!'.into()));
    Func::lower(Expr::col(column.as_column_ref())).binary(BinOper::Like, pattern)
}

fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

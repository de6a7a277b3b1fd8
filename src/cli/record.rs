//! One thing as it is printed: the same names and values in JSON, in a table and as lines.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::Value;

/// Names and values in the order in which they are printed.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(Vec<Field>);

#[derive(Clone, Debug)]
struct Field {
    name: Cow<'static, str>,
    value: Value,
    /// Whether people see it too.
    shown: bool,
}

impl Record {
    /// The same and one more.
    pub(super) fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.0.push(Field { name: name.into(), value: value.into(), shown: true });
        self
    }

    /// The same and one more that only JSON has: another name for what is there already.
    pub(super) fn with_alias(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push(Field { name: name.into(), value: value.into(), shown: false });
        self
    }

    /// One value as people read it; nothing for what is unset or not there.
    pub(super) fn cell(&self, name: &str) -> String {
        self.0.iter().find(|field| field.name == name).map(|field| text(&field.value)).unwrap_or_default()
    }

    /// A line a value, as people read it; what is unset is left out.
    pub(super) fn lines(&self) -> String {
        let width = self.0.iter().map(|field| field.name.len()).max().unwrap_or_default();
        let shown = self.0.iter().filter(|field| field.shown).map(|field| (&*field.name, text(&field.value)));
        shown.filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for field in &self.0 {
            map.serialize_entry(&*field.name, &field.value)?;
        }
        map.end()
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Text that somebody else may have chosen can't steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_machines_read_the_same() {
        let record = Record::default()
            .with("client_id", "svc_1")
            .with("client_secret", None::<String>)
            .with("grant_types", vec!["a", "b"])
            .with("enabled", true);
        assert_eq!(
            serde_json::to_string(&record).unwrap(),
            r#"{"client_id":"svc_1","client_secret":null,"grant_types":["a","b"],"enabled":true}"#
        );
        assert_eq!(record.lines(), "client_id      svc_1\ngrant_types    a b\nenabled        true\n");
        assert_eq!(record.cell("grant_types"), "a b");
    }

    #[test]
    fn a_name_can_not_steer_the_terminal() {
        assert_eq!(Record::default().with("name", "a\u{1b}[2Jb").cell("name"), "a\u{fffd}[2Jb");
    }
}

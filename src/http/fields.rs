//! The members of a JSON object, taken out one by one. Members that nobody asks for are ignored;
//! `null`, the empty string and what is not there are the same: missing.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::body::BodyError;

/// The members of a request's body.
pub(super) struct Fields(Map<String, Value>);

/// A JSON object that names each member once: of two with one name, readers disagree about which of
/// them counts (RFC 8259 §4).
struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Map::new()))
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self, A::Error> {
        while let Some((name, value)) = members.next_entry()? {
            if self.0.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        Ok(self)
    }
}

/// What is wrong with a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldError {
    /// Which one.
    pub(super) field: &'static str,
    /// What is wrong with it: `is required`, `must be a string`.
    pub(super) why: Cow<'static, str>,
}

impl FieldError {
    /// A member and what is wrong with it.
    pub(super) fn new(field: &'static str, why: impl Into<Cow<'static, str>>) -> Self {
        Self { field, why: why.into() }
    }
}

/// A request's body, read from its members.
pub(super) trait Body: Sized {
    /// Takes its members.
    fn read(fields: &mut Fields) -> Result<Self, FieldError>;
}

impl Fields {
    /// Parses a body. An empty one has no members.
    pub(super) fn parse(body: &[u8]) -> Result<Self, BodyError> {
        if body.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice::<Members>(body) {
            Ok(Members(members)) => Ok(Self(members)),
            Err(why) if why.is_data() => {
                Err(BodyError::Malformed("the body must be a JSON object that names each member once"))
            }
            Err(_) => Err(BodyError::Malformed("the body is not valid JSON")),
        }
    }

    /// All members, for who takes them out by its own rules.
    pub(super) fn into_members(self) -> Map<String, Value> {
        self.0
    }

    /// A string that must be there.
    pub(super) fn text(&mut self, field: &'static str) -> Result<String, FieldError> {
        self.optional_text(field)?.ok_or(FieldError::new(field, "is required"))
    }

    /// A string.
    pub(super) fn optional_text(&mut self, field: &'static str) -> Result<Option<String>, FieldError> {
        Ok(self.given_text(field)?.filter(|text| !text.is_empty()))
    }

    /// A string that is not missing where it is empty: for what is there already and is to be changed.
    pub(super) fn given_text(&mut self, field: &'static str) -> Result<Option<String>, FieldError> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            // PostgreSQL can't store it, and no name has one.
            Some(Value::String(text)) if text.contains('\0') => {
                Err(FieldError::new(field, "must not contain a NUL character"))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(FieldError::new(field, "must be a string")),
        }
    }

    /// A string of at most so many characters.
    pub(super) fn optional_text_up_to(
        &mut self,
        field: &'static str,
        max: usize,
    ) -> Result<Option<String>, FieldError> {
        let text = self.optional_text(field)?;
        if text.as_ref().is_some_and(|text| text.chars().count() > max) {
            return Err(FieldError::new(field, format!("must be at most {max} characters")));
        }
        Ok(text)
    }

    /// A string that must hold more than white space.
    pub(super) fn name(&mut self, field: &'static str) -> Result<String, FieldError> {
        let text = self.optional_text(field)?.filter(|text| !text.trim().is_empty());
        text.ok_or(FieldError::new(field, "is required"))
    }

    /// `true` or `false`.
    pub(super) fn optional_flag(&mut self, field: &'static str) -> Result<Option<bool>, FieldError> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(FieldError::new(field, "must be true or false")),
        }
    }

    /// A list of strings that must be there, at most `max` of them.
    pub(super) fn texts(&mut self, field: &'static str, max: usize) -> Result<Vec<String>, FieldError> {
        let wrong = || FieldError::new(field, "must be a list of strings");
        let list = match self.0.remove(field) {
            None | Some(Value::Null) => return Err(FieldError::new(field, "is required")),
            Some(Value::Array(list)) if list.is_empty() => return Err(FieldError::new(field, "is required")),
            Some(Value::Array(list)) if list.len() > max => {
                return Err(FieldError::new(field, format!("must be at most {max} of them")));
            }
            Some(Value::Array(list)) => list,
            Some(_) => return Err(wrong()),
        };
        let text = |item: Value| item.as_str().map(str::to_owned).ok_or_else(wrong);
        list.into_iter().map(text).collect()
    }

    /// An object.
    pub(super) fn optional_object(&mut self, field: &'static str) -> Result<Option<Value>, FieldError> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(object @ Value::Object(_)) => Ok(Some(object)),
            Some(_) => Err(FieldError::new(field, "must be an object")),
        }
    }

    /// A whole number from one on.
    pub(super) fn optional_count(&mut self, field: &'static str) -> Result<Option<u64>, FieldError> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => match number.as_u64() {
                Some(count) if count > 0 => Ok(Some(count)),
                _ => Err(FieldError::new(field, "must be a positive whole number")),
            },
            Some(_) => Err(FieldError::new(field, "must be a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn missing_is_missing_however_it_is_written() {
        for json in ["", " ", "{}", r#"{"a":null}"#, r#"{"a":""}"#, r#"{"b":"x"}"#] {
            assert_eq!(fields(json).text("a"), Err(FieldError::new("a", "is required")), "{json}");
            assert_eq!(fields(json).optional_text("a"), Ok(None), "{json}");
        }
        assert_eq!(fields(r#"{"a":""}"#).given_text("a"), Ok(Some(String::new())));
        assert_eq!(fields(r#"{"a":" "}"#).name("a"), Err(FieldError::new("a", "is required")));
        assert_eq!(fields(r#"{"a":" "}"#).text("a"), Ok(" ".to_owned()));
    }

    #[test]
    fn another_type_is_said_to_be_one() {
        for json in [r#"{"a":1}"#, r#"{"a":[]}"#, r#"{"a":{}}"#, r#"{"a":true}"#] {
            assert_eq!(fields(json).text("a"), Err(FieldError::new("a", "must be a string")), "{json}");
        }
        assert_eq!(fields(r#"{"a":"1"}"#).optional_count("a"), Err(FieldError::new("a", "must be a number")));
        for json in [r#"{"a":0}"#, r#"{"a":-1}"#, r#"{"a":1.5}"#, r#"{"a":1e99}"#] {
            assert!(fields(json).optional_count("a").is_err(), "{json}");
        }
        assert!(fields(r#"{"a":[]}"#).optional_object("a").is_err());
        for json in [r#"{"a":[]}"#, r#"{"a":[1]}"#, r#"{"a":"x"}"#, r#"{"a":["x","y","z"]}"#, "{}"] {
            assert!(fields(json).texts("a", 2).is_err(), "{json}");
        }
        assert_eq!(fields(r#"{"a":["x",""]}"#).texts("a", 2), Ok(vec!["x".to_owned(), String::new()]));
        assert!(fields(r#"{"a":"true"}"#).optional_flag("a").is_err());
        assert_eq!(fields(r#"{"a":false}"#).optional_flag("a"), Ok(Some(false)));
        assert!(fields(r#"{"a":"\u0000"}"#).text("a").is_err());
    }

    #[test]
    fn only_objects_are_bodies() {
        let deep = format!("{}{}", r#"{"a":"#.repeat(1000), "}".repeat(1000));
        for json in
            ["[]", "null", "1", "\"a\"", "{", "{\"a\":", "{\"a\":1}x", "{'a':1}", "\u{feff}{}", "\\ud800", &deep]
        {
            assert!(Fields::parse(json.as_bytes()).is_err(), "{json}");
        }
        assert!(Fields::parse(b"{\"a\":\"\xff\"}").is_err());
        assert!(Fields::parse(br#"{"a":"1","b":{"c":1,"c":2},"a":"1"}"#).is_err());
    }
}

//! The members of a request's body, taken out one by one. The list is closed: a member that nobody asks
//! for is an error, since whoever sends it believes that it does something.

use std::str::FromStr;
use std::time::Duration;

use serde_json::{Map, Value};

use super::error::Error;
use crate::http::call::Call;
use crate::http::fields::{FieldError, Fields};
use crate::model::scope::OAuthScope;
use crate::model::time::Timestamp;

/// What is left of a body.
pub(super) struct Members(Map<String, Value>);

/// A request's body.
pub(super) trait Body: Sized {
    /// Takes its members.
    fn read(members: &mut Members) -> Result<Self, FieldError>;

    /// Takes all there are.
    fn whole(fields: Fields) -> Result<Self, FieldError> {
        let mut members = Members(fields.into_members());
        let body = Self::read(&mut members)?;
        match members.0.keys().next() {
            None => Ok(body),
            Some(name) => {
                let name: String = name.chars().take(LONGEST_NAME).collect();
                Err(FieldError::new("body", format!("has a member that is not known here: {name:?}")))
            }
        }
    }
}

/// The body of a call.
pub(super) async fn read<T: Body>(call: &Call) -> Result<T, Error> {
    Ok(T::whole(call.json().await?)?)
}

/// Declares a body: each member with its type and the method of [`Members`] that reads it.
macro_rules! body {
    ($(#[$about:meta])* $name:ident as $shown:ident { $($(#[$member_about:meta])* $member:ident: $type:ty = $read:ident,)+ }) => {
        $(#[$about])*
        #[derive(utoipa::ToSchema)]
        #[schema(as = $shown)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name { $($(#[$member_about])* pub(super) $member: $type,)+ }

        impl $crate::http::faces::admin::members::Body for $name {
            fn read(
                members: &mut $crate::http::faces::admin::members::Members,
            ) -> Result<Self, $crate::http::fields::FieldError> {
                Ok(Self { $($member: members.$read(stringify!($member))?,)+ })
            }
        }
    };
}
pub(super) use body;

body! {
    /// How long what was before still counts.
    OverlapBody as Overlap {
        /// In seconds; not at all where it is absent.
        #[schema(value_type = Option<u32>)]
        overlap: Duration = overlap,
    }
}

impl Members {
    fn take(&mut self, field: &'static str) -> Option<Value> {
        self.0.remove(field)
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, field: &'static str) -> Result<String, FieldError> {
        self.optional(field)?.ok_or(FieldError::new(field, "is required"))
    }

    /// A text; `null` and the empty one are none.
    pub(super) fn optional(&mut self, field: &'static str) -> Result<Option<String>, FieldError> {
        Ok(self.change(field)?.flatten())
    }

    /// What becomes of a text that may be absent: `null` and the empty one take it away.
    pub(super) fn change(&mut self, field: &'static str) -> Result<Option<Option<String>>, FieldError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::String(text)) => Ok(Some(Some(plain(field, text)?).filter(|text| !text.is_empty()))),
            Some(_) => Err(FieldError::new(field, "must be a string")),
        }
    }

    /// What becomes of a text that is always there.
    pub(super) fn replacement(&mut self, field: &'static str) -> Result<Option<String>, FieldError> {
        match self.change(field)? {
            Some(None) => Err(FieldError::new(field, "can't be taken away")),
            change => Ok(change.flatten()),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, field: &'static str) -> Result<Option<bool>, FieldError> {
        match self.take(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(FieldError::new(field, "must be true or false")),
        }
    }

    /// What becomes of a flag that may be absent.
    pub(super) fn flag_change(&mut self, field: &'static str) -> Result<Option<Option<bool>>, FieldError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::Bool(flag)) => Ok(Some(Some(flag))),
            Some(_) => Err(FieldError::new(field, "must be true or false")),
        }
    }

    /// Texts.
    pub(super) fn texts(&mut self, field: &'static str) -> Result<Option<Vec<String>>, FieldError> {
        let wrong = || FieldError::new(field, "must be an array of strings");
        match self.take(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) if items.len() > MOST => {
                Err(FieldError::new(field, format!("must have at most {MOST} items")))
            }
            Some(Value::Array(items)) => {
                let text = |item| match item {
                    Value::String(text) if !text.is_empty() => plain(field, text),
                    _ => Err(wrong()),
                };
                items.into_iter().map(text).collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(wrong()),
        }
    }

    /// A name out of a closed list.
    pub(super) fn name<T: FromStr>(&mut self, field: &'static str) -> Result<Option<T>, FieldError> {
        let text = self.optional(field)?;
        text.map(|text| text.parse().map_err(|_| FieldError::new(field, "is not one of those known"))).transpose()
    }

    /// The same where it must be there.
    pub(super) fn required_name<T: FromStr>(&mut self, field: &'static str) -> Result<T, FieldError> {
        self.name(field)?.ok_or(FieldError::new(field, "is required"))
    }

    /// Names out of a closed list.
    pub(super) fn names<T: FromStr>(&mut self, field: &'static str) -> Result<Option<Vec<T>>, FieldError> {
        let unknown = |_| FieldError::new(field, "has one that is not known");
        let texts = self.texts(field)?;
        texts.map(|texts| texts.iter().map(|text| text.parse().map_err(unknown)).collect()).transpose()
    }

    /// Scope names, separated by spaces.
    pub(super) fn scope(&mut self, field: &'static str) -> Result<Option<OAuthScope>, FieldError> {
        match self.change(field)? {
            None => Ok(None),
            Some(text) => {
                let scope = text.unwrap_or_default().parse();
                scope.map(Some).map_err(|_| FieldError::new(field, "must be scope names separated by spaces"))
            }
        }
    }

    /// What becomes of a number that may be absent.
    pub(super) fn number_change(&mut self, field: &'static str) -> Result<Option<Option<u32>>, FieldError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::Number(number)) => {
                let number = number.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
                number.map(|number| Some(Some(number))).ok_or(FieldError::new(field, "must be a positive whole number"))
            }
            Some(_) => Err(FieldError::new(field, "must be a number")),
        }
    }

    /// What becomes of a time in seconds that may be absent.
    pub(super) fn seconds_change(&mut self, field: &'static str) -> Result<Option<Option<Duration>>, FieldError> {
        let change = self.number_change(field)?;
        Ok(change.map(|seconds| seconds.map(|seconds| Duration::from_secs(u64::from(seconds)))))
    }

    /// A time in seconds, a month at most; none where it is absent.
    pub(super) fn overlap(&mut self, field: &'static str) -> Result<Duration, FieldError> {
        let overlap = self.seconds_change(field)?.flatten().unwrap_or_default();
        if overlap > MONTH {
            return Err(FieldError::new(field, format!("must be at most {} seconds", MONTH.as_secs())));
        }
        Ok(overlap)
    }

    /// What becomes of a moment that may be absent.
    pub(super) fn moment_change(&mut self, field: &'static str) -> Result<Option<Option<Timestamp>>, FieldError> {
        let moment =
            |text: String| Timestamp::parse_rfc3339(&text).ok_or(FieldError::new(field, "must be an RFC 3339 time"));
        self.change(field)?.map(|text| text.map(moment).transpose()).transpose()
    }

    /// An object.
    pub(super) fn object(&mut self, field: &'static str) -> Result<Option<Value>, FieldError> {
        match self.take(field) {
            None | Some(Value::Null) => Ok(None),
            Some(object @ Value::Object(_)) => Ok(Some(object)),
            Some(_) => Err(FieldError::new(field, "must be an object")),
        }
    }

    /// What becomes of an object that may be absent.
    pub(super) fn object_change(&mut self, field: &'static str) -> Result<Option<Option<Value>>, FieldError> {
        if self.0.contains_key(field) { self.object(field).map(Some) } else { Ok(None) }
    }
}

/// How many items a list may have.
const MOST: usize = 100;
/// How much of the name of an unknown member is said again.
const LONGEST_NAME: usize = 50;
/// The longest overlap.
const MONTH: Duration = Duration::from_secs(31 * 86_400);
/// The longest text, in characters; what is shorter by its nature is checked where it is used.
const LONGEST: usize = 4096;

fn plain(field: &'static str, text: String) -> Result<String, FieldError> {
    // PostgreSQL can't store it, and no name has one.
    if text.contains('\0') {
        return Err(FieldError::new(field, "must not contain a NUL character"));
    }
    if text.chars().count() > LONGEST {
        return Err(FieldError::new(field, format!("must be at most {LONGEST} characters")));
    }
    Ok(text)
}

//! The parameters of a query string, taken out one by one. Parameters that nobody asks for are
//! ignored; one that is asked for counts once.

use std::borrow::Cow;
use std::str::FromStr;

use super::fields::FieldError;

/// The parameters of a request.
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// The highest page: what stands before it can still be counted.
const LAST_PAGE: u64 = 1_000_000_000;

impl<'a> Query<'a> {
    /// Reads a query string.
    pub(super) fn parse(query: &'a str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// A parameter; nothing where it is empty.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, FieldError> {
        let mut found = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_ref());
        let value = found.next().filter(|value| !value.is_empty());
        if found.next().is_some() {
            return Err(FieldError::new(name, "must be given once"));
        }
        if value.is_some_and(|value| value.chars().count() > 500 || value.contains('\0')) {
            return Err(FieldError::new(name, "must be at most 500 characters, none of them NUL"));
        }
        Ok(value)
    }

    /// A parameter of a type that can say what it is not.
    pub(super) fn parsed<T: FromStr>(&self, name: &'static str, wanted: &'static str) -> Result<Option<T>, FieldError> {
        self.text(name)?.map(|text| text.parse().map_err(|_| FieldError::new(name, wanted))).transpose()
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &'static str) -> Result<Option<bool>, FieldError> {
        match self.text(name)? {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(FieldError::new(name, "must be true or false")),
        }
    }

    /// How many at most: a whole number from one on; what is above `max` is `max`.
    pub(super) fn limit(&self, name: &'static str, default: u64, max: u64) -> Result<u64, FieldError> {
        match self.parsed::<u64>(name, "must be a positive whole number")? {
            Some(0) => Err(FieldError::new(name, "must be a positive whole number")),
            given => Ok(given.unwrap_or(default).min(max)),
        }
    }

    /// How many to leave out.
    pub(super) fn offset(&self, name: &'static str) -> Result<u64, FieldError> {
        match self.parsed::<u64>(name, "must be a whole number")? {
            Some(offset) if offset > LAST_PAGE => Err(FieldError::new(name, "is too large")),
            given => Ok(given.unwrap_or(0)),
        }
    }

    /// `page` and `per_page` (at most `max`).
    pub(super) fn page(&self, default: u64, max: u64) -> Result<crate::model::page::PageNumber, FieldError> {
        let page = self.parsed::<u64>("page", "must be a positive whole number")?.unwrap_or(1);
        if page == 0 || page > LAST_PAGE {
            return Err(FieldError::new("page", "must be a positive whole number"));
        }
        Ok(crate::model::page::PageNumber { page, per_page: self.limit("per_page", default, max)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_once_and_within_bounds() {
        let query = Query::parse("limit=5&big=5000&zero=0&minus=-1&twice=1&twice=1&empty=&flag=true&enc=a%20b+c");
        assert_eq!(query.limit("limit", 100, 1000), Ok(5));
        assert_eq!(query.limit("absent", 100, 1000), Ok(100));
        assert_eq!(query.limit("empty", 100, 1000), Ok(100));
        assert_eq!(query.limit("big", 100, 1000), Ok(1000));
        for bad in ["zero", "minus", "twice", "flag"] {
            assert!(query.limit(bad, 100, 1000).is_err(), "{bad}");
        }
        assert_eq!(query.flag("flag"), Ok(Some(true)));
        assert!(query.flag("limit").is_err());
        assert_eq!(query.text("enc"), Ok(Some("a b c")));
        assert!(Query::parse("page=18446744073709551615").page(20, 100).is_err());
    }
}

//! A field of a form with its label, hint and error, tied together for those who can't see them.

use std::borrow::Cow;

use askama::Template;

/// What is wrong with a form, field by field in the order of the page.
#[derive(Default)]
pub(in crate::http) struct Errors(Vec<(&'static str, Cow<'static, str>)>);

impl Errors {
    /// Adds what is wrong with a field.
    pub(in crate::http) fn push(&mut self, field: &'static str, text: impl Into<Cow<'static, str>>) {
        self.0.push((field, text.into()));
    }

    /// One field and what is wrong with it.
    pub(in crate::http) fn one(field: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self(vec![(field, text.into())])
    }

    /// Whether nothing is wrong.
    pub(in crate::http) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == field).map(|(_, text)| text.as_ref())
    }

    fn begin_with(&self, field: &str) -> bool {
        self.0.first().is_some_and(|(known, _)| *known == field)
    }
}

/// A field; templates make it and say what it is.
#[derive(Template)]
#[template(path = "parts/field.html")]
pub(in crate::http) struct Field<'a> {
    name: &'a str,
    label: &'a str,
    kind: &'static str,
    value: &'a str,
    autocomplete: &'a str,
    inputmode: &'a str,
    maxlength: u16,
    remark: Option<&'a str>,
    hint: Option<Cow<'a, str>>,
    error: Option<&'a str>,
    required: bool,
    focus: bool,
    is_code: bool,
    is_verbatim: bool,
}

impl<'a> Field<'a> {
    /// A line of text.
    pub(super) fn text(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            value: "",
            autocomplete: "",
            inputmode: "",
            maxlength: 320,
            remark: None,
            hint: None,
            error: None,
            required: false,
            focus: false,
            is_code: false,
            is_verbatim: false,
        }
    }

    /// A password; what was typed is never shown again.
    pub(super) fn password(name: &'a str, label: &'a str) -> Self {
        Self { kind: "password", maxlength: 1024, ..Self::text(name, label) }
    }

    /// An e-mail address.
    pub(super) fn email(name: &'a str, label: &'a str) -> Self {
        Self { kind: "email", autocomplete: "email", ..Self::text(name, label) }.verbatim()
    }

    pub(super) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn value(self, value: &'a str) -> Self {
        Self { value, ..self }
    }

    pub(super) fn autocomplete(self, autocomplete: &'a str) -> Self {
        Self { autocomplete, ..self }
    }

    /// Something that is copied sign by sign.
    pub(super) fn code(self, autocomplete: &'a str, inputmode: &'a str) -> Self {
        Self { is_code: true, autocomplete, inputmode, ..self }.verbatim()
    }

    /// Something that keyboards shall not correct.
    pub(super) fn verbatim(self) -> Self {
        Self { is_verbatim: true, ..self }
    }

    pub(super) fn maxlength(self, maxlength: u16) -> Self {
        Self { maxlength, ..self }
    }

    pub(super) fn hint(self, hint: &'a str) -> Self {
        Self { hint: Some(Cow::Borrowed(hint)), ..self }
    }

    /// The same with a number in it.
    pub(super) fn hint_with(self, hint: String) -> Self {
        Self { hint: Some(Cow::Owned(hint)), ..self }
    }

    pub(super) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// Whether the page begins here, where nothing is wrong.
    pub(super) fn focus(self, focus: bool) -> Self {
        Self { focus, ..self }
    }

    /// What is wrong with it; the page begins at the first that is wrong.
    pub(super) fn error(self, errors: &'a Errors) -> Self {
        let focus = if errors.is_empty() { self.focus } else { errors.begin_with(self.name) };
        Self { error: errors.of(self.name), focus, ..self }
    }

    fn described_by(&self) -> Option<String> {
        let error = self.error.map(|_| format!("{}-error", self.name));
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.name));
        match (error, hint) {
            (Some(error), Some(hint)) => Some(format!("{error} {hint}")),
            (error, hint) => error.or(hint),
        }
    }
}

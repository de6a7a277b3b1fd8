//! `/docs`.

use std::sync::Arc;

use askama::Template;

use super::{Frame, View};

/// The documentation of every operation.
#[derive(Template)]
#[template(path = "pages/docs.html")]
pub(in crate::http) struct Docs {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    /// What there is.
    pub(in crate::http) reference: Arc<Reference>,
}

impl View for Docs {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

/// All that the document says.
pub(in crate::http) struct Reference {
    /// What can be done, surface by surface.
    pub(in crate::http) chapters: Vec<Chapter>,
    /// What members are, by the name under which they refer to it.
    pub(in crate::http) schemas: Vec<(String, Vec<Member>)>,
}

/// One surface.
pub(in crate::http) struct Chapter {
    /// Its name.
    pub(in crate::http) title: &'static str,
    /// What it is for.
    pub(in crate::http) about: Prose,
    /// What it can do.
    pub(in crate::http) operations: Vec<Entry>,
}

/// One operation.
pub(in crate::http) struct Entry {
    /// `GET`.
    pub(in crate::http) method: String,
    /// As OpenAPI writes it.
    pub(in crate::http) path: String,
    /// In a line.
    pub(in crate::http) summary: Prose,
    /// In full.
    pub(in crate::http) description: Prose,
    /// What credentials it takes; any of these.
    pub(in crate::http) security: Vec<String>,
    /// What it takes beside the body.
    pub(in crate::http) parameters: Vec<Member>,
    /// Media type and members of the body.
    pub(in crate::http) body: Option<(String, Vec<Member>)>,
    /// Statuses, what they mean, and the members of what is answered.
    pub(in crate::http) answers: Vec<(String, Prose, Vec<Member>)>,
}

/// A parameter, or a member of a body.
#[derive(Default)]
pub(in crate::http) struct Member {
    /// Its name.
    pub(in crate::http) name: String,
    /// Where it stands and of what type it is.
    pub(in crate::http) kind: String,
    /// The schema that says more about it.
    pub(in crate::http) schema: Option<String>,
    /// Whether it must be there.
    pub(in crate::http) required: bool,
    /// What it is.
    pub(in crate::http) about: Prose,
}

/// A text in which code stands between backticks: parts, and whether each is code.
#[derive(Default)]
pub(in crate::http) struct Prose(Vec<(bool, String)>);

impl From<String> for Prose {
    fn from(text: String) -> Self {
        let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
        Self(parts.map(|(n, part)| (n % 2 == 1, part.to_owned())).collect())
    }
}

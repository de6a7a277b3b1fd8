//! The languages that we write to people in.

use super::text_enum::text_enum;

text_enum! {
    /// A language; one more is one variant, and its texts where people are spoken to.
    Language {
        /// English: where nobody asks for another one.
        En = "en",
        /// Chinese, in simplified characters.
        Zh = "zh",
    }
}

#[allow(clippy::derivable_impls)] // the macro declares the enum
impl Default for Language {
    fn default() -> Self {
        Self::En
    }
}

impl Language {
    /// The language of a tag (RFC 5646 §2.1), if it is one of ours.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.iter().copied().find(|language| language.as_str().eq_ignore_ascii_case(primary.trim()))
    }
}

//! A mail as people read it: its words in their language, as plain text and as HTML.

use std::time::Duration;

use askama::Template;

use crate::domain::mail::Addressed;
use crate::model::language::Language;
use crate::model::mail::Mail;
use crate::model::time::Timestamp;

use super::{en, zh};

/// What is said in one mail.
pub(super) struct Words {
    /// The language tag (RFC 5646).
    pub(super) lang: &'static str,
    /// What stands between a label and what it labels.
    pub(super) colon: &'static str,
    pub(super) subject: String,
    pub(super) paragraphs: Vec<String>,
    /// Facts, each with its label.
    pub(super) facts: Vec<(&'static str, String)>,
    /// What the link is called.
    pub(super) action: Option<&'static str>,
    /// What holds for the link, or what to do if it was not the reader.
    pub(super) after: Vec<String>,
    /// Where it comes from and why.
    pub(super) footer: String,
}

/// A mail, ready to be sent.
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
    pub(super) written_at: Timestamp,
}

#[derive(Template)]
#[template(path = "mail/letter.txt", escape = "none")]
struct Text<'a> {
    words: &'a Words,
    link: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    words: &'a Words,
    link: Option<&'a str>,
    sender: &'a str,
}

impl Letter {
    /// Writes it.
    pub(super) fn write(addressed: &Addressed, now: Timestamp) -> Result<Self, String> {
        let words = match addressed.mail.language {
            Language::En => en::words(addressed),
            Language::Zh => zh::words(addressed),
        };
        let link = addressed.link.as_ref().map(|link| link.expose().as_str());
        let text = Text { words: &words, link }.render();
        let html = Html { words: &words, link, sender: &addressed.sender }.render();
        let unwritable = |why: askama::Error| format!("its text can't be written: {why}");
        Ok(Self {
            text: text.map_err(unwritable)?,
            html: html.map_err(unwritable)?,
            subject: words.subject,
            written_at: now,
        })
    }
}

/// When, from where and in which browser something was done, under these labels.
pub(super) fn facts(mail: &Mail, labels: [&'static str; 3]) -> Vec<(&'static str, String)> {
    let [when, whence, browser] = labels;
    let at = mail.created_at.rfc3339().replace('T', " ").replace('Z', " UTC");
    let mut facts = vec![(when, at)];
    facts.extend(mail.address.clone().map(|address| (whence, address)));
    facts.extend(mail.device.clone().map(|device| (browser, device)));
    facts
}

/// A length of time in the largest unit that measures it evenly: minutes, hours or days.
pub(super) fn span(life: Duration) -> (u64, Unit) {
    let minutes = life.as_secs().div_ceil(60);
    match minutes {
        n if n.is_multiple_of(24 * 60) && n > 24 * 60 => (n / (24 * 60), Unit::Days),
        n if n.is_multiple_of(60) => (n / 60, Unit::Hours),
        n => (n, Unit::Minutes),
    }
}

/// A name that somebody chose, in a mail to somebody else: short, and nothing that a mail program makes
/// into a link.
pub(super) fn unlinked(name: &str) -> String {
    let mut shown = String::new();
    for c in name.chars().take(60) {
        shown.push(c);
        if matches!(c, '.' | ':' | '@' | '/') {
            // WORD JOINER: seen by programs, not by people.
            shown.push('\u{2060}');
        }
    }
    shown
}

/// See [`span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Minutes,
    Hours,
    Days,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::TenantId;
    use crate::model::mail::MailKind;
    use crate::model::secret::Secret;

    fn addressed(kind: MailKind, language: Language) -> Addressed {
        let at = Timestamp::from_seconds(1_800_000_000);
        let mail = Mail {
            tenant: TenantId::from_uuid(uuid::Uuid::nil()),
            id: uuid::Uuid::nil(),
            kind,
            recipient: "alice@example.org".to_owned(),
            language,
            address: Some("192.0.2.7".to_owned()),
            about: None,
            device: Some("<b>Firefox</b>".to_owned()),
            attempts: 1,
            give_up_at: at,
            created_at: at,
        };
        Addressed {
            to: mail.recipient.clone(),
            sender: "Müller & Söhne <x>".to_owned(),
            issuer: "https://id.example.org".to_owned(),
            link: Some(Secret::new("https://id.example.org/page?token=ghm_1".to_owned())),
            link_life: kind.purpose().map(|_| Duration::from_secs(3600)),
            about: (kind == MailKind::Invitation).then(|| "Acme".to_owned()),
            mail,
        }
    }

    #[test]
    fn every_mail_says_what_it_is_about_in_both_languages() {
        for kind in MailKind::ALL {
            let [en, zh] = [Language::En, Language::Zh].map(|language| {
                let letter = Letter::write(&addressed(*kind, language), Timestamp::from_seconds(0)).unwrap();
                assert!(letter.subject.contains("Müller & Söhne"), "{}", letter.subject);
                assert!(letter.text.contains("https://id.example.org"), "{}", letter.text);
                assert!(!letter.html.contains("<x>") && !letter.html.contains("<b>"), "{}", letter.html);
                assert!(letter.html.contains(&format!("lang=\"{}", language.as_str())), "{}", letter.html);
                assert!(!letter.text.contains("\n\n\n"), "{}", letter.text);
                if kind.purpose().is_some() {
                    assert!(letter.text.contains("token=ghm_1") && letter.html.contains("token=ghm_1"));
                    assert!(letter.text.contains('1'), "how long it counts: {}", letter.text);
                }
                letter
            });
            assert_ne!(en.subject, zh.subject);
        }
    }

    #[test]
    fn a_name_is_no_link() {
        assert_eq!(unlinked("Acme Inc."), "Acme Inc.\u{2060}");
        for bad in ["evil.example", "https://evil", "a@evil"] {
            assert!(!unlinked(bad).contains(bad));
        }
        assert_eq!(unlinked(&"x".repeat(200)).len(), 60);
    }

    #[test]
    fn spans_are_said_as_people_do() {
        for (minutes, said) in [
            (1, (1, Unit::Minutes)),
            (60, (1, Unit::Hours)),
            (90, (90, Unit::Minutes)),
            (24 * 60, (24, Unit::Hours)),
            (48 * 60, (2, Unit::Days)),
        ] {
            assert_eq!(span(Duration::from_secs(minutes * 60)), said);
        }
    }
}

//! What a password that people choose must be (NIST SP 800-63B-4 §3.1.1): long enough, not well
//! known, not easy to guess; no rules about which letters it is made of.

use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::zxcvbn;

use super::core::Core;
use super::error::{DomainError, Invalid};
use super::tenants::LiveTenant;
use crate::model::secret::Secret;
use crate::model::user::User;

/// Why a password is none; each says what to do instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer characters than this.
    #[error("must be at least {0} characters")]
    TooShort(usize),
    /// More characters than this.
    #[error("must be at most {0} characters")]
    TooLong(usize),
    /// On every list of passwords that are tried first, or a single word.
    #[error("is one that is tried first; use several words that do not belong together")]
    Common,
    /// Made of the person's own address or name, or of ours.
    #[error("must not be made of your address, your name or the name of this site")]
    Personal,
    /// Few guesses find it.
    #[error("is easy to guess; add another word or two")]
    Guessable,
}

impl From<Weakness> for Invalid {
    fn from(weakness: Weakness) -> Self {
        Self { field: "password", why: weakness.to_string(), weakness: Some(weakness) }
    }
}

/// What is known of whom a password is for: guessers try it first.
#[derive(Clone, Copy, Default)]
pub struct Owner<'a> {
    /// Their address.
    pub email: Option<&'a str>,
    /// Their username.
    pub username: Option<&'a str>,
    /// Their name.
    pub name: Option<&'a str>,
}

impl<'a> From<&'a User> for Owner<'a> {
    fn from(user: &'a User) -> Self {
        Self { email: user.email.as_deref(), username: user.username.as_deref(), name: user.name.as_deref() }
    }
}

/// The least number of characters on the pages of a tenant: it may raise what the installation asks.
#[must_use]
pub fn min_length(core: &Core, tenant: &LiveTenant) -> usize {
    let own = tenant.tenant.settings.password_min_length.and_then(|n| usize::try_from(n).ok());
    own.unwrap_or(0).max(usize::from(core.config.passwords.min_length))
}

/// The least number of characters where whoever administers sets a password: for the default tenant the
/// installation's, for any other one what it asks of those who register.
#[must_use]
pub fn min_length_given(core: &Core, tenant: &LiveTenant) -> usize {
    if tenant.tenant.is_default { min_length(core, tenant) } else { tenant.password_min_length(core) }
}

/// Checks a password that somebody chose for themselves.
///
/// # Errors
/// [`Invalid`] about `password`, with its [`Weakness`].
pub async fn check(core: &Core, tenant: &LiveTenant, owner: Owner<'_>, password: &str) -> Result<(), DomainError> {
    let rules = &core.config.passwords;
    let (min, max) = (min_length(core, tenant), usize::from(rules.max_length));
    let length = password.chars().count();
    if length < min {
        return Err(Invalid::from(Weakness::TooShort(min)).into());
    }
    if length > max {
        return Err(Invalid::from(Weakness::TooLong(max)).into());
    }
    let known = known_words(owner, &tenant.tenant.name, core.config.http.issuer.host());
    let (password, min_score) = (Secret::new(password.to_owned()), rules.min_score);
    // Tens of milliseconds for a long one: not on a thread that answers requests.
    let guessing = tokio::task::spawn_blocking(move || weakness(password.expose(), &known, min_score)).await;
    match guessing.map_err(|why| DomainError::Defect(why.to_string()))? {
        Some(weakness) => Err(Invalid::from(weakness).into()),
        None => Ok(()),
    }
}

/// Words that a guesser of this one password would try first, the longest first.
fn known_words(owner: Owner<'_>, tenant: &str, host: &str) -> Vec<String> {
    let texts = [owner.email, owner.username, owner.name, Some(tenant), Some(host), Some("gatehouse")];
    let mut words: Vec<String> = Vec::new();
    for text in texts.into_iter().flatten() {
        let text = text.to_lowercase();
        words.extend(text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2).map(str::to_owned));
        words.push(text);
    }
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words
}

fn weakness(password: &str, known: &[String], min_score: u8) -> Option<Weakness> {
    if is_personal(password, known) {
        return Some(Weakness::Personal);
    }
    let inputs: Vec<&str> = known.iter().map(String::as_str).collect();
    let estimate = zxcvbn(password, &inputs);
    // One word of a list and nothing else: the lists are what guessers begin with, so this is
    // refused whatever score is asked for.
    if let [only] = estimate.sequence()
        && matches!(only.pattern, MatchPattern::Dictionary(_))
    {
        return Some(Weakness::Common);
    }
    (u8::from(estimate.score()) < min_score).then_some(Weakness::Guessable)
}

/// Whether hardly anything is left without the words that are known.
fn is_personal(password: &str, known: &[String]) -> bool {
    let password = password.to_lowercase();
    let rest =
        known.iter().filter(|word| !word.is_empty()).fold(password.clone(), |rest, word| rest.replace(word, " "));
    rest != password && rest.chars().filter(|c| c.is_alphanumeric()).count() < LEFT_OVER
}

/// How many letters and digits beside known words make a password something else.
const LEFT_OVER: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(password: &str) -> Option<Weakness> {
        let owner = Owner { email: Some("alice.liddell@wonder.example"), username: None, name: Some("Alice Liddell") };
        weakness(password, &known_words(owner, "Looking Glass", "id.example.org"), 2)
    }

    #[test]
    fn well_known_passwords_are_refused() {
        for password in ["password", "12345678", "qwertyuiop", "iloveyou", "P@ssw0rd", "drowssap", "trustno1"] {
            assert!(
                matches!(of(password), Some(Weakness::Common | Weakness::Guessable)),
                "{password}: {:?}",
                of(password)
            );
            let known = known_words(Owner::default(), "", "");
            assert!(
                weakness(password, &known, 0).is_some() || password == "qwertyuiop",
                "{password} whatever the score"
            );
        }
    }

    #[test]
    fn what_is_known_of_a_person_is_refused() {
        for password in ["liddell1", "Alice-Liddell", "alice.liddell@wonder.example", "gatehouse1", "Looking Glass"] {
            assert_eq!(of(password), Some(Weakness::Personal), "{password}");
        }
    }

    #[test]
    fn what_is_easy_is_refused_and_the_rest_is_not() {
        for password in ["aaaaaaaaaaaa", "abcdefghij", "19841984", "qazwsxedc"] {
            assert!(of(password).is_some(), "{password}");
        }
        for password in
            ["correct horse battery staple", "tZ8!kf0qPz", "一二三天地玄黄宇宙洪荒", "a quiet harbour at dawn"]
        {
            assert_eq!(of(password), None, "{password}");
        }
    }
}

//! Reads flags, environment and file into one list of raw values.

use std::io;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Given, Origin, Problem};
use super::section::{PREFIX, variable};
use super::value::Raw;

/// Everything a configuration is made from. Nothing else is read, so that whoever calls decides
/// what the environment is.
#[derive(Clone, Default)]
pub struct Sources {
    /// Keys and values from the command line, such as `("bind", "127.0.0.1:0")`.
    pub flags: Vec<(String, String)>,
    /// The environment: all of it; what is not ours is passed over.
    pub env: Vec<(String, String)>,
    /// The file.
    pub file: ConfigFile,
}

/// Which file to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConfigFile {
    /// None at all.
    #[default]
    None,
    /// This one if it exists.
    IfPresent(PathBuf),
    /// This one, which must exist.
    Required(PathBuf),
}

impl ConfigFile {
    /// What the command line asks for: the file of `--config`, else `gatehouse.toml` in the
    /// current folder if it exists.
    #[must_use]
    pub fn chosen(flag: Option<PathBuf>) -> Self {
        flag.map_or_else(|| Self::IfPresent("gatehouse.toml".into()), Self::Required)
    }
}

/// A value that somebody set, not yet looked at.
pub(super) struct Found {
    pub(super) key: String,
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

/// Variables that begin like ours and are left alone: they steer the tests.
const RESERVED: &str = "GATEHOUSE_TEST_";

/// All values, the weakest source first, and what is wrong before any value is looked at.
pub(super) fn read(sources: &Sources, known: &[&'static str]) -> (Vec<Found>, Vec<Problem>) {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    match &sources.file {
        ConfigFile::None => {}
        ConfigFile::IfPresent(path) => from_file(path, false, known, &mut found, &mut problems),
        ConfigFile::Required(path) => from_file(path, true, known, &mut found, &mut problems),
    }
    from_environment(&sources.env, known, &mut found, &mut problems);
    for (key, value) in &sources.flags {
        let origin = Origin::Flag(key.replace('_', "-"));
        accept(key.clone(), Raw::Text(value.clone()), origin, known, &mut found, &mut problems);
    }
    (found, problems)
}

/// Keeps what is known and complains about what is not.
fn accept(
    key: String,
    raw: Raw,
    origin: Origin,
    known: &[&'static str],
    found: &mut Vec<Found>,
    problems: &mut Vec<Problem>,
) {
    if known.contains(&key.as_str()) {
        found.push(Found { key, raw, origin });
        return;
    }
    let below: Vec<_> = known
        .iter()
        .filter(|name| name.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('.')))
        .copied()
        .collect();
    let (why, remedy) = if below.is_empty() {
        let remedy = match (closest(&key, known), &origin) {
            (Some(name), Origin::Environment(_)) => format!("did you mean {}? Otherwise remove it", variable(name)),
            (Some(name), _) => format!("did you mean {name}? Otherwise remove it"),
            (None, _) => "remove it; gatehouse.toml.example lists every key".to_owned(),
        };
        ("is not a known key", remedy)
    } else {
        ("is a section, not a value", format!("set one of its keys: {}", below.join(", ")))
    };
    // The value is not shown: a misspelt key may well hold a secret.
    problems.push(Problem { given: vec![Given { key, value: None, origin }], why: why.to_owned(), remedy });
}

fn from_environment(
    env: &[(String, String)],
    known: &[&'static str],
    found: &mut Vec<Found>,
    problems: &mut Vec<Problem>,
) {
    // The name that many tools share counts less than ours.
    if let Some((name, value)) = env.iter().find(|(name, _)| name == "DATABASE_URL") {
        found.push(Found {
            key: "database_url".to_owned(),
            raw: Raw::Text(value.clone()),
            origin: Origin::Environment(name.clone()),
        });
    }
    for (name, value) in env {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if name.starts_with(RESERVED) {
            continue;
        }
        let key = rest.replace("__", ".").to_ascii_lowercase();
        // Anything but the one right spelling is a key of that odd spelling, and so unknown.
        let key = if variable(&key) == *name { key } else { name.clone() };
        let origin = Origin::Environment(name.clone());
        accept(key, Raw::Text(value.clone()), origin, known, found, problems);
    }
}

fn from_file(path: &Path, required: bool, known: &[&'static str], found: &mut Vec<Found>, problems: &mut Vec<Problem>) {
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => return,
        Err(error) => {
            let given = Given {
                key: "config".to_owned(),
                value: Some(shown),
                origin: if required { Origin::Flag("config".to_owned()) } else { Origin::Default },
            };
            let why = match error.kind() {
                io::ErrorKind::NotFound => "does not exist".to_owned(),
                io::ErrorKind::PermissionDenied => "can't be read: permission denied".to_owned(),
                io::ErrorKind::IsADirectory => "is a folder".to_owned(),
                io::ErrorKind::InvalidData => "is not UTF-8 text".to_owned(),
                other => format!("can't be read: {other}"),
            };
            problems.push(Problem { given: vec![given], why, remedy: "name a file that can be read".to_owned() });
            return;
        }
    };
    let at = |offset: usize| Origin::File { path: shown.clone(), line: line_of(&text, offset) };
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        // Only the message: the full text of the error quotes the line, which may hold a secret.
        let message = error.message().trim_end_matches('.').replace('\n', ", ");
        problems.push(Problem {
            given: vec![Given {
                key: "the file".to_owned(),
                value: None,
                origin: at(error.span().map_or(0, |span| span.start)),
            }],
            why: format!("is not valid TOML: {message}"),
            remedy: "correct this line; text values stand in double quotes".to_owned(),
        });
    }
    if errors.is_empty() {
        walk("", table.get_ref(), &mut |key, value, offset| {
            accept(key, raw(value), at(offset), known, found, problems);
        });
    }
}

/// Visits each value of a table and of the tables in it with its full name, in the file's order.
fn walk(prefix: &str, table: &DeTable<'_>, each: &mut dyn FnMut(String, &DeValue<'_>, usize)) {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (name, value) in entries {
        let key = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => walk(&key, inner, each),
            other => each(key, other, name.span().start),
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    let item = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    };
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Raw::Bare(number.as_str().to_owned()),
        DeValue::Integer(_) => Raw::Unfit("a number that is not decimal"),
        DeValue::Float(_) => Raw::Unfit("a fraction"),
        DeValue::Boolean(value) => Raw::Bare(value.to_string()),
        DeValue::Datetime(_) => Raw::Unfit("a date or time"),
        DeValue::Array(items) => items
            .iter()
            .map(item)
            .collect::<Option<_>>()
            .map_or(Raw::Unfit("a list with something else than text in it"), Raw::List),
        DeValue::Table(_) => Raw::Unfit("a section"),
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The known key that was probably meant.
fn closest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let bare = |text: &str| text.strip_prefix(PREFIX).unwrap_or(text).to_ascii_lowercase().replace(['.', '_', '-'], "");
    let key = bare(key);
    known
        .iter()
        .map(|name| (distance(&key, &bare(name)), *name))
        .min()
        .filter(|(distance, _)| *distance <= 2.min(key.len() / 2))
        .map(|(_, name)| name)
}

/// How many letters must be put in, taken out or changed to get from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (j, to) in b.bytes().enumerate() {
            let Some(cell) = row.get_mut(j + 1) else { break };
            let above = *cell;
            let best = (diagonal + usize::from(from != to)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

//! The configuration: flags over environment over file over defaults, checked as a whole.
//!
//! Each section declares its keys once, in a file of its own. Reading, `config show`, the example
//! file and every message follow from those declarations. Nothing here reads the process's
//! environment; whoever calls [`load`] hands it in.

mod access_log;
mod admin;
mod audit;
mod check;
mod database;
mod example;
mod http;
mod limits;
mod lockout;
mod logs;
mod mail;
mod mask;
mod outbound;
mod passwords;
mod problem;
mod provisioning;
mod rate;
mod registration;
mod secrets;
mod section;
mod sessions;
mod source;
#[cfg(test)]
mod tests;
mod tokens;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

pub use access_log::AccessLogConfig;
pub use admin::AdminConfig;
pub use audit::AuditConfig;
pub use database::{DatabaseConfig, DatabaseEngine, DatabaseUrl};
pub use http::{HttpConfig, Issuer};
pub use limits::LimitConfig;
pub use lockout::LockoutConfig;
pub use logs::{LogConfig, LogFilter, LogFormat, OtlpEndpoint};
pub use mail::{MailConfig, Mailbox, SmtpTls, SmtpUrl};
pub use outbound::OutboundConfig;
pub use passwords::PasswordConfig;
pub use problem::{ConfigError, Given, Origin, Problem};
pub use provisioning::ProvisioningConfig;
pub use rate::Rate;
pub use registration::RegistrationConfig;
pub use secrets::{MasterKeySource, SecretsConfig};
pub use section::{Key, Section};
pub use sessions::{CookieName, SessionConfig};
pub use source::{ConfigFile, Sources};
pub use tokens::TokenConfig;
pub use value::{Refused, Setting, Value};

use section::Visit;
use value::Raw;

macro_rules! config {
    ($($(#[doc = $doc:literal])+ $field:ident: $ty:ty,)+) => {
        /// Everything that can be configured. `Config::default()` is the documented defaults.
        #[derive(Clone, Debug, Default)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $field: $ty,)+
        }

        impl Config {
            /// Shows each section's heading and then each of its keys, in the order of the
            /// example file.
            fn visit(&mut self, heading: &mut dyn FnMut(&'static str, &'static str), visit: &mut Visit<'_>) {
                $(
                    heading(<$ty as Section>::TITLE, <$ty as Section>::ABOUT);
                    self.$field.visit(visit);
                )+
            }
        }
    };
}

config! {
    /// Where and how it listens.
    http: HttpConfig,
    /// Which database.
    database: DatabaseConfig,
    /// Its own files and the master key.
    secrets: SecretsConfig,
    /// The first administrator.
    admin: AdminConfig,
    /// How mail leaves the house.
    mail: MailConfig,
    /// What is open to everybody.
    registration: RegistrationConfig,
    /// What trusted systems do by way of their API clients.
    provisioning: ProvisioningConfig,
    /// How long tokens, codes, links and keys live.
    tokens: TokenConfig,
    /// How long a browser stays signed in.
    sessions: SessionConfig,
    /// What a password must be and costs.
    passwords: PasswordConfig,
    /// When an account stops taking passwords.
    lockout: LockoutConfig,
    /// How often one address may try.
    limits: LimitConfig,
    /// Requests that it makes itself.
    outbound: OutboundConfig,
    /// What is logged and how.
    logs: LogConfig,
    /// How long the audit trail is kept.
    audit: AuditConfig,
    /// The record of what services did.
    access_log: AccessLogConfig,
}

impl Config {
    /// The defaults with everything that is written to disk in this folder; for tests.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        let mut config = Self::default();
        config.secrets.data_dir = folder.to_owned();
        config.place_database();
        config
    }

    /// The content of `gatehouse.toml.example`: every key with what it does and its default.
    #[must_use]
    pub fn example() -> String {
        example::text()
    }

    /// Every key, in the order of the example file.
    #[must_use]
    pub fn keys() -> Vec<Key> {
        let mut keys = Vec::new();
        Self::default().visit(&mut |_, _| {}, &mut |key, _| keys.push(key));
        keys
    }

    /// Every effective value by its key's name, what is secret in it hidden, in the order of the example
    /// file; nothing where it is unset.
    #[must_use]
    pub fn shown(&self) -> Vec<(&'static str, Option<String>)> {
        let mut rows = Vec::new();
        self.clone().visit(&mut |_, _| {}, &mut |key, setting| rows.push((key.name, setting.shown())));
        rows
    }

    /// Puts the embedded database where it is by default: in the data folder.
    fn place_database(&mut self) {
        self.database.url = DatabaseUrl::sqlite(&self.secrets.data_dir.join("gatehouse.db"));
    }
}

/// A configuration and where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Where the keys that somebody set came from.
    origins: BTreeMap<&'static str, Origin>,
}

/// One line of `gatehouse config show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The key's name.
    pub key: &'static str,
    /// The effective value, what is secret in it hidden; nothing when unset.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

impl Loaded {
    /// Every effective value with its origin, in the order of the example file.
    #[must_use]
    pub fn show(&self) -> Vec<Shown> {
        let row = |(key, value)| Shown { key, value, origin: self.origin(key) };
        self.config.shown().into_iter().map(row).collect()
    }

    /// Where a key's value came from.
    #[must_use]
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// `show` as a table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let rows = self.show();
        let value = |row: &Shown| row.value.clone().unwrap_or_else(|| "(unset)".to_owned());
        let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or_default();
        let keys = width(&mut rows.iter().map(|row| row.key.len()));
        let values = width(&mut rows.iter().map(|row| value(row).chars().count()).filter(|n| *n <= 60));
        rows.iter().map(|row| format!("{:keys$}  {:values$}  {}\n", row.key, value(row), row.origin)).collect()
    }
}

/// Makes the configuration from its sources.
///
/// # Errors
/// Names everything that is wrong in one go: unknown keys, bad values (also those that a stronger
/// source hides) and combinations that would be unsafe. Nothing has been written by then.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let known: Vec<_> = Config::keys().iter().map(|key| key.name).collect();
    let (found, mut problems) = source::read(sources, &known);
    let mut config = Config::default();
    let mut origins = BTreeMap::new();
    let mut unreadable = BTreeSet::new();
    config.visit(&mut |_, _| {}, &mut |key, setting| {
        for given in found.iter().filter(|given| given.key == key.name) {
            match setting.set(&given.raw) {
                Ok(()) => {
                    origins.insert(key.name, given.origin.clone());
                }
                Err(refused) => {
                    unreadable.insert(key.name);
                    problems.push(Problem {
                        given: vec![Given {
                            key: key.name.to_owned(),
                            value: masked(setting, &given.raw),
                            origin: given.origin.clone(),
                        }],
                        why: refused.why,
                        remedy: refused.remedy.unwrap_or_else(|| format!("write {}", setting.expected())),
                    });
                }
            }
        }
    });
    if !origins.contains_key("database_url") {
        config.place_database();
    }
    if !origins.contains_key("issuer") {
        config.http.issuer = Issuer::on_this_machine(config.http.bind.port());
    }
    let loaded = Loaded { config, origins };
    problems.extend(loaded.faults(&unreadable));
    if problems.is_empty() { Ok(loaded) } else { Err(ConfigError { problems }) }
}

impl Loaded {
    /// What does not fit together.
    fn faults(&self, unreadable: &BTreeSet<&'static str>) -> Vec<Problem> {
        let shown = self.show();
        check::CHECKS
            .iter()
            .filter(|check| !check.keys.iter().any(|key| unreadable.contains(key)))
            .filter_map(|check| {
                let (why, remedy) = (check.fault)(&self.config)?;
                let given = check
                    .keys
                    .iter()
                    .filter_map(|key| shown.iter().find(|row| row.key == *key))
                    .map(|row| Given {
                        key: row.key.to_owned(),
                        value: Some(row.value.clone().unwrap_or_default()),
                        origin: row.origin.clone(),
                    })
                    .collect();
                Some(Problem { given, why: why.to_owned(), remedy: remedy.to_owned() })
            })
            .collect()
    }
}

/// A value as it may be printed in a complaint.
fn masked(setting: &dyn Setting, raw: &Raw) -> Option<String> {
    match raw {
        Raw::Text(text) | Raw::Bare(text) => Some(setting.mask(text)),
        Raw::List(items) => {
            let items: Vec<_> = items.iter().map(|item| setting.mask(item)).collect();
            Some(items.join(", "))
        }
        Raw::Unfit(_) => None,
    }
}

/// How many cores this process may use.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

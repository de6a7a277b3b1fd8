//! Which database, and how long to wait for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::mask::{HIDDEN, mask_url};
use super::section::section;
use super::value::{Refused, Value};
use crate::model::secret::Secret;

section! {
    /// Which database, and how long to wait for it.
    DatabaseConfig, "Database";

    /// sqlite://PATH for the embedded database (one process a file), or postgres://… for
    /// PostgreSQL and what speaks its protocol. The default lies in data_dir.
    url: DatabaseUrl = "database_url", DatabaseUrl::default();
    /// Connections of this process; 0 means four for each core, at most 20. With SQLite it is the
    /// number of readers; there is always one writer beside them.
    pool_size: u32 = "database.pool_size", 0, from 0, to 1000;
    /// How long a request waits for a connection before it is answered 503 with Retry-After.
    acquire_timeout: Duration = "database.acquire_timeout", Duration::from_secs(1),
        from Duration::from_millis(10), to Duration::from_secs(60);
    /// How long one statement may take (PostgreSQL).
    statement_timeout: Duration = "database.statement_timeout", Duration::from_secs(5),
        from Duration::from_millis(10), to Duration::from_secs(600);
    /// How long a statement waits for a lock (PostgreSQL) or for the file (SQLite).
    lock_timeout: Duration = "database.lock_timeout", Duration::from_secs(2),
        from Duration::from_millis(10), to Duration::from_secs(600);
    /// After how long unused a connection is made anew before it is used again (PostgreSQL).
    idle_timeout: Duration = "database.idle_timeout", Duration::from_secs(600),
        from Duration::from_secs(1), to Duration::from_secs(86_400);
    /// After how long any connection is made anew (PostgreSQL).
    max_lifetime: Duration = "database.max_lifetime", Duration::from_secs(1800),
        from Duration::from_secs(10), to Duration::from_secs(86_400);
}

impl DatabaseConfig {
    /// How many connections the pool holds.
    #[must_use]
    pub fn pool_size(&self) -> u32 {
        match self.pool_size {
            0 => u32::try_from(super::cores().saturating_mul(4)).map_or(20, |n| n.clamp(1, 20)),
            size => size,
        }
    }
}

/// What kind of database a URL names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseEngine {
    /// The embedded one.
    Sqlite,
    /// PostgreSQL, or what speaks its protocol.
    Postgres,
}

/// Where the database is; may hold a password, so it prints only as a masked text.
#[derive(Clone)]
pub struct DatabaseUrl {
    text: Secret<String>,
    engine: DatabaseEngine,
}

impl DatabaseUrl {
    /// An embedded database in this file.
    #[must_use]
    pub fn sqlite(path: &Path) -> Self {
        Self { text: Secret::new(format!("sqlite://{}", path.display())), engine: DatabaseEngine::Sqlite }
    }

    /// What kind of database it is.
    #[must_use]
    pub const fn engine(&self) -> DatabaseEngine {
        self.engine
    }

    /// The URL with its password; the caller must not log it.
    #[must_use]
    pub const fn expose(&self) -> &str {
        self.text.expose().as_str()
    }

    /// The URL with its password hidden.
    #[must_use]
    pub fn masked(&self) -> String {
        mask_url(self.expose())
    }

    /// The file of an embedded database.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        match self.engine {
            DatabaseEngine::Sqlite => sqlite_path(self.expose()).map(PathBuf::from),
            DatabaseEngine::Postgres => None,
        }
    }
}

impl Default for DatabaseUrl {
    fn default() -> Self {
        Self::sqlite(Path::new("data/gatehouse.db"))
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DatabaseUrl").field(&self.masked()).finish()
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = Refused;
    fn from_str(text: &str) -> Result<Self, Refused> {
        Self::parse(text)
    }
}

/// The path in a SQLite URL, its query cut off.
fn sqlite_path(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    rest.split('?').next()
}

impl Value for DatabaseUrl {
    const EXPECTED: &'static str = "\"sqlite://data/gatehouse.db\" or \"postgres://user:password@host:5432/name\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        let wrap = |engine| Self { text: Secret::new(text.to_owned()), engine };
        if let Some(path) = sqlite_path(text) {
            if path.contains(":memory:") || text.contains("mode=memory") {
                return Err(Refused {
                    why: "is a database in memory, which every connection would see differently".to_owned(),
                    remedy: Some("name a file, such as \"sqlite://data/gatehouse.db\"".to_owned()),
                });
            }
            if path.is_empty() || path.ends_with('/') {
                return Err("names no file".into());
            }
            return match text.split_once('?') {
                None | Some((_, "mode=rwc" | "mode=rw")) => Ok(wrap(DatabaseEngine::Sqlite)),
                Some(_) => Err(Refused {
                    why: "has options that the embedded database does not take".to_owned(),
                    remedy: Some("remove everything from the ? on".to_owned()),
                }),
            };
        }
        let Ok(url) = Url::parse(text) else {
            return Err("is not a database URL".into());
        };
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err("names a database that is neither SQLite nor PostgreSQL".into());
        }
        // A socket directory stands in the query: postgres:///name?host=/run/postgresql
        let in_query = url.query_pairs().any(|(name, _)| name == "host");
        if url.host_str().is_none_or(str::is_empty) && !in_query {
            return Err("has no host".into());
        }
        Ok(wrap(DatabaseEngine::Postgres))
    }

    fn text(&self) -> String {
        self.expose().to_owned()
    }

    fn mask(text: &str) -> String {
        // Without a scheme it could be anything, a password alone among it.
        if text.contains("://") || text.starts_with("sqlite:") { mask_url(text) } else { HIDDEN.to_owned() }
    }
}

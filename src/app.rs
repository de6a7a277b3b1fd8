//! The composition: configuration in, a running identity provider out. `main`, the tests and the
//! benchmarks all start here; there are no process globals.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpSocket;

use crate::config::{Config, MasterKeySource};
use crate::crypto::password_hash::Cost;
use crate::crypto::password_pool::{self, PasswordPool, PoolConfig};
use crate::crypto::sealing::MasterKey;
use crate::domain::bootstrap::{self, FirstStart};
use crate::domain::upkeep::Feed;
use crate::domain::{Core, DomainError, Seams};
use crate::http;
use crate::jobs::Jobs;
use crate::model::entropy::Entropy;
use crate::outbound::Outbound;
use crate::storage::{Db, StorageError, migrate};
use crate::telemetry::Metrics;

/// Why it did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file or folder of its own.
    #[error("{what}: {why}")]
    File {
        /// Which, and what was to be done with it.
        what: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// The master key is not usable.
    #[error(
        "the master key in {place} is not usable: it must be 32 bytes in base64 or hex, as `openssl rand -base64 32` prints"
    )]
    MasterKey {
        /// Where it came from.
        place: String,
    },
    /// The database can't be opened.
    #[error("opening the database {url}: {why}")]
    Database {
        /// Which, its password hidden.
        url: String,
        /// What stood in the way.
        why: StorageError,
    },
    /// The database, once it is open.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The first start, or what an earlier one left.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// Another process serves this SQLite file.
    #[error(
        "another gatehouse serves {0} already; one process may serve an SQLite file: stop it, or go to PostgreSQL for several copies"
    )]
    AlreadyServed(String),
}

impl StartError {
    /// Whether it may go away by itself: the database is not there yet.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Database { why: StorageError::Unavailable(_), .. }
                | Self::Storage(StorageError::Unavailable(_))
                | Self::Domain(DomainError::Unavailable(_))
        )
    }
}

fn file(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> StartError {
    move |why| StartError::File { what: what.into(), why }
}

/// The database opened, migrated and set up, with nobody served yet.
pub struct Opened {
    /// What the verbs run on.
    pub core: Arc<Core>,
    /// What the first start may show, once; only for whoever made the installation.
    pub first_start: Option<FirstStart>,
}

/// Opens the database, brings the schema up to date and makes the installation if there is none.
///
/// # Errors
/// See [`StartError`]; nothing is half done.
pub async fn open(config: Arc<Config>, seams: Seams) -> Result<Opened, StartError> {
    let core = prepare(config, seams).await?;
    let first_start = bootstrap::ensure(&core).await?;
    Ok(Opened { core, first_start })
}

/// The same with whatever installation there is, or none: for who brings one.
///
/// # Errors
/// See [`StartError`].
pub async fn prepare(config: Arc<Config>, seams: Seams) -> Result<Arc<Core>, StartError> {
    let master_key = master_key(&config, &*seams.entropy)?;
    let db = open_database(&config).await?;
    let changes = migrate::up(&db).await?.len();
    if changes > 0 {
        tracing::info!(changes, "the schema was brought up to date");
    }
    let passwords = password_pool(&config, &seams)?;
    let outbound = Outbound::new(&config.outbound).map_err(file("reading outbound.ca_file"))?;
    let metrics = Arc::new(Metrics::new());
    Ok(Core::new(Arc::clone(&config), db, seams, &master_key, passwords, outbound, metrics)?)
}

/// Opens the database as it is, neither migrated nor set up. The embedded one is made if it is not there, for
/// its owner alone.
///
/// # Errors
/// See [`StartError`].
pub async fn open_database(config: &Config) -> Result<Db, StartError> {
    if let Some(path) = config.database.url.sqlite_path() {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            make_folder(folder)?;
        }
        make_private_file(&path)?;
    }
    let opened = Db::open(&config.database).await;
    opened.map_err(|why| StartError::Database { url: config.database.url.masked(), why })
}

fn password_pool(config: &Config, seams: &Seams) -> Result<PasswordPool, StartError> {
    let passwords = &config.passwords;
    let cost = if passwords.argon2_target.is_zero() {
        Cost { memory_kib: passwords.argon2_memory, iterations: passwords.argon2_iterations, lanes: 1 }
    } else {
        password_pool::calibrate(passwords.argon2_target, passwords.argon2_memory)
    };
    let pool = PoolConfig {
        threads: (passwords.concurrency > 0).then(|| usize::from(passwords.concurrency)),
        queue: passwords.queue_length(),
        wait_limit: passwords.queue_timeout,
        cost,
        ..PoolConfig::default()
    };
    PasswordPool::new(pool, Arc::clone(&seams.entropy)).map_err(file("starting the password threads"))
}

fn master_key(config: &Config, entropy: &dyn Entropy) -> Result<MasterKey, StartError> {
    let parse = |text: &str, place: String| MasterKey::parse(text.trim()).map_err(|_| StartError::MasterKey { place });
    match config.secrets.master_key_source() {
        MasterKeySource::Given(key) => Ok(key),
        MasterKeySource::File(path) => {
            let text =
                std::fs::read_to_string(&path).map_err(file(format!("reading master_key_file {}", path.display())))?;
            parse(&text, path.display().to_string())
        }
        MasterKeySource::MadeOnce(path) => {
            make_once(&path, entropy)?;
            let text = std::fs::read_to_string(&path).map_err(file(format!("reading {}", path.display())))?;
            parse(&text, path.display().to_string())
        }
    }
}

/// Makes a folder that only its owner can look into: it holds digests, sealed keys and the key to them.
fn make_folder(folder: &Path) -> Result<(), StartError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(file(format!("making the folder {}", folder.display())))
}

/// Makes the file if it is not there, for its owner alone; SQLite gives its companions the same mode.
fn make_private_file(path: &Path) -> Result<(), StartError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(file(format!("opening the database {}", path.display())))
}

/// Makes the file with a new key if it is not there; of several that start at once, one makes it.
fn make_once(path: &Path, entropy: &dyn Entropy) -> Result<(), StartError> {
    use std::io::Write as _;
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    // Written beside it and linked into place: nobody reads half a key.
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut made| {
        made.write_all(MasterKey::generate(entropy).to_text().expose().as_bytes())?;
        made.sync_all()
    });
    let linked = written.and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let _ = std::fs::remove_file(&draft);
    linked.map_err(file(format!("making the master key {}", path.display())))
}

/// One process may serve an SQLite file: a lock that dies with its holder.
fn serve_lock(config: &Config) -> Result<Option<std::fs::File>, StartError> {
    let Some(database) = config.database.url.sqlite_path() else { return Ok(None) };
    let path = database.with_extension("serving");
    let lock = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(file(format!("opening {}", path.display())))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::AlreadyServed(database.display().to_string())),
        Err(std::fs::TryLockError::Error(why)) => Err(file(format!("locking {}", path.display()))(why)),
    }
}

/// A server that answers.
pub struct Running {
    /// What the verbs run on.
    pub core: Arc<Core>,
    /// Where it listens.
    pub address: SocketAddr,
    /// What the first start may show, once.
    pub first_start: Option<FirstStart>,
    server: http::Server,
    jobs: Jobs,
    _serving: Option<std::fs::File>,
}

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

fn listen(bind: SocketAddr, key: &str) -> Result<std::net::TcpListener, StartError> {
    let socket = if bind.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let listening = socket.and_then(|socket| {
        // A port that the process before has just left is free.
        socket.set_reuseaddr(true)?;
        socket.bind(bind)?;
        socket.listen(BACKLOG)?.into_std()
    });
    listening.map_err(file(format!("listening on {bind} (key {key})")))
}

/// Opens and serves. Answers as soon as requests are answered.
///
/// # Errors
/// See [`StartError`].
pub async fn start(config: Arc<Config>, seams: Seams) -> Result<Running, StartError> {
    // First the ports: who can't have them changes nothing, and no first password is made for nobody.
    let listener = listen(config.http.bind, "bind")?;
    let metrics = config.http.metrics_bind.map(|bind| listen(bind, "metrics.bind")).transpose()?;
    let address = listener.local_addr().map_err(file("reading the address listened on"))?;
    if let Some(folder) = config.database.url.sqlite_path().and_then(|path| path.parent().map(Path::to_owned)) {
        make_folder(&folder)?;
    }
    let serving = serve_lock(&config)?;
    let Opened { core, first_start } = open(Arc::clone(&config), seams).await?;
    // Caches may be believed from the first request on; if not now, the job will see to it.
    if let Err(why) = Feed::default().follow(&core).await {
        tracing::warn!(%why, "the change feed can't be read yet");
    }
    let jobs = Jobs::start(&core);
    let server = http::serve(Arc::clone(&core), listener, metrics).map_err(file("starting the server"))?;
    Ok(Running { core, address, first_start, server, jobs, _serving: serving })
}

impl Running {
    /// Stops as a load balancer wants it: says no to readiness for `drain_delay` while it goes on
    /// answering, then takes no more connections, finishes what is under way, and flushes what is
    /// on its way to the database.
    pub async fn stop(self) {
        let delay: Duration = self.core.config.http.drain_delay;
        self.server.begin_draining();
        tokio::time::sleep(delay).await;
        self.server.stop().await;
        self.core.access_log.flush().await;
        drop(self.jobs);
        let db = self.core.db.clone();
        drop(self.core);
        db.close().await;
    }
}

//! A database for each test, copied from one that was set up once, and a way to look into it.

use std::future::Future;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A number that no other caller of this process gets.
pub fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A folder for everything that this process writes. It goes when the process ends, however that
/// ends: the shell that removes it waits at a pipe whose other end only this process holds.
pub fn run_folder() -> &'static Path {
    static FOLDER: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let (folder, _) = FOLDER.get_or_init(|| {
        let folder = tempfile::Builder::new().prefix("gatehouse-tests-").tempdir().unwrap().keep();
        // The database server's own account must be able to reach its folder in here.
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o711)).unwrap();
        let mut guard = Command::new("/bin/sh");
        guard.arg("-c").arg("read -r _; sleep 1; rm -rf \"$0\"; sleep 2; rm -rf \"$0\"").arg(&folder).process_group(0);
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let guard = guard.spawn().unwrap();
        (folder, guard)
    });
    folder
}

/// A folder of one's own.
pub fn new_folder(name: &str) -> tempfile::TempDir {
    tempfile::Builder::new().prefix(name).tempdir_in(run_folder()).unwrap()
}

/// A port that nobody uses, below those that outgoing connections are given.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 9_000).unwrap();
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Runs a future on a runtime of its own, on a thread of its own: also from within another one.
pub fn wait_for<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work))
            .join()
            .unwrap()
    })
}

/// A connection beside the application's own.
pub struct Sql(DatabaseConnection);

impl Sql {
    pub async fn connect(url: &str) -> Self {
        Self(Self::try_connect(url).await.unwrap())
    }

    pub async fn try_connect(url: &str) -> Result<DatabaseConnection, sea_orm::DbErr> {
        let mut options = sea_orm::ConnectOptions::new(url);
        options.max_connections(1).min_connections(0).sqlx_logging(false);
        // As in `storage/db.rs`: no task of the pool's own, which may spin.
        options.idle_timeout(None).max_lifetime(None);
        Database::connect(options).await
    }

    pub async fn close(self) {
        self.0.close().await.unwrap();
    }

    pub async fn run(&self, statement: &str) {
        self.0.execute_unprepared(statement).await.unwrap_or_else(|why| panic!("{statement}: {why}"));
    }

    /// The first column of every row, as text.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let rows = self.0.query_all_raw(sea_orm::Statement::from_string(self.0.get_database_backend(), query)).await;
        let rows = rows.unwrap_or_else(|why| panic!("{query}: {why}"));
        rows.iter().map(|row| row.try_get_by_index::<Option<String>>(0).unwrap().unwrap_or_default()).collect()
    }

    pub async fn number(&self, query: &str) -> i64 {
        let row = self.0.query_one_raw(sea_orm::Statement::from_string(self.0.get_database_backend(), query)).await;
        let row = row.unwrap_or_else(|why| panic!("{query}: {why}")).expect("a row");
        row.try_get_by_index::<i64>(0).or_else(|_| row.try_get_by_index::<i32>(0).map(i64::from)).unwrap()
    }

    fn is_sqlite(&self) -> bool {
        self.0.get_database_backend() == sea_orm::DbBackend::Sqlite
    }

    /// The tables of the schema.
    pub async fn tables(&self) -> Vec<String> {
        let query = if self.is_sqlite() {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        } else {
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name"
        };
        self.texts(query).await
    }

    /// Every row of a table as one line of text, in an order that only depends on the rows.
    pub async fn rows(&self, table: &str) -> Vec<String> {
        if self.is_sqlite() {
            let columns = self.texts(&format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid")).await;
            let line: Vec<String> =
                columns.iter().map(|column| format!("'{column}=' || quote(\"{column}\")")).collect();
            self.texts(&format!("SELECT {} FROM \"{table}\" ORDER BY 1", line.join(" || ' ' || "))).await
        } else {
            self.texts(&format!("SELECT to_jsonb(t)::text FROM \"{table}\" AS t ORDER BY 1")).await
        }
    }

    /// Every row of every table but these, with the table's name in front.
    pub async fn dump(&self, but: &[&str]) -> Vec<String> {
        let mut lines = Vec::new();
        for table in self.tables().await {
            if !but.contains(&table.as_str()) {
                lines.extend(self.rows(&table).await.into_iter().map(|row| format!("{table}: {row}")));
            }
        }
        lines
    }
}

/// Writes a file that holds these bytes.
pub fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

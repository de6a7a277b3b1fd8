//! A private PostgreSQL with its defaults: what it acknowledges is on the disk.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, Database};

use super::process::free_port;

pub struct Postgres {
    folder: PathBuf,
    port: u16,
    /// A shell that ends PostgreSQL when we are gone, however that happens.
    guard: Child,
}

impl Postgres {
    /// Starts one in this folder; `None` where the machine has none.
    pub async fn start(folder: &Path) -> Option<Self> {
        let programs = programs()?;
        let user = unprivileged();
        std::fs::create_dir_all(folder).unwrap();
        if let Some((uid, gid)) = user {
            chown(folder, Some(uid), Some(gid)).unwrap();
        }
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut initdb = command(&programs.join("initdb"), user);
        initdb.args(["-D", "data", "-U", "gatehouse", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"]);
        run(initdb.current_dir(folder));

        let port = free_port();
        let script = "\"$0\" \"$@\" </dev/null >>log 2>&1 & server=$!; read -r _; kill -INT $server; wait $server";
        let mut guard = command(Path::new("/bin/sh"), user);
        guard.arg("-c").arg(script).arg(programs.join("postgres")).args(["-D", "data", "-h", "127.0.0.1"]);
        guard.args(["-p", &port.to_string(), "-c", "unix_socket_directories="]);
        guard.current_dir(folder).process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let guard = guard.spawn().unwrap();
        let postgres = Self { folder: folder.to_owned(), port, guard };
        let started = Instant::now();
        while Database::connect(postgres.url("postgres")).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "PostgreSQL: {}", postgres.log());
            actix_web::rt::time::sleep(Duration::from_millis(50)).await;
        }
        Some(postgres)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://gatehouse@127.0.0.1:{}/{database}", self.port)
    }

    /// A new, empty database.
    pub async fn create(&self, name: &str) -> String {
        let connection = Database::connect(self.url("postgres")).await.unwrap();
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        connection.close().await.unwrap();
        self.url(name)
    }

    /// What it has written into its log so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join("log")).unwrap()).into_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The folder with its programs: on the path, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse::<u32>().ok()));
    folders.extend(versions.into_iter().rev().map(|version| version.join("bin")));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// PostgreSQL refuses to run as root: whom to run it as instead.
fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let find = |wanted: &str| {
        accounts.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields[0] == wanted).then(|| (fields[2].parse().unwrap(), fields[3].parse().unwrap()))
        })
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("an account that is not root"))
}

fn command(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command.env("LC_ALL", "C");
    command
}

fn run(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

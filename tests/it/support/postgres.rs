//! One private PostgreSQL for the whole test process. It ends with the process, however that ends:
//! the shell that runs it waits at a pipe whose other end only this process holds.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use super::database::{Sql, free_port, new_folder, wait_for};

/// A PostgreSQL of our own.
pub struct Cluster {
    port: u16,
    folder: PathBuf,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    settings: Vec<String>,
    /// Shells that end PostgreSQL once this is dropped.
    guards: Mutex<Vec<Child>>,
}

/// The shared one; `None` where the machine has no PostgreSQL.
pub fn shared() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            // Nobody ends this one in the middle, so it need not be durable.
            let started = Cluster::start("-c fsync=off -c full_page_writes=off -c synchronous_commit=off");
            if started.is_none() {
                assert!(
                    !required(),
                    "GATEHOUSE_TEST_REQUIRE names postgres, and there is no initdb on the path or in /usr/lib/postgresql"
                );
                eprintln!("skipped: the tests on PostgreSQL, because there is no initdb on this machine");
            }
            started
        })
        .as_ref()
}

fn required() -> bool {
    #[allow(clippy::disallowed_methods)] // tests have no configuration of their own
    let wanted = std::env::var("GATEHOUSE_TEST_REQUIRE").unwrap_or_default();
    wanted.split(',').any(|word| word.trim() == "postgres")
}

/// The folder with `initdb`: on the path, or where Debian puts it.
fn programs() -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods)]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse::<u32>().ok()));
    folders.extend(versions.into_iter().rev().map(|version| version.join("bin")));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// PostgreSQL refuses to run as root: whom to run it as instead.
fn unprivileged() -> Option<(u32, u32)> {
    let output = Command::new("id").arg("-u").output().unwrap();
    if String::from_utf8_lossy(&output.stdout).trim() != "0" {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let find = |wanted: &str| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            (name == wanted).then_some((uid, gid))
        })
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("an account that is not root"))
}

impl Cluster {
    /// Starts one with these settings; `None` where there are no programs for it.
    pub fn start(settings: &str) -> Option<Self> {
        let programs = programs()?;
        let user = unprivileged();
        let folder = new_folder("postgres-").keep();
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).unwrap();
        }
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut initdb = command(&programs.join("initdb"), user);
        initdb.arg("-D").arg(folder.join("data"));
        let made = initdb
            .args(["-U", "gatehouse", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

        let settings = settings.split_whitespace().map(str::to_owned).collect();
        let cluster = Self { port: free_port(), folder, programs, user, settings, guards: Mutex::default() };
        cluster.revive();
        Some(cluster)
    }

    /// Starts the server: the first time, or again after [`Cluster::crash`].
    pub fn revive(&self) {
        let script = "\"$0\" \"$@\" </dev/null >>server.log 2>&1 & server=$!
            read -r _; kill -INT $server; wait $server; rm -rf \"$PWD\"";
        let mut guard = command(Path::new("/bin/sh"), self.user);
        guard.arg("-c").arg(script).arg(self.programs.join("postgres")).arg("-D").arg(self.folder.join("data"));
        guard.args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-c", "unix_socket_directories="]);
        guard.args(["-c", "max_connections=300", "-c", "shared_buffers=64MB"]);
        // A group of its own: Ctrl-C on the tests is told by the pipe alone.
        guard.args(&self.settings).current_dir(&self.folder).process_group(0);
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.guards.lock().unwrap().push(guard.spawn().unwrap());
        self.wait();
    }

    /// Where a database of this name is reached.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://gatehouse@127.0.0.1:{}/{database}", self.port)
    }

    fn wait(&self) {
        for _ in 0..600 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() && self.answers() {
                return;
            }
            pause();
        }
        panic!(
            "PostgreSQL did not start: {}",
            std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
        );
    }

    fn answers(&self) -> bool {
        wait_for(async {
            match Sql::try_connect(&self.url("postgres")).await {
                Ok(connection) => connection.close().await.is_ok(),
                Err(_) => false,
            }
        })
    }

    /// Ends the server at once, as a lost machine would, and leaves its files.
    pub fn crash(&self) {
        let pid = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        // SIGQUIT: immediate shutdown, without goodbyes to anybody.
        assert!(Command::new("kill").args(["-QUIT", &pid]).status().unwrap().success());
        for _ in 0..600 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
                return;
            }
            pause();
        }
        panic!("PostgreSQL did not stop");
    }

    /// Stops every process of the server where it stands, as a machine that hangs would, until the
    /// answer is dropped.
    pub fn freeze(&self) -> Frozen {
        let pid = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let postmaster = pid.lines().next().unwrap().to_owned();
        let all = Command::new("ps").args(["-A", "-o", "pid=", "-o", "ppid="]).output().unwrap();
        let all = String::from_utf8(all.stdout).unwrap();
        let pairs = all.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
        let children = pairs.filter(|(_, parent)| parent.trim() == postmaster).map(|(pid, _)| pid.to_owned());
        let frozen = Frozen(children.chain([postmaster.clone()]).collect());
        frozen.signal("-STOP");
        frozen
    }

    /// A connection to the maintenance database.
    pub async fn admin(&self) -> Sql {
        Sql::connect(&self.url("postgres")).await
    }

    /// The same from a thread that runs no runtime.
    pub fn administer(&self, statement: &str) {
        wait_for(async {
            let admin = self.admin().await;
            admin.run(statement).await;
            admin.close().await;
        });
    }
}

/// A server that hangs.
pub struct Frozen(Vec<String>);

impl Frozen {
    fn signal(&self, signal: &str) {
        // One that has ended by itself in between is no matter.
        let _ = Command::new("kill").arg(signal).args(&self.0).stderr(Stdio::null()).status().unwrap();
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

fn command(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command.env("LC_ALL", "C");
    command
}

fn pause() {
    #[allow(clippy::disallowed_methods)] // no request waits here
    std::thread::sleep(std::time::Duration::from_millis(20));
}

//! gatehouse as operators run it: the built program, its command line, its environment.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::process::{Process, free_port, wait_until};
use super::wire;

/// What a password costs and how many are hashed at once: the defaults, said aloud because they are
/// compared with Argon2 alone.
pub const MEMORY_KIB: u32 = 19_456;
pub const PASSES: u32 = 2;
/// How far the threads that hash stand back: the server's own choice.
pub const NICE: i32 = 5;

/// The password of everybody.
pub const PASSWORD: &str = "a long enough password";

/// A folder, a database and a program.
pub struct Installation {
    folder: PathBuf,
    binary: PathBuf,
    address: SocketAddr,
    environment: Vec<(String, String)>,
    pub database: String,
}

impl Installation {
    /// Nothing is made yet. The database is SQLite in the folder, unless another one is named.
    pub fn new(binary: &Path, folder: &Path, database: Option<String>) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let database = database.unwrap_or_else(|| format!("sqlite://{}", folder.join("gatehouse.db").display()));
        let settings = [
            ("BIND", address.to_string()),
            ("ISSUER", format!("http://localhost:{}", address.port())),
            ("DATA_DIR", folder.join("data").display().to_string()),
            ("DATABASE_URL", database.clone()),
            ("PASSWORDS__ARGON2_MEMORY", MEMORY_KIB.to_string()),
            ("PASSWORDS__ARGON2_ITERATIONS", PASSES.to_string()),
            // Everything comes from one address, and is meant to come too fast.
            ("LIMITS__LOGIN", "off".to_owned()),
            ("LOCKOUT__FAILURES", "1000".to_owned()),
        ];
        let environment = settings.map(|(name, value)| (format!("GATEHOUSE_{name}"), value)).to_vec();
        Self { folder: folder.to_owned(), binary: binary.to_owned(), address, environment, database }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The answer of the command line.
    pub fn cli(&self, arguments: &[&str], input: &str) -> Value {
        let mut command = self.command();
        command.args(arguments).arg("--json").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "gatehouse {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// Makes a client and gives its id and secret.
    pub fn client(&self, arguments: &str) -> (String, String) {
        let arguments: Vec<&str> = ["client", "create"].into_iter().chain(arguments.split(' ')).collect();
        let made = self.cli(&arguments, "");
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("no {name} in {made}")).to_owned();
        (text("client_id"), text("client_secret"))
    }

    /// Starts it, and says how long it took until it was ready.
    pub fn start(&self) -> (Server, Duration) {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = self.command();
        command.arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut process = Process::start(&mut command);
        let took = wait_until("gatehouse", || {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(!process.has_ended(), "gatehouse has ended: {}", log());
            is_ready(self.address)
        });
        (Server { process, address: self.address }, took)
    }
}

fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut status = [0; 12];
    stream.write_all(&wire::get("/readyz")).is_ok()
        && stream.read_exact(&mut status).is_ok()
        && status == *b"HTTP/1.1 200"
}

/// A gatehouse that answers.
pub struct Server {
    process: Process,
    pub address: SocketAddr,
}

impl Server {
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

//! Mail as it arrives: in the folder where it lies without a mail server, or at a mail server of the
//! test's own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{TestApp, within};

/// A mail as its reader sees it.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The first address in the text.
    pub link: Option<String>,
}

impl Mail {
    /// Reads a message (RFC 5322, MIME).
    pub fn parse(message: &str) -> Self {
        let (head, body) = split(message);
        let boundary = header(&head, "content-type").split_once("boundary=\"").expect("several parts").1.to_owned();
        let boundary = format!("--{}", boundary.split('"').next().unwrap());
        let parts = body.split(&boundary).skip(1).filter(|part| !part.starts_with("--"));
        let parts: Vec<(String, String)> = parts.map(|part| split(part.trim_start())).collect();
        let part = |kind: &str| {
            let (head, body) = parts.iter().find(|(head, _)| header(head, "content-type").contains(kind)).expect(kind);
            decoded(&header(head, "content-transfer-encoding"), body)
        };
        let text = part("text/plain");
        let link = text.split_whitespace().find(|word| word.starts_with("http")).map(str::to_owned);
        let address = |name: &str| header(&head, name).trim_matches(['<', '>']).to_owned();
        Self {
            from: words(&header(&head, "from")),
            to: address("to"),
            subject: words(&header(&head, "subject")),
            html: part("text/html"),
            text,
            link,
        }
    }

    /// The secret in the link.
    #[track_caller]
    pub fn token(&self) -> String {
        let link = self.link.as_ref().unwrap_or_else(|| panic!("no link: {self:?}"));
        link.split_once("token=").unwrap_or_else(|| panic!("no token: {link}")).1.to_owned()
    }
}

/// Head with its lines unfolded, and body.
fn split(message: &str) -> (String, String) {
    let message = message.replace("\r\n", "\n");
    let (head, body) = message.split_once("\n\n").expect("a head and a body");
    (head.replace("\n ", " ").replace("\n\t", " "), body.to_owned())
}

fn header(head: &str, name: &str) -> String {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
    line.map(|line| line[name.len() + 1..].trim().to_owned()).unwrap_or_default()
}

/// Undoes encoded words (RFC 2047 §2); what stands between two of them is left out (§6.2).
fn words(text: &str) -> String {
    let mut out = String::new();
    for (n, piece) in text.split("=?utf-8?b?").enumerate() {
        match piece.split_once("?=") {
            Some((word, rest)) if n > 0 => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(word).unwrap();
                out.push_str(&String::from_utf8(bytes).unwrap());
                out.push_str(if rest.trim().is_empty() { "" } else { rest });
            }
            _ => out.push_str(piece),
        }
    }
    out
}

fn decoded(encoding: &str, body: &str) -> String {
    match encoding {
        "base64" => {
            let bytes: String = body.split_whitespace().take_while(|line| !line.starts_with("--")).collect();
            String::from_utf8(base64::engine::general_purpose::STANDARD.decode(bytes).unwrap()).unwrap()
        }
        "quoted-printable" => {
            let body = body.replace("=\n", "");
            let mut bytes = Vec::new();
            let mut rest = body.as_bytes();
            while let Some((first, after)) = rest.split_first() {
                if *first == b'=' && after.len() >= 2 {
                    let hex = std::str::from_utf8(&after[..2]).unwrap();
                    bytes.push(u8::from_str_radix(hex, 16).unwrap());
                    rest = &after[2..];
                } else {
                    bytes.push(*first);
                    rest = after;
                }
            }
            String::from_utf8(bytes).unwrap()
        }
        _ => body.to_owned(),
    }
}

impl TestApp {
    fn mail_files(&self) -> Vec<PathBuf> {
        let Ok(folder) = std::fs::read_dir(self.config.secrets.data_dir.join("outbox")) else { return Vec::new() };
        let files =
            folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "eml"));
        let mut files: Vec<PathBuf> = files.collect();
        files.sort_by_key(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok());
        files
    }

    /// Every mail that lies in the folder, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.mail_files().iter().map(|path| Mail::parse(&std::fs::read_to_string(path).unwrap())).collect()
    }

    /// Waits for a mail to somebody whose subject has these words in it, and takes it out.
    pub async fn mail_to(&self, address: &str, subject: &str) -> Mail {
        let mut found = None;
        let what = format!("a mail to {address} about {subject:?}");
        within(Duration::from_secs(20), &what, async || {
            found = self.mail_files().into_iter().find_map(|path| {
                let mail = Mail::parse(&std::fs::read_to_string(&path).ok()?);
                (mail.to == address && mail.subject.contains(subject)).then_some((path, mail))
            });
            found.is_some()
        })
        .await;
        let (path, mail) = found.unwrap();
        std::fs::remove_file(path).unwrap();
        mail
    }

    /// Every row that tells of people: what jobs do beside requests is left out.
    pub async fn rows_of_people(&self) -> Vec<String> {
        self.all_mail_sent().await;
        let sql = self.sql().await;
        let mut rows = sql.dump(&["audit_log", "changes", "leases", "signing_keys"]).await;
        rows.extend(sql.texts("SELECT action || outcome FROM audit_log WHERE action LIKE 'user.%' ORDER BY id").await);
        rows.extend(sql.texts("SELECT key FROM changes WHERE kind = 'user' ORDER BY seq").await);
        sql.close().await;
        rows
    }

    /// Waits until nothing is left to be sent.
    pub async fn all_mail_sent(&self) {
        let sql = self.sql().await;
        within(Duration::from_secs(20), "an empty outbox", async || {
            sql.number("SELECT count(*) FROM mail_outbox").await == 0
        })
        .await;
        sql.close().await;
    }
}

/// A mail server (RFC 5321) that takes what it is given, or answers as it is told to.
#[derive(Clone)]
pub struct MailServer {
    pub url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What the next recipients are answered, instead of being taken.
    refusals: Vec<String>,
    taken: Vec<String>,
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}?tls=none", listener.local_addr().unwrap());
        let server = Self { url, state: Arc::default() };
        let state = Arc::clone(&server.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, Arc::clone(&state)));
            }
        });
        server
    }

    /// Answers so many recipients like this before it takes the next one.
    pub fn refuse(&self, times: usize, answer: &str) {
        self.state.lock().unwrap().refusals = vec![answer.to_owned(); times];
    }

    /// How many refusals are left.
    pub fn refusals_left(&self) -> usize {
        self.state.lock().unwrap().refusals.len()
    }

    /// What it took, as it came.
    pub fn taken(&self) -> Vec<String> {
        self.state.lock().unwrap().taken.clone()
    }
}

async fn talk(stream: TcpStream, state: Arc<Mutex<State>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut answer = "220 test".to_owned();
    loop {
        if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
        let Ok(Some(line)) = lines.next_line().await else { return };
        answer = match line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => "250 test".to_owned(),
            "RCPT" => state.lock().unwrap().refusals.pop().unwrap_or_else(|| "250 fine".to_owned()),
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.unwrap();
                let mut message = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    // RFC 5321 §4.5.2
                    message.push_str(line.strip_prefix('.').unwrap_or(&line));
                    message.push_str("\r\n");
                }
                state.lock().unwrap().taken.push(message);
                "250 taken".to_owned()
            }
            "QUIT" => return,
            _ => "250 fine".to_owned(),
        };
    }
}

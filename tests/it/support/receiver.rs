//! Somebody else's server: says what a test has it say, and remembers what it was told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::within;

/// What it says at a path.
#[derive(Clone, Debug)]
pub enum Reply {
    /// This status and body.
    Says(u16, String),
    /// A redirect to there.
    Leads(String),
    /// A body without end.
    Floods,
    /// Nothing at all.
    Hangs,
    /// A letter now and then, and never the end.
    Drips,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub head: String,
    pub body: String,
}

impl Received {
    /// A field of the form that was posted.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut fields = url::form_urlencoded::parse(self.body.as_bytes());
        fields.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

#[derive(Default)]
struct Inner {
    replies: Mutex<HashMap<String, Reply>>,
    received: Mutex<Vec<Received>>,
    /// Who waits for nothing, and how many did so at once.
    hanging: Mutex<(usize, usize)>,
}

impl Inner {
    /// Says nothing to somebody until they have gone.
    async fn hang(&self, mut stream: BufReader<TcpStream>) {
        {
            let mut hanging = self.hanging.lock().unwrap();
            hanging.0 += 1;
            hanging.1 = hanging.1.max(hanging.0);
        }
        let _ = stream.read_u8().await;
        self.hanging.lock().unwrap().0 -= 1;
    }
}

/// The server. It answers as long as the test's runtime lives.
#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), inner: Arc::default() };
        let inner = Arc::clone(&receiver.inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&inner)));
            }
        });
        receiver
    }

    /// Where something is found.
    pub fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Has it say this from now on, whatever is asked there: by any query, unless the path names one.
    pub fn at(&self, path: &str, reply: Reply) -> String {
        self.inner.replies.lock().unwrap().insert(path.to_owned(), reply);
        self.uri(path)
    }

    /// Has it show this document from now on.
    pub fn shows(&self, path: &str, document: impl ToString) -> String {
        self.at(path, Reply::Says(200, document.to_string()))
    }

    /// What came to a path so far.
    pub fn received(&self, path: &str) -> Vec<Received> {
        self.inner.received.lock().unwrap().iter().filter(|request| request.path == path).cloned().collect()
    }

    /// How many were waiting for nothing at once.
    pub fn most_hanging(&self) -> usize {
        self.inner.hanging.lock().unwrap().1
    }

    /// What came to a path, once there are as many.
    pub async fn wait_for(&self, path: &str, count: usize) -> Vec<Received> {
        let what = format!("{count} requests to {path}");
        within(Duration::from_secs(20), &what, async || self.received(path).len() >= count).await;
        self.received(path)
    }
}

async fn serve(stream: TcpStream, inner: Arc<Inner>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let path = request.path.split('?').next().unwrap_or_default();
        let reply = {
            let replies = inner.replies.lock().unwrap();
            replies.get(&request.path).or_else(|| replies.get(path)).cloned()
        };
        inner.received.lock().unwrap().push(request);
        let (status, extra, body) = match reply {
            None => (404, String::new(), "nothing here".to_owned()),
            Some(Reply::Says(status, body)) => (status, String::new(), body),
            Some(Reply::Leads(to)) => (302, format!("location: {to}\r\n"), String::new()),
            Some(Reply::Hangs) => return inner.hang(stream).await,
            Some(Reply::Drips) => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
                let mut open = stream.write_all(head.as_bytes()).await.is_ok();
                let mut beat = tokio::time::interval(Duration::from_millis(100));
                while open {
                    beat.tick().await;
                    open = stream.write_all(b" ").await.is_ok();
                }
                return;
            }
            Some(Reply::Floods) => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
                let mut open = stream.write_all(head.as_bytes()).await.is_ok();
                while open {
                    open = stream.write_all(&[b' '; 65_536]).await.is_ok();
                }
                return;
            }
        };
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{extra}content-length: {length}\r\n\r\n");
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let mut words = head.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    Some(Received { method, path, head, body: String::from_utf8(body).ok()? })
}

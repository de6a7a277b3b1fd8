//! Requests byte by byte: what no well-behaved client would send.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Answer, TestApp};

/// An open connection.
pub struct Wire(pub TcpStream);

impl Wire {
    pub async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// One answer: head, and as much of a body as it declares; `None` where the other side closed.
    pub async fn answer(&mut self) -> Option<Answer> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = find(&bytes, b"\r\n\r\n") {
                break end;
            }
            if !self.more(&mut bytes).await {
                return None;
            }
        };
        let (status, headers) = parse(std::str::from_utf8(&bytes[..head]).unwrap());
        let mut body = bytes.split_off(head + 4);
        let declared = headers.get("content-length").map(|n| n.to_str().unwrap().parse::<usize>().unwrap());
        while declared.is_none_or(|n| body.len() < n) && self.more(&mut body).await {}
        Some(Answer { status, headers, text: String::from_utf8(body).unwrap() })
    }

    async fn more(&mut self, into: &mut Vec<u8>) -> bool {
        let read = tokio::time::timeout(Duration::from_secs(20), self.0.read_buf(into)).await;
        matches!(read.expect("an answer"), Ok(n) if n > 0)
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn parse(head: &str) -> (u16, HeaderMap) {
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pairs = lines.map(|line| line.split_once(": ").unwrap());
    let header = |(name, value): (&str, &str)| -> (HeaderName, HeaderValue) {
        (name.to_ascii_lowercase().parse().unwrap(), value.parse().unwrap())
    };
    (status, pairs.map(header).collect())
}

impl TestApp {
    /// A connection to it.
    pub async fn wire(&self) -> Wire {
        Wire::open(self.config.http.bind).await
    }

    /// The answer to a request target exactly as it is written, with these header lines.
    pub async fn target(&self, method: &str, target: &[u8], headers: &str) -> Answer {
        let mut wire = self.wire().await;
        let mut request = format!("{method} ").into_bytes();
        request.extend_from_slice(target);
        request.extend_from_slice(
            format!(" HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n").as_bytes(),
        );
        wire.write(request).await;
        wire.answer().await.expect("an answer")
    }
}

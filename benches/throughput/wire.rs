//! Just enough HTTP/1.1 for the load generator: requests made once, answers found by their length.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A request, ready to be sent any number of times.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: throughput\r\nAccept: */*\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if method != "GET" {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

pub fn get(path: &str) -> Vec<u8> {
    request("GET", path, &[], "")
}

/// A form with HTTP Basic.
pub fn form(path: &str, (id, secret): (&str, &str), body: &str) -> Vec<u8> {
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let headers = [("Authorization", basic.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    request("POST", path, &headers, body)
}

/// The same request to another path, for a server that does not look at anything else.
pub fn readdressed(request: &[u8], path: &str) -> Vec<u8> {
    let text = std::str::from_utf8(request).unwrap();
    let (method, rest) = text.split_once(' ').unwrap();
    let (_, rest) = rest.split_once(' ').unwrap();
    format!("{method} {path} {rest}").into_bytes()
}

/// Where an answer's body lies in what has arrived.
pub struct Answer {
    pub status: u16,
    pub head: usize,
    pub whole: usize,
}

/// The answer, once all of it has arrived. The `Content-Length` is the only framing understood.
pub fn parse(arrived: &[u8]) -> Option<Answer> {
    let head = arrived.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let status = std::str::from_utf8(arrived.get(9..12)?).ok()?.parse().ok()?;
    let length = arrived[..head].split(|byte| *byte == b'\n').find_map(|line| {
        let value = line.get(15..)?;
        line[..15]
            .eq_ignore_ascii_case(b"content-length:")
            .then(|| std::str::from_utf8(value).ok()?.trim().parse().ok())?
    });
    let whole = head + length.unwrap_or(0);
    (arrived.len() >= whole).then_some(Answer { status, head, whole })
}

/// An answer that has arrived.
pub struct Message<'a> {
    pub status: u16,
    head: &'a str,
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// The values of a header, by its name in small letters.
    pub fn headers(&self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.head.lines().filter_map(move |line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn header(&self, name: &'a str) -> Option<&'a str> {
        self.headers(name).next()
    }
}

/// The answer with its parts, once all of it has arrived.
pub fn message(arrived: &[u8]) -> Option<Message<'_>> {
    let Answer { status, head, whole } = parse(arrived)?;
    Some(Message { status, head: std::str::from_utf8(&arrived[..head]).ok()?, body: &arrived[head..whole] })
}

/// The text of a member of a flat JSON object.
pub fn member(body: &[u8], name: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    json.get(name)?.as_str().map(str::to_owned)
}

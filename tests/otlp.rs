//! The log on its way to a collector, with the program as it is run: what it logs arrives, also its
//! last words, and what the sending itself logs never does.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// A collector that takes everything: its port, and the bodies that it was sent.
fn collector() -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, bodies) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            take(stream.unwrap(), &sender);
        }
    });
    (port, bodies)
}

/// Answers the requests of one connection.
fn take(stream: TcpStream, bodies: &Sender<Vec<u8>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap_or_default() == 0 {
                return;
            }
            match line.trim_end().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                None if line == "\r\n" => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let _ = bodies.send(body);
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    }
}

/// Ends the program if the test ends before it does.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_log_arrives_to_its_last_line_and_sending_it_brings_forth_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (port, bodies) = collector();
    let mut program = Command::new(env!("CARGO_BIN_EXE_gatehouse"))
        .arg("serve")
        .current_dir(folder.path())
        .env("GATEHOUSE_BIND", "127.0.0.1:0")
        .env("GATEHOUSE_HTTP__DRAIN_DELAY", "0s")
        .env("GATEHOUSE_LOGS__FILTER", "info,hyper_util=trace,reqwest=trace,gatehouse::telemetry=trace")
        .env("GATEHOUSE_LOGS__FORMAT", "json")
        // By name, so that it has to be looked up.
        .env("GATEHOUSE_LOGS__OTLP_ENDPOINT", format!("http://localhost:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map(Program)
        .unwrap();
    let mut written = BufReader::new(program.0.stderr.take().unwrap());
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        written.read_to_string(&mut text).unwrap();
        text
    });
    let mut sent = bodies.recv_timeout(Duration::from_secs(60)).unwrap();
    // Long enough for several batches, if sending one made something to send.
    while let Ok(body) = bodies.recv_timeout(Duration::from_secs(3)) {
        sent.extend(body);
    }
    assert!(Command::new("kill").arg(program.0.id().to_string()).status().unwrap().success());
    assert!(program.0.wait().unwrap().success());
    sent.extend(bodies.try_iter().flatten());
    let (sent, written) = (String::from_utf8_lossy(&sent), reading.join().unwrap());
    assert!(sent.contains("gatehouse"), "{sent}");
    assert!(sent.contains("stopping") && sent.contains("stopped"), "{sent}");
    assert!(written.contains("hyper_util"), "sending is logged on this machine: {written}");
    assert!(!sent.contains("hyper_util") && !sent.contains("reqwest"), "and there only: {sent}");
}

//! Requests of our own reach what they may and nothing else: conformance B4, RFC 9700 §4.14.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatehouse::config::OutboundConfig;
use gatehouse::outbound::{Found, Lookup, Outbound, OutboundError};
use tokio::io::AsyncWriteExt as _;

use crate::support::{Receiver, Reply};

fn config(allowed: &[&str]) -> OutboundConfig {
    OutboundConfig {
        allow_networks: allowed.iter().map(|network| network.parse().unwrap()).collect(),
        max_body: 10_000,
        timeout: Duration::from_millis(500),
        connect_timeout: Duration::from_millis(300),
        ..OutboundConfig::default()
    }
}

async fn get(outbound: &Outbound, url: &str) -> Result<u16, OutboundError> {
    outbound.get(url, "application/json").await.map(|fetched| fetched.status)
}

/// Names that mean one thing after the other, and how often they were asked for.
#[derive(Clone)]
struct Names {
    answers: Arc<Mutex<Vec<Vec<IpAddr>>>>,
    asked: Arc<AtomicUsize>,
}

impl Lookup for Names {
    fn addresses(&self, _: &str) -> Found {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(async move { Ok(answer) })
    }
}

fn names(answers: &[&[&str]]) -> Names {
    let answers = answers.iter().map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect()).collect();
    Names { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
}

#[tokio::test]
async fn special_addresses_are_never_connected_to() {
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    let outbound = Outbound::new(&config(&[])).unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "0x7f.1",
        "2130706433",
        "127.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "10.0.0.1",
        "[fe80::1]",
        "[fd00::1]",
        "224.0.0.1",
    ] {
        for scheme in ["http", "https"] {
            let refused = get(&outbound, &format!("{scheme}://{host}:{port}/")).await;
            assert_eq!(refused, Err(OutboundError::Forbidden), "{scheme} {host}");
        }
    }
    assert!(receiver.received("/").is_empty());
}

#[tokio::test]
async fn only_web_addresses_are_asked() {
    let outbound = Outbound::new(&config(&["127.0.0.0/8"])).unwrap();
    for url in [
        "",
        "x",
        "/path",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "data:,x",
        "http://u@127.0.0.1/",
        "http://u:p@127.0.0.1/",
    ] {
        assert!(matches!(get(&outbound, url).await, Err(OutboundError::BadUrl(_))), "{url}");
    }
}

#[tokio::test]
async fn an_allowed_network_is_reached_without_tls_and_no_other() {
    let receiver = Receiver::start().await;
    let url = receiver.shows("/set", "{}");
    let outbound = Outbound::new(&config(&["127.0.0.0/8"])).unwrap();
    assert_eq!(get(&outbound, &url).await, Ok(200));
    let head = &receiver.received("/set")[0].head;
    assert!(head.contains("accept: application/json") && head.contains("user-agent: gatehouse/"), "{head}");
    // A public address is not asked in the clear.
    assert_eq!(get(&outbound, "http://1.1.1.1/").await, Err(OutboundError::Forbidden));
}

#[tokio::test]
async fn a_name_is_as_good_as_where_it_leads() {
    let receiver = Receiver::start().await;
    receiver.shows("/set", "{}");
    let at = |scheme: &str| format!("{scheme}://names.example:{}/set", receiver.address.port());

    let inside = names(&[&["127.0.0.1"]]);
    let outbound = Outbound::with_lookup(&config(&[]), Arc::new(inside.clone())).unwrap();
    assert_eq!(get(&outbound, &at("https")).await, Err(OutboundError::Forbidden));
    assert_eq!(get(&outbound, &at("http")).await, Err(OutboundError::Forbidden));

    let allowed = Outbound::with_lookup(&config(&["127.0.0.0/8"]), Arc::new(inside)).unwrap();
    assert_eq!(get(&allowed, &at("http")).await, Ok(200));

    // Of several addresses those that may not be reached are not tried.
    let both = names(&[&["10.0.0.1", "127.0.0.1", "fd00::1"]]);
    let allowed = Outbound::with_lookup(&config(&["127.0.0.0/8"]), Arc::new(both)).unwrap();
    assert_eq!(get(&allowed, &at("http")).await, Ok(200));
}

#[tokio::test]
async fn a_name_that_changes_its_meaning_gains_nothing() {
    // What a first look would find may be reached, what a second one finds may not.
    let receiver = Receiver::start().await;
    receiver.shows("/set", "{}");
    let turning = names(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let outbound = Outbound::with_lookup(&config(&["127.0.0.2/32"]), Arc::new(turning.clone())).unwrap();
    let url = format!("http://turning.example:{}/set", receiver.address.port());
    let first = get(&outbound, &url).await;
    assert!(matches!(first, Err(OutboundError::Unreachable(_))), "{first:?}");
    assert_eq!(turning.asked.load(Ordering::SeqCst), 1, "what was looked at is what is connected to");
    assert_eq!(get(&outbound, &url).await, Err(OutboundError::Forbidden));
    assert!(receiver.received("/set").is_empty());
}

#[tokio::test]
async fn redirects_are_shown_and_not_followed() {
    let receiver = Receiver::start().await;
    let target = receiver.shows("/target", "{}");
    let url = receiver.at("/here", Reply::Leads(target));
    let outbound = Outbound::new(&config(&["127.0.0.0/8"])).unwrap();
    assert_eq!(get(&outbound, &url).await, Ok(302));
    assert!(receiver.received("/target").is_empty());
}

#[tokio::test]
async fn an_answer_is_bounded_in_size_and_time() {
    let receiver = Receiver::start().await;
    let outbound = Outbound::new(&config(&["127.0.0.0/8"])).unwrap();
    let fits = receiver.shows("/fits", "x".repeat(10_000));
    let large = receiver.shows("/large", "x".repeat(10_001));
    let endless = receiver.at("/endless", Reply::Floods);
    let silent = receiver.at("/silent", Reply::Hangs);
    assert_eq!(get(&outbound, &fits).await, Ok(200));
    assert_eq!(get(&outbound, &large).await, Err(OutboundError::TooLarge(10_000)));
    assert_eq!(get(&outbound, &endless).await, Err(OutboundError::TooLarge(10_000)));
    let began = Instant::now();
    assert_eq!(get(&outbound, &silent).await, Err(OutboundError::TooSlow));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    let outbound = Outbound::new(&config(&["127.0.0.0/8"])).unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(get(&outbound, &format!("http://{nobody}/")).await, Err(OutboundError::Unreachable(_))));
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", plain.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        let (mut caller, _) = plain.accept().await.unwrap();
        caller.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        caller
    });
    assert_eq!(get(&outbound, &url).await, Err(OutboundError::NoTls));
    drop(answering.await.unwrap());
}

#[test]
fn a_file_of_roots_must_hold_some() {
    let folder = tempfile::tempdir().unwrap();
    let missing = OutboundConfig { ca_file: Some(folder.path().join("none.pem")), ..config(&[]) };
    assert!(Outbound::new(&missing).is_err());
    let file = folder.path().join("bad.pem");
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nnot base64 at all!\n-----END CERTIFICATE-----\n").unwrap();
    assert!(Outbound::new(&OutboundConfig { ca_file: Some(file), ..config(&[]) }).is_err());
}

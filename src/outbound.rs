//! Requests that gatehouse makes itself, to addresses that others named: key sets, sector
//! documents, request objects, logout tokens. The only home of an HTTP client.
//!
//! Whoever may name an address must not reach what only this machine can (RFC 9700 §4.14, RFC 7591
//! §5): the address that is connected to is checked, not the name; redirects are not followed; time
//! and size are bounded; no proxy is taken from the environment.

pub mod documents;
mod target;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use moka::sync::Cache;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder};
use tokio::sync::Semaphore;
use url::{Host, Url};

use crate::config::OutboundConfig;
use target::Targets;

/// How many requests may be under way to one place. Whoever hangs or drips holds so many connections of ours
/// and no more, however many people want to go there.
const AT_ONCE: usize = 32;
/// For how many places that is counted.
const PLACES: u64 = 10_000;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The address is none that is ever asked.
    #[error("the address is not usable: {0}")]
    BadUrl(&'static str),
    /// It leads into a private, loopback or otherwise special network that is not in
    /// `outbound.allow_networks`.
    #[error("the address leads into a network that may not be reached (outbound.allow_networks)")]
    Forbidden,
    /// Nothing came in time.
    #[error("no answer in time")]
    TooSlow,
    /// The answer is larger than `outbound.max_body`.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It answers, and that it can't answer.
    #[error("it answers with status {0}")]
    Failing(u16),
    /// Somebody there, who does not speak TLS.
    #[error("what answers there does not speak TLS")]
    NoTls,
    /// Nobody there, a certificate that does not count, or a connection that broke.
    #[error("not reached: {0}")]
    Unreachable(String),
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The status; a redirect is not followed but shown.
    pub status: u16,
    /// The content type, as it was sent.
    pub content_type: Option<String>,
    /// The body.
    pub body: Bytes,
}

/// What a lookup finds, sooner or later.
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Where the addresses of a name come from.
pub trait Lookup: Send + Sync + 'static {
    /// Every address of the name.
    fn addresses(&self, name: &str) -> Found;
}

/// The system's own resolver.
struct System;

impl Lookup for System {
    fn addresses(&self, name: &str) -> Found {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()) })
    }
}

/// The client. Cheap to clone; the copies share their connections.
#[derive(Clone)]
pub struct Outbound {
    /// Over TLS, to public addresses and allowed networks.
    secure: Client,
    /// In the clear, to allowed networks alone.
    plain: Client,
    targets: Arc<Targets>,
    /// By origin, who has a turn there.
    turns: Cache<String, Arc<Semaphore>>,
    timeout: Duration,
    max_body: usize,
}

impl Outbound {
    /// Sets it up.
    ///
    /// # Errors
    /// `outbound.ca_file` can't be read or holds no certificates.
    pub fn new(config: &OutboundConfig) -> io::Result<Self> {
        Self::with_lookup(config, Arc::new(System))
    }

    /// The same with names looked up elsewhere.
    ///
    /// # Errors
    /// As [`Outbound::new`].
    pub fn with_lookup(config: &OutboundConfig, lookup: Arc<dyn Lookup>) -> io::Result<Self> {
        let targets = Arc::new(Targets::new(&config.allow_networks));
        let roots = match &config.ca_file {
            Some(file) => Certificate::from_pem_bundle(&std::fs::read(file)?).map_err(io::Error::other)?,
            None => Vec::new(),
        };
        let client = |tls: bool| {
            let checked = Checked { lookup: Arc::clone(&lookup), targets: Arc::clone(&targets), tls };
            Client::builder()
                .user_agent(concat!("gatehouse/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .no_proxy()
                .connect_timeout(config.connect_timeout)
                .timeout(config.timeout)
                .pool_max_idle_per_host(4)
                .dns_resolver(checked)
        };
        Ok(Self {
            secure: build(&|| client(true).https_only(true), &roots)?,
            plain: client(false).tls_certs_only([]).build().map_err(io::Error::other)?,
            targets,
            turns: Cache::new(PLACES),
            timeout: config.timeout,
            max_body: usize::try_from(config.max_body).unwrap_or(usize::MAX),
        })
    }

    /// What is found at the address.
    ///
    /// # Errors
    /// See [`OutboundError`]. A status that says no is no error here.
    pub async fn get(&self, url: &str, accept: &str) -> Result<Fetched, OutboundError> {
        let (client, url) = self.choose(url)?;
        let request = client.get(url.clone()).header(ACCEPT, accept);
        self.exchange(&url, request).await
    }

    /// What is answered to a form.
    ///
    /// # Errors
    /// As [`Outbound::get`].
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Fetched, OutboundError> {
        let (client, url) = self.choose(url)?;
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = client.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        self.exchange(&url, request).await
    }

    /// What is answered to a request of any form.
    ///
    /// # Errors
    /// As [`Outbound::get`].
    pub async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, OutboundError> {
        let (client, url) = self.choose(&request.uri().to_string())?;
        let request = reqwest::Request::try_from(request).map_err(|_| OutboundError::BadUrl("it is not a URL"))?;
        let fetched = self.exchange(&url, RequestBuilder::from_parts(client.clone(), request)).await?;
        let mut answer = http::Response::builder().status(fetched.status);
        if let Some(kind) = fetched.content_type {
            answer = answer.header(CONTENT_TYPE, kind);
        }
        answer.body(fetched.body.to_vec()).map_err(|why| OutboundError::Unreachable(why.to_string()))
    }

    /// The client that may ask this address. An address that stands there as a number is checked
    /// here, as it is never looked up.
    fn choose(&self, url: &str) -> Result<(&Client, Url), OutboundError> {
        let url = Url::parse(url).map_err(|_| OutboundError::BadUrl("it is not a URL"))?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(OutboundError::BadUrl("it is neither https nor http")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::BadUrl("it holds a user name or password"));
        }
        let literal = match url.host() {
            None => return Err(OutboundError::BadUrl("it has no host")),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        };
        if literal.is_some_and(|address| !self.targets.may_reach(address, tls)) {
            return Err(OutboundError::Forbidden);
        }
        Ok((if tls { &self.secure } else { &self.plain }, url))
    }

    async fn exchange(&self, url: &Url, request: RequestBuilder) -> Result<Fetched, OutboundError> {
        let turns = self.turns.get_with(url.origin().ascii_serialization(), || Arc::new(Semaphore::new(AT_ONCE)));
        let turn = tokio::time::timeout(self.timeout, turns.acquire()).await;
        let _turn = turn.map_err(|_| OutboundError::TooSlow)?;
        let mut answer = request.send().await.map_err(|why| failure(&why))?;
        let too_large = || OutboundError::TooLarge(self.max_body);
        let declared = answer.content_length().and_then(|length| usize::try_from(length).ok());
        if declared.is_some_and(|length| length > self.max_body) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|why| failure(&why))? {
            if body.len() + chunk.len() > self.max_body {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Fetched { status: answer.status().as_u16(), content_type, body: body.freeze() })
    }
}

/// With the system's roots and these. A machine without any of its own can still do without them.
fn build(builder: &dyn Fn() -> ClientBuilder, roots: &[Certificate]) -> io::Result<Client> {
    builder().tls_certs_merge(roots.to_vec()).build().or_else(|why| {
        tracing::warn!(%why, "no root certificates were found on this machine; outbound.ca_file can name some");
        builder().tls_certs_only(roots.to_vec()).build().map_err(io::Error::other)
    })
}

/// What was refused on the way to a connection, found again among the causes of a failure.
#[derive(Debug, thiserror::Error)]
#[error("no address that may be reached")]
struct Refused;

fn failure(why: &reqwest::Error) -> OutboundError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(why);
    let mut last = String::new();
    while let Some(error) = cause {
        if error.is::<Refused>() {
            return OutboundError::Forbidden;
        }
        if is_no_tls(error) {
            return OutboundError::NoTls;
        }
        last = error.to_string();
        cause = error.source();
    }
    if why.is_timeout() { OutboundError::TooSlow } else { OutboundError::Unreachable(last) }
}

/// Whether what came back is no message of TLS; an error of input may be wrapped in another one.
fn is_no_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    match error.downcast_ref::<io::Error>() {
        Some(outer) => outer.get_ref().is_some_and(|inner| is_no_tls(inner)),
        None => matches!(error.downcast_ref(), Some(rustls::Error::InvalidMessage(_))),
    }
}

/// Looks names up and hands on only what may be connected to: whoever changes what a name means
/// between two lookups gains nothing, because there is no second one.
struct Checked {
    lookup: Arc<dyn Lookup>,
    targets: Arc<Targets>,
    tls: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, targets, tls) = (self.lookup.addresses(name.as_str()), Arc::clone(&self.targets), self.tls);
        Box::pin(async move {
            let mut found = found.await?;
            found.retain(|address| targets.may_reach(*address, tls));
            if found.is_empty() {
                return Err(Refused.into());
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

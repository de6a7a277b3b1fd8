//! Where and how it listens, and under which name the world reaches it.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use url::{Host, Url};

use super::mask::mask_url;
use super::section::section;
use super::value::{Refused, Value};

section! {
    /// Where and how it listens, and under which name the world reaches it.
    HttpConfig, "Listening";

    /// Address and port to listen on.
    bind: SocketAddr = "bind", SocketAddr::from(([127, 0, 0, 1], 8080));
    /// The address the world uses: the issuer in every token and the start of every link.
    /// Must be https unless the host is loopback. No path, query or trailing slash. The default
    /// follows the port of bind.
    issuer: Issuer = "issuer", Issuer::default();
    /// Networks whose Forwarded and X-Forwarded-* headers count. The client's address is the
    /// right-most one that is not in here. Nobody is believed by default.
    trusted_proxies: Vec<IpNet> = "trusted_proxies", Vec::new();
    /// Address and port for GET /metrics alone. When unset, it is served with everything else.
    metrics_bind: Option<SocketAddr> = "metrics.bind", None, like "127.0.0.1:9090";
    /// Worker threads; 0 means one for each core.
    workers: u16 = "http.workers", 0, from 0, to 1024;
    /// Open connections for each worker; further ones wait in the system's queue.
    max_connections: u32 = "http.max_connections", 25_000, from 16, to 1_000_000;
    /// Largest request body in bytes. The OAuth endpoints take at most 64 KiB whatever this says.
    max_body: u32 = "http.max_body", 262_144, from 65_536, to 67_108_864;
    /// Until when a request's head must have arrived.
    head_timeout: Duration = "http.head_timeout", Duration::from_secs(5),
        from Duration::from_millis(100), to Duration::from_secs(300);
    /// Until when a request body's first byte must have arrived.
    body_start_timeout: Duration = "http.body_start_timeout", Duration::from_secs(10),
        from Duration::from_millis(100), to Duration::from_secs(300);
    /// Until when a whole request body must have arrived.
    body_timeout: Duration = "http.body_timeout", Duration::from_secs(30),
        from Duration::from_millis(100), to Duration::from_secs(3600);
    /// How slow a request body may be, in bytes a second.
    body_min_rate: u32 = "http.body_min_rate", 256;
    /// How long an idle connection is kept. Behind a load balancer: longer than it keeps its own.
    keep_alive: Duration = "http.keep_alive", Duration::from_secs(75),
        from Duration::from_secs(1), to Duration::from_secs(3600);
    /// At SIGTERM: how long /readyz says no while requests are still taken, so that a load
    /// balancer can look away first.
    drain_delay: Duration = "http.drain_delay", Duration::ZERO,
        from Duration::ZERO, to Duration::from_secs(300);
    /// At SIGTERM: how long requests under way may take to finish.
    drain_timeout: Duration = "http.drain_timeout", Duration::from_secs(30),
        from Duration::from_secs(1), to Duration::from_secs(3600);
}

impl HttpConfig {
    /// How many worker threads to start.
    #[must_use]
    pub fn worker_threads(&self) -> usize {
        match self.workers {
            0 => super::cores(),
            workers => usize::from(workers),
        }
    }
}

/// The address the world uses: scheme, host and port, never a trailing slash; compared byte for
/// byte (OpenID Connect Core §2, RFC 8414 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    url: Option<Url>,
}

impl Issuer {
    /// The issuer as it stands in tokens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is reached over TLS, and cookies can be `Secure` with the `__Host-` prefix.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https://")
    }

    /// The default: this machine by name, at the port that is listened on.
    pub(super) fn on_this_machine(port: u16) -> Self {
        match port {
            // Port 0 means that the system picks one, which is not known yet.
            0 | 8080 => Self::default(),
            80 => Self { text: "http://localhost".to_owned(), url: None },
            port => Self { text: format!("http://localhost:{port}"), url: None },
        }
    }

    /// The host, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.as_ref().and_then(Url::host_str).unwrap_or("localhost")
    }
}

impl Default for Issuer {
    fn default() -> Self {
        Self { text: "http://localhost:8080".to_owned(), url: None }
    }
}

impl std::str::FromStr for Issuer {
    type Err = Refused;
    fn from_str(text: &str) -> Result<Self, Refused> {
        Self::parse(text)
    }
}

impl std::fmt::Display for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Value for Issuer {
    const EXPECTED: &'static str = "the address that clients use, such as \"https://id.example.org\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        let url = Url::parse(text).map_err(|_| "is not a URL")?;
        let Some(host) = url.host() else {
            return Err("has no host".into());
        };
        let mut faults = Vec::new();
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => faults.push((
                "is http on a public host, where tokens and passwords could be read on the way",
                "write https:// (TLS may end at a proxy in front)",
            )),
            _ => faults.push(("is neither https nor http", "write https://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            faults.push(("contains a user name or password", "remove what stands before the @"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            faults.push(("has a query or fragment", "remove everything from the ? or # on"));
        }
        match url.path() {
            "" | "/" => {}
            _ => faults.push((
                "has a path, and the paths served start at the root",
                "give it a host name of its own, without a path",
            )),
        }
        if text.ends_with('/') {
            faults.push(("ends in a slash, and issuers are compared byte for byte", "remove the trailing slash"));
        }
        // What a browser or a client would make of it must be what stands in the tokens.
        let canonical = url.origin().ascii_serialization();
        if faults.is_empty() && canonical != text {
            return Err(Refused {
                why: "is not in the form that browsers and clients compare".to_owned(),
                remedy: Some(format!("write {canonical:?}")),
            });
        }
        if faults.is_empty() {
            return Ok(Self { text: canonical, url: Some(url) });
        }
        let (why, remedy): (Vec<_>, Vec<_>) = faults.into_iter().unzip();
        Err(Refused { why: why.join(", and "), remedy: Some(remedy.join(", and ")) })
    }

    fn text(&self) -> String {
        self.text.clone()
    }

    fn mask(text: &str) -> String {
        mask_url(text)
    }
}

/// Whether the host can only be this machine.
pub(super) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

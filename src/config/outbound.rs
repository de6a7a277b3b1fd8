//! Requests that it makes itself.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::section::section;

section! {
    /// Requests that it makes itself: to upstream providers, for key sets, for logout and
    /// webhook delivery. It follows no redirects.
    OutboundConfig, "Outgoing requests";

    /// Private, loopback or link-local networks that it may reach all the same.
    allow_networks: Vec<IpNet> = "outbound.allow_networks", Vec::new();
    /// File with further root certificates (PEM) that its peers may have theirs from, beside those
    /// of the system.
    ca_file: Option<PathBuf> = "outbound.ca_file", None, like "/etc/ssl/private-ca.pem";
    /// How long a connection may take to stand.
    connect_timeout: Duration = "outbound.connect_timeout", Duration::from_secs(3),
        from Duration::from_millis(10), to Duration::from_secs(60);
    /// How long the whole exchange may take.
    timeout: Duration = "outbound.timeout", Duration::from_secs(10),
        from Duration::from_millis(10), to Duration::from_secs(300);
    /// Largest answer that is read, in bytes.
    max_body: u32 = "outbound.max_body", 1_048_576, from 1_024, to 67_108_864;
    /// How long a client that can't be reached is told of a sign-out again and again.
    logout_retry_for: Duration = "logout.retry_for", Duration::from_secs(3600),
        from Duration::from_secs(60), to Duration::from_secs(7 * 86_400);
}

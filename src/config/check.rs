//! What each key allows alone but not together: one line of the table a rule.

use std::io::ErrorKind;
use std::path::Path;

use ipnet::IpNet;

use super::Config;
use super::database::DatabaseEngine;
use crate::crypto::sealing::MasterKey;
use crate::model::secret::Secret;

/// One rule about keys that must fit together.
pub(super) struct Check {
    /// The keys it is about, the one to blame first. It is left out when one of them is unreadable.
    pub(super) keys: &'static [&'static str],
    /// What is wrong and what to do, if anything is.
    pub(super) fault: fn(&Config) -> Option<Fault>,
}

type Fault = (&'static str, &'static str);

const fn fault_if(wrong: bool, why: &'static str, remedy: &'static str) -> Option<Fault> {
    if wrong { Some((why, remedy)) } else { None }
}

/// The rules, in the order in which they are reported.
pub(super) const CHECKS: &[Check] = &[
    Check {
        keys: &["metrics.bind", "bind"],
        fault: |c| {
            let same = c.http.metrics_bind.is_some_and(|metrics| {
                let main = c.http.bind;
                let overlap = metrics.ip() == main.ip() || metrics.ip().is_unspecified() || main.ip().is_unspecified();
                metrics.port() != 0 && metrics.port() == main.port() && overlap
            });
            fault_if(
                same,
                "takes the port that everything else is served on",
                "choose another port, or unset metrics.bind to serve /metrics there too",
            )
        },
    },
    Check {
        keys: &["trusted_proxies"],
        fault: |c| {
            let everybody = c.http.trusted_proxies.iter().any(|net: &IpNet| net.prefix_len() == 0);
            fault_if(
                everybody,
                "trusts everybody, so that anybody could claim any address",
                "list the networks of your proxies only",
            )
        },
    },
    Check {
        keys: &["http.body_start_timeout", "http.body_timeout"],
        fault: |c| {
            fault_if(
                c.http.body_start_timeout > c.http.body_timeout,
                "is longer than the whole body may take",
                "make it the shorter one",
            )
        },
    },
    Check {
        keys: &["database.lock_timeout", "database.statement_timeout"],
        fault: |c| {
            fault_if(
                c.database.url.engine() == DatabaseEngine::Postgres
                    && c.database.lock_timeout > c.database.statement_timeout,
                "is longer than the whole statement may take",
                "make it the shorter one",
            )
        },
    },
    Check {
        keys: &["master_key", "master_key_file"],
        fault: |c| {
            fault_if(
                c.secrets.master_key.is_some() && c.secrets.master_key_file.is_some(),
                "leaves it open which of the two keys counts",
                "set only one of them",
            )
        },
    },
    Check { keys: &["master_key_file"], fault: |c| key_file_fault(c.secrets.master_key_file.as_deref()?) },
    Check {
        keys: &["smtp_url", "mail_from"],
        fault: |c| fault_if(c.mail.smtp_url.is_some() && c.mail.from.is_none(), "has no sender", "set mail_from"),
    },
    Check {
        keys: &["admin.password", "admin.email"],
        fault: |c| {
            fault_if(
                c.admin.password.is_some() && c.admin.email.is_none(),
                "belongs to nobody",
                "set admin.email too, or neither",
            )
        },
    },
    Check {
        keys: &["admin.password", "passwords.min_length"],
        fault: |c| {
            let short = c
                .admin
                .password
                .as_ref()
                .is_some_and(|password| password.expose().chars().count() < usize::from(c.passwords.min_length));
            fault_if(short, "is shorter than passwords may be", "choose a longer one")
        },
    },
    Check {
        keys: &["admin.password", "passwords.max_length"],
        fault: |c| {
            let long = c
                .admin
                .password
                .as_ref()
                .is_some_and(|password| password.expose().chars().count() > usize::from(c.passwords.max_length));
            fault_if(long, "is longer than passwords may be", "choose a shorter one")
        },
    },
    Check {
        keys: &["passwords.argon2_memory", "passwords.argon2_iterations"],
        fault: |c| {
            // The five settings that OWASP names as equally strong lie at or above this product.
            let work = u64::from(c.passwords.argon2_memory) * u64::from(c.passwords.argon2_iterations);
            fault_if(
                work < 35_840,
                "makes hashes weaker than OWASP's least setting",
                "write at least 19456 with 2, 12288 with 3, 9216 with 4 or 7168 with 5",
            )
        },
    },
    Check {
        keys: &["tokens.refresh_idle", "tokens.refresh_absolute"],
        fault: |c| {
            fault_if(
                c.tokens.refresh_idle > c.tokens.refresh_absolute,
                "is longer than the whole life",
                "make it the shorter one",
            )
        },
    },
    Check {
        keys: &["tokens.device_interval", "tokens.device_code"],
        fault: |c| {
            fault_if(
                c.tokens.device_interval >= c.tokens.device_code,
                "lets a device ask only after its code has ended",
                "make it the shorter one",
            )
        },
    },
    Check {
        keys: &["keys.publish_before", "keys.cache_life"],
        fault: |c| {
            fault_if(
                c.tokens.key_lead < c.tokens.key_cache,
                "lets a key sign before every client has seen it",
                "publish it at least one cache life before",
            )
        },
    },
    Check {
        keys: &["keys.publish_before", "keys.rotate_after"],
        fault: |c| {
            fault_if(c.tokens.key_lead >= c.tokens.key_age, "is longer than the key's life", "make it the shorter one")
        },
    },
    Check {
        keys: &["sessions.idle", "sessions.absolute"],
        fault: |c| {
            fault_if(c.sessions.idle > c.sessions.absolute, "is longer than the whole life", "make it the shorter one")
        },
    },
    Check {
        keys: &["sessions.remembered_idle", "sessions.remembered_absolute"],
        fault: |c| {
            fault_if(
                c.sessions.remembered_idle > c.sessions.remembered_absolute,
                "is longer than the whole life",
                "make it the shorter one",
            )
        },
    },
    Check {
        keys: &["sessions.device_cookie", "sessions.cookie"],
        fault: |c| {
            fault_if(
                c.sessions.device_cookie == c.sessions.cookie,
                "has the name of the session cookie",
                "choose another name",
            )
        },
    },
    Check {
        keys: &["outbound.connect_timeout", "outbound.timeout"],
        fault: |c| {
            fault_if(
                c.outbound.connect_timeout > c.outbound.timeout,
                "is longer than the whole exchange may take",
                "make it the shorter one",
            )
        },
    },
    Check {
        keys: &["logs.otlp_endpoint"],
        fault: |c| {
            fault_if(
                c.logs.otlp_endpoint.is_some() && cfg!(not(feature = "otlp")),
                "is set, and this gatehouse was built without OTLP export",
                "build it with cargo build --release --features otlp, or unset the key",
            )
        },
    },
];

/// What is wrong with a file that should hold the master key.
fn key_file_fault(path: &Path) -> Option<Fault> {
    const REMEDY: &str =
        "create it with openssl rand -base64 32, readable by this process, or unset it to have one made in data_dir";
    match std::fs::read_to_string(path).map(Secret::new) {
        Ok(text) => fault_if(MasterKey::parse(text.expose()).is_err(), "holds no 32 bytes as base64 or hex", REMEDY),
        Err(error) if error.kind() == ErrorKind::NotFound => Some(("does not exist", REMEDY)),
        Err(_) => Some(("is not a file that can be read", REMEDY)),
    }
}

//! How often one address may try: GCRA, one table for each `limits.*` key, in memory.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::{LimitConfig, Rate};
use crate::telemetry::Metrics;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// New tenants and services by callers without a token.
    Registration,
    /// New accounts of people.
    SignUp,
    /// Sign-ins with a password.
    Login,
    /// Failed client authentication and failed grants.
    TokenFailures,
    /// Wrong API keys and bearer tokens.
    KeyFailures,
    /// One-time codes.
    Codes,
    /// Links by mail.
    Mail,
    /// Sign-ins and devices that somebody begins whom nobody knows yet, and requests that they push.
    Begun,
}

impl Limit {
    /// The label of its metric: the key without `limits.`.
    const fn label(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::SignUp => "sign_up",
            Self::Login => "login",
            Self::TokenFailures => "token_failures",
            Self::KeyFailures => "key_failures",
            Self::Codes => "codes",
            Self::Mail => "mail",
            Self::Begun => "begun",
        }
    }
}

/// Too often; it may be worth trying again after this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limited {
    /// At least a second.
    pub(super) retry_after: Duration,
}

/// All limits of one application.
pub(super) struct Limits {
    registration: Table,
    sign_up: Table,
    login: Table,
    token_failures: Table,
    key_failures: Table,
    codes: Table,
    mail: Table,
    begun: Table,
    ipv6_prefix: u8,
    metrics: Arc<Metrics>,
}

impl Limits {
    pub(super) fn new(config: &LimitConfig, metrics: Arc<Metrics>) -> Self {
        let table = |rate: Rate| Table::new(rate, usize::try_from(config.table_size).unwrap_or(usize::MAX));
        Self {
            registration: table(config.registration),
            sign_up: table(config.sign_up),
            login: table(config.login),
            token_failures: table(config.token_failures),
            key_failures: table(config.key_failures),
            codes: table(config.codes),
            mail: table(config.mail),
            begun: table(config.begun),
            ipv6_prefix: config.ipv6_prefix,
            metrics,
        }
    }

    /// Counts one try.
    ///
    /// # Errors
    /// There were too many.
    pub(super) fn check(&self, limit: Limit, address: Option<IpAddr>) -> Result<(), Limited> {
        let table = match limit {
            Limit::Registration => &self.registration,
            Limit::SignUp => &self.sign_up,
            Limit::Login => &self.login,
            Limit::TokenFailures => &self.token_failures,
            Limit::KeyFailures => &self.key_failures,
            Limit::Codes => &self.codes,
            Limit::Mail => &self.mail,
            Limit::Begun => &self.begun,
        };
        table.check(key(address, self.ipv6_prefix)).inspect_err(|_| self.metrics.rate_limited.count(limit.label()))
    }
}

/// What counts as one address: all of IPv4's, the leading bits of IPv6's.
fn key(address: Option<IpAddr>, ipv6_prefix: u8) -> u128 {
    match address.map(|address| address.to_canonical()) {
        None => 0,
        Some(IpAddr::V4(address)) => address.to_ipv6_mapped().to_bits(),
        Some(IpAddr::V6(address)) => {
            let host_bits = 128_u32.saturating_sub(u32::from(ipv6_prefix));
            address.to_bits().checked_shr(host_bits).and_then(|bits| bits.checked_shl(host_bits)).unwrap_or(0)
        }
    }
}

/// How many rows addresses share once a table is full: an attacker with a whole network of
/// addresses limits those who come in after them, and nobody runs out of memory.
const SHARED_ROWS: u64 = 4096;

/// One limit's memory.
struct Table {
    limiter: Option<DefaultKeyedRateLimiter<u128>>,
    clock: DefaultClock,
    size: usize,
    hasher: RandomState,
    started: Instant,
    /// When it was last swept, in seconds after `started`.
    swept: AtomicU64,
}

impl Table {
    fn new(rate: Rate, size: usize) -> Self {
        let quota = rate.every().and_then(Quota::with_period);
        let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
        Self {
            limiter: quota.map(|quota| RateLimiter::keyed(quota.allow_burst(burst))),
            clock: DefaultClock::default(),
            size,
            hasher: RandomState::new(),
            started: Instant::now(),
            swept: AtomicU64::new(0),
        }
    }

    fn check(&self, key: u128) -> Result<(), Limited> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let key = if limiter.len() >= self.size && !self.swept_to_fit(limiter) {
            u128::from(self.hasher.hash_one(key) % SHARED_ROWS) + 1
        } else {
            key
        };
        limiter.check_key(&key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            Limited { retry_after: Duration::from_secs(wait.as_secs().saturating_add(1)) }
        })
    }

    /// Forgets who has been quiet for long enough, once a second at most; whether that made room.
    fn swept_to_fit(&self, limiter: &DefaultKeyedRateLimiter<u128>) -> bool {
        let now = self.started.elapsed().as_secs().saturating_add(1);
        if self.swept.swap(now, Ordering::Relaxed) == now {
            return false;
        }
        limiter.retain_recent();
        limiter.len() < self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(rate: Rate, table_size: u32) -> Limits {
        let config = LimitConfig { login: rate, table_size, ..LimitConfig::default() };
        Limits::new(&config, Arc::new(Metrics::new()))
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn each_address_has_its_own_count() {
        let limits = limits(Rate::per_hour(1, 2), 1000);
        for _ in 0..2 {
            assert!(limits.check(Limit::Login, address("192.0.2.1")).is_ok());
        }
        let refused = limits.check(Limit::Login, address("192.0.2.1")).unwrap_err();
        assert!(refused.retry_after > Duration::from_secs(3000), "{refused:?}");
        assert!(limits.check(Limit::Login, address("192.0.2.2")).is_ok());
        assert!(limits.check(Limit::Registration, address("192.0.2.1")).is_ok());
    }

    #[test]
    fn a_network_of_ipv6_addresses_counts_as_one() {
        let limits = limits(Rate::per_hour(1, 1), 1000);
        assert!(limits.check(Limit::Login, address("2001:db8::1")).is_ok());
        assert!(limits.check(Limit::Login, address("2001:db8::2")).is_err());
        assert!(limits.check(Limit::Login, address("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn no_limit_is_none() {
        let limits = limits(Rate::OFF, 1000);
        assert!((0..10_000).all(|_| limits.check(Limit::Login, address("192.0.2.1")).is_ok()));
    }

    #[test]
    fn a_full_table_stays_bounded() {
        let limits = limits(Rate::per_hour(1, 1), 1000);
        for n in 0..20_000_u32 {
            let _ = limits.check(Limit::Login, Some(IpAddr::V4(n.into())));
        }
        let held = limits.login.limiter.as_ref().unwrap().len();
        assert!(held <= 1000 + usize::try_from(SHARED_ROWS).unwrap(), "{held}");
    }
}

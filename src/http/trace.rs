//! What accompanies a request on its way: its id, where it came from, and which service made it.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::dev::RequestHead;
use actix_web::{HttpMessage as _, HttpRequest};

use super::origin::{self, Via};
use crate::config::HttpConfig;
use crate::domain::Origin;
use crate::model::entropy::Entropy;
use crate::model::ids::{ClientId, TenantId};

/// The header that carries a request's id.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// What accompanies one request.
pub(super) struct Trace {
    /// When it began.
    pub(super) started: Instant,
    /// Its id.
    pub(super) request_id: Arc<str>,
    /// The client's address, as far as the configured proxies can be believed.
    pub(super) address: Option<IpAddr>,
    /// The service whose token it carried, once that has been verified.
    pub(super) service: OnceCell<(TenantId, ClientId)>,
}

impl Trace {
    pub(super) fn begin(head: &RequestHead, config: &HttpConfig, ids: &RequestIds) -> Rc<Self> {
        let Via { address, trusted } = origin::client(head, &config.trusted_proxies);
        let given = if trusted { given_id(head) } else { None };
        Rc::new(Self {
            started: Instant::now(),
            request_id: given.unwrap_or_else(|| ids.next()),
            address,
            service: OnceCell::new(),
        })
    }

    /// That of a request which passed the edge.
    pub(super) fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.extensions().get::<Rc<Self>>().cloned()
    }

    /// Where the request came from, for the verbs.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            address: self.address.map(|address| address.to_string()),
            request_id: Some(Arc::clone(&self.request_id)),
            ..Origin::default()
        }
    }
}

/// The id that a proxy of ours gave the request, if it can stand in a log.
fn given_id(head: &RequestHead) -> Option<Arc<str>> {
    let text = head.headers.get(REQUEST_ID)?.to_str().ok()?;
    let sane = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'=' | b'/' | b'+');
    (!text.is_empty() && text.len() <= 128 && text.bytes().all(sane)).then(|| Arc::from(text))
}

/// Makes request ids: unique in the process by a counter, and telling nobody how many there were,
/// since the counter goes through a mixing function that is keyed at random.
pub(super) struct RequestIds {
    prefix: u32,
    key: u64,
    count: AtomicU64,
}

impl RequestIds {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        Self {
            prefix: u32::from_le_bytes(entropy.bytes()),
            key: u64::from_le_bytes(entropy.bytes()),
            count: AtomicU64::new(u64::from_le_bytes(entropy.bytes())),
        }
    }

    fn next(&self) -> Arc<str> {
        // SplitMix64: a bijection, so that no two counts give the same id.
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut z = count.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.key;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let mut text = [0_u8; 24];
        let words = self.prefix.to_be_bytes().into_iter().chain(z.to_be_bytes());
        for (pair, byte) in text.chunks_exact_mut(2).zip(words) {
            for (place, nibble) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *place = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            }
        }
        std::str::from_utf8(&text).map_or_else(|_| Arc::from("-"), Arc::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entropy::SeededEntropy;

    #[test]
    fn request_ids_are_unique_and_of_one_form() {
        let ids = RequestIds::new(&SeededEntropy::new(1));
        let made: std::collections::HashSet<_> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 10_000);
        assert!(made.iter().all(|id| id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit())));
    }
}

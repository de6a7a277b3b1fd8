//! Reading a request's body: so much, in so much time, of the right type. actix has no time limit
//! for bodies, and its size limits answer in its own shape.

use std::pin::pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::time::Instant;

use crate::config::HttpConfig;

/// Why there is no body to work with. The text is for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    /// 413.
    #[error("the body must be at most {0} bytes")]
    TooLarge(usize),
    /// 408.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// 400: the connection ended within it, or its framing is broken.
    #[error("the body is incomplete")]
    Incomplete,
    /// 415.
    #[error("the Content-Type must be {0}")]
    WrongType(&'static str),
    /// 400.
    #[error("{0}")]
    Malformed(&'static str),
}

impl BodyError {
    /// What it is answered with, but where a contract says otherwise.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::WrongType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Incomplete | Self::Malformed(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads the whole body. `max` bounds it whatever the configuration says.
pub(super) async fn read(
    payload: Payload,
    headers: &HeaderMap,
    config: &HttpConfig,
    max: usize,
) -> Result<Bytes, BodyError> {
    let max = max.min(usize::try_from(config.max_body).unwrap_or(usize::MAX));
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|n| n.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|n| n > max) {
        return Err(BodyError::TooLarge(max));
    }
    let began = Instant::now();
    let mut payload = pin!(payload);
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    loop {
        let received = first.len() + all.len();
        let chunk = match tokio::time::timeout_at(began + allowed(config, received), payload.next()).await {
            Err(_) => return Err(BodyError::TooSlow),
            Ok(None) => break,
            Ok(Some(Err(actix_web::error::PayloadError::Overflow))) => return Err(BodyError::TooLarge(max)),
            Ok(Some(Err(_))) => return Err(BodyError::Incomplete),
            Ok(Some(Ok(chunk))) => chunk,
        };
        if received + chunk.len() > max {
            return Err(BodyError::TooLarge(max));
        }
        // Nearly every body is one chunk, which needs no copy.
        if received == 0 {
            first = chunk;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&chunk);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// How long a body of which so much has arrived may have taken: the time to the first byte, and
/// what the least rate gives for the rest, never more than the whole may take.
fn allowed(config: &HttpConfig, received: usize) -> Duration {
    let earned = match u64::from(config.body_min_rate) {
        0 if received > 0 => return config.body_timeout,
        0 => Duration::ZERO,
        rate => Duration::from_secs(u64::try_from(received).unwrap_or(u64::MAX) / rate),
    };
    config.body_start_timeout.saturating_add(earned).min(config.body_timeout)
}

/// Whether the content type is this one, whatever its parameters. One that is not stated is
/// believed to be right: it costs nothing, and `wanted` is checked by parsing anyway.
pub(super) fn check_type(headers: &HeaderMap, wanted: &'static str) -> Result<(), BodyError> {
    let mut lines = headers.get_all(header::CONTENT_TYPE);
    let Some(line) = lines.next() else { return Ok(()) };
    let essence = line.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if lines.next().is_none() && essence.eq_ignore_ascii_case(wanted) {
        Ok(())
    } else {
        Err(BodyError::WrongType(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::error::PayloadError;
    use actix_web::http::header::HeaderValue;
    use futures_util::{Stream, stream};

    type Chunk = Result<Bytes, PayloadError>;

    fn payload(chunks: impl Stream<Item = Chunk> + 'static) -> Payload {
        let boxed: std::pin::Pin<Box<dyn Stream<Item = Chunk>>> = Box::pin(chunks);
        Payload::from(boxed)
    }

    fn chunks(of: &[&'static str]) -> Vec<Chunk> {
        of.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect()
    }

    fn config() -> HttpConfig {
        HttpConfig { body_start_timeout: Duration::from_millis(1), max_body: 10, ..HttpConfig::default() }
    }

    async fn read_all(chunks: Vec<Chunk>, max: usize) -> Result<Bytes, BodyError> {
        read(payload(stream::iter(chunks)), &HeaderMap::new(), &config(), max).await
    }

    #[actix_web::test]
    async fn chunks_become_one() {
        for (given, expected) in
            [(&[] as &[_], ""), (&["abc"], "abc"), (&["ab", "c", "def"], "abcdef"), (&["", "a"], "a")]
        {
            assert_eq!(read_all(chunks(given), 10).await.unwrap(), expected);
        }
    }

    #[actix_web::test]
    async fn both_bounds_hold() {
        assert_eq!(read_all(chunks(&["01234", "56789"]), usize::MAX).await.unwrap(), "0123456789");
        assert_eq!(read_all(chunks(&["01234", "567890"]), usize::MAX).await, Err(BodyError::TooLarge(10)));
        assert_eq!(read_all(chunks(&["012", "3"]), 3).await, Err(BodyError::TooLarge(3)));
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("11"));
        let never = payload(stream::pending());
        assert_eq!(read(never, &headers, &config(), usize::MAX).await, Err(BodyError::TooLarge(10)));
    }

    #[actix_web::test]
    async fn nobody_is_waited_for_for_ever() {
        let never = payload(stream::pending());
        assert_eq!(read(never, &HeaderMap::new(), &config(), 10).await, Err(BodyError::TooSlow));
        let stuck = payload(stream::iter(chunks(&["a"])).chain(stream::pending()));
        assert_eq!(read(stuck, &HeaderMap::new(), &config(), 10).await, Err(BodyError::TooSlow));
    }

    #[actix_web::test]
    async fn a_broken_body_is_incomplete() {
        let mut broken = chunks(&["a"]);
        broken.push(Err(PayloadError::Incomplete(None)));
        assert_eq!(read_all(broken, 10).await, Err(BodyError::Incomplete));
    }

    #[test]
    fn what_arrives_earns_time() {
        let config = HttpConfig { body_min_rate: 256, ..HttpConfig::default() };
        assert_eq!(allowed(&config, 0), config.body_start_timeout);
        assert_eq!(allowed(&config, 2560), config.body_start_timeout + Duration::from_secs(10));
        assert_eq!(allowed(&config, 1_000_000), config.body_timeout);
    }

    #[test]
    fn parameters_of_the_type_do_not_matter() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(text));
            check_type(&headers, "application/json")
        };
        assert!(of("application/json").is_ok() && of("Application/JSON; charset=utf-8").is_ok());
        assert!(check_type(&HeaderMap::new(), "application/json").is_ok());
        for bad in ["text/plain", "application/json2", "application/x-www-form-urlencoded", "", ";application/json"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}

//! Reading a request's body: so much, in so much time, of the right type. actix has no time limit
//! for bodies, and its size limits answer in its own shape.

use std::pin::pin;
use std::time::Duration;

use actix_web::dev::Payload;
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

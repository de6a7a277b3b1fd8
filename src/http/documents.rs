//! What is rendered once and served many times, with its entity tag.

use std::sync::{Arc, OnceLock};

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;

use super::pages::{self, Reference};
use crate::crypto::digest::Digest;

/// The documents of one application.
#[derive(Default)]
pub(super) struct Documents {
    openapi: OnceLock<Document>,
    reference: OnceLock<Arc<Reference>>,
}

impl Documents {
    /// The OpenAPI document.
    pub(super) fn openapi(&self) -> &Document {
        self.openapi.get_or_init(|| Document::new(super::openapi().into()))
    }

    /// What it says, for the page.
    pub(super) fn reference(&self) -> Arc<Reference> {
        let reference = || Arc::new(pages::reference(&super::openapi::document()));
        Arc::clone(self.reference.get_or_init(reference))
    }
}

/// Bytes that don't change while the process lives.
pub(super) struct Document {
    bytes: Bytes,
    etag: HeaderValue,
}

impl Document {
    /// A document.
    pub(super) fn new(bytes: Bytes) -> Self {
        let tag = format!("\"{}\"", Digest::of(&bytes).base64url());
        Self { etag: HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\"")), bytes }
    }

    /// A name for its content that fits into an address.
    pub(super) fn version(&self) -> &str {
        self.etag.to_str().unwrap_or_default().trim_matches('"')
    }

    /// The document, or 304 for who has it already (RFC 9110 §13.1.2).
    pub(super) fn answer(&self, asked: &HeaderMap, content_type: &'static str, cache: &'static str) -> HttpResponse {
        let matches = |given: &HeaderValue| {
            let tags = given.to_str().unwrap_or_default().split(',').map(|tag| tag.trim().trim_start_matches("W/"));
            tags.into_iter().any(|tag| tag == "*" || self.etag == tag)
        };
        let headed = |mut answer: HttpResponseBuilder| {
            answer.insert_header((header::ETAG, self.etag.clone()));
            answer.insert_header((header::CACHE_CONTROL, HeaderValue::from_static(cache)));
            answer
        };
        if asked.get_all(header::IF_NONE_MATCH).any(matches) {
            return headed(HttpResponse::NotModified()).finish();
        }
        headed(HttpResponse::Ok()).content_type(content_type).body(self.bytes.clone())
    }
}

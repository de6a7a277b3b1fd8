//! What goes over the wire on this face whatever the resource: ids, pages, words. Each resource has its own.

use std::str::FromStr;

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use super::messages::{self, Message};
use crate::domain::{DomainError, Noun};
use crate::http::call::Call;
use crate::http::fields::FieldError;
use crate::http::query::Query;
use crate::model::page::{Counted, Window};

/// The most rows of a list.
const MOST_ROWS: u64 = 1000;
/// The most ids that one call names.
pub(super) const MOST_IDS: usize = 500;

/// An id. What can't be one is nobody's.
pub(super) fn parse_id<I: FromStr>(text: &str, noun: Noun) -> Result<I, DomainError> {
    text.parse().map_err(|_| DomainError::NotFound(noun))
}

/// `limit` (20, at most 1000) and `offset` (0).
pub(super) fn window(query: &Query<'_>) -> Result<Window, FieldError> {
    let limit = query.parsed::<u64>("limit", "must be from 1 to 1000")?.unwrap_or(20);
    if limit == 0 || limit > MOST_ROWS {
        return Err(FieldError::new("limit", "must be from 1 to 1000"));
    }
    Ok(Window { limit, offset: query.offset("offset")? })
}

/// A bare array, and in `X-Total-Count` how many rows there are in all.
pub(super) fn rows<N, W: Serialize + From<N>>(found: Counted<N>) -> HttpResponse {
    let rows: Vec<W> = found.rows.into_iter().map(W::from).collect();
    HttpResponse::Ok().insert_header(("x-total-count", found.total)).json(rows)
}

/// That something is done, in words.
#[derive(Serialize, ToSchema)]
pub(super) struct RbacDone {
    /// In the caller's language.
    message: String,
}

/// Says that something is done.
pub(super) fn done(call: &Call, message: &Message) -> Result<HttpResponse, Error> {
    let message = message.text(messages::language(call)).into_owned();
    Ok(HttpResponse::Ok().json(RbacDone { message }))
}

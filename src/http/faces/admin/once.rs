//! Creates that may come twice and are done once (`Idempotency-Key`).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;

use super::caller::{Caller, caller};
use super::error::{Answer, Error};
use crate::domain::idempotency::{self, Ticket, Turn};
use crate::domain::{Ctx, DomainError};
use crate::http::body::check_type;
use crate::http::call::Call;
use crate::http::fields::{FieldError, Fields};

/// The header.
const KEY: &str = "idempotency-key";

/// A body that was made, as it goes over the wire.
pub(super) struct Made(Vec<u8>);

impl Made {
    /// The body of 201.
    pub(super) fn new(body: &impl Serialize) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body).map_err(|why| DomainError::Defect(why.to_string()))?;
        Ok(Self(bytes))
    }
}

/// What makes something for a caller out of a body.
pub(super) type Make = for<'a> fn(&'a Caller<'_>, Fields) -> LocalBoxFuture<'a, Result<Made, Error>>;

/// Makes something and answers 201; under a key, the same request gets the same answer again.
pub(super) async fn once(call: Call, permissions: &'static [&'static str], make: Make) -> Answer {
    // A task of its own: what a caller who goes away has begun is finished, and its answer kept.
    let task = actix_web::rt::spawn(async move { run(&call, permissions, make).await });
    task.await.map_err(|why| DomainError::Defect(why.to_string()))?
}

async fn run(call: &Call, permissions: &[&'static str], make: Make) -> Answer {
    let caller = caller(call, permissions).await?;
    let key = key(call)?;
    check_type(call.headers(), "application/json")?;
    let body = call.bytes(usize::MAX).await?;
    let Some(key) = key else { return made(make(&caller, Fields::parse(&body)?).await?.0, StatusCode::CREATED) };
    let request = call.request();
    let asked = [request.path().as_bytes(), request.query_string().as_bytes(), &*body];
    match idempotency::begin(&caller.ctx, &caller.identity(), &key, &asked).await? {
        Turn::First(ticket) => first(&caller, ticket, make, &body).await,
        Turn::Again(status, body) => made(body, StatusCode::from_u16(status).unwrap_or(StatusCode::CREATED)),
        Turn::Another => {
            Err(Error::new(StatusCode::UNPROCESSABLE_ENTITY, "this Idempotency-Key came with another request"))
        }
        Turn::UnderWay => Err(Error::under_way()),
    }
}

async fn first(caller: &Caller<'_>, ticket: Ticket, make: Make, body: &[u8]) -> Answer {
    let done = async { make(caller, Fields::parse(body)?).await }.await;
    let status = StatusCode::CREATED;
    match done {
        Ok(Made(body)) => {
            kept(&caller.ctx, ticket.answered(&caller.ctx, status.as_u16(), &body).await);
            made(body, status)
        }
        Err(error) => {
            kept(&caller.ctx, ticket.failed(&caller.ctx).await);
            Err(error)
        }
    }
}

/// What was done is done, also where that can't be noted: the key is free again after a minute.
fn kept(ctx: &Ctx<'_>, noted: Result<(), DomainError>) {
    if let Err(why) = noted {
        let request_id = ctx.origin.request_id.as_deref().unwrap_or_default();
        tracing::warn!(request_id, %why, "the answer to an idempotent request was not kept");
    }
}

fn made(body: Vec<u8>, status: StatusCode) -> Answer {
    Ok(HttpResponse::build(status).content_type("application/json").body(body))
}

fn key(call: &Call) -> Result<Option<String>, FieldError> {
    let mut lines = call.headers().get_all(KEY);
    let Some(line) = lines.next() else { return Ok(None) };
    let visible = |bytes: &[u8]| (1..=255).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    let text = line.to_str().ok().filter(|text| visible(text.as_bytes()));
    match (text, lines.next()) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        _ => Err(FieldError::new("Idempotency-Key", "must be one line of 1 to 255 visible ASCII characters")),
    }
}

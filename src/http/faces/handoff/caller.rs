//! Who calls: a trusted system, by `X-Client-Key` and `X-API-Key`.

use actix_web::http::header::{self, HeaderName};

use super::error::Error;
use crate::domain::api_clients::{self, Presented, Refusal};
use crate::domain::{Ctx, tenants};
use crate::http::call::Call;
use crate::http::limit::Limit;
use crate::model::audit::Actor;

const CLIENT_KEY: HeaderName = HeaderName::from_static("x-client-key");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A call about the default tenant by an API client whose request passed every check.
pub(in crate::http::faces) async fn api_client(call: &Call) -> Result<Ctx<'_>, Error> {
    let ctx = call.ctx(tenants::default(call.core()).await?, Actor::Anonymous);
    let presented = Presented {
        client_key: only(call, CLIENT_KEY),
        secret: only(call, API_KEY),
        origin: only(call, header::ORIGIN),
        address: call.address(),
        // What the router matched, letter by letter: no list and no route can read a path in two ways.
        path: call.request().match_info().get_ref().path(),
    };
    match api_clients::authenticate(&ctx, &presented).await {
        Ok(client) => Ok(ctx.by(Actor::ApiClient(client.id()))),
        Err(refusal) => {
            if matches!(refusal, Refusal::Client | Refusal::Secret) {
                call.limit(Limit::KeyFailures)?;
            }
            Err(refusal.into())
        }
    }
}

/// A header that is there once and can be read; one that is not is as good as a wrong one.
fn only(call: &Call, name: HeaderName) -> Option<&str> {
    let mut lines = call.headers().get_all(name);
    let line = lines.next()?.to_str().unwrap_or_default();
    Some(if lines.next().is_none() { line } else { "" })
}

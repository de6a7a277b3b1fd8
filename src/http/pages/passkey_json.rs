//! `/login/passkey`: what `static/passkey.js` asks and answers, in JSON. A refusal says nothing but its
//! status: the page has the words.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::{Value, json};

use super::error::Problem;
use super::transaction::Goal;
use crate::domain::factors::passkeys;
use crate::domain::sign_in::{self, Arrival};
use crate::domain::{DomainError, Noun};
use crate::http::body::BodyError;
use crate::http::browser::Visit;
use crate::http::call::Call;
use crate::http::fields::{FieldError, Fields};
use crate::http::limit::Limit;
use crate::model::ids::UserId;

/// The header that carries the anti-forgery token.
const TOKEN: &str = "x-csrf";

impl From<FieldError> for Problem {
    fn from(_: FieldError) -> Self {
        BodyError::Malformed("a member is missing or of the wrong type").into()
    }
}

/// Asks for a passkey: what `navigator.credentials.get` takes.
#[utoipa::path(post, path = "/login/passkey/options", responses((status = 200)))]
pub(super) async fn options(call: Call) -> HttpResponse {
    answer(&call, async |visit, mut fields| {
        call.limit(Limit::Begun)?;
        let user = about(visit, &mut fields)?;
        Ok(passkeys::begin_authentication(&visit.ctx, visit.browser().digest, user).await?)
    })
    .await
}

/// Signs in with a passkey; says where to go from here.
#[utoipa::path(post, path = "/login/passkey", responses((status = 200)))]
pub(super) async fn sign_in(call: Call) -> HttpResponse {
    answer(&call, async |visit, mut fields| {
        call.limit(Limit::Login)?;
        let goal = Goal::of_query(visit).await?;
        let user = about(visit, &mut fields)?;
        let credential = fields.optional_object("credential")?.unwrap_or_default();
        let remembered = fields.optional_text("remember")?.is_some();
        let (browser, prior) = (visit.browser(), visit.any_session());
        let proof = passkeys::finish_authentication(&visit.ctx, browser.digest, user, credential).await?;
        let next = match sign_in::with_passkey(&visit.ctx, &proof, remembered, &browser, prior).await? {
            Arrival::Entered(entered) => {
                visit.enter(&entered);
                goal.reached(visit)
            }
            Arrival::VerificationDue(_) => goal.by_way_of(visit, "/verify-email"),
        };
        Ok(json!({ "location": location(&next) }))
    })
    .await
}

/// Where a redirect leads.
fn location(answer: &HttpResponse) -> Option<&str> {
    answer.headers().get(header::LOCATION)?.to_str().ok()
}

/// Whose passkey it must be: as a second factor that of whoever gave the first, else anybody's.
fn about(visit: &Visit<'_>, fields: &mut Fields) -> Result<Option<UserId>, Problem> {
    if fields.optional_text("ceremony")?.as_deref() != Some("second-factor") {
        return Ok(None);
    }
    let session = visit.any_session().ok_or(DomainError::NotFound(Noun::User))?;
    Ok(Some(session.user))
}

/// Acts on a request that comes from a page of ours.
pub(super) async fn answer(
    call: &Call,
    act: impl AsyncFnOnce(&Visit<'_>, Fields) -> Result<Value, Problem>,
) -> HttpResponse {
    let visit = match Visit::of(call).await {
        Ok(visit) => visit,
        Err(error) => return Problem::from(error).json(),
    };
    let token = call.headers().get(TOKEN).and_then(|token| token.to_str().ok()).unwrap_or_default();
    let outcome = if visit.is_ours(token) {
        match call.json().await {
            Ok(fields) => act(&visit, fields).await,
            Err(error) => Err(error.into()),
        }
    } else {
        Err(Problem::Forged)
    };
    visit.dress(match outcome {
        Ok(value) => HttpResponse::Ok().json(value),
        // The script goes where the page would have been sent.
        Err(Problem::Answered(answer)) => HttpResponse::Unauthorized().json(json!({ "location": location(&answer) })),
        Err(problem) => problem.json(),
    })
}

//! Lists by page. Where the next page begins is sealed: a cursor that nobody was given, or that was given
//! for another list, is none.

use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::error::Error;
use crate::crypto::digest::{base64url, from_base64url};
use crate::crypto::sealing::SealContext;
use crate::domain::Ctx;
use crate::http::call::Call;
use crate::http::fields::FieldError;

/// A page of a list.
#[derive(Serialize, ToSchema)]
#[schema(as = Page)]
pub(super) struct Page<T> {
    /// What is on it, in a stable order.
    items: Vec<T>,
    /// What `cursor` must be for the next one; null on the last.
    next_cursor: Option<String>,
}

/// Which page of which list is wanted.
pub(super) struct Paging {
    list: String,
    limit: u64,
    after: Option<String>,
}

impl Paging {
    /// Reads `limit` and `cursor`.
    pub(super) fn read(call: &Call, caller: &Caller<'_>) -> Result<Self, Error> {
        let query = call.query();
        let list = list(call);
        let after = query.text("cursor")?.map(|cursor| open(&caller.ctx, &list, cursor)).transpose()?;
        Ok(Self { limit: query.limit("limit", 50, 200)?, after, list })
    }

    /// What the last row before this page was; none on the first.
    pub(super) fn after<T: std::str::FromStr>(&self) -> Option<T> {
        self.after.as_deref().and_then(|key| key.parse().ok())
    }

    /// How many rows to ask for: one more than are shown says whether there are more.
    pub(super) const fn take(&self) -> u64 {
        self.limit + 1
    }

    /// The page of rows that were asked for with [`Paging::after`] and [`Paging::take`].
    pub(super) fn page<R, T>(
        self,
        caller: &Caller<'_>,
        mut rows: Vec<R>,
        key: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> Result<Page<T>, Error> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let is_last = rows.len() <= limit;
        rows.truncate(limit);
        let last = if is_last { None } else { rows.last().map(key) };
        let next_cursor = last.map(|key| seal(&caller.ctx, &self.list, &key)).transpose()?;
        Ok(Page { items: rows.into_iter().map(show).collect(), next_cursor })
    }

    /// The page of a list that is at hand as a whole, in the order of its keys.
    pub(super) fn of_whole<R, T>(
        self,
        caller: &Caller<'_>,
        rows: Vec<R>,
        key: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> Result<Page<T>, Error> {
        let place = self.after.as_ref().and_then(|after| rows.iter().position(|row| key(row) == *after));
        let first = place.map_or(0, |place| place + 1);
        let take = usize::try_from(self.take()).unwrap_or(usize::MAX);
        let rows = rows.into_iter().skip(first).take(take).collect();
        self.page(caller, rows, key, show)
    }
}

/// A list's name: its path and what narrows it.
fn list(call: &Call) -> String {
    let request = call.request();
    let narrows = |pair: &&str| !["limit", "cursor"].contains(&pair.split('=').next().unwrap_or_default());
    let query: Vec<&str> = request.query_string().split('&').filter(narrows).collect();
    format!("{}?{}", request.path(), query.join("&"))
}

fn context<'a>(ctx: &Ctx<'_>, list: &'a str) -> SealContext<'a> {
    SealContext { purpose: "cursor", tenant: ctx.tenant_id().uuid(), name: list }
}

fn seal(ctx: &Ctx<'_>, list: &str, key: &str) -> Result<String, Error> {
    let sealed = ctx.core.sealer.seal(context(ctx, list), key.as_bytes(), &*ctx.core.entropy);
    Ok(base64url(&sealed.map_err(crate::domain::DomainError::from)?))
}

fn open(ctx: &Ctx<'_>, list: &str, cursor: &str) -> Result<String, FieldError> {
    let opened = from_base64url(cursor).and_then(|sealed| ctx.core.sealer.open(context(ctx, list), &sealed).ok());
    let key = opened.and_then(|key| String::from_utf8(key.expose().clone()).ok());
    key.ok_or(FieldError::new("cursor", "is not one that this list gave"))
}

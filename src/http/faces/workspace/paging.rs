//! Lists that grow: at most a thousand at once. Where one goes on is the id of the last that was shown.

use uuid::Uuid;

use crate::http::call::Call;
use crate::http::fields::FieldError;

/// How many are shown unless fewer are asked for: the contract knows no pages, and most lists are shorter.
const MOST: u64 = 1000;

/// Which part of a list is wanted.
pub(super) struct Paging {
    limit: u64,
    /// What was the last before it.
    pub(super) after: Option<Uuid>,
}

impl Paging {
    /// Reads `limit` and `cursor`.
    pub(super) fn read(call: &Call) -> Result<Self, FieldError> {
        let query = call.query();
        let after = query.parsed("cursor", "must be the next_cursor of an answer")?;
        Ok(Self { limit: query.limit("limit", MOST, MOST)?, after })
    }

    /// How many rows to ask for: one more than are shown says whether there are more.
    pub(super) const fn take(&self) -> u64 {
        self.limit + 1
    }

    /// Leaves what is shown of the rows; where the list goes on, if it does.
    pub(super) fn cut<R>(&self, rows: &mut Vec<R>, id: impl Fn(&R) -> Uuid) -> Option<String> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        rows.last().filter(|_| more).map(|last| id(last).to_string())
    }
}

//! Pages of a list.

/// A page by number, as the older contracts want it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageNumber {
    /// From 1.
    pub page: u64,
    /// How many to a page.
    pub per_page: u64,
}

impl PageNumber {
    /// How many rows stand before this page.
    #[must_use]
    pub const fn offset(self) -> u64 {
        self.page.saturating_sub(1).saturating_mul(self.per_page)
    }
}

/// Part of a list: so many rows after so many others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many at most.
    pub limit: u64,
    /// How many stand before them.
    pub offset: u64,
}

/// One page and how many rows there are in all.
#[derive(Clone, Debug)]
pub struct Counted<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// Rows on all pages.
    pub total: u64,
}

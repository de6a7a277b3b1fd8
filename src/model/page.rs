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
    /// Which part of the list it is.
    #[must_use]
    pub const fn window(self) -> Window {
        Window { limit: self.per_page, offset: self.page.saturating_sub(1).saturating_mul(self.per_page) }
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

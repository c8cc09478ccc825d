//! Which of the rows are shown.

use super::ast::Select;

/// A part of the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// How many rows come before it.
    pub(super) offset: usize,
    /// How many it has at most.
    pub(super) limit: usize,
}

impl Page {
    /// All rows.
    pub(super) const EVERYTHING: Page = Page { offset: 0, limit: usize::MAX };

    /// How many rows there are up to its end.
    pub(super) fn end(self) -> usize {
        self.offset.saturating_add(self.limit)
    }

    /// So many hundredths of `total` rows, rounded down, in the place of its limit.
    pub(super) fn with_share(self, total: usize, percent: u64) -> Page {
        Page { limit: (total as u128 * u128::from(percent) / 100) as usize, ..self }
    }
}

/// What is wanted: the smaller of TOP and LIMIT behind OFFSET, or a share of the rows.
pub(super) fn wanted(select: &Select) -> (Page, Option<u64>) {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let (top, percent) = match select.top.filter(|_| !fault!("sql-top-ignored")) {
        Some(top) if top.percent => (None, Some(top.count.min(100))),
        Some(top) => (Some(top.count), None),
        None => (None, None),
    };
    let limit = select.limit.filter(|_| !fault!("sql-limit-ignored"));
    let limit = limit.into_iter().chain(top).min();
    let offset = select.offset.filter(|_| !fault!("sql-offset-ignored"));
    (Page { offset: offset.map_or(0, size), limit: limit.map_or(usize::MAX, size) }, percent)
}

//! Searching a table: conditions, the choice of the index that drives them, sorting and projection.
//!
//! A search is read into a [`Search`], planned ([`plan`]: which condition drives, which only filter) and run
//! ([`execute`]). The two regimes a condition can act in (driving through an index, or filtering records) differ in
//! what they make of null, false and absent values; `index_range` and `filter` hold the one and the other.

mod condition;
mod convert;
mod execute;
mod filter;
mod index_range;
mod order;
mod plan;
mod project;
mod request;
mod wildcard;

pub use condition::{Comparator, Condition, Group, Node, Operator, Sort};
pub use convert::{date_text, instant};
pub use execute::{Found, run};
pub use filter::value_satisfies;
pub use plan::{Driver, Plan};
pub use project::{Projection, RowWriter};
pub use request::{attributes_of, converted, read_conditions, read_sort};
pub use wildcard::condition_for;

use crate::store::Table;
use std::sync::Arc;

/// A search over one table.
#[derive(Clone, Debug)]
pub struct Search {
    /// The table.
    pub table: Arc<Table>,
    /// What records must satisfy; `None` takes all of them.
    pub filter: Option<Group>,
    /// The order of the result.
    pub sort: Option<Sort>,
    /// Reverses the order of the driving index.
    pub reverse: bool,
    /// How many records of the result to leave out.
    pub offset: usize,
    /// How many records to give at most.
    pub limit: Option<usize>,
}

//! Checks that are not written down one by one: those generated from the schemas, and those that look at every
//! answer of a run.

mod answers;
pub mod contract;
mod faults;
mod keywords;
pub mod matrix;

pub use answers::{Seen, covered, over_all_answers, requirements as requirements_of_rules};
pub(crate) use answers::{judge, rules};

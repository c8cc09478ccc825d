//! Reports: pure functions of the stream of events.

pub mod curl;
pub mod json;
pub mod junit;
mod summary;
pub mod terminal;

pub use summary::{Coverage, RequirementState, Summary, Tally};

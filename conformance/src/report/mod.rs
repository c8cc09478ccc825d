//! Reports: pure functions of the stream of events.

pub mod badge;
pub mod curl;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod summary;
pub mod terminal;
mod when;

pub use summary::{Coverage, RequirementState, Summary, Tally};

//! CSV text: its dialect, its rows, its header and what its cells stand for.
//!
//! The rows are cut by a scanner of ours: the `csv` crate's reader ends a cell at a quote that no delimiter follows
//! and takes every kind of line end at once, while here such a quote is part of the cell and one kind of line end is
//! guessed for the whole text. For text that is well formed the two agree, which a test makes sure of.

mod cast;
mod dialect;
mod header;
mod reader;
mod rows;

pub use cast::{Casting, json_like, untyped};
pub use dialect::{Dialect, LineEnd};
pub use reader::read;
pub use rows::{Row, Scanner};

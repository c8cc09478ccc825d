//! The suite, judged: does a check fail when the behaviour that it stands for is broken?
//!
//! [`evidence`] finds, for every requirement, a check that cites it and a named [`Breakage`] of the behaviour; the
//! check passes without the breakage and fails with it. What was found stands in a [`Table`], which is tried again
//! whenever the tests run. Some breakages change the answer that came ([`spoil`]); others stand between the suite and
//! its target and let it do something else than it was asked ([`between`]). [`kills`] does the same with a server that
//! is itself wrong in one of its named ways, and [`shared`] with two nodes of a cluster; [`within`]
//! with what answers do not show.

mod between;
mod breakage;
pub mod evidence;
pub mod kills;
mod relevance;
pub mod shared;
mod spoil;
mod table;
pub mod tolerance;
pub mod within;

pub use crate::farm::{Farm, Instance};
pub use breakage::Breakage;
pub use table::{Row, Table};

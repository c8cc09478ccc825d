//! The server's log: the file that `read_log` reads.
//!
//! Code says what happens with `tracing`; a layer ([`FileLayer`]) makes lines of the events and hands them to a thread
//! that writes and rotates the file ([`Log`]), so that nobody waits for a disk. Fields with a meaning of their own:
//!
//! - `notify = true`, `fatal = true`: the two levels `tracing` does not have; both are written whatever the level is,
//!   notify because the API says so;
//! - `thread = "job/7"`: the thread to name instead of the one that speaks;
//! - `tags = "auth-event"`: tags, between commas.
//!
//! Bodies, passwords and tokens never get into an event.

mod layer;
mod level;
mod line;
mod read;
mod rotate;
mod sink;
#[cfg(test)]
mod tests;

pub use layer::{FileLayer, connect, dispatch, is_unheard, subscribe};
pub use level::Level;
pub use line::Entry;
pub use read::{Order, Query, read};
pub use sink::Log;

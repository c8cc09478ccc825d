//! The instance as a whole: its life, its status, the machine it runs on.

pub mod handover;
pub mod information;
pub mod job;
pub mod lifecycle;
pub mod restart;
pub mod rolling;
pub mod status;
pub mod usage;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How long the first instance of this process has run.
pub fn uptime() -> Duration {
    BEGUN.elapsed()
}

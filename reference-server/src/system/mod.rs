//! The instance as a whole: its life, its status, the machine it runs on.

pub mod handover;
pub mod job;
pub mod lifecycle;
pub mod restart;
pub mod status;

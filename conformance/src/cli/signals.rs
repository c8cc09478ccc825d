//! Ctrl-C and the signal to terminate: the first ends the run early, so that what was made is removed and what is
//! known is told; the second ends the program at once.

use conformance::Stop;
use conformance::spawn::Spawned;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// A target to be ended together with the program, once there is one.
pub(super) type Slot = Arc<OnceLock<Arc<Spawned>>>;

/// Waits for signals as long as the program runs.
pub(super) fn watch(stop: Stop, spawned: Slot) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        next().await;
        eprintln!("stopping: what was made is being removed (a second Ctrl-C ends at once)");
        stop.stop();
        next().await;
        if let Some(spawned) = spawned.get() {
            spawned.end_now();
        }
        std::process::exit(i32::from(super::COULD_NOT));
    });
    Ok(())
}

/// Returns after the first signal.
pub(super) async fn stopped(stop: &Stop) {
    const TICK: Duration = Duration::from_millis(20);
    while !stop.stopped() {
        tokio::time::sleep(TICK).await;
    }
}

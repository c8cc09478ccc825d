//! What goes on in the background, so that it can be ended.

use parking_lot::Mutex;
use tokio::task::JoinSet;

/// Tasks that end together.
#[derive(Default)]
pub(super) struct Tasks(Mutex<State>);

#[derive(Default)]
struct State {
    running: JoinSet<()>,
    stopped: bool,
}

impl Tasks {
    /// Starts a task, unless everything has been ended already.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.0.lock();
        // Those that have ended would be kept otherwise.
        while state.running.try_join_next().is_some() {}
        if !state.stopped {
            state.running.spawn(task);
        }
    }

    /// Ends all tasks and waits for them.
    pub(super) async fn stop(&self) {
        let mut running = {
            let mut state = self.0.lock();
            state.stopped = true;
            std::mem::take(&mut state.running)
        };
        running.shutdown().await;
    }
}

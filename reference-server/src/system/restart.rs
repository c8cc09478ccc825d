//! The wish for a restart, on its way from an operation to whoever runs the instance.

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Takes the wishes of one instance.
#[derive(Debug, Default)]
pub struct Restarts {
    wished: Notify,
    jobs: Mutex<Vec<String>>,
}

impl Restarts {
    /// Asks for a restart once the requests in flight are finished; `job` is the job that ends with it.
    pub fn wish(&self, job: Option<String>) {
        self.jobs.lock().extend(job);
        // Kept for whoever waits later.
        self.wished.notify_one();
    }

    /// Waits for a wish.
    pub async fn wished(&self) {
        self.wished.notified().await;
    }

    /// The jobs that end with the next restart.
    pub fn take_jobs(&self) -> Vec<String> {
        std::mem::take(&mut self.jobs.lock())
    }
}

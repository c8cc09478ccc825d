//! Futures that go on when nobody waits for them any more.

use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;

/// A future that, once begun, is run to its end: dropped before that, it goes on as a task of its own. While somebody
/// waits it is polled in place, which spares it the scheduler.
pub(super) struct Enduring<F: Future<Output: Send> + Send + 'static> {
    future: Option<Pin<Box<F>>>,
    begun: bool,
}

impl<F: Future<Output: Send> + Send + 'static> Enduring<F> {
    pub(super) fn new(future: F) -> Self {
        Enduring { future: Some(Box::pin(future)), begun: false }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Enduring<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Taken out while it runs, so that one that panicked is not run again.
        let Some(mut future) = self.future.take() else { return Poll::Pending };
        self.begun = true;
        let polled = future.as_mut().poll(context);
        if polled.is_pending() {
            self.future = Some(future);
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Enduring<F> {
    fn drop(&mut self) {
        if let (true, Some(future), Ok(runtime)) = (self.begun, self.future.take(), Handle::try_current()) {
            runtime.spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    fn waiting() -> (Enduring<impl Future<Output: Send> + Send>, oneshot::Sender<()>, oneshot::Receiver<()>) {
        let (go_on, signal) = oneshot::channel();
        let (done, finished) = oneshot::channel();
        let future = async move {
            let _ = signal.await;
            let _ = done.send(());
        };
        (Enduring::new(future), go_on, finished)
    }

    #[tokio::test]
    async fn what_has_begun_is_finished() {
        let (mut enduring, go_on, finished) = waiting();
        assert!((&mut enduring).now_or_never().is_none());
        drop(enduring);
        go_on.send(()).unwrap();
        finished.await.unwrap();
    }

    #[tokio::test]
    async fn what_has_not_begun_never_begins() {
        let (enduring, _go_on, finished) = waiting();
        drop(enduring);
        assert!(finished.await.is_err());
    }

    #[tokio::test]
    async fn the_outcome_comes_through() {
        assert_eq!(Enduring::new(async { 7 }).await, 7);
    }
}

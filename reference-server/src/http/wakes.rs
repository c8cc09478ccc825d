//! Keeping a connection's wakes of itself away from the scheduler.
//!
//! The parts of a connection talk to each other through channels: asking for a body wakes the part that reads it,
//! its arrival wakes the part that waits for it. All of them are polled together, so such a wake only means "poll
//! once more"; but through the scheduler it costs a place in the queue and, worse, wakes an idle thread that then
//! finds nothing to do. [`Wakes`] polls again by itself instead.

use futures_util::task::AtomicWaker;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// How often a future is polled in a row before others get their turn.
const ROUNDS: usize = 8;

const IDLE: u8 = 0;
const POLLING: u8 = 1;
const WOKEN: u8 = 2;

/// The wakes of one future.
pub(super) struct Wakes {
    shared: Arc<Shared>,
    waker: Waker,
}

struct Shared {
    state: AtomicU8,
    /// The task to wake when the future is not being polled.
    task: AtomicWaker,
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let noted = self.state.compare_exchange(POLLING, WOKEN, Ordering::AcqRel, Ordering::Acquire);
        if noted == Err(IDLE) {
            self.task.wake();
        }
    }
}

impl Wakes {
    pub(super) fn new() -> Wakes {
        let shared = Arc::new(Shared { state: AtomicU8::new(IDLE), task: AtomicWaker::new() });
        Wakes { waker: Waker::from(shared.clone()), shared }
    }

    /// Polls `future`, and again as long as it was woken meanwhile.
    pub(super) fn poll<F: Future>(
        &self,
        context: &mut Context<'_>,
        mut future: Pin<&mut F>,
    ) -> Poll<F::Output> {
        let Shared { state, task } = &*self.shared;
        task.register(context.waker());
        for _ in 0..ROUNDS {
            state.store(POLLING, Ordering::Release);
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&self.waker)) {
                state.store(IDLE, Ordering::Release);
                return Poll::Ready(output);
            }
            // Nobody woke it: whoever does from now on reaches the task.
            if state.compare_exchange(POLLING, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return Poll::Pending;
            }
        }
        state.store(IDLE, Ordering::Release);
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;

    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Polls a future that needs `polls` polls and wakes itself each time; the result, and the wakes of the task.
    fn run(polls: usize) -> (Poll<()>, usize) {
        let counted = Arc::new(Counted::default());
        let waker = Waker::from(counted.clone());
        let mut left = polls;
        let future = poll_fn(|context| {
            left -= 1;
            if left == 0 {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        });
        let result = Wakes::new().poll(&mut Context::from_waker(&waker), pin!(future));
        (result, counted.0.load(Ordering::Relaxed))
    }

    #[test]
    fn a_future_that_wakes_itself_is_polled_again_at_once() {
        assert_eq!(run(1), (Poll::Ready(()), 0));
        assert_eq!(run(3), (Poll::Ready(()), 0));
    }

    #[test]
    fn a_future_that_never_rests_gives_way() {
        assert_eq!(run(1_000), (Poll::Pending, 1));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_from_elsewhere_is_lost() {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let sending = tokio::spawn(async move {
            for number in 0..20_000_u32 {
                sender.send(number).await.unwrap();
            }
        });
        let wakes = Wakes::new();
        for number in 0..20_000 {
            let mut receiving = pin!(receiver.recv());
            assert_eq!(poll_fn(|context| wakes.poll(context, receiving.as_mut())).await, Some(number));
        }
        sending.await.unwrap();
    }
}

//! Work beside a loop: its result is fetched by the loop, which is woken when it is there.
//!
//! Not here: work that a caller can simply await.

use std::sync::Arc;

use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

/// Something under way. Ends when dropped, unless it blocks a thread.
pub(crate) struct Job<T> {
    result: oneshot::Receiver<T>,
    abort: AbortHandle,
}

impl<T: Send + 'static> Job<T> {
    /// Starts a future; `waker` is notified when its result is there.
    pub(crate) fn spawn(
        waker: &Arc<Notify>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Job<T> {
        let (sender, result) = oneshot::channel();
        let waker = Arc::clone(waker);
        let task = tokio::spawn(async move {
            // Nobody waits for it any more: fine.
            drop(sender.send(work.await));
            waker.notify_one();
        });
        Job { result, abort: task.abort_handle() }
    }

    /// Starts a function that blocks; `waker` is notified when its result is there.
    pub(crate) fn spawn_blocking(
        waker: &Arc<Notify>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Job<T> {
        let (sender, result) = oneshot::channel();
        let waker = Arc::clone(waker);
        let task = tokio::task::spawn_blocking(move || {
            drop(sender.send(work()));
            waker.notify_one();
        });
        Job { result, abort: task.abort_handle() }
    }

    /// The result, once.
    pub(crate) fn take(&mut self) -> Option<T> {
        self.result.try_recv().ok()
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

//! Telling tasks that the broker is to stop. Not here: in which order they do (`broker`).

use tokio::sync::watch;

/// Ends what waits for its [`Stopping`], when told to or dropped.
#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

/// What a task waits for beside its work.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stop {
    pub(crate) fn new() -> (Self, Stopping) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stopping(receiver))
    }

    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopping {
    pub(crate) async fn wait(&mut self) {
        // An error means that the other half is gone, which is a stop too.
        drop(self.0.wait_for(|is_stopping| *is_stopping).await);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.borrow()
    }
}

//! Asking Kafka again while it cannot answer.
//!
//! Not here: what is asked, and records, which librdkafka sends again itself.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::Error;

/// Wait for the first answer, doubled up to [`ANSWER_WAIT_MAX`]: short, as a cluster that is just starting may never answer the first request, and
/// as a broker that is away should be told soon.
const ANSWER_WAIT: Duration = Duration::from_secs(1);
/// Longest wait for one answer; Kafka's `request.timeout.ms`.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(30);
/// Pause before the same is asked again; Kafka's `retry.backoff.ms`.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// For how long there must be no answer before it is said: a machine that is busy with starting takes a second or two, and nobody can do anything.
const SAID_AFTER: Duration = Duration::from_secs(5);

/// Asks until there is an answer, or an error that will not pass; for ever if `total` is none. Says once that it waits for `what`.
///
/// `ask` is told how long it may wait. It must do no harm to ask twice.
pub(crate) async fn insist<T, F: Future<Output = Result<T, Error>>>(
    what: &str,
    total: Option<Duration>,
    mut ask: impl FnMut(Duration) -> F,
) -> Result<T, Error> {
    let begin = Instant::now();
    let end = total.map(|total| begin + total);
    let (mut wait, mut said) = (ANSWER_WAIT, false);
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let attempt = ask(left.map_or(wait, |left| wait.min(left))).await;
        let may_retry = left.is_none_or(|left| left > wait);
        match attempt {
            Err(err) if err.is_retriable() && may_retry => {
                if !said && begin.elapsed() >= SAID_AFTER {
                    said = true;
                    tracing::warn!(what, error = %err, "Kafka does not answer; waiting for it");
                }
                wait = (wait * 2).min(ANSWER_WAIT_MAX);
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::ffi;

    /// Counts what is said.
    #[derive(Clone, Default)]
    struct Said(Arc<AtomicUsize>);

    impl Subscriber for Said {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            let is_ours = event.metadata().target() == "tombolo_kafka::patience";
            self.0.fetch_add(usize::from(is_ours), Ordering::Relaxed);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    /// How often it was said that there is no answer for so long.
    async fn said_within(seconds: u64) -> usize {
        let said = Said::default();
        let _here = tracing::subscriber::set_default(said.clone());
        let total = Some(Duration::from_secs(seconds));
        let answered = insist("the test", total, async |wait| {
            tokio::time::sleep(wait).await;
            Err::<(), _>(ffi::error(ffi::code::TIMED_OUT, "ask", ""))
        });
        assert!(answered.await.is_err());
        said.0.load(Ordering::Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn that_there_is_no_answer_is_said_once_and_not_at_once() {
        assert_eq!(said_within(SAID_AFTER.as_secs()).await, 0);
        assert_eq!(said_within(300).await, 1);
    }
}

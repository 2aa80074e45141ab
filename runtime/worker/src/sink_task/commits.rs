//! A sink's commits: the sink says up to where its rows are durable, and the consumer commits that.
//!
//! Not here: when (`commit::Schedule`), and which of the sink's answers count (`commit::committable`).

use std::time::Duration;

use tokio::time::Instant;
use tombolo_kafka::Error;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::role::SinkRequests;
use tombolo_model::{Fault, FaultKind};

use super::{SinkTask, cannot_consume};
use crate::commit::{Progress, committable};

/// What came of a commit before partitions go.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// What the sink asked for.
    pub(super) requests: SinkRequests,
    /// Whether Kafka did not take what the sink says is durable, or not all dead letters.
    pub(super) is_refused: bool,
}

impl SinkTask {
    /// Commits where that is due and no commit is on its way. One that takes too long is given up.
    pub(super) async fn commit_when_due(&mut self) -> Result<(), Fault> {
        if self.commit.give_up_after(self.schedule.timeout()) {
            self.warn("Commit of offsets timed out");
        }
        if self.commit.is_in_flight() || !self.schedule.is_due() {
            return Ok(());
        }
        self.schedule.started();
        let mut asked = self.partitions.progress(&self.partitions.all());
        if asked.is_empty() {
            return Ok(());
        }
        self.begin();
        match self.instance.sink.pre_commit(&currents(&asked)).await {
            Ok((answered, mut requests)) => {
                self.judge_late(&std::mem::take(&mut requests.faults)).await?;
                self.hold_back(&mut asked);
                match committable(&asked, &answered) {
                    Some(offsets) => {
                        self.consumer.commit(&offsets).map_err(cannot_consume)?;
                        self.commit.started(offsets);
                    }
                    None => self.ended(true),
                }
                self.follow_requests(requests).await
            }
            Err(fault) if matches!(fault.kind, FaultKind::Plugin(_)) => Err(fault),
            Err(fault) => {
                self.ended(false);
                self.warn(&format!(
                    "Offset commit failed, rewinding to last committed offsets: {}",
                    self.parts.reporter.causes(&fault)
                ));
                self.discard(&self.partitions.all())?;
                let back = self.partitions.rewind_all();
                self.consumer.seek(&back);
                Ok(())
            }
        }
    }

    /// Commits before partitions go, and waits for the answer. A commit that fails costs a second delivery, no more.
    pub(super) async fn commit_closing(&mut self, of: &[TopicPartition]) -> Result<Closing, Fault> {
        let mut asked = self.partitions.progress(of);
        if asked.is_empty() {
            return Ok(Closing::default());
        }
        self.begin();
        match self.instance.sink.pre_commit(&currents(&asked)).await {
            Ok((answered, mut requests)) => {
                self.judge_late(&std::mem::take(&mut requests.faults)).await?;
                let are_written = self.errors.are_written(self.closing_wait()).await?;
                self.hold_back(&mut asked);
                let mut closing = Closing { requests, is_refused: !are_written };
                let Some(offsets) = committable(&asked, &answered) else {
                    self.ended(true);
                    return Ok(closing);
                };
                let answer = self.consumer.commit_sync(&offsets, self.schedule.timeout()).await;
                self.ended(answer.is_ok());
                match answer {
                    Ok(()) => {
                        self.partitions.committed(&offsets);
                        self.commit.give_up();
                    }
                    Err(error) => {
                        self.warn(&format!("Offset commit failed during close: {error}"));
                        closing.is_refused = true;
                    }
                }
                Ok(closing)
            }
            Err(fault) if matches!(fault.kind, FaultKind::Plugin(_)) => Err(fault),
            Err(fault) => {
                self.ended(false);
                let causes = self.parts.reporter.causes(&fault);
                self.warn(&format!("Offset commit failed during close: {causes}"));
                Ok(Closing::default())
            }
        }
    }

    /// Commits nothing past a row whose dead letter is not written.
    fn hold_back(&self, asked: &mut [Progress]) {
        for progress in asked {
            progress.open = self.errors.first_open(&progress.current.at);
        }
    }

    /// How long a commit waits for dead letters where partitions go: as long as it may take itself, but a stop must come to its end.
    pub(super) fn closing_wait(&self) -> Duration {
        let timeout = self.schedule.timeout();
        match self.parts.control.is_stopping() {
            true => timeout.min(self.parts.worker.config.graceful_timeout / 2),
            false => timeout,
        }
    }

    /// Takes in Kafka's answer to a commit.
    pub(super) fn committed(&mut self, answer: Result<(), Error>) {
        let Some(offsets) = self.commit.answered() else {
            return self.metrics.answered_late(Instant::now());
        };
        self.ended(answer.is_ok());
        match answer {
            Ok(()) => {
                self.partitions.committed(&offsets);
                self.metrics.has_active(self.partitions.uncommitted(), Instant::now());
            }
            Err(error) => {
                self.warn(&format!("Commit of offsets threw an unexpected exception: {error}"));
            }
        }
    }

    fn begin(&mut self) {
        self.commit_began = Instant::now();
        self.metrics.commit_began();
    }

    fn ended(&self, succeeded: bool) {
        let now = Instant::now();
        self.parts.metrics.commit_ended(succeeded, now - self.commit_began, now);
        if succeeded {
            self.metrics.committed(now);
        }
    }

    fn warn(&self, message: &str) {
        let (connector, task) = (&self.parts.id.connector, self.parts.id.index);
        tracing::warn!(%connector, task, "{message}");
    }
}

fn currents(asked: &[Progress]) -> Vec<PartitionOffset> {
    asked.iter().map(|asked| asked.current.clone()).collect()
}

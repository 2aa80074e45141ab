//! A source's commits: offsets of rows that are settled are stored, and the source is told of those that are.
//!
//! Not here: when (`commit::Schedule`), and which rows are settled (`submitted_records`).

use std::time::Duration;

use tokio::time::Instant;
use tombolo_model::Fault;
use tombolo_model::offset::SourcePosition;

use super::SourceTask;
use crate::commit::SourceCommit;

impl SourceTask {
    /// Begins and ends commits; waits for none.
    pub(super) async fn commit_when_due(&mut self) -> Result<(), Fault> {
        if self.commit.is_answered() {
            let durable = self.end_commit().await;
            self.tell_committed(durable).await?;
        }
        if matches!(self.commit, SourceCommit::Idle) && self.schedule.is_due() {
            let durable = self.begin_commit();
            self.tell_committed(durable).await?;
        }
        Ok(())
    }

    /// Starts to write what is settled. Where there is nothing to write, the source is told so at once, as in Kafka Connect.
    fn begin_commit(&mut self) -> Option<Vec<SourcePosition>> {
        self.schedule.started();
        let offsets = self.submitted.committable_offsets();
        if offsets.is_empty() {
            self.parts.metrics.commit_ended(true, Duration::ZERO, Instant::now());
            return Some(offsets);
        }
        let timeout = self.schedule.timeout();
        self.commit = SourceCommit::start(self.offsets.clone(), offsets, timeout);
        None
    }

    /// Waits for the commit on its way and answers with the offsets that are durable; others are written again with the next.
    async fn end_commit(&mut self) -> Option<Vec<SourcePosition>> {
        let (offsets, answer, took) = self.commit.answer().await?;
        self.parts.metrics.commit_ended(answer.is_ok(), took, Instant::now());
        match answer {
            Ok(()) => Some(offsets),
            Err(error) => {
                let (connector, task) = (&self.parts.id.connector, self.parts.id.index);
                tracing::warn!(%connector, task, %error, "failed to commit offsets; they are committed with the next");
                self.submitted.restore(offsets);
                None
            }
        }
    }

    /// Tells the source of offsets that are durable.
    pub(super) async fn tell_committed(
        &mut self,
        durable: Option<Vec<SourcePosition>>,
    ) -> Result<(), Fault> {
        let Some(offsets) = durable else { return Ok(()) };
        let told = self.instance.source.commit(&offsets).await;
        self.parts.survive("the source failed to commit", told)
    }

    /// Ends the commit on its way and makes the last one; answers with the offsets that became durable.
    pub(super) async fn commit_all(&mut self) -> Vec<Vec<SourcePosition>> {
        let (one, none) = (self.end_commit().await, self.begin_commit());
        let last = self.end_commit().await;
        [one, none, last].into_iter().flatten().collect()
    }
}

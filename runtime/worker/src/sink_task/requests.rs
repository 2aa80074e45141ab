//! What a sink asks for in its answers, and rows that it refuses.
//!
//! Not here: the answers' calls, and rows that it finds bad after their `put` (`late`). A call that failed asked for nothing.

use std::collections::{BTreeMap, HashSet};

use tombolo_model::fault::RowFault;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::role::SinkRequests;
use tombolo_model::status::State;
use tombolo_model::{Fault, Stage};

use super::given::Given;
use super::{SinkTask, cannot_consume};
use crate::error_report::{Executing, SINK_TASK};
use crate::ignored::Ignored;

impl SinkTask {
    /// Does what the sink asks for. What it asks about partitions that are not its own has no effect.
    pub(super) async fn follow_requests(&mut self, requests: SinkRequests) -> Result<(), Fault> {
        self.judge_late(&requests.faults).await?;
        self.rewind(requests.rewind)?;
        let pause = self.own("pause", requests.pause);
        pause.iter().for_each(|at| self.partitions.set_paused(at, true));
        if !pause.is_empty() {
            self.consumer.pause(&pause).map_err(cannot_consume)?;
        }
        let resume = self.own("resume", requests.resume);
        resume.iter().for_each(|at| self.partitions.set_paused(at, false));
        if !resume.is_empty() && !self.is_retrying() && self.told.state == State::Running {
            self.consumer.resume(&resume).map_err(cannot_consume)?;
        }
        if requests.commit {
            self.schedule.request();
        }
        if requests.timeout.is_some() {
            self.timeout = requests.timeout;
        }
        Ok(())
    }

    /// Reads on from these offsets, of each partition the last. Rows of theirs that the sink has not taken are let go.
    pub(super) fn rewind(&mut self, mut to: Vec<PartitionOffset>) -> Result<(), Fault> {
        self.keep_own("rewind", &mut to, |to| &to.at);
        if to.is_empty() {
            return Ok(());
        }
        let to = last_of_each(to);
        let partitions: Vec<TopicPartition> = to.iter().map(|to| to.at.clone()).collect();
        self.discard(&partitions)?;
        self.consumer.seek(&to);
        to.iter().for_each(|to| self.partitions.rewind(to));
        Ok(())
    }

    /// The sink's own of these partitions, each once.
    fn own(&self, what: &str, mut partitions: Vec<TopicPartition>) -> Vec<TopicPartition> {
        self.keep_own(what, &mut partitions, |at| at);
        partitions.sort_unstable();
        partitions.dedup();
        partitions
    }

    /// Leaves what is about the sink's own partitions.
    fn keep_own<T>(&self, what: &str, asked: &mut Vec<T>, at: impl Fn(&T) -> &TopicPartition) {
        let foreign = self.partitions.keep_own(asked, at);
        let what = format!("requests to {what} partitions that are not assigned to it");
        self.ignore(&what, &foreign);
    }

    /// Tells in one line what the sink said without effect.
    pub(super) fn ignore(&self, what: &str, ignored: &Ignored) {
        if ignored.is_empty() {
            return;
        }
        let (connector, task) = (&self.parts.id.connector, self.parts.id.index);
        let count = ignored.count();
        tracing::warn!(%connector, task, "ignoring {count} of the sink's {what}: {ignored}");
    }

    /// Judges rows that the sink refused. Of each consumed record the first fault counts: it goes to the dead letter queue once.
    pub(super) async fn judge_rows(
        &mut self,
        given: &Given,
        faults: &[RowFault],
    ) -> Result<(), Fault> {
        let mut judged = HashSet::new();
        for RowFault { row, problem } in faults {
            let row = *row as usize;
            if !judged.insert(given.consumed_row(row)) {
                continue;
            }
            self.errors.judge(REFUSED, given.record(row), problem)?;
            self.errors.make_room().await?;
        }
        Ok(())
    }
}

/// What is said last of each partition.
fn last_of_each(to: Vec<PartitionOffset>) -> Vec<PartitionOffset> {
    let mut last = BTreeMap::new();
    for PartitionOffset { at, offset } in to {
        last.insert(at, offset);
    }
    last.into_iter().map(|(at, offset)| PartitionOffset { at, offset }).collect()
}

/// What Kafka Connect says of records that a sink refused.
pub(super) const REFUSED: Executing<'static> =
    Executing { stage: Stage::TaskPut, class: SINK_TASK };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewind_goes_to_what_is_said_last_of_a_partition() {
        let to = |partition, offset| {
            let at = TopicPartition::new("t", partition);
            PartitionOffset { at, offset }
        };
        let last = last_of_each(vec![to(1, 5), to(0, 7), to(1, 9), to(0, 2)]);
        assert_eq!(last, [to(0, 2), to(1, 9)]);
    }
}

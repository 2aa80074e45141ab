//! What a sink asks for in its answers, and rows that it refuses.
//!
//! Not here: the answers' calls. A call that failed asked for nothing.

use tombolo_model::fault::RowFault;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::role::{RecordFault, SinkRequests};
use tombolo_model::status::State;
use tombolo_model::{Fault, Stage};

use super::given::Given;
use super::{SinkTask, cannot_consume};
use crate::error_report::{Executing, Record, SINK_TASK};

impl SinkTask {
    /// Does what the sink asks for. What it asks about partitions that are not its own has no effect.
    pub(super) fn follow_requests(&mut self, requests: SinkRequests) -> Result<(), Fault> {
        self.judge_late(&requests.faults)?;
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

    /// Reads on from these offsets. Rows of theirs that the sink has not taken are let go.
    pub(super) fn rewind(&mut self, mut to: Vec<PartitionOffset>) -> Result<(), Fault> {
        to.retain(|to| self.is_own("rewind", &to.at));
        if to.is_empty() {
            return Ok(());
        }
        let partitions: Vec<TopicPartition> = to.iter().map(|to| to.at.clone()).collect();
        self.discard(&partitions)?;
        self.consumer.seek(&to);
        to.iter().for_each(|to| self.partitions.rewind(to));
        Ok(())
    }

    fn own(&self, what: &str, partitions: Vec<TopicPartition>) -> Vec<TopicPartition> {
        partitions.into_iter().filter(|at| self.is_own(what, at)).collect()
    }

    fn is_own(&self, what: &str, at: &TopicPartition) -> bool {
        let is_own = self.partitions.contains(at);
        if !is_own {
            let (connector, task) = (&self.parts.id.connector, self.parts.id.index);
            tracing::warn!(%connector, task, partition = %at, "ignoring the sink's request to {what} a partition that is not assigned to it");
        }
        is_own
    }

    /// Judges rows that the sink refused.
    pub(super) fn judge_rows(&mut self, given: &Given, faults: &[RowFault]) -> Result<(), Fault> {
        faults.iter().try_for_each(|RowFault { row, problem }| {
            self.errors.judge(REFUSED, given.record(*row as usize), problem)
        })
    }

    /// Judges rows that the sink found bad after their `put`.
    pub(super) fn judge_late(&mut self, faults: &[RecordFault]) -> Result<(), Fault> {
        faults.iter().try_for_each(|RecordFault { at, problem }| {
            self.errors.judge(REFUSED, Record::Late(at), problem)
        })
    }
}

/// What Kafka Connect says of records that a sink refused.
const REFUSED: Executing<'static> = Executing { stage: Stage::TaskPut, class: SINK_TASK };

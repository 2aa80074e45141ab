//! What a sink asks for in its answers, and rows that it refuses.
//!
//! Not here: the answers' calls. A call that failed asked for nothing.

use std::time::Duration;

use tombolo_kafka::{ClientKind, ConsumedBatch, record_at};
use tombolo_model::fault::RowFault;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::role::{RecordFault, SinkRequests};
use tombolo_model::status::State;
use tombolo_model::{Fault, Stage};

use super::given::Given;
use super::{SinkTask, cannot_consume};
use crate::client_settings::translate;
use crate::error_report::{Executing, Record, SINK_TASK};

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
            let TopicPartition { topic, partition } = at;
            tracing::warn!(%connector, task, %topic, partition, "ignoring the sink's request to {what} a partition that is not assigned to it");
        }
        is_own
    }

    /// Judges rows that the sink refused.
    pub(super) fn judge_rows(&mut self, given: &Given, faults: &[RowFault]) -> Result<(), Fault> {
        faults.iter().try_for_each(|RowFault { row, problem }| {
            self.errors.judge(REFUSED, given.record(*row as usize), problem)
        })
    }

    /// Judges rows that the sink found bad after their `put`. For the dead letter queue they are read again.
    pub(super) async fn judge_late(&mut self, faults: &[RecordFault]) -> Result<(), Fault> {
        for RecordFault { at, problem } in faults {
            if !self.is_own("report a record of", &at.at) || !self.was_given(at) {
                continue;
            }
            let again = match self.errors.has_dead_letters() {
                true => self.read_again(at).await?,
                false => None,
            };
            let record = match &again {
                Some(batch) => Record::Consumed { batch, row: 0 },
                None => Record::Late(at),
            };
            self.errors.judge(REFUSED, record, problem)?;
        }
        self.errors.hand_over().await
    }

    fn was_given(&self, row: &PartitionOffset) -> bool {
        let was_given = self.partitions.has_given(row);
        if !was_given {
            let (connector, task) = (&self.parts.id.connector, self.parts.id.index);
            let TopicPartition { topic, partition } = &row.at;
            tracing::warn!(%connector, task, %topic, partition, offset = row.offset, "ignoring the sink's report of a record that it was not given yet");
        }
        was_given
    }

    /// Reads a consumed record again; none where it is gone. Waits for a broker that is away.
    ///
    /// Errors: a fault for now where the task stops meanwhile.
    async fn read_again(&mut self, at: &PartitionOffset) -> Result<Option<ConsumedBatch>, Fault> {
        let java = &self.parts.config.consumer_override;
        let java = self.parts.worker.config.client(ClientKind::Consumer, java)?;
        let settings = translate(ClientKind::Consumer, &java)?;
        let client = format!("connector-consumer-{}", self.parts.id);
        loop {
            let read = record_at(&settings, &client, at, AGAIN_WAIT);
            let read = tokio::select! {
                biased;
                () = self.parts.control.stopping.cancelled() => {
                    let message = "the task stops before a bad record was read again";
                    return Err(Fault::retriable(Stage::KafkaConsume, message));
                }
                read = read => read,
            };
            match read {
                Ok(None) => {
                    let (connector, task) = (&self.parts.id.connector, self.parts.id.index);
                    let TopicPartition { topic, partition } = &at.at;
                    tracing::error!(%connector, task, %topic, partition, offset = at.offset, "a record that the sink found bad is no longer in Kafka, and goes to no dead letter queue");
                    return Ok(None);
                }
                Err(error) if error.is_retriable() => {
                    let fault = cannot_consume(error);
                    self.parts
                        .survive("waiting for Kafka to read a bad record again", Err(fault))?;
                }
                read => return read.map_err(cannot_consume),
            }
        }
    }
}

/// Longest wait for a record that is read again, before it is asked for anew.
const AGAIN_WAIT: Duration = Duration::from_secs(30);

/// What Kafka Connect says of records that a sink refused.
pub(super) const REFUSED: Executing<'static> =
    Executing { stage: Stage::TaskPut, class: SINK_TASK };

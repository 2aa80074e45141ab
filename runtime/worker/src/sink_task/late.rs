//! Records that a sink finds bad after their `put`: which of them count, and what is read again for the dead letter queue.
//!
//! Not here: rows that a sink refuses at once, and what else it asks for (`requests`).

use std::collections::HashSet;
use std::time::Duration;

use tombolo_kafka::{ClientKind, ConsumedBatch, record_at};
use tombolo_model::batch::Malformed;
use tombolo_model::fault::Breach;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::role::RecordFault;
use tombolo_model::{Fault, Stage};

use super::partitions::Partitions;
use super::requests::REFUSED;
use super::{SinkTask, cannot_consume};
use crate::client_settings::translate;
use crate::error_report::Record;
use crate::ignored::Ignored;

/// Most records that one answer may find bad: for the dead letter queue each is read again, with connections of its own, and meanwhile the group
/// must not take the task for dead. Twice what a `put` has at most, unless `max.poll.records` says otherwise.
const FAULTS_MAX: usize = 1000;
/// Longest wait for a record that is read again, before it is asked for anew.
const AGAIN_WAIT: Duration = Duration::from_secs(30);

/// What a sink says of records after their `put`.
#[derive(Debug, Default)]
struct Late<'a> {
    /// What counts: the first that it says of each record.
    faults: Vec<&'a RecordFault>,
    /// Records of partitions that are not its own.
    foreign: Ignored,
    /// Records that it was not given yet.
    unseen: Ignored,
}

impl<'a> Late<'a> {
    /// Chooses what counts.
    ///
    /// Errors: a breach, where that is too much.
    fn of(all: &'a [RecordFault], partitions: &Partitions) -> Result<Self, Fault> {
        let (mut late, mut known) = (Self::default(), HashSet::new());
        for fault in all {
            let PartitionOffset { at, offset } = &fault.at;
            if !partitions.contains(at) {
                late.foreign.add(format_args!("{at}/{offset}"));
            } else if !partitions.has_given(&fault.at) {
                late.unseen.add(format_args!("{at}/{offset}"));
            } else if known.insert((at, *offset)) {
                if late.faults.len() == FAULTS_MAX {
                    return Err(too_many());
                }
                late.faults.push(fault);
            }
        }
        Ok(late)
    }
}

fn too_many() -> Fault {
    let found = format!("more than {FAULTS_MAX} records");
    let malformed = Malformed::new("requests.faults", found, "no more in one answer");
    Fault::breach(Breach::Lie, REFUSED.stage, format!("the plugin returned {malformed}"))
}

impl SinkTask {
    /// Judges records that the sink found bad after their `put`, each once. For the dead letter queue they are read again.
    ///
    /// Errors: a breach, where they are too many; a record that may not be skipped; as [`SinkTask::read_again`].
    pub(super) async fn judge_late(&mut self, faults: &[RecordFault]) -> Result<(), Fault> {
        let Late { faults, foreign, unseen } = Late::of(faults, &self.partitions)?;
        self.ignore("reports of records of partitions that are not assigned to it", &foreign);
        self.ignore("reports of records that it was not given yet", &unseen);
        for RecordFault { at, problem } in faults {
            let again = match self.errors.has_dead_letters() {
                true => self.read_again(at).await?,
                false => None,
            };
            let record = match &again {
                Some(batch) => Record::Consumed { batch, row: 0 },
                None => Record::Late(at),
            };
            self.errors.judge(REFUSED, record, problem)?;
            self.errors.make_room().await?;
        }
        self.errors.hand_over().await
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

#[cfg(test)]
mod tests {
    use tombolo_model::FaultKind;
    use tombolo_model::fault::Problem;

    use super::*;

    fn at(partition: i32, offset: i64) -> PartitionOffset {
        PartitionOffset { at: TopicPartition::new("t", partition), offset }
    }

    fn fault(partition: i32, offset: i64, message: &str) -> RecordFault {
        let problem = Problem { message: message.to_owned(), class: None, trace: None };
        RecordFault { at: at(partition, offset), problem }
    }

    /// Partitions 0 and 1, of which everything before this offset was given.
    fn given_up_to(next: i64) -> Partitions {
        let mut partitions = Partitions::default();
        partitions.add(&[at(0, 0), at(1, 0)]);
        partitions.advance(&[at(0, next), at(1, next)]);
        partitions
    }

    #[test]
    fn of_each_record_the_first_fault_counts_and_others_than_its_own_do_not() {
        let all = [
            fault(0, 3, "first"),
            fault(1, 3, "another partition's"),
            fault(2, 3, "foreign"),
            fault(0, 3, "second"),
            fault(0, 10, "not given yet"),
            fault(0, 2, "before"),
        ];
        let Late { faults, foreign, unseen } = Late::of(&all, &given_up_to(10)).unwrap();
        let counted: Vec<&str> =
            faults.iter().map(|fault| fault.problem.message.as_str()).collect();
        assert_eq!(counted, ["first", "another partition's", "before"]);
        let left_out = (foreign.to_string(), unseen.to_string());
        assert_eq!(left_out, ("t-2/3".to_owned(), "t-0/10".to_owned()));
    }

    #[test]
    fn more_records_than_an_answer_may_have_are_a_lie_and_repetitions_are_not() {
        let most = i64::try_from(FAULTS_MAX).unwrap();
        let partitions = given_up_to(most + 1);
        let mut all: Vec<RecordFault> = (0..most).map(|offset| fault(0, offset, "bad")).collect();
        all.extend(all.clone());
        all.extend((0..most).map(|offset| fault(7, offset, "foreign")));
        let late = Late::of(&all, &partitions).unwrap();
        assert_eq!((late.faults.len(), late.foreign.count()), (FAULTS_MAX, FAULTS_MAX));
        all.push(fault(0, most, "one more"));
        let lie = Late::of(&all, &partitions).unwrap_err();
        assert_eq!(lie.kind, FaultKind::Plugin(Breach::Lie));
        assert_eq!(
            lie.message,
            "the plugin returned requests.faults: more than 1000 records, expected no more in one answer"
        );
    }
}

//! Rows for which a `put`, or a plugin before it, fails as a whole: they are found, go to the dead letter queue, and the others go on.
//!
//! What failed is started anew from the committed offsets, and gets fewer and fewer rows with each call, until a single one fails: that one is bad.
//! Every call that succeeds meanwhile is committed, so that little is delivered again. Not here: rows that a sink names itself (`requests`).
//!
//! Kafka Connect has nothing like it: there such a `put` fails the task.

use std::collections::BTreeSet;

use tombolo_kafka::ConsumedBatch;
use tombolo_model::fault::{Breach, Problem};
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::{Fault, FaultKind};

use super::SinkTask;
use super::given::{next_offsets, position};
use super::partitions::Partitions;
use super::{Instance, requests::REFUSED};
use crate::connector_config::definitions::POISON_ROWS_MAX;
use crate::error_report::{Executing, Record};
use crate::task::is_instance_gone;
use crate::tolerance::{CONNECT_EXCEPTION, caused_by};

/// The search for bad rows of a task.
#[derive(Debug)]
pub(super) struct Poison {
    /// How many rows in a row may be found bad; 0 where nothing is searched.
    in_a_row_max: u32,
    in_a_row: u32,
    search: Option<Search>,
    /// Rows found bad that are not committed yet: they are not given again.
    bad: BTreeSet<(TopicPartition, i64)>,
}

#[derive(Debug)]
struct Search {
    /// Most rows of a call.
    rows_max: usize,
    /// Behind the rows of the call that failed last.
    until: Vec<PartitionOffset>,
}

impl Poison {
    /// Nothing is searched yet. `in_a_row_max` rows may be found bad one after the other, without a good one between.
    pub(super) fn new(in_a_row_max: u32) -> Self {
        Self { in_a_row_max, in_a_row: 0, search: None, bad: BTreeSet::new() }
    }

    /// Whether some row may be to blame for a fault of a call. A missed deadline is the call's: the search would take as many of them.
    fn may_be_of_rows(&self, fault: &Fault) -> bool {
        let is_of_call = matches!(fault.kind, FaultKind::Plugin(Breach::Deadline));
        let is_final = matches!(fault.kind, FaultKind::Fatal | FaultKind::Plugin(_));
        self.in_a_row_max > 0 && is_final && !is_of_call
    }

    /// Most rows of the next call, where so many are usual.
    pub(super) fn rows_max(&self, usual: usize) -> usize {
        self.search.as_ref().map_or(usual, |search| search.rows_max.min(usual))
    }

    /// A call failed about so many rows, the last of them before `until`.
    fn narrow(&mut self, rows: usize, until: Vec<PartitionOffset>) {
        self.search = Some(Search { rows_max: (rows / 2).max(1), until });
    }

    /// A row failed alone. Answers whether it is one of few.
    fn found(&mut self, PartitionOffset { at, offset }: PartitionOffset) -> bool {
        self.narrow(1, vec![PartitionOffset { at: at.clone(), offset: offset + 1 }]);
        self.bad.insert((at, offset));
        self.in_a_row += 1;
        self.in_a_row <= self.in_a_row_max
    }

    /// A call about so many rows succeeded. Behind the rows of the call that failed, more and more are given again.
    fn succeeded(&mut self, rows: u32, partitions: &Partitions, usual: usize) {
        if rows > 0 {
            self.in_a_row = 0;
        }
        self.bad.retain(|(at, offset)| partitions.is_open(at, *offset));
        let Some(search) = &mut self.search else { return };
        let is_behind = |PartitionOffset { at, offset }: &PartitionOffset| {
            let last = PartitionOffset { at: at.clone(), offset: offset - 1 };
            !partitions.contains(at) || partitions.has_given(&last)
        };
        if search.until.iter().all(is_behind) {
            search.rows_max *= 2;
        }
        if search.rows_max >= usual {
            self.search = None;
        }
    }

    /// The numbers of the rows that were found bad, ascending.
    pub(super) fn known_in(&self, consumed: &ConsumedBatch) -> Vec<u32> {
        if self.bad.is_empty() {
            return Vec::new();
        }
        let is_bad = |row: &u32| {
            position(consumed, *row as usize)
                .is_some_and(|place| self.bad.contains(&(place.at, place.offset)))
        };
        (0..consumed.rows).filter(is_bad).collect()
    }
}

impl SinkTask {
    /// Goes on without the row that made a call fail as a whole, or looks for it among the rows of the call.
    ///
    /// `suspects` are their numbers in `consumed`. Errors: the fault, where no row is to blame or too many would be.
    pub(super) async fn search(
        &mut self,
        consumed: &ConsumedBatch,
        suspects: &[u32],
        fault: Fault,
    ) -> Result<(), Fault> {
        if suspects.is_empty() || !self.poison.may_be_of_rows(&fault) {
            return Err(fault);
        }
        let is_gone = matches!(fault.kind, FaultKind::Plugin(_));
        self.parts.metrics.failures.broke(&fault);
        let (connector, task) = (&self.parts.id.connector, self.parts.id.index);
        let (stage, rows) = (fault.stage, suspects.len());
        match suspects {
            [row] => self.found_bad(consumed, *row as usize, fault).await?,
            _ => {
                let causes = self.parts.reporter.causes(&fault);
                tracing::warn!(%connector, task, %stage, rows, "looking for the records that made a call fail: {causes}");
                self.poison.narrow(rows, next_offsets(consumed));
            }
        }
        self.start_over(is_gone).await
    }

    async fn found_bad(
        &mut self,
        consumed: &ConsumedBatch,
        row: usize,
        fault: Fault,
    ) -> Result<(), Fault> {
        let Some(place) = position(consumed, row) else { return Err(fault) };
        let Fault { stage, message, class, trace, source, .. } = fault;
        let class = class.or_else(|| Some(CONNECT_EXCEPTION.to_owned()));
        let problem = Problem { message, class, trace };
        if !self.poison.found(place) {
            let most = self.poison.in_a_row_max;
            let why = format!(
                "More than {most} records in a row ({POISON_ROWS_MAX}) failed alone: it is the plugin that fails, not they"
            );
            let fault = caused_by(stage, &why, &problem);
            return Err(match source {
                Some(source) => fault.with_source(source),
                None => fault,
            });
        }
        let class = self.instance.pipeline.class_at(stage);
        let at = Executing { stage, class: class.as_deref().unwrap_or(REFUSED.class) };
        self.errors.judge(at, Record::Consumed { batch: consumed, row }, &problem)?;
        self.errors.hand_over().await
    }

    /// Starts all plugins anew, which get their rows again from the committed offsets on.
    async fn start_over(&mut self, is_gone: bool) -> Result<(), Fault> {
        if !is_gone {
            let ended = self.end_sink().await;
            if !is_instance_gone(&ended) {
                self.parts.survive("the sink failed to stop", ended)?;
            }
        }
        self.is_stopped = true;
        self.instance = Instance::start(&self.parts).await?;
        self.is_stopped = false;
        self.begin_again().await
    }

    /// Commits what the sink has, closes its partitions and stops it.
    async fn end_sink(&mut self) -> Result<(), Fault> {
        let all = self.partitions.all();
        self.commit_closing(&all).await?;
        if !all.is_empty() {
            self.instance.sink.close(&all).await?;
        }
        self.instance.sink.stop().await
    }

    /// Takes in that the sink took rows. While bad ones are searched, that is committed at once.
    pub(super) async fn took(&mut self, rows: u32) -> Result<(), Fault> {
        let is_searching = self.poison.search.is_some();
        self.poison.succeeded(rows, &self.partitions, self.rows_max);
        if !is_searching {
            return Ok(());
        }
        let all = self.partitions.all();
        let closing = self.commit_closing(&all).await?;
        self.follow_requests(closing.requests).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_model::Stage;

    fn offset(offset: i64) -> PartitionOffset {
        PartitionOffset { at: TopicPartition::new("t", 0), offset }
    }

    fn given_up_to(next: i64) -> Partitions {
        let mut partitions = Partitions::default();
        partitions.add(&[offset(0)]);
        partitions.advance(&[offset(next)]);
        partitions
    }

    #[test]
    fn calls_are_halved_until_a_row_fails_alone_and_grow_again_behind_it() {
        let mut poison = Poison::new(1);
        assert_eq!(poison.rows_max(500), 500);
        poison.narrow(500, vec![offset(500)]);
        assert_eq!(poison.rows_max(500), 250);
        poison.succeeded(250, &given_up_to(250), 500);
        assert_eq!(poison.rows_max(500), 250, "it is behind these");
        poison.narrow(3, vec![offset(253)]);
        assert!(poison.found(offset(250)));
        poison.succeeded(0, &given_up_to(251), 500);
        assert_eq!(poison.rows_max(500), 2);
        (0..8).for_each(|_| poison.succeeded(1, &given_up_to(300), 500));
        assert_eq!(poison.rows_max(500), 500);
        assert!(poison.search.is_none());
    }

    #[test]
    fn only_rows_without_a_good_one_between_are_too_many() {
        let mut poison = Poison::new(2);
        assert!(poison.found(offset(0)) && poison.found(offset(1)));
        poison.succeeded(0, &given_up_to(2), 500);
        assert!(!poison.found(offset(2)), "no row was good");
        poison.succeeded(1, &given_up_to(4), 500);
        assert!(poison.found(offset(5)));
    }

    #[test]
    fn deadlines_and_settings_are_not_the_rows_fault_and_a_search_can_be_turned_off() {
        let fault = |kind| Fault::new(kind, Stage::TaskPut, "");
        let searched = |kind| Poison::new(1).may_be_of_rows(&fault(kind));
        assert!(searched(FaultKind::Fatal));
        assert!(searched(FaultKind::Plugin(Breach::Trap)));
        assert!(!searched(FaultKind::Plugin(Breach::Deadline)));
        assert!(!searched(FaultKind::Config));
        assert!(!Poison::new(0).may_be_of_rows(&fault(FaultKind::Fatal)));
    }

    #[test]
    fn bad_rows_are_known_until_they_are_committed_though_the_search_has_ended() {
        let mut poison = Poison::new(9);
        poison.found(offset(1));
        let usual = 1;
        let consumed = ConsumedBatch {
            rows: 3,
            topics: vec!["t".into()],
            topic: vec![0; 3],
            partition: vec![0; 3],
            offset: vec![0, 1, 2],
            ..ConsumedBatch::default()
        };
        assert_eq!(poison.known_in(&consumed), [1]);
        let mut partitions = given_up_to(2);
        poison.succeeded(1, &partitions, usual);
        assert!(poison.search.is_none());
        assert_eq!(poison.known_in(&consumed), [1]);
        partitions.committed(&[offset(2)]);
        poison.succeeded(1, &partitions, usual);
        assert_eq!(poison.known_in(&consumed), Vec::<u32>::new());
    }
}

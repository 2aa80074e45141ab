//! When a task commits, and the commit that is on its way.
//!
//! Not here: which offsets (`submitted_records`, `sink_task`), and storing them.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tombolo_model::offset::{PartitionOffset, SourcePosition, TopicPartition};
use tombolo_store::{self as store, ConnectorOffsetStore};

use crate::ignored::Ignored;

/// Shortest time between two commits, whatever `offset.flush.interval.ms` says: a task with nothing to do must not spin.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// When the next commit is due.
#[derive(Debug)]
pub(crate) struct Schedule {
    interval: Duration,
    timeout: Duration,
    next: Instant,
    requested: bool,
}

impl Schedule {
    /// The first commit is due after one interval, as in Kafka Connect.
    pub(crate) fn new(interval: Duration, timeout: Duration) -> Self {
        let interval = interval.max(INTERVAL_MIN);
        Self { interval, timeout, next: Instant::now() + interval, requested: false }
    }

    /// Whether a commit should start.
    pub(crate) fn is_due(&self) -> bool {
        self.requested || Instant::now() >= self.next
    }

    /// Time until a commit should start.
    pub(crate) fn wait(&self) -> Duration {
        if self.requested { Duration::ZERO } else { self.next - Instant::now() }
    }

    /// Asks for a commit as soon as possible.
    pub(crate) fn request(&mut self) {
        self.requested = true;
    }

    /// A commit started: the next is due an interval later.
    pub(crate) fn started(&mut self) {
        self.requested = false;
        self.next = Instant::now() + self.interval;
    }

    /// How long a commit may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// A source's commit: its offsets are written beside the loop, and the source is told once they are durable.
#[derive(Debug)]
pub(crate) enum SourceCommit {
    /// None is on its way.
    Idle,
    /// These offsets are being written.
    InFlight {
        offsets: Vec<SourcePosition>,
        began: Instant,
        write: JoinHandle<Result<(), WriteFailed>>,
    },
}

/// Why offsets were not stored. They are written again with the next commit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteFailed {
    /// `offset.flush.timeout.ms` is over.
    #[error("timed out")]
    TimedOut,
    /// The store could not.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// The writing was given up.
    #[error("given up")]
    GivenUp,
}

impl SourceCommit {
    /// Starts to write offsets, for at most `timeout`.
    pub(crate) fn start(
        store: ConnectorOffsetStore,
        offsets: Vec<SourcePosition>,
        timeout: Duration,
    ) -> Self {
        let positions = offsets.clone();
        let write = tokio::spawn(async move {
            match tokio::time::timeout(timeout, store.write(&positions)).await {
                Ok(written) => Ok(written?),
                Err(_) => Err(WriteFailed::TimedOut),
            }
        });
        Self::InFlight { offsets, began: Instant::now(), write }
    }

    /// Whether an answer is there.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self, Self::InFlight { write, .. } if write.is_finished())
    }

    /// Waits for the answer and takes it, with the offsets it is about and how long it took; none where no commit is on its way.
    pub(crate) async fn answer(
        &mut self,
    ) -> Option<(Vec<SourcePosition>, Result<(), WriteFailed>, Duration)> {
        let Self::InFlight { write, .. } = self else { return None };
        let answer = write.await.unwrap_or(Err(WriteFailed::GivenUp));
        match std::mem::replace(self, Self::Idle) {
            Self::InFlight { offsets, began, .. } => Some((offsets, answer, began.elapsed())),
            Self::Idle => None,
        }
    }
}

/// A sink's commit: its consumer answers in the order of the commits.
#[derive(Debug)]
pub(crate) struct SinkCommit {
    in_flight: Option<(Vec<PartitionOffset>, Instant)>,
    /// Answers still to come for commits that timed out.
    late: u32,
}

impl SinkCommit {
    /// None is on its way.
    pub(crate) fn idle() -> Self {
        Self { in_flight: None, late: 0 }
    }

    /// Whether one is on its way.
    pub(crate) fn is_in_flight(&self) -> bool {
        self.in_flight.is_some()
    }

    /// A commit of these offsets was sent.
    pub(crate) fn started(&mut self, offsets: Vec<PartitionOffset>) {
        self.in_flight = Some((offsets, Instant::now()));
    }

    /// Gives up on a commit that takes longer than `timeout`. Answers whether it did.
    pub(crate) fn give_up_after(&mut self, timeout: Duration) -> bool {
        let over = self.in_flight.take_if(|(_, started)| started.elapsed() >= timeout).is_some();
        self.late += u32::from(over);
        over
    }

    /// Gives up on a commit because a later one is done: its answer must not take anything back.
    pub(crate) fn give_up(&mut self) {
        self.give_up_after(Duration::ZERO);
    }

    /// Takes an answer: the offsets it is about, unless it is late.
    pub(crate) fn answered(&mut self) -> Option<Vec<PartitionOffset>> {
        if self.late > 0 {
            self.late -= 1;
            return None;
        }
        self.in_flight.take().map(|(offsets, _)| offsets)
    }
}

/// Which of a sink's answers to `pre_commit` may be committed: everything it said, over what was committed, except offsets of partitions that it
/// was not asked about, and offsets that it was not given yet; and up to the first row that is on its way to a dead letter queue. None where
/// nothing changed.
///
/// Follows `WorkerSinkTask.commitOffsets` of Kafka Connect.
pub(crate) fn committable(
    asked: &[Progress],
    answered: &[PartitionOffset],
) -> Option<Vec<PartitionOffset>> {
    let Answered { offsets, foreign, early } = Answered::of(asked, answered);
    if !foreign.is_empty() {
        let count = foreign.count();
        tracing::warn!(
            "Ignoring {count} invalid task provided offsets -- partition not assigned: {foreign}"
        );
    }
    if !early.is_empty() {
        let count = early.count();
        tracing::warn!(
            "Ignoring {count} invalid task provided offsets -- not yet consumed: {early}"
        );
    }
    let changed = asked.iter().zip(&offsets).any(|(asked, now)| asked.committed != now.offset);
    changed.then_some(offsets)
}

/// What a sink's answer to `pre_commit` comes to.
#[derive(Debug)]
struct Answered {
    /// The offset of each partition that it was asked about, in that order.
    offsets: Vec<PartitionOffset>,
    /// What it said of other partitions.
    foreign: Ignored,
    /// Offsets that it was not given yet.
    early: Ignored,
}

impl Answered {
    /// Takes what it said last of each partition.
    ///
    /// Cost: a look into a map for each answer, however many partitions it was asked about.
    fn of(asked: &[Progress], answered: &[PartitionOffset]) -> Self {
        let (mut foreign, mut early) = (Ignored::default(), Ignored::default());
        let mut offsets: Vec<PartitionOffset> = asked
            .iter()
            .map(|asked| PartitionOffset { at: asked.current.at.clone(), offset: asked.committed })
            .collect();
        let places: HashMap<&TopicPartition, usize> =
            asked.iter().enumerate().map(|(place, asked)| (&asked.current.at, place)).collect();
        for PartitionOffset { at, offset } in answered {
            let place = places.get(at).copied().unwrap_or(usize::MAX);
            match asked.get(place).zip(offsets.get_mut(place)) {
                None => foreign.add(format_args!("{at}/{offset}")),
                Some((asked, _)) if *offset > asked.current.offset => {
                    let current = asked.current.offset;
                    early.add(format_args!("{at}/{offset} currentOffset={current}"));
                }
                Some((asked, now)) => {
                    let open = asked.open.map_or(i64::MAX, |open| open.max(asked.committed));
                    now.offset = (*offset).min(open);
                }
            }
        }
        Self { offsets, foreign, early }
    }
}

/// How far a sink is in a partition.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// The next offset to give it.
    pub(crate) current: PartitionOffset,
    /// The offset last committed.
    pub(crate) committed: i64,
    /// The first offset that may not be committed past, whatever the sink says.
    pub(crate) open: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(partition: i32, offset: i64) -> PartitionOffset {
        PartitionOffset { at: TopicPartition::new("t", partition), offset }
    }

    #[test]
    fn only_offsets_that_the_sink_was_given_are_committed() {
        let asked = |partition, current, committed| Progress {
            current: offset(partition, current),
            committed,
            open: None,
        };
        let mut asked = [asked(0, 10, 5), asked(1, 20, 20)];
        let check = |asked: &[Progress], answered: &[PartitionOffset], expected: Option<&[i64]>| {
            let offsets = committable(asked, answered);
            let offsets: Option<Vec<i64>> =
                offsets.map(|offsets| offsets.iter().map(|offset| offset.offset).collect());
            assert_eq!(offsets.as_deref(), expected, "{answered:?}");
        };
        check(&asked, &[], None);
        check(&asked, &[offset(0, 5), offset(1, 20)], None);
        check(&asked, &[offset(0, 8)], Some(&[8, 20]));
        check(&asked, &[offset(0, 10), offset(1, 3)], Some(&[10, 3]));
        check(&asked, &[offset(0, 11)], None);
        check(&asked, &[offset(2, 1)], None);
        check(&asked, &[offset(0, 11), offset(1, 19), offset(2, 1)], Some(&[5, 19]));
        // The first row that is not settled holds the commit up, but never takes it back.
        asked[0].open = Some(7);
        asked[1].open = Some(3);
        check(&asked, &[offset(0, 10), offset(1, 20)], Some(&[7, 20]));
        check(&asked, &[offset(0, 6)], Some(&[6, 20]));
        asked[0].open = Some(5);
        check(&asked, &[offset(0, 10)], None);
    }

    #[test]
    fn however_much_a_sink_answers_beside_the_point_is_told_of_together() {
        let asked: Vec<Progress> = (0..1000)
            .map(|partition| Progress { current: offset(partition, 10), committed: 5, open: None })
            .collect();
        let mut answered: Vec<PartitionOffset> =
            (0..1000).rev().map(|partition| offset(partition, 7)).collect();
        answered.extend((0..200_000).map(|partition| offset(1000 + partition, 1)));
        answered.extend((0..7).map(|partition| offset(partition, 11)));
        answered.push(offset(3, 8));
        let Answered { offsets, foreign, early } = Answered::of(&asked, &answered);
        let expected = |partition| offset(partition, if partition == 3 { 8 } else { 7 });
        assert_eq!(offsets, (0..1000).map(expected).collect::<Vec<_>>());
        assert_eq!(
            foreign.to_string(),
            "t-1000/1, t-1001/1, t-1002/1, t-1003/1, t-1004/1 and 199995 more"
        );
        let early = early.to_string();
        assert!(early.starts_with("t-0/11 currentOffset=10, t-1/11 "), "{early}");
        assert!(early.ends_with(" and 2 more"), "{early}");
    }

    #[test]
    fn a_late_answer_is_not_taken_for_the_next_commit_s() {
        let mut commit = SinkCommit::idle();
        commit.started(vec![offset(0, 1)]);
        assert!(!commit.give_up_after(Duration::from_secs(3_600)));
        assert!(commit.give_up_after(Duration::ZERO));
        commit.started(vec![offset(0, 2)]);
        assert_eq!(commit.answered(), None, "the first one's answer");
        assert_eq!(commit.answered(), Some(vec![offset(0, 2)]));
        commit.started(vec![offset(0, 3)]);
        commit.give_up();
        assert_eq!((commit.is_in_flight(), commit.answered()), (false, None));
    }

    #[tokio::test]
    async fn a_commit_is_due_after_the_interval_or_when_asked_for() {
        let mut schedule = Schedule::new(Duration::from_secs(3_600), Duration::from_secs(1));
        assert!(!schedule.is_due());
        schedule.request();
        assert!(schedule.is_due());
        schedule.started();
        assert!(!schedule.is_due());
        let schedule = Schedule::new(Duration::ZERO, Duration::from_secs(1));
        assert!(!schedule.is_due() && schedule.wait() <= INTERVAL_MIN);
        tokio::time::sleep(schedule.wait()).await;
        assert!(schedule.is_due());
    }
}

//! Tables for each rule, and a model that keeps one queue per source partition as Kafka Connect does.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn partition(name: u8) -> SourcePartition {
    SourcePartition(vec![0xa1, 0x61, b'p', name])
}

/// A batch whose rows stand in these partitions, with ascending offsets from `first`.
fn positions(first: u8, rows: &[u8]) -> Positions {
    let mut names: Vec<u8> = rows.to_vec();
    names.sort_unstable();
    names.dedup();
    let mut offset = Column::default();
    (0..rows.len()).for_each(|row| offset.push(&[first + u8::try_from(row).unwrap()]));
    Positions {
        rows: u32::try_from(rows.len()).unwrap(),
        partition: rows
            .iter()
            .map(|row| u32::try_from(names.binary_search(row).unwrap()).unwrap())
            .collect(),
        partitions: names.into_iter().map(partition).collect(),
        offset,
    }
}

fn taken(submitted: &mut SubmittedRecords) -> Vec<(u8, u8)> {
    submitted
        .committable_offsets()
        .into_iter()
        .map(|at| (at.partition.0[3], at.offset.unwrap().0[0]))
        .collect()
}

#[test]
fn offsets_after_an_unsettled_row_are_not_committed() {
    let mut submitted = SubmittedRecords::default();
    assert_eq!(submitted.submit(positions(0, b"aaaa"), None, 4), 0);
    for seq in [0, 1, 3] {
        assert!(submitted.settle(seq));
    }
    assert_eq!(taken(&mut submitted), [(b'a', 1)]);
    assert_eq!(taken(&mut submitted), [], "taken once");
    assert!(submitted.settle(2));
    assert_eq!(taken(&mut submitted), [(b'a', 3)]);
    assert!(submitted.is_settled());
    assert!(!submitted.settle(2), "settled before");
}

#[test]
fn a_stuck_partition_does_not_hold_up_another() {
    let mut submitted = SubmittedRecords::default();
    submitted.submit(positions(0, b"abab"), None, 4);
    submitted.submit(positions(10, b"bbaa"), None, 4);
    (1..8).for_each(|seq| assert!(submitted.settle(seq)));
    assert_eq!(taken(&mut submitted), [(b'b', 11)]);
    assert!(!submitted.is_settled());
    submitted.settle(0);
    assert_eq!(taken(&mut submitted), [(b'a', 13)]);
    assert_eq!((submitted.is_settled(), submitted.held_bytes()), (true, 0));
}

#[test]
fn dropped_rows_are_settled_and_split_rows_only_as_a_whole() {
    let mut submitted = SubmittedRecords::default();
    // Row 0 was dropped, row 1 became two, row 2 was dropped.
    submitted.submit(positions(0, b"aaa"), Some(vec![1, 1]), 2);
    assert_eq!(taken(&mut submitted), [(b'a', 0)]);
    submitted.settle(0);
    assert_eq!(taken(&mut submitted), []);
    submitted.settle(1);
    assert_eq!(taken(&mut submitted), [(b'a', 2)]);
    // All rows of a batch were dropped, behind one that is not settled and in front of one that is.
    submitted.submit(positions(10, b"a"), None, 1);
    submitted.submit(positions(20, b"ab"), Some(vec![]), 0);
    assert_eq!(submitted.submit(positions(30, b"b"), None, 1), 3);
    submitted.settle(3);
    assert_eq!(taken(&mut submitted), [(b'b', 30)]);
    submitted.settle(2);
    assert_eq!(taken(&mut submitted), [(b'a', 20)]);
}

#[test]
fn a_partition_named_twice_in_a_batch_is_one() {
    let mut submitted = SubmittedRecords::default();
    let mut at = positions(0, b"ab");
    at.partitions[1] = partition(b'a');
    submitted.submit(at, None, 2);
    submitted.settle(1);
    assert_eq!(taken(&mut submitted), []);
    submitted.settle(0);
    assert_eq!(taken(&mut submitted), [(b'a', 1)]);
}

#[test]
fn offsets_that_could_not_be_stored_come_again_unless_newer_ones_are_there() {
    let mut submitted = SubmittedRecords::default();
    submitted.submit(positions(0, b"ab"), None, 2);
    submitted.settle(0);
    submitted.settle(1);
    let lost = submitted.committable_offsets();
    submitted.submit(positions(10, b"b"), None, 1);
    submitted.settle(2);
    submitted.restore(lost);
    assert_eq!(taken(&mut submitted), [(b'a', 0), (b'b', 10)]);
}

/// One queue per partition, one entry per polled row: the offset, and the sent rows that are not settled.
#[derive(Default)]
struct Model(BTreeMap<u8, VecDeque<(u8, HashSet<u64>)>>);

impl Model {
    fn committable(&mut self) -> Vec<(u8, u8)> {
        let mut out = Vec::new();
        for (&partition, queue) in &mut self.0 {
            let mut last = None;
            while let Some((offset, _)) = queue.pop_front_if(|(_, waiting)| waiting.is_empty()) {
                last = Some(offset);
            }
            out.extend(last.map(|offset| (partition, offset)));
        }
        out
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Partition of each polled row, and how many rows it became.
    Submit(Vec<(u8, u32)>),
    Settle(prop::sample::Index),
    Commit,
    FailedCommit,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rows = prop::collection::vec((b'a'..=b'd', 0..3_u32), 0..9);
    prop::collection::vec(
        prop_oneof![
            2 => rows.prop_map(Step::Submit),
            12 => any::<prop::sample::Index>().prop_map(Step::Settle),
            2 => Just(Step::Commit),
            1 => Just(Step::FailedCommit),
        ],
        0..120,
    )
}

proptest! {
    #[test]
    fn committable_offsets_are_those_of_a_queue_per_partition(steps in steps()) {
        let (mut submitted, mut model) = (SubmittedRecords::default(), Model::default());
        let (mut offset, mut unsettled) = (0_u8, Vec::<u64>::new());
        for step in steps {
            match step {
                Step::Submit(rows) => {
                    if usize::from(u8::MAX - offset) < rows.len() {
                        continue;
                    }
                    let names: Vec<u8> = rows.iter().map(|row| row.0).collect();
                    let origin: Vec<u32> = (0_u32..).zip(&rows)
                        .flat_map(|(row, &(_, copies))| std::iter::repeat_n(row, copies as usize))
                        .collect();
                    let sent = u32::try_from(origin.len()).unwrap();
                    let one_to_one = rows.iter().all(|&(_, copies)| copies == 1);
                    let mut seq = submitted.submit(
                        positions(offset, &names), (!one_to_one).then_some(origin), sent);
                    for (name, copies) in rows {
                        let waiting: HashSet<u64> = (seq..seq + u64::from(copies)).collect();
                        seq += u64::from(copies);
                        unsettled.extend(&waiting);
                        model.0.entry(name).or_default().push_back((offset, waiting));
                        offset += 1;
                    }
                }
                Step::Settle(_) if unsettled.is_empty() => {}
                Step::Settle(which) => {
                    let seq = unsettled.swap_remove(which.index(unsettled.len()));
                    prop_assert!(submitted.settle(seq));
                    model.0.values_mut().flatten().for_each(|entry| { entry.1.remove(&seq); });
                }
                Step::Commit => prop_assert_eq!(taken(&mut submitted), model.committable()),
                Step::FailedCommit => {
                    let lost = submitted.committable_offsets();
                    submitted.restore(lost);
                }
            }
            prop_assert!(!unsettled.is_empty() || submitted.is_settled());
        }
        unsettled.into_iter().for_each(|seq| { submitted.settle(seq); });
        model.0.values_mut().flatten().for_each(|entry| entry.1.clear());
        prop_assert_eq!(taken(&mut submitted), model.committable());
        prop_assert!(submitted.is_settled());
        prop_assert_eq!(submitted.held_bytes(), 0);
    }
}

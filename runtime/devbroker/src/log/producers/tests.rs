//! Tests of what a partition knows of its producers.

use kafka_protocol::ResponseError::{
    self, InvalidProducerEpoch, InvalidTxnState, OutOfOrderSequenceNumber,
};

use super::*;
use crate::log::batch;

fn header(id: i64, epoch: i16, sequence: i32, base: i64, transactional: bool) -> Header {
    Header {
        base,
        bytes: 100,
        attributes: if transactional { 0x10 } else { 0 },
        last_offset_delta: 1,
        base_timestamp: 0,
        max_timestamp: 0,
        producer_id: id,
        producer_epoch: epoch,
        base_sequence: sequence,
        count: 2,
    }
}

fn marker(id: i64, epoch: i16, base: i64, commit: bool) -> Header {
    let mut bytes = batch::end_marker(id, epoch, commit, 0).to_vec();
    batch::assign_offset(&mut bytes, base);
    Header::parse(&bytes).unwrap()
}

/// Checks a batch of two records, and applies it at `base` if it is new.
fn put(producers: &mut Producers, batch: Header) -> Result<Check, ResponseError> {
    let check = producers.check(&batch);
    if check == Ok(Check::New) {
        producers.apply(&batch, None, 0);
    }
    check
}

#[test]
fn sequences_follow_each_other_and_the_last_five_batches_are_recognised() {
    let mut producers = Producers::default();
    for i in 0..7 {
        let batch = header(1, 0, 2 * i, 10 * i64::from(i), false);
        assert_eq!(put(&mut producers, batch), Ok(Check::New));
    }
    for i in 2..7 {
        let again = header(1, 0, 2 * i, 999, false);
        assert_eq!(producers.check(&again), Ok(Check::Duplicate(10 * i64::from(i))));
    }
    for wrong in [2, 13, 15, 100] {
        let batch = header(1, 0, wrong, 999, false);
        assert_eq!(producers.check(&batch), Err(OutOfOrderSequenceNumber), "{wrong}");
    }
    assert_eq!(producers.check(&header(1, 0, 14, 999, false)), Ok(Check::New));
}

#[test]
fn sequences_wrap() {
    let mut producers = Producers::default();
    assert_eq!(put(&mut producers, header(1, 0, i32::MAX - 1, 0, false)), Ok(Check::New));
    assert_eq!(put(&mut producers, header(1, 0, 0, 2, false)), Ok(Check::New));
    let batch = header(1, 0, i32::MAX, 4, false);
    assert_eq!(producers.check(&batch), Err(OutOfOrderSequenceNumber));
}

#[test]
fn a_new_epoch_begins_at_zero_and_ends_the_old_one() {
    let mut producers = Producers::default();
    put(&mut producers, header(1, 3, 5, 0, false)).unwrap();
    let late = header(1, 4, 7, 2, false);
    assert_eq!(producers.check(&late), Err(OutOfOrderSequenceNumber));
    assert_eq!(put(&mut producers, header(1, 4, 0, 2, false)), Ok(Check::New));
    assert_eq!(producers.check(&header(1, 3, 7, 4, false)), Err(InvalidProducerEpoch));
}

#[test]
fn only_who_was_let_in_writes_to_a_transaction_until_its_marker() {
    let mut producers = Producers::default();
    let batch = |sequence, base| header(1, 2, sequence, base, true);
    assert_eq!(producers.check(&batch(0, 0)), Err(InvalidTxnState));
    producers.admit(1, 2);
    assert_eq!(producers.check(&header(1, 1, 0, 0, true)), Err(InvalidProducerEpoch));
    assert_eq!(producers.check(&header(1, 2, 0, 0, false)), Err(InvalidTxnState));
    assert_eq!(put(&mut producers, batch(0, 0)), Ok(Check::New));
    assert_eq!(producers.first_open(), Some(0));
    producers.apply(&marker(1, 2, 2, true), Some(true), 0);
    assert_eq!(producers.first_open(), None);
    assert_eq!(producers.check(&batch(2, 3)), Err(InvalidTxnState));
}

#[test]
fn the_oldest_open_transaction_counts_and_aborted_ones_are_listed_by_range() {
    let mut producers = Producers::default();
    for (id, base) in [(1, 0), (2, 2), (3, 4)] {
        producers.admit(id, 0);
        put(&mut producers, header(id, 0, 0, base, true)).unwrap();
    }
    assert_eq!(producers.first_open(), Some(0));
    producers.apply(&marker(1, 0, 6, false), Some(false), 0);
    assert_eq!(producers.first_open(), Some(2));
    producers.apply(&marker(3, 0, 7, false), Some(false), 0);
    producers.apply(&marker(2, 0, 8, true), Some(true), 0);
    assert_eq!(producers.first_open(), None);
    let first = Aborted { producer_id: 1, first: 0, last: 6 };
    let third = Aborted { producer_id: 3, first: 4, last: 7 };
    for (from, before, expected) in [
        (0, 100, vec![first, third]),
        (0, 4, vec![first]),
        (7, 100, vec![third]),
        (8, 100, vec![]),
        (0, 0, vec![]),
    ] {
        assert_eq!(producers.aborted_in(from, before), expected, "{from}..{before}");
    }
    producers.forget_aborted_below(7);
    assert_eq!(producers.aborted_in(0, 100), [third]);
}

#[test]
fn a_transaction_that_the_coordinator_does_not_know_is_an_orphan() {
    let mut producers = Producers::default();
    producers.apply(&header(1, 4, 0, 0, true), None, 0);
    producers.apply(&header(2, 5, 0, 2, true), None, 0);
    producers.admit(2, 5);
    assert_eq!(producers.orphans(), [(1, 4)]);
}

#[test]
fn silent_producers_are_forgotten_after_a_day_unless_in_a_transaction() {
    let mut producers = Producers::default();
    put(&mut producers, header(1, 0, 0, 0, false)).unwrap();
    producers.admit(2, 0);
    put(&mut producers, header(2, 0, 0, 2, true)).unwrap();
    producers.expire(EXPIRATION_MS);
    assert_eq!(producers.all().count(), 2);
    producers.expire(EXPIRATION_MS + 1);
    assert_eq!(producers.all().map(|known| known.id).collect::<Vec<_>>(), [2]);
    let unknown = header(1, 0, 77, 4, false);
    assert_eq!(producers.check(&unknown), Ok(Check::New), "a forgotten one may go on");
}

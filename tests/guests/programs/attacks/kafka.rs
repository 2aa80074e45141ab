//! Writes to Kafka what does not belong there, and claims what is not true of what it read.

use std::cell::Cell;

use tombolo_guest_programs::host::types::{
    Batch, Column, Fault, PartitionOffset, RowFault, TopicPartition,
};
use tombolo_guest_programs::interfaces::sink;
use tombolo_guest_programs::rows::{self, problem};

use crate::{Answer, setting, tell};

/// Rows of a batch.
const ROWS: u32 = 5_000;

thread_local! {
    static POLLS: Cell<u32> = const { Cell::new(0) };
}

/// How many polls there were before this.
fn polls() -> u32 {
    POLLS.replace(POLLS.get() + 1)
}

pub(crate) fn attack(name: &str) -> Option<Answer> {
    Some(match name {
        "writes" => writes(),
        "timestamps" => timestamps(),
        "500 topics" => topics(),
        "names that are none" => bad_names(),
        "a key of 16 MiB" => key(),
        "offsets that go back" => backwards(),
        "nulls" => nulls(),
        "a million headers" => headers(),
        _ => return None,
    })
}

fn column(row: &[u8], rows: u32) -> Column {
    let mut column = rows::empty().value.bytes;
    for _ in 0..rows {
        column.data.extend_from_slice(row);
        column.ends.push(column.data.len() as u32);
    }
    column
}

/// A text as CBOR.
fn text(of: &str) -> Vec<u8> {
    let mut cbor = vec![0x7a];
    cbor.extend_from_slice(&(of.len() as u32).to_be_bytes());
    cbor.extend_from_slice(of.as_bytes());
    cbor
}

fn batch(rows: u32, topics: Vec<String>, topic: Vec<u32>) -> Batch {
    let value = column(&text("attack"), rows);
    let mut records = Batch { rows, topics, topic, ..rows::empty() };
    records.value.bytes = value;
    records
}

fn send(records: Batch) -> Answer {
    Ok(rows::source_batch(records))
}

/// One record to `topic`, with `key` and `value`. Then it waits, so that it is sent.
fn writes() -> Answer {
    if polls() > 0 {
        return send(rows::empty());
    }
    let mut records = batch(1, vec![setting("topic")], vec![]);
    records.key.bytes = column(&text(&setting("key")), 1);
    records.value.bytes = column(&text(&setting("value")), 1);
    send(records)
}

fn timestamps() -> Answer {
    let times = [i64::MIN, -1, -2, i64::MAX, 1 << 60];
    if polls() > 10 {
        return tell("wrote odd timestamps");
    }
    let mut records = batch(5, vec![setting("topic")], vec![]);
    records.timestamp = times.to_vec();
    send(records)
}

/// A topic of its own for each row.
fn topics() -> Answer {
    const TOPICS: u32 = 100;
    let turn = polls();
    if turn > 4 {
        return tell("wrote to 500 topics");
    }
    let names = (0..TOPICS).map(|row| format!("flood-{turn}-{row}")).collect();
    send(batch(TOPICS, names, (0..TOPICS).collect()))
}

fn bad_names() -> Answer {
    let names = ["", ".", "..", "../../etc/passwd", "a\0b", "a b", "é", &"x".repeat(100_000)];
    let rows = names.len() as u32;
    send(batch(rows, names.map(str::to_owned).to_vec(), (0..rows).collect()))
}

fn key() -> Answer {
    let mut records = batch(1, vec![setting("topic")], vec![]);
    records.key.bytes = column(&text(&"k".repeat(14 << 20)), 1);
    send(records)
}

fn backwards() -> Answer {
    let turn = polls();
    if turn > 20 {
        return tell("went back 20 times");
    }
    let mut batch = rows::source_batch(batch(10, vec![setting("topic")], vec![]));
    let rows = 10_u32;
    let mut offset = rows::empty().value.bytes;
    for row in 0..rows {
        offset.data.extend_from_slice(b"\xa1\x61o\x1a");
        offset.data.extend_from_slice(&(u32::MAX - turn * 1_000 - row).to_be_bytes());
        offset.ends.push(offset.data.len() as u32);
    }
    batch.offset = offset;
    Ok(batch)
}

fn nulls() -> Answer {
    if polls() > 4 {
        return tell("wrote 25000 nulls");
    }
    let mut records = batch(ROWS, vec![setting("topic")], vec![]);
    records.value.bytes =
        Column { ends: vec![0; ROWS as usize], nulls: (0..ROWS).collect(), data: vec![] };
    send(records)
}

fn headers() -> Answer {
    const COUNT: u32 = 1_000_000;
    let mut records = batch(1, vec![setting("topic")], vec![]);
    records.headers.ends = vec![COUNT];
    records.headers.names = column(b"h", COUNT);
    records.headers.values.bytes = column(&text("v"), COUNT);
    send(records)
}

/// Bad rows for the worker to believe in, or requests about partitions that it does not have.
pub(crate) fn put(attack: &str, records: &Batch) -> Result<sink::PutResult, Fault> {
    let elsewhere = |partition| TopicPartition { topic: "not-assigned".into(), partition };
    let requests = match attack {
        "requests about strange partitions" if records.rows > 0 => Some(sink::Requests {
            rewind: vec![PartitionOffset { at: elsewhere(7), offset: i64::MAX }],
            pause: (0..10_000).map(elsewhere).collect(),
            resume: (0..10_000).map(elsewhere).collect(),
            commit: true,
            timeout_ms: Some(u64::MAX),
            faults: vec![],
        }),
        "faults without end" => {
            let fault = |_| RowFault { row: 0, problem: problem(&"f".repeat(100)) };
            return Ok(sink::PutResult {
                faults: (0..60_000).map(fault).collect(),
                requests: None,
            });
        }
        _ => None,
    };
    Ok(sink::PutResult { faults: vec![], requests })
}

/// Offsets of records that were never there.
pub(crate) fn pre_commit(
    attack: &str,
    offsets: Vec<PartitionOffset>,
) -> Result<sink::CommitResult, Fault> {
    let beyond = |one: PartitionOffset| PartitionOffset { offset: i64::MAX, ..one };
    let offsets = match attack {
        "offsets beyond the end" => offsets.into_iter().map(beyond).collect(),
        "offsets of others" => vec![PartitionOffset {
            at: TopicPartition { topic: "not-assigned".into(), partition: 0 },
            offset: 1,
        }],
        _ => offsets,
    };
    Ok(sink::CommitResult { offsets, requests: None })
}

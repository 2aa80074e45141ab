//! Lies to the host about where its answers lie and what they are, below the level at which bindings would not let it.

#![expect(unsafe_code, reason = "a lie that the type system would not let pass")]

use std::hint::black_box;

use tombolo_guest_programs::host::{offsets, schemas, types};
use tombolo_guest_programs::interfaces::source;
use tombolo_guest_programs::rows;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll::Pollable;

use crate::allocator::{Next, arm};
use crate::{Answer, denied, tell};

/// How deep nested values are.
const DEPTH: usize = 200_000;

pub(crate) fn attack(name: &str) -> Option<Answer> {
    Some(match name {
        "a list of 2 GiB" => with_value(listed(8, (1 << 31) - 1)),
        "aliasing lists" => aliasing(),
        "a pointer outside memory" => with_value(listed(0xffff_0000, 4_096)),
        "a misaligned list" => misaligned(),
        "invalid UTF-8" => with_topics(vec![text(vec![b'a', 0xff, 0xfe])]),
        "an unknown discriminant" => unknown_discriminant(),
        "a million strings" => with_topics(vec![String::new(); 1_000_000]),
        "nested without end" => denied(nested()),
        "an unknown handle" => handle(|| 77_777),
        "a handle dropped twice" => handle(dropped),
        "a stream dropped before what waits for it" => parent_first(),
        "a flood of resources" => resources(),
        "room outside memory" => elsewhere(),
        "schemas without end" => schemas_without_end(),
        _ => return None,
    })
}

/// A list that is not where it claims to be.
fn listed<T>(at: usize, length: usize) -> Vec<T> {
    let at = std::ptr::without_provenance_mut(black_box(at));
    // SAFETY: none of it is: the host must find out.
    unsafe { Vec::from_raw_parts(at, length, length) }
}

/// A text that is none.
fn text(bytes: Vec<u8>) -> String {
    // SAFETY: it is not UTF-8, and the host must find out.
    unsafe { String::from_utf8_unchecked(black_box(bytes)) }
}

/// A batch of one row.
fn one_row() -> source::SourceBatch {
    let mut records = rows::empty();
    records.rows = 1;
    records.topics = vec!["attacked".into()];
    records.value.bytes.ends = vec![1];
    records.value.bytes.data = vec![b'x'];
    rows::source_batch(records)
}

fn with_value(data: Vec<u8>) -> Answer {
    let mut batch = one_row();
    batch.records.value.bytes.data = data;
    Ok(batch)
}

fn with_topics(topics: Vec<String>) -> Answer {
    let mut batch = one_row();
    batch.records.topics = topics;
    Ok(batch)
}

/// A hundred thousand lists that are one and the same.
fn aliasing() -> Answer {
    let one = vec![0xa0_u8; 64 << 10];
    let mut batch = one_row();
    batch.partitions = (0..100_000).map(|_| listed(one.as_ptr().addr(), one.len())).collect();
    std::mem::forget(one);
    Ok(batch)
}

fn misaligned() -> Answer {
    let mut batch = one_row();
    let room = vec![0_u32; 4];
    batch.records.value.bytes.ends = listed(room.as_ptr().addr() + 1, 1);
    std::mem::forget(room);
    Ok(batch)
}

fn unknown_discriminant() -> Answer {
    // SAFETY: there is no such kind, and the host must find out.
    let kind = unsafe { std::mem::transmute::<u8, source::BoundaryKind>(black_box(77)) };
    let mut batch = one_row();
    batch.boundaries = vec![source::Boundary { after_rows: 1, kind }];
    Ok(batch)
}

/// A partition whose value lies in lists within lists.
fn nested() -> Result<(), String> {
    let mut partition = b"\xa1\x61p".to_vec();
    partition.resize(partition.len() + DEPTH, 0x81);
    partition.push(0);
    match offsets::read(&[partition]).as_slice() {
        [None] => Ok(()),
        other => Err(format!("{} offsets", other.len())),
    }
}

/// Waits for what a handle stands for.
fn handle(number: impl FnOnce() -> u32) -> Answer {
    // SAFETY: there is nothing behind it, and the host must find out.
    let pollable = unsafe { Pollable::from_handle(number()) };
    pollable.block();
    tell("ESCAPED")
}

fn dropped() -> u32 {
    let pollable = subscribe_duration(0);
    let number = pollable.handle();
    drop(pollable);
    number
}

fn parent_first() -> Answer {
    let stream = wasip2::cli::stdout::get_stdout();
    let waits = stream.subscribe();
    drop(stream);
    waits.block();
    tell("ESCAPED")
}

fn resources() -> Answer {
    let kept: Vec<Pollable> = (0..1_000_000).map(|_| subscribe_duration(1 << 60)).collect();
    tell(format!("ESCAPED with {}", kept.len()))
}

/// The host asks for room for an answer, and gets it outside of the memory.
fn elsewhere() -> Answer {
    let schema = text_schema("elsewhere");
    let number = schemas::define(&schema).unwrap_or_default();
    arm(Next::AnswersElsewhere);
    let found = schemas::lookup(number);
    tell(format!("ESCAPED with {}", found.is_some()))
}

/// Each a list of the one before.
fn schemas_without_end() -> Answer {
    let mut last = schemas::define(&text_schema("first")).unwrap_or_default();
    for turn in 0_u32.. {
        let list = types::Schema {
            type_: types::SchemaType::Array,
            name: Some(turn.to_string()),
            value: Some(last),
            ..text_schema("")
        };
        match schemas::define(&list) {
            Ok(number) => last = number,
            Err(_) => return tell(format!("denied: no more than {turn} schemas")),
        }
    }
    tell("ESCAPED")
}

pub(crate) fn text_schema(name: &str) -> types::Schema {
    types::Schema {
        type_: types::SchemaType::Text,
        optional: false,
        name: Some(name.into()),
        version: None,
        doc: None,
        parameters: vec![],
        default: None,
        fields: vec![],
        key: None,
        value: None,
    }
}

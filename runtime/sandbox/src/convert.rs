//! Between the model's types and the contract's: columns are lent to the guest as they stand, and taken from it as they come.
//!
//! Nothing here walks rows, but for timestamp types and faults. Not here: checking what a guest returned (the roles do).

use std::time::Duration;

use tombolo_model::batch::{Batch, Column, Headers, TimestampType, Values};
use tombolo_model::egress::is_for_the_host_alone;
use tombolo_model::fault::{Fault, FaultKind, Problem, RowFault, Stage};
use tombolo_model::offset::{PartitionOffset, SourcePosition, TopicPartition};
use tombolo_model::plugin::Columns;
use tombolo_model::settings::Settings;

use crate::v0::tombolo::connect::types;

/// Longest message of a problem, in bytes: it ends in statuses and in the headers of dead letters.
const MESSAGE_MAX: usize = 8 << 10;

/// Longest trace of a problem, in bytes.
const TRACE_MAX: usize = 32 << 10;

pub(crate) fn column(column: &Column) -> types::ColumnParam<'_> {
    types::ColumnParam { ends: &column.ends, nulls: &column.nulls, data: &column.data }
}

pub(crate) fn values(values: &Values) -> types::ValuesParam<'_> {
    types::ValuesParam { bytes: column(&values.bytes), schemas: &values.schemas }
}

pub(crate) fn headers(headers: &Headers) -> types::HeadersParam<'_> {
    types::HeadersParam {
        ends: &headers.ends,
        names: column(&headers.names),
        values: values(&headers.values),
    }
}

const NO_COLUMN: types::ColumnParam<'static> =
    types::ColumnParam { ends: &[], nulls: &[], data: &[] };
const NO_VALUES: types::ValuesParam<'static> =
    types::ValuesParam { bytes: NO_COLUMN, schemas: &[] };
const NO_HEADERS: types::HeadersParam<'static> =
    types::HeadersParam { ends: &[], names: NO_COLUMN, values: NO_VALUES };

/// A batch as a guest that reads `reads` gets it: the other columns are empty.
pub(crate) struct Lent<'a> {
    batch: &'a Batch,
    reads: Columns,
    topics: Vec<&'a str>,
    timestamp_types: Vec<types::TimestampType>,
}

impl<'a> Lent<'a> {
    pub(crate) fn new(batch: &'a Batch, reads: Columns) -> Self {
        let timestamp_types: &[_] = if reads.timestamp { &batch.timestamp_types } else { &[] };
        let timestamp_types = timestamp_types.iter().map(|r#type| match r#type {
            TimestampType::None => types::TimestampType::None,
            TimestampType::CreateTime => types::TimestampType::CreateTime,
            TimestampType::LogAppendTime => types::TimestampType::LogAppendTime,
        });
        Self {
            batch,
            reads,
            topics: if reads.topic { names(&batch.topics) } else { Vec::new() },
            timestamp_types: timestamp_types.collect(),
        }
    }

    pub(crate) fn param(&self) -> types::BatchParam<'_> {
        let Self { batch, reads, .. } = self;
        types::BatchParam {
            rows: batch.rows,
            topics: &self.topics,
            topic: if reads.topic { &batch.topic } else { &[] },
            partition: if reads.partition { &batch.partition } else { &[] },
            offset: if reads.offset { &batch.offset } else { &[] },
            timestamp: if reads.timestamp { &batch.timestamp } else { &[] },
            timestamp_types: &self.timestamp_types,
            key: if reads.key { values(&batch.key) } else { NO_VALUES },
            value: if reads.value { values(&batch.value) } else { NO_VALUES },
            headers: if reads.headers { headers(&batch.headers) } else { NO_HEADERS },
        }
    }
}

pub(crate) fn names(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// Settings as a plugin gets them: without those for the host alone.
pub(crate) fn pairs(settings: &Settings) -> Vec<(&str, &str)> {
    settings.iter().filter(|(name, _)| !is_for_the_host_alone(name)).collect()
}

pub(crate) fn taken_column(column: types::ColumnResult) -> Column {
    Column { ends: column.ends, nulls: column.nulls, data: column.data }
}

pub(crate) fn taken_values(values: types::ValuesResult) -> Values {
    Values { bytes: taken_column(values.bytes), schemas: values.schemas }
}

pub(crate) fn taken_headers(headers: types::HeadersResult) -> Headers {
    Headers {
        ends: headers.ends,
        names: taken_column(headers.names),
        values: taken_values(headers.values),
    }
}

/// A batch of a source. Kafka offsets and timestamp types are not a source's to give.
pub(crate) fn taken_batch(batch: types::BatchResult) -> Batch {
    Batch {
        rows: batch.rows,
        topics: batch.topics,
        topic: batch.topic,
        partition: batch.partition,
        offset: Vec::new(),
        timestamp: batch.timestamp,
        timestamp_types: Vec::new(),
        key: taken_values(batch.key),
        value: taken_values(batch.value),
        headers: taken_headers(batch.headers),
    }
}

pub(crate) fn problem(problem: types::Problem) -> Problem {
    Problem {
        message: cut(problem.message, MESSAGE_MAX),
        class: problem.class.map(|class| cut(class, MESSAGE_MAX)),
        trace: problem.trace.map(|trace| cut(trace, TRACE_MAX)),
    }
}

fn cut(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}

pub(crate) fn row_faults(faults: Vec<types::RowFault>) -> Vec<RowFault> {
    let taken =
        |fault: types::RowFault| RowFault { row: fault.row, problem: problem(fault.problem) };
    faults.into_iter().map(taken).collect()
}

/// What a guest's fault asks the worker to do. It cannot be a breach, and never of one record.
pub(crate) fn fault(fault: types::Fault, stage: Stage) -> Fault {
    let (kind, told) = match fault {
        types::Fault::Retriable(retry) => {
            let after = retry.after_ms.map(Duration::from_millis);
            (FaultKind::Retriable { after }, retry.problem)
        }
        types::Fault::Config(problem) => (FaultKind::Config, problem),
        types::Fault::Fatal(problem) => (FaultKind::Fatal, problem),
    };
    let Problem { message, class, trace } = problem(told);
    Fault { class, trace, ..Fault::new(kind, stage, message) }
}

pub(crate) fn topic_partition(at: &TopicPartition) -> types::TopicPartitionParam<'_> {
    types::TopicPartitionParam { topic: &at.topic, partition: at.partition }
}

pub(crate) fn partition_offsets(list: &[PartitionOffset]) -> Vec<types::PartitionOffsetParam<'_>> {
    list.iter()
        .map(|one| types::PartitionOffsetParam { at: topic_partition(&one.at), offset: one.offset })
        .collect()
}

pub(crate) fn taken_at(at: types::TopicPartitionResult) -> TopicPartition {
    TopicPartition::new(at.topic, at.partition)
}

pub(crate) fn taken_offset(one: types::PartitionOffsetResult) -> PartitionOffset {
    PartitionOffset { at: taken_at(one.at), offset: one.offset }
}

pub(crate) fn source_offsets(positions: &[SourcePosition]) -> Vec<types::SourceOffset<'_>> {
    let lent = positions.iter().map(|position| types::SourceOffset {
        partition: &position.partition.0,
        offset: position.offset.as_ref().map(|offset| offset.0.as_slice()),
    });
    lent.collect()
}

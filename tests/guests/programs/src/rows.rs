//! Columns and chains as the echo needs them.
//!
//! Not here: efficiency, and what the plugins do beyond that.

#![expect(clippy::indexing_slicing, reason = "a guest may trap, and the host gave the columns")]

use crate::bindings::exports::tombolo::connect::{converter, source, transformation};
use crate::bindings::tombolo::connect::types::{
    Batch, Column, Fault, Headers, Problem, RowFault, Values,
};
use crate::setting;

/// A problem that says just this.
pub fn problem(message: &str) -> Problem {
    Problem { message: message.into(), class: Some("guest.Problem".into()), trace: None }
}

/// The bytes of a row; none when it is null.
pub fn row(column: &Column, row: usize) -> Option<&[u8]> {
    let end = *column.ends.get(row)? as usize;
    let start = row.checked_sub(1).map_or(0, |before| column.ends[before] as usize);
    (!column.nulls.contains(&(row as u32))).then_some(&column.data[start..end])
}

/// A fault for each row that is `fault`.
pub fn faulty_rows(column: &Column) -> Vec<RowFault> {
    let faulty = (0..column.ends.len()).filter(|&at| row(column, at) == Some(b"fault"));
    faulty.map(|row| RowFault { row: row as u32, problem: problem("a bad row") }).collect()
}

/// A column with its faulty rows null, and their faults.
pub fn split_faults(column: Column) -> (Column, Vec<RowFault>) {
    let faults = faulty_rows(&column);
    if faults.is_empty() {
        return (column, faults);
    }
    let faulty = |at: u32| faults.iter().any(|fault| fault.row == at);
    let mut out = no_rows();
    for at in 0..column.ends.len() {
        match row(&column, at) {
            Some(bytes) if !faulty(at as u32) => out.data.extend_from_slice(bytes),
            _ => out.nulls.push(at as u32),
        }
        out.ends.push(out.data.len() as u32);
    }
    (out, faults)
}

/// These rows of a column, in this order.
pub fn gather(column: &Column, origin: &[u32]) -> Column {
    let mut out = no_rows();
    if column.ends.is_empty() {
        return out;
    }
    for &from in origin {
        match row(column, from as usize) {
            Some(bytes) => out.data.extend_from_slice(bytes),
            None => out.nulls.push(out.ends.len() as u32),
        }
        out.ends.push(out.data.len() as u32);
    }
    out
}

fn no_rows() -> Column {
    Column { ends: vec![], nulls: vec![], data: vec![] }
}

fn no_values() -> Values {
    Values { bytes: no_rows(), schemas: vec![] }
}

/// A batch without rows.
pub fn empty() -> Batch {
    Batch {
        rows: 0,
        topics: vec![],
        topic: vec![],
        partition: vec![],
        offset: vec![],
        timestamp: vec![],
        timestamp_types: vec![],
        key: no_values(),
        value: no_values(),
        headers: Headers { ends: vec![], names: no_rows(), values: no_values() },
    }
}

/// The rows as a source's: partition `{"p": 0}`, offset `{"o": n}` with the row's number.
pub fn source_batch(records: Batch) -> source::SourceBatch {
    let mut offset = no_rows();
    for row in 0..records.rows {
        offset.data.extend_from_slice(b"\xa1\x61o\x1a");
        offset.data.extend_from_slice(&(row + (1 << 24)).to_be_bytes());
        offset.ends.push(offset.data.len() as u32);
    }
    let partitions = if records.rows == 0 { vec![] } else { vec![b"\xa1\x61p\x00".to_vec()] };
    source::SourceBatch { records, partitions, partition: vec![], offset, boundaries: vec![] }
}

/// A header per row: this name, the row's topic.
pub fn topic_headers(name: &str, topics: &converter::TopicColumn, rows: usize) -> Headers {
    let mut headers = empty().headers;
    for row in 0..rows {
        let topic = topics.topic.get(row).copied().unwrap_or(0) as usize;
        headers.names.data.extend_from_slice(name.as_bytes());
        headers.names.ends.push(headers.names.data.len() as u32);
        headers.values.bytes.data.extend_from_slice(topics.topics[topic].as_bytes());
        headers.values.bytes.ends.push(headers.values.bytes.data.len() as u32);
        headers.ends.push(row as u32 + 1);
    }
    headers
}

/// Rows whose value starts with the setting `prefix` of predicate `id`.
pub fn holding(id: u32, records: &Batch) -> Vec<u32> {
    let prefix = setting('p', id, "prefix").unwrap_or_default();
    let holds = |at: &u32| {
        row(&records.value.bytes, *at as usize).is_some_and(|v| v.starts_with(prefix.as_bytes()))
    };
    (0..records.rows).filter(holds).collect()
}

/// Each step does what its setting `mode` says: `drop` and `split` change which rows there are, `mark` appends `!` to values, `topic` names the
/// topic after the setting `topic`, `fault` finds rows bad whose key is `fault`, `all` answers every column as it is; none answers nothing.
pub fn apply(
    chain: Vec<transformation::Step>,
    records: Batch,
) -> Result<transformation::Transformed, Fault> {
    let mut answer = transformation::Transformed {
        origin: (0..records.rows).collect(),
        topic: None,
        partition: None,
        timestamp: None,
        key: None,
        value: None,
        headers: None,
        faults: vec![],
    };
    for (number, step) in chain.iter().enumerate() {
        let holds = step.predicate.map(|id| holding(id, &records));
        let chosen = |row: u32| {
            holds.as_ref().is_none_or(|rows| rows.binary_search(&row).is_ok() != step.negate)
        };
        let mode = setting('t', step.id, "mode").unwrap_or_default();
        match mode.as_str() {
            "drop" => answer.origin.retain(|&row| !chosen(row)),
            "split" => {
                let times = |row: u32| if chosen(row) { 2 } else { 1 };
                answer.origin =
                    answer.origin.iter().flat_map(|&row| vec![row; times(row)]).collect();
            }
            "fault" => {
                let bad = |row: u32| {
                    chosen(row) && self::row(&records.key.bytes, row as usize) == Some(b"fault")
                };
                answer.faults.extend(answer.origin.iter().filter(|&&row| bad(row)).map(|&row| {
                    transformation::StepFault {
                        step: number as u32,
                        row,
                        problem: problem("a bad row"),
                    }
                }));
                answer.origin.retain(|&row| !bad(row));
            }
            "mark" => {
                let mut value = no_rows();
                for &from in &answer.origin {
                    let bytes = row(&records.value.bytes, from as usize).unwrap_or_default();
                    value.data.extend_from_slice(bytes);
                    if chosen(from) {
                        value.data.push(b'!');
                    }
                    value.ends.push(value.data.len() as u32);
                }
                answer.value = Some(Values { bytes: value, schemas: vec![] });
            }
            "topic" => {
                let topics = vec![setting('t', step.id, "topic").unwrap_or_default()];
                answer.topic = Some(transformation::NewTopics { topics, topic: vec![] });
            }
            "all" => {
                answer.partition = Some(records.partition.clone());
                answer.timestamp = Some(records.timestamp.clone());
                answer.key = Some(records.key.clone());
                answer.value = Some(records.value.clone());
                answer.headers = Some(records.headers.clone());
            }
            _ => {}
        }
    }
    Ok(answer)
}

//! Headers of records as columns: their topics, their rows, and headers that a converter adds.
//!
//! Not here: converting them.

use tombolo_model::fault::RowFault;
use tombolo_model::{Column, Headers, Values};

/// The topic of each header's record; empty where one topic is all there is.
pub(super) fn topics_of_headers(
    topics: &[String],
    topic: &[u32],
    ends: &[u32],
    into: &mut Vec<u32>,
) {
    into.clear();
    if topics.len() < 2 || topic.is_empty() {
        return;
    }
    let mut start = 0;
    for (&end, &topic) in ends.iter().zip(topic) {
        into.extend((start..end).map(|_| topic));
        start = end;
    }
}

/// The record that a header belongs to.
fn row_of_header(headers: &Headers, header: u32) -> u32 {
    u32::try_from(headers.ends.partition_point(|&end| end <= header)).unwrap_or(u32::MAX)
}

/// Faults of headers as faults of their records, the first of each.
pub(super) fn faults_of_rows(headers: &Headers, mut faults: Vec<RowFault>) -> Vec<RowFault> {
    faults.sort_by_key(|fault| fault.row);
    for fault in &mut faults {
        fault.row = row_of_header(headers, fault.row);
    }
    faults.dedup_by_key(|fault| fault.row);
    faults
}

/// Appends to each row's headers those that a converter adds.
pub(super) fn append(headers: &mut Headers, added: &Headers, rows: u32) {
    if added.count() == 0 {
        return;
    }
    let mut out = Headers::default();
    for row in 0..rows as usize {
        for from in [&*headers, added] {
            for header in from.range(row) {
                out.names.push_option(from.names.get(header));
                out.values.bytes.push_option(from.values.bytes.get(header));
            }
        }
        out.ends.push(u32::try_from(out.names.rows()).unwrap_or(u32::MAX));
    }
    *headers = out;
}

/// Bytes where values were, without schemas.
pub(super) fn raw(bytes: Column) -> Values {
    Values { bytes, schemas: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(rows: &[&[(&str, Option<&str>)]]) -> Headers {
        let mut out = Headers::default();
        for row in rows {
            for (name, value) in *row {
                out.names.push(name.as_bytes());
                out.values.bytes.push_option(value.map(str::as_bytes));
            }
            out.ends.push(u32::try_from(out.names.rows()).unwrap());
        }
        out
    }

    #[test]
    fn added_headers_come_after_those_of_their_row() {
        let mut before = headers(&[&[("a", Some("1")), ("b", None)], &[]]);
        append(&mut before, &headers(&[&[("c", Some("2"))], &[("d", Some(""))]]), 2);
        let expected =
            headers(&[&[("a", Some("1")), ("b", None), ("c", Some("2"))], &[("d", Some(""))]]);
        assert_eq!(before, expected);
        let mut none = Headers::default();
        append(&mut none, &headers(&[&[], &[("d", Some(""))]]), 2);
        assert_eq!(none, headers(&[&[], &[("d", Some(""))]]));
    }

    #[test]
    fn a_header_knows_its_row_and_its_topic() {
        let headers = headers(&[&[("a", None)], &[], &[("b", None), ("c", None)]]);
        let names = ["t".to_owned(), "u".to_owned()];
        let mut topics = vec![9];
        topics_of_headers(&names, &[1, 0, 1], &headers.ends, &mut topics);
        assert_eq!(topics, [1, 1, 1]);
        let rows: Vec<u32> = (0..3).map(|header| row_of_header(&headers, header)).collect();
        assert_eq!(rows, [0, 2, 2]);
    }
}

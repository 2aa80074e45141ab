//! From a transformation's answer, which names only the columns it changed, to the next batch.
//!
//! Not here: calling the transformation.

use crate::batch::{Batch, Column, Headers, Malformed, Values, check_indices, check_len, gather};
use crate::fault::Problem;

/// What a row takes beside its key, value and headers, about: ends, places in lists, times and offsets.
const ROW_BYTES: u64 = 64;

/// What a chain of transformations answers. A column that is none is the input's, taken at `origin`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transformed {
    /// The input row each output row came from, never decreasing. A missing row was dropped; a repeated one was split.
    pub origin: Vec<u32>,
    /// New topics: their names, and an index into them per output row.
    pub topic: Option<(Vec<String>, Vec<u32>)>,
    /// New partitions.
    pub partition: Option<Vec<i32>>,
    /// New timestamps.
    pub timestamp: Option<Vec<i64>>,
    /// New keys.
    pub key: Option<Values>,
    /// New values.
    pub value: Option<Values>,
    /// New headers.
    pub headers: Option<Headers>,
    /// Rows that a step could not process.
    pub faults: Vec<StepFault>,
}

/// An input row that a step of the chain could not process. It left the chain there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFault {
    /// Which step, from 0.
    pub step: u32,
    /// Which row of the batch given to the chain.
    pub row: u32,
    /// What went wrong.
    pub problem: Problem,
}

impl Transformed {
    /// Holds an answer from outside to its shape.
    pub fn check(&self, rows_in: u32, steps: usize) -> Result<(), Malformed> {
        let rows = self.origin.len();
        check_indices("origin", &self.origin, rows_in as usize)?;
        if let Some(pair) = self.origin.windows(2).find(|pair| matches!(pair, [a, b] if a > b)) {
            return Err(Malformed::new("origin", format!("{pair:?}"), "never decreasing"));
        }
        if let Some((topics, topic)) = &self.topic {
            check_len("topic.topic", topic.len(), rows)?;
            check_indices("topic.topic", topic, topics.len())?;
        }
        check_len("partition", self.partition.as_ref().map_or(0, Vec::len), rows)?;
        check_len("timestamp", self.timestamp.as_ref().map_or(0, Vec::len), rows)?;
        self.key.as_ref().map_or(Ok(()), |key| key.check("key", rows))?;
        self.value.as_ref().map_or(Ok(()), |value| value.check("value", rows))?;
        self.headers.as_ref().map_or(Ok(()), |headers| headers.check("headers", rows))?;
        let faults: Vec<u32> = self.faults.iter().map(|fault| fault.row).collect();
        check_indices("faults.row", &faults, rows_in as usize)?;
        let faults: Vec<u32> = self.faults.iter().map(|fault| fault.step).collect();
        check_indices("faults.step", &faults, steps)
    }

    /// Whether every input row gave exactly one output row.
    pub fn is_one_to_one(&self, rows_in: u32) -> bool {
        self.origin.len() == rows_in as usize
            && self.origin.iter().zip(0_u32..).all(|(&origin, row)| origin == row)
    }

    /// How much [`Transformed::onto`] copies out of the batch before, in bytes, with a little for each row; nothing where rows correspond one to one.
    ///
    /// A few bytes of an answer can ask for a large row any number of times.
    pub fn copied_bytes(&self, before: &Batch) -> u64 {
        if self.is_one_to_one(before.rows) {
            return 0;
        }
        let len = |column: &Column, row: usize| column.get(row).map_or(0, <[u8]>::len) as u64;
        let row_bytes = |row: usize| {
            let mut bytes = ROW_BYTES;
            if self.key.is_none() {
                bytes += len(&before.key.bytes, row);
            }
            if self.value.is_none() {
                bytes += len(&before.value.bytes, row);
            }
            if self.headers.is_none() {
                let Headers { names, values, .. } = &before.headers;
                let header = |at| ROW_BYTES + len(names, at) + len(&values.bytes, at);
                bytes += before.headers.range(row).map(header).sum::<u64>();
            }
            bytes
        };
        let rows: Vec<u64> = (0..before.rows as usize).map(row_bytes).collect();
        let of = |row: &u32| rows.get(*row as usize).copied().unwrap_or_default();
        self.origin.iter().map(of).fold(0, u64::saturating_add)
    }

    /// The batch after the chain, from the one before; a checked answer only.
    ///
    /// Cost: columns move where rows correspond one to one; else the chosen rows are copied.
    pub fn onto(self, before: Batch) -> Batch {
        let mut after =
            if self.is_one_to_one(before.rows) { before } else { gather_missing(&before, &self) };
        if let Some((topics, topic)) = self.topic {
            after.topics = topics;
            after.topic = topic;
        }
        after.partition = self.partition.unwrap_or(after.partition);
        after.timestamp = self.timestamp.unwrap_or(after.timestamp);
        after.key = self.key.unwrap_or(after.key);
        after.value = self.value.unwrap_or(after.value);
        after.headers = self.headers.unwrap_or(after.headers);
        after
    }
}

/// The chosen rows, without the columns that the answer brings itself.
fn gather_missing(before: &Batch, answer: &Transformed) -> Batch {
    let origin = &answer.origin;
    Batch {
        rows: u32::try_from(origin.len()).unwrap_or(u32::MAX),
        topics: before.topics.clone(),
        topic: gather(&before.topic, origin),
        partition: gather(&before.partition, origin),
        offset: gather(&before.offset, origin),
        timestamp: gather(&before.timestamp, origin),
        timestamp_types: gather(&before.timestamp_types, origin),
        key: if answer.key.is_some() { Values::default() } else { before.key.gather(origin) },
        value: if answer.value.is_some() { Values::default() } else { before.value.gather(origin) },
        headers: match answer.headers {
            Some(_) => Headers::default(),
            None => before.headers.gather(origin),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(rows: &[&str]) -> Values {
        let mut bytes = Column::default();
        rows.iter().for_each(|row| bytes.push(row.as_bytes()));
        Values { bytes, schemas: vec![] }
    }

    fn before() -> Batch {
        Batch {
            rows: 3,
            topics: vec!["t".into()],
            offset: vec![7, 8, 9],
            key: values(&["a", "b", "c"]),
            value: values(&["1", "2", "3"]),
            ..Batch::default()
        }
    }

    #[test]
    fn columns_not_answered_are_the_inputs() {
        let answer = Transformed {
            origin: vec![0, 1, 2],
            value: Some(values(&["x", "y", "z"])),
            ..Transformed::default()
        };
        answer.check(3, 1).unwrap();
        let after = answer.onto(before());
        assert_eq!((after.key, after.value), (values(&["a", "b", "c"]), values(&["x", "y", "z"])));
        assert_eq!(after.offset, [7, 8, 9]);
    }

    #[test]
    fn dropped_and_split_rows_keep_their_offsets() {
        let answer = Transformed {
            origin: vec![1, 1],
            topic: Some((vec!["u".into(), "v".into()], vec![0, 1])),
            ..Transformed::default()
        };
        answer.check(3, 1).unwrap();
        let after = answer.onto(before());
        assert_eq!((after.rows, after.offset.as_slice()), (2, [8, 8].as_slice()));
        assert_eq!((after.topic_of(0), after.topic_of(1)), (Some("u"), Some("v")));
        assert_eq!(after.key, values(&["b", "b"]));
    }

    #[test]
    fn rows_that_are_asked_for_again_and_again_are_counted_each_time() {
        let headers = Headers {
            ends: vec![0, 1, 1],
            names: values(&["name"]).bytes,
            values: values(&["valu"]),
        };
        let before = Batch { headers, ..before() };
        let bytes = |answer: Transformed| answer.copied_bytes(&before);
        let split = Transformed { origin: vec![1; 1_000], ..Transformed::default() };
        assert_eq!(bytes(split.clone()), 1_000 * (2 * ROW_BYTES + 2 + 8));
        let value = Some(values(&["x"; 1_000]));
        let headers = Some(Headers::default());
        assert_eq!(bytes(Transformed { value, headers, ..split }), 1_000 * (ROW_BYTES + 1));
        assert_eq!(bytes(Transformed { origin: vec![0, 1, 2], ..Transformed::default() }), 0);
        assert_eq!(
            bytes(Transformed { origin: vec![0, 2], ..Transformed::default() }),
            2 * (ROW_BYTES + 2)
        );
    }

    #[test]
    fn a_lying_answer_is_refused() {
        let check = |answer: Transformed, expected: &str| {
            assert_eq!(answer.check(3, 1).unwrap_err().what, expected);
        };
        check(Transformed { origin: vec![3], ..Transformed::default() }, "origin");
        check(Transformed { origin: vec![1, 0], ..Transformed::default() }, "origin");
        check(
            Transformed { origin: vec![0], partition: Some(vec![1, 2]), ..Transformed::default() },
            "partition",
        );
        check(
            Transformed {
                origin: vec![0],
                topic: Some((vec![], vec![0])),
                ..Transformed::default()
            },
            "topic.topic",
        );
        let problem = Problem { message: "m".into(), class: None, trace: None };
        check(
            Transformed {
                faults: vec![StepFault { step: 1, row: 0, problem }],
                ..Transformed::default()
            },
            "faults.step",
        );
    }
}

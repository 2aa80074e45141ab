//! Answers with what cannot be true; the setting `lie` says where.

use tombolo_guest_programs::host::types::{
    Batch, Column, Fault, PartitionOffset, RowFault, Values,
};
use tombolo_guest_programs::interfaces::{converter, predicate, sink, source, transformation};
use tombolo_guest_programs::rows::{self, problem};
use tombolo_guest_programs::{Behaviour, Component, bindings, created, state};

struct Guest;

/// Bytes of a batch that no limit of a test allows.
const FAR_TOO_MANY: usize = 40 << 20;

fn lie() -> String {
    state(|state| state.settings.get("lie").cloned()).or_else(created).unwrap_or_default()
}

fn column(rows: &[&str]) -> Column {
    let mut column = rows::empty().value.bytes;
    for row in rows {
        column.data.extend_from_slice(row.as_bytes());
        column.ends.push(column.data.len() as u32);
    }
    column
}

fn negative(mut offset: PartitionOffset) -> PartitionOffset {
    offset.offset = -1;
    offset
}

impl Behaviour for Guest {
    const NAME: &str = "Lies";

    fn poll(rows_max: u32, _bytes_max: u32) -> Result<source::SourceBatch, Fault> {
        let mut records = rows::empty();
        records.rows = 2;
        records.topics = vec!["t".into()];
        records.value.bytes = column(&["a", "b"]);
        let mut batch = rows::source_batch(records);
        let records = &mut batch.records;
        match lie().as_str() {
            "rows" => records.value.bytes = column(&["a"]),
            "ends" => records.value.bytes.ends = vec![2, 1],
            "nulls" => records.value.bytes.nulls = vec![0],
            "too many rows" => records.rows = rows_max + 1,
            "topic" => records.topic = vec![0, 1],
            "topics" => records.topics.clear(),
            "schema" => records.value.schemas = vec![0, 7],
            "key schema" => {
                records.key.bytes = column(&["k", "k"]);
                records.key.schemas = vec![9, 0];
            }
            "header" => {
                records.headers.ends = vec![1, 0];
                records.headers.names = column(&["n"]);
            }
            "partition" => batch.partition = vec![0, 1],
            "partitions" => batch.partitions = vec![b"\x80".to_vec()],
            "no offset" => batch.offset = rows::empty().value.bytes,
            "offset" => batch.offset = column(&["\u{1}", "\u{2}"]),
            "boundary" => {
                batch.boundaries =
                    vec![source::Boundary { after_rows: 3, kind: source::BoundaryKind::Commit }]
            }
            "bytes" => {
                records.value.bytes = Column {
                    ends: vec![0, FAR_TOO_MANY as u32],
                    nulls: vec![],
                    data: vec![0; FAR_TOO_MANY],
                }
            }
            _ => {}
        }
        Ok(batch)
    }

    fn put(records: Batch) -> Result<sink::PutResult, Fault> {
        let fault = |row: u32| RowFault { row, problem: problem(&format!("row {row}")) };
        let faults = match lie().as_str() {
            "again" => vec![fault(1), fault(0), fault(1), fault(1), fault(0)],
            _ => vec![fault(records.rows)],
        };
        Ok(sink::PutResult { faults, requests: None })
    }

    fn pre_commit(offsets: Vec<PartitionOffset>) -> Result<sink::CommitResult, Fault> {
        Ok(sink::CommitResult {
            offsets: offsets.into_iter().map(negative).collect(),
            requests: None,
        })
    }

    fn to_connect_data(bytes: Column) -> Result<converter::ConnectData, Fault> {
        let mut data =
            converter::ConnectData { values: Values { bytes, schemas: vec![] }, faults: vec![] };
        match lie().as_str() {
            "row" => data.values.bytes = column(&["only one"]),
            "schemas" => data.values.schemas = vec![0],
            _ => data.faults = vec![RowFault { row: 0, problem: problem("and yet there") }],
        }
        Ok(data)
    }

    fn apply(
        chain: Vec<transformation::Step>,
        records: Batch,
    ) -> Result<transformation::Transformed, Fault> {
        let mut answer = rows::apply(chain, records)?;
        match lie().as_str() {
            "origin" => answer.origin.push(99),
            "order" => answer.origin.reverse(),
            "one row without end" => {
                answer.origin = vec![0; 1_000_000];
                (answer.key, answer.value, answer.headers) = (None, None, None);
            }
            "values" => {
                answer.value = Some(Values { bytes: column(&["only one"]), schemas: vec![] })
            }
            "topics" => {
                answer.topic = Some(transformation::NewTopics { topics: vec![], topic: vec![] })
            }
            _ => {
                answer.faults = vec![transformation::StepFault {
                    step: 9,
                    row: 0,
                    problem: problem("no such step"),
                }]
            }
        }
        Ok(answer)
    }

    fn test(_id: u32, _records: Batch) -> Result<predicate::Tested, Fault> {
        Ok(predicate::Tested { rows: vec![1, 0], faults: vec![] })
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);

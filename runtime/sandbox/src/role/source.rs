//! A source task in a component.
//!
//! Not here: the loop that polls it, which is the worker's.

use std::sync::Arc;

use async_trait::async_trait;
use tombolo_model::batch::{Malformed, check_indices, check_len};
use tombolo_model::fault::Stage;
use tombolo_model::offset::{SourcePartition, SourcePosition};
use tombolo_model::role::{Acknowledged, Boundary, PollRequest, Result, SourceBatch, SourceTask};
use tombolo_model::settings::Settings;

use crate::exports::exported;
use crate::host::schemas::SharedSchemas;
use crate::instance::Terms;
use crate::role::answer;
use crate::shared::Shared;
use crate::v0::exports::tombolo::connect::{source as contract, source_acknowledgement};
use crate::{cbor, convert};

/// A source task.
pub(crate) struct Source {
    pub(crate) shared: Arc<Shared>,
    pub(crate) class: String,
    pub(crate) wants_acknowledgements: bool,
}

#[async_trait]
impl SourceTask for Source {
    async fn start(&mut self, settings: &Settings) -> Result<()> {
        self.shared.confide(settings);
        let settings = convert::pairs(settings);
        let started = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| {
                exported(&exports.source)?.call_start(store, &self.class, &settings).await
            },
            answer::none,
        );
        started.await
    }

    async fn poll(&mut self, request: PollRequest) -> Result<SourceBatch> {
        let PollRequest { batch, rows_max, bytes_max, wait } = request;
        let terms = Terms { wait, bytes_out: bytes_max as usize, ..Terms::at(Stage::TaskPoll) };
        let wait = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        let polled = self.shared.call(
            terms,
            async |store, exports| {
                exported(&exports.source)?.call_poll(store, batch, rows_max, bytes_max, wait).await
            },
            |answer, schemas| checked(answer, rows_max, schemas),
        );
        let polled = polled.await?;
        self.shared.gave_out(polled.records.byte_count());
        Ok(polled)
    }

    async fn commit(&mut self, offsets: &[SourcePosition]) -> Result<()> {
        let offsets = convert::source_offsets(offsets);
        let committed = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| exported(&exports.source)?.call_commit(store, &offsets).await,
            answer::none,
        );
        committed.await
    }

    fn wants_acknowledgements(&self) -> bool {
        self.wants_acknowledgements
    }

    async fn acknowledge(&mut self, rows: &[Acknowledged]) -> Result<()> {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| source_acknowledgement::Acknowledged {
                batch: row.batch,
                row: row.row,
                written: row.written,
            })
            .collect();
        let told = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| {
                exported(&exports.acknowledgement)?.call_acknowledge(store, &rows).await
            },
            answer::none,
        );
        told.await
    }

    fn is_recycling_due(&self) -> bool {
        self.shared.is_recycling_due()
    }

    async fn stop(&mut self) -> Result<()> {
        let stopped = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| exported(&exports.source)?.call_stop(store).await.map(Ok),
            answer::none,
        );
        stopped.await
    }
}

/// Rows as the worker may use them, with source partitions in canonical form.
fn checked(
    answer: contract::SourceBatch,
    rows_max: u32,
    schemas: &SharedSchemas,
) -> std::result::Result<SourceBatch, Malformed> {
    let records = convert::taken_batch(answer.records);
    let rows = records.rows as usize;
    if records.rows > rows_max {
        return Err(Malformed::new(
            "records.rows",
            records.rows.to_string(),
            format!("at most {rows_max}"),
        ));
    }
    records.check("records")?;
    if rows > 0 && records.topics.is_empty() {
        return Err(Malformed::new("records.topics", "none", "a name for each row"));
    }
    answer::known_schemas("records.key", &records.key.schemas, schemas)?;
    answer::known_schemas("records.value", &records.value.schemas, schemas)?;
    answer::known_schemas("records.headers.values", &records.headers.values.schemas, schemas)?;

    check_len("partition", answer.partition.len(), rows)?;
    check_indices("partition", &answer.partition, answer.partitions.len())?;
    if rows > 0 && answer.partitions.is_empty() {
        return Err(Malformed::new("partitions", "none", "a source partition for each row"));
    }
    let partitions = cbor::canonical_maps(&answer.partitions)
        .map_err(|(index, wrong)| not_a_map(format!("partitions[{index}]"), wrong))?;
    let partitions = partitions.into_iter().map(SourcePartition).collect();

    let offset = convert::taken_column(answer.offset);
    offset.check("offset", rows)?;
    if offset.rows() != rows || !offset.nulls.is_empty() {
        return Err(Malformed::new("offset", "rows without one", "an offset for each row"));
    }
    for (row, offset) in offset.iter().flatten().enumerate() {
        cbor::check_map(offset)
            .map_err(|wrong| not_a_map(format!("offset at row {row}"), wrong))?;
    }
    let boundaries = checked_boundaries(&answer.boundaries, records.rows)?;
    Ok(SourceBatch { records, partitions, partition: answer.partition, offset, boundaries })
}

fn not_a_map(what: String, wrong: cbor::Wrong) -> Malformed {
    Malformed::new(what, format!("it is {wrong}"), "a CBOR map of the profile")
}

fn checked_boundaries(
    boundaries: &[contract::Boundary],
    rows: u32,
) -> std::result::Result<Vec<Boundary>, Malformed> {
    let mut before = 0;
    let mut taken = Vec::with_capacity(boundaries.len());
    for boundary in boundaries {
        let after_rows = boundary.after_rows;
        if after_rows < before || after_rows > rows {
            return Err(Malformed::new(
                "boundaries.after-rows",
                after_rows.to_string(),
                format!("ascending numbers up to {rows}"),
            ));
        }
        before = after_rows;
        let commit = matches!(boundary.kind, contract::BoundaryKind::Commit);
        taken.push(Boundary { after_rows, commit });
    }
    Ok(taken)
}

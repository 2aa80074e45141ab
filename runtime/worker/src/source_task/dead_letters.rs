//! Dead letters of a source, which the log prints too: records as it made them, in JSON with schemas, as far as they can be told so.
//!
//! Not here: which records are bad (`pipeline`), and what a letter says of them (`dead_letter`).
//!
//! Kafka Connect has dead letter queues for sinks only.

use tombolo_model::role::SourceBatch;
use tombolo_model::{Batch, Fault, Settings, Stage};
use tombolo_store::{flat::FlatMap, json};

use super::{Instance, POLL_WAIT, SourceTask};
use crate::connector_config::PluginConfig;
use crate::dead_letter::{Letter, SourcePlace};
use crate::error_report::{Executing, Record};
use crate::pipeline::{self, Bad, Pipeline};
use crate::task::TaskParts;

/// Writes keys and values of dead letters.
const CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";
/// Writes their headers.
const HEADER_CONVERTER: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

/// Polled records, kept until it is known which of them are bad.
pub(super) struct Kept(Option<SourceBatch>);

impl Instance {
    /// The converters of dead letters, made with the first one.
    async fn letter_pipeline(&mut self, parts: &TaskParts) -> Result<&mut Pipeline, Fault> {
        if self.letters.is_none() {
            let plugin = |class: &str| PluginConfig {
                class: class.to_owned(),
                version: None,
                settings: Settings::default(),
            };
            let (converter, header) = (plugin(CONVERTER), plugin(HEADER_CONVERTER));
            let plugins = &*parts.worker.plugins;
            let built = pipeline::build_plain(plugins, &mut *self.room, (&converter, &header));
            self.letters = Some(built.await?);
        }
        self.letters.as_mut().ok_or_else(|| Fault::fatal(Stage::Lifecycle, "no converters"))
    }
}

impl SourceTask {
    /// Keeps polled records, where bad ones go to a dead letter queue or are printed in the log.
    ///
    /// Cost: a copy of the batch, for such sources alone.
    pub(super) fn keep(&self, batch: &SourceBatch) -> Kept {
        let is_wanted = self.errors.has_dead_letters() || self.errors.prints_records();
        Kept(is_wanted.then(|| batch.clone()))
    }

    /// Tells of bad records, and waits until those that go to the dead letter queue are there: only then may their offsets be stored.
    ///
    /// Errors: a letter that Kafka does not take; a fault for now where the task stops meanwhile, so that the records come again.
    pub(super) async fn tell_bad(&mut self, Kept(kept): Kept, bad: &[Bad]) -> Result<(), Fault> {
        if bad.is_empty() {
            return Ok(());
        }
        let letters = match &kept {
            Some(batch) => self.letters(batch, bad).await?,
            None => Vec::new(),
        };
        let mut letters = letters.iter();
        for Bad { stage, class, problem, .. } in bad {
            let record = Record::Polled(letters.next());
            self.errors.tell(Executing { stage: *stage, class }, record, problem);
            self.errors.make_room().await?;
        }
        while !self.errors.are_written(POLL_WAIT).await? {
            if self.parts.control.is_stopping() {
                let message = "the task stops before its dead letters are written";
                return Err(Fault::retriable(Stage::KafkaProduce, message));
            }
        }
        Ok(())
    }

    /// A letter for each bad record, in their order.
    async fn letters(&mut self, kept: &SourceBatch, bad: &[Bad]) -> Result<Vec<Letter>, Fault> {
        let rows: Vec<u32> = bad.iter().map(|bad| bad.row).collect();
        let records = kept.records.gather(&rows);
        let pipeline = self.instance.letter_pipeline(&self.parts).await?;
        let told = pipeline.plain(records.clone()).await?;
        let mut as_json = vec![None; rows.len()];
        for row in 0..told.batch.rows {
            if let Some(place) = as_json.get_mut(told.original(row) as usize) {
                *place = Some(row as usize);
            }
        }
        let letter = |(place, (&row, as_json)): (usize, (&u32, Option<usize>))| {
            let source = source_place(kept, row as usize, &records, place);
            match as_json {
                Some(row) => Letter::of_polled(&told.batch, row, source),
                // What no JSON can say goes as it crossed the wall, without headers.
                None => Letter::of_polled(&records, place, source).into_cbor(),
            }
        };
        Ok(rows.iter().zip(as_json).enumerate().map(letter).collect())
    }
}

/// Where a record was read, and where it was to go.
fn source_place(kept: &SourceBatch, row: usize, records: &Batch, place: usize) -> SourcePlace {
    let partition = kept.partition.get(row).copied().unwrap_or(0) as usize;
    let text = |cbor: Option<&[u8]>| {
        let json = json::to_vec(&FlatMap::from_cbor(cbor?).ok()?).ok()?;
        String::from_utf8(json).ok()
    };
    SourcePlace {
        topic: records.topic_of(place).map(str::to_owned),
        kafka_partition: records.partition.get(place).copied().filter(|&number| number >= 0),
        partition: text(kept.partitions.get(partition).map(|partition| partition.0.as_slice())),
        offset: text(kept.offset.get(row)),
    }
}

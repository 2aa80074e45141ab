//! A sink task in a component.
//!
//! Not here: the loop that feeds it, which is the worker's.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tombolo_model::batch::{Batch, Malformed};
use tombolo_model::fault::{RowFault, Stage};
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::plugin::Columns;
use tombolo_model::role::{Original, RecordFault, Result, SinkRequests, SinkTask};
use tombolo_model::settings::Settings;

use crate::convert::{self, Lent};
use crate::exports::exported;
use crate::instance::Terms;
use crate::role::answer;
use crate::shared::Shared;
use crate::v0::exports::tombolo::connect::sink as contract;

/// A sink task.
pub(crate) struct Sink {
    pub(crate) shared: Arc<Shared>,
    pub(crate) class: String,
    pub(crate) reads: Columns,
}

#[async_trait]
impl SinkTask for Sink {
    async fn start(&mut self, settings: &Settings) -> Result<()> {
        self.shared.confide(settings);
        let settings = convert::pairs(settings);
        let started = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| {
                exported(&exports.sink)?.call_start(store, &self.class, &settings).await
            },
            answer::none,
        );
        started.await
    }

    async fn open(&mut self, partitions: &[PartitionOffset]) -> Result<SinkRequests> {
        let partitions = convert::partition_offsets(partitions);
        let opened = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| exported(&exports.sink)?.call_open(store, &partitions).await,
            |asked, _| requests(asked),
        );
        opened.await
    }

    async fn put(
        &mut self,
        records: &mut Batch,
        original: Option<&Original>,
    ) -> Result<(Vec<RowFault>, SinkRequests)> {
        let rows = records.rows as usize;
        let lent = Lent::new(records, self.reads);
        let names = original.map(|original| convert::names(&original.topics)).unwrap_or_default();
        let original = original.map(|original| contract::Original {
            topics: &names,
            topic: &original.topic,
            partition: &original.partition,
            offset: &original.offset,
        });
        let taken = self.shared.call(
            Terms::with(Stage::TaskPut, records.byte_count()),
            async |store, exports| {
                exported(&exports.sink)?.call_put(store, lent.param(), original).await
            },
            |answer, _| {
                let faults = answer::row_faults(answer.faults, rows)?;
                Ok((faults, requests(answer.requests)?))
            },
        );
        taken.await
    }

    async fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
    ) -> Result<(Vec<PartitionOffset>, SinkRequests)> {
        let asked = convert::partition_offsets(offsets);
        let answered = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| exported(&exports.sink)?.call_pre_commit(store, &asked).await,
            |answer, _| {
                let offsets: Vec<_> =
                    answer.offsets.into_iter().map(convert::taken_offset).collect();
                for one in &offsets {
                    answer::kafka_offset("offsets.offset", one.offset)?;
                }
                Ok((offsets, requests(answer.requests)?))
            },
        );
        answered.await
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let partitions: Vec<_> = partitions.iter().map(convert::topic_partition).collect();
        let closed = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| exported(&exports.sink)?.call_close(store, &partitions).await,
            answer::none,
        );
        closed.await
    }

    fn is_recycling_due(&self) -> bool {
        self.shared.is_recycling_due()
    }

    async fn stop(&mut self) -> Result<()> {
        let stopped = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| exported(&exports.sink)?.call_stop(store).await.map(Ok),
            answer::none,
        );
        stopped.await
    }
}

fn requests(asked: Option<contract::Requests>) -> std::result::Result<SinkRequests, Malformed> {
    let Some(asked) = asked else { return Ok(SinkRequests::default()) };
    let rewind: Vec<_> = asked.rewind.into_iter().map(convert::taken_offset).collect();
    for one in &rewind {
        answer::kafka_offset("requests.rewind.offset", one.offset)?;
    }
    let mut faults = Vec::with_capacity(asked.faults.len());
    for fault in asked.faults {
        answer::kafka_offset("requests.faults.at.offset", fault.at.offset)?;
        let at = convert::taken_offset(fault.at);
        faults.push(RecordFault { at, problem: convert::problem(fault.problem) });
    }
    Ok(SinkRequests {
        rewind,
        pause: asked.pause.into_iter().map(convert::taken_at).collect(),
        resume: asked.resume.into_iter().map(convert::taken_at).collect(),
        commit: asked.commit,
        timeout: asked.timeout_ms.map(Duration::from_millis),
        faults,
    })
}

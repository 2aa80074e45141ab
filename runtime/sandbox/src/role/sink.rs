//! A sink task in a component.
//!
//! Not here: the loop that feeds it, which is the worker's.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tombolo_model::batch::{Batch, Malformed};
use tombolo_model::fault::{RowFault, Stage};
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::plugin::Columns;
use tombolo_model::role::{Original, RecordFault, Result, SinkRequests, SinkTask};
use tombolo_model::settings::Settings;

use crate::convert::{self, Lent};
use crate::role::answer;
use crate::shared::{Shared, not_exported};
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
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let sink = exports.sink.as_ref().ok_or_else(not_exported)?;
            sink.call_start(store, &self.class, &convert::pairs(settings)).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |(), _| Ok(()))
    }

    async fn open(&mut self, partitions: &[PartitionOffset]) -> Result<SinkRequests> {
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let sink = exports.sink.as_ref().ok_or_else(not_exported)?;
            sink.call_open(store, &convert::partition_offsets(partitions)).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |asked, _| requests(asked))
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
        let mut call = self.shared.enter(Stage::TaskPut).await?;
        let limit = call.begin(Duration::ZERO, records.byte_count());
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let sink = exports.sink.as_ref().ok_or_else(not_exported)?;
            sink.call_put(store, lent.param(), original).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |answer, _| {
            let faults = convert::row_faults(answer.faults);
            answer::row_faults(&faults, rows)?;
            Ok((faults, requests(answer.requests)?))
        })
    }

    async fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
    ) -> Result<(Vec<PartitionOffset>, SinkRequests)> {
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let sink = exports.sink.as_ref().ok_or_else(not_exported)?;
            sink.call_pre_commit(store, &convert::partition_offsets(offsets)).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |answer, _| {
            let offsets: Vec<_> = answer.offsets.into_iter().map(convert::taken_offset).collect();
            for one in &offsets {
                answer::kafka_offset("offsets.offset", one.offset)?;
            }
            Ok((offsets, requests(answer.requests)?))
        })
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let partitions: Vec<_> = partitions.iter().map(convert::topic_partition).collect();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let sink = exports.sink.as_ref().ok_or_else(not_exported)?;
            sink.call_close(store, &partitions).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |(), _| Ok(()))
    }

    fn is_recycling_due(&self) -> bool {
        self.shared.is_recycling_due()
    }

    async fn stop(&mut self) -> Result<()> {
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let sink = exports.sink.as_ref().ok_or_else(not_exported)?;
            sink.call_stop(store).await.map(Ok)
        });
        let outcome = outcome.await;
        call.finish(outcome, |(), _| Ok(()))
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

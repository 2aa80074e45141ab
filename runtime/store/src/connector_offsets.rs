//! The offsets of one source connector: in the worker's store, or in a topic of the connector's own with the worker's store behind it.
//!
//! Not here: opening topics. Follows `ConnectorOffsetBackingStore` of Kafka Connect.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::task::JoinHandle;
use tombolo_model::fault::{Fault, Stage};
use tombolo_model::offset::{SourceOffset, SourcePartition, SourcePosition};
use tombolo_model::role::OffsetReader;
use tombolo_model::{ConnectorName, role};

use crate::error::{Error, Result};
use crate::flat::FlatMap;
use crate::offset_store::{OffsetStore, maps};

/// The offsets of one source connector. Cheap to clone.
#[derive(Clone)]
pub struct ConnectorOffsetStore {
    connector: ConnectorName,
    primary: OffsetStore,
    /// The worker's store, where the primary is the connector's own: it is read for what the primary lacks, and kept up to date, so that the
    /// connector can go back to it.
    secondary: Option<Secondary>,
}

#[derive(Clone)]
struct Secondary {
    store: OffsetStore,
    /// The last write. Nobody waits for it but the next.
    last: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl ConnectorOffsetStore {
    /// Offsets in the worker's store.
    pub fn in_worker_store(connector: ConnectorName, store: OffsetStore) -> Self {
        Self { connector, primary: store, secondary: None }
    }

    /// Offsets in a store of the connector's own, with the worker's behind it.
    pub fn in_own_store(connector: ConnectorName, own: OffsetStore, worker: OffsetStore) -> Self {
        let secondary = Secondary { store: worker, last: Arc::default() };
        Self { connector, primary: own, secondary: Some(secondary) }
    }

    /// Offsets of these partitions, in the same order, as of now.
    ///
    /// Errors: as [`OffsetStore::read`].
    pub async fn read(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        let own = self.primary.read(&self.connector, partitions);
        let Some(secondary) = &self.secondary else { return own.await };
        let worker = secondary.store.read(&self.connector, partitions);
        let (own, worker) = tokio::try_join!(own, worker)?;
        Ok(own.into_iter().zip(worker).map(|(own, worker)| own.or(worker)).collect())
    }

    /// All partitions with an offset, as of now.
    pub async fn positions(&self) -> Result<Vec<(FlatMap, FlatMap)>> {
        let own = self.primary.positions(&self.connector);
        let Some(secondary) = &self.secondary else { return own.await };
        let worker = secondary.store.positions(&self.connector);
        let (own, worker) = tokio::try_join!(own, worker)?;
        let all = worker.into_iter().chain(own);
        let all = all.map(|(partition, offset)| (partition.canonical(), (partition, offset)));
        Ok(all.collect::<BTreeMap<_, _>>().into_values().collect())
    }

    /// Stores offsets; returns when they are durable.
    ///
    /// Errors: as [`OffsetStore::write_maps`].
    pub async fn write(&self, positions: &[SourcePosition]) -> Result<()> {
        self.write_maps(&maps(positions)?).await
    }

    /// As [`ConnectorOffsetStore::write`], for maps.
    ///
    /// Where an offset is forgotten, the worker's store forgets it first: it must not come back from there.
    pub async fn write_maps(&self, positions: &[(FlatMap, Option<FlatMap>)]) -> Result<()> {
        let Some(secondary) = &self.secondary else {
            return self.primary.write_maps(&self.connector, positions).await;
        };
        let (set, forgotten): (Vec<_>, Vec<_>) =
            positions.iter().cloned().partition(|(_, offset)| offset.is_some());
        if !forgotten.is_empty() {
            secondary.settle().await;
            secondary.store.write_maps(&self.connector, &forgotten).await?;
        }
        self.primary.write_maps(&self.connector, positions).await?;
        if !set.is_empty() {
            secondary.write_behind(self.connector.clone(), set);
        }
        Ok(())
    }
}

impl Secondary {
    /// Writes when what was written before has ended. A write that fails is logged: the next has newer offsets.
    fn write_behind(&self, connector: ConnectorName, positions: Vec<(FlatMap, Option<FlatMap>)>) {
        let store = self.store.clone();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.take();
        *last = Some(tokio::spawn(async move {
            ended(before).await;
            if let Err(error) = store.write_maps(&connector, &positions).await {
                tracing::warn!(%connector, %error, "Failed to write offsets to secondary backing store");
            }
        }));
    }

    /// Waits until nothing is on its way.
    async fn settle(&self) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        ended(last).await;
    }
}

/// However it ended: each write logs its own failure.
async fn ended(write: Option<JoinHandle<()>>) {
    if let Some(write) = write {
        write.await.ok();
    }
}

/// What a connector's plugins read their offsets from.
#[async_trait]
impl OffsetReader for ConnectorOffsetStore {
    async fn read(
        &self,
        partitions: &[SourcePartition],
    ) -> role::Result<Vec<Option<SourceOffset>>> {
        self.read(partitions).await.map_err(|error| match error {
            Error::Format(why) => Fault::fatal(Stage::Lifecycle, why),
            error => {
                Fault::retriable(Stage::Lifecycle, "Failed to fetch offsets.").with_source(error)
            }
        })
    }
}

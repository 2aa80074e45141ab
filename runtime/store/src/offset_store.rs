//! A store of source offsets, shared by all who use its topic.
//!
//! Not here: which stores a connector has (`connector_offsets`); offsets of sinks, which are those of consumer groups. Follows `KafkaOffsetBackingStore` and `OffsetUtils` of Kafka Connect.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;
use tombolo_model::ConnectorName;
use tombolo_model::offset::{SourceOffset, SourcePartition, SourcePosition};

use crate::error::{Error, Result};
use crate::flat::FlatMap;
use crate::journal::{Entry, Journal, Journals, LogRecord, shown_key};
use crate::json::to_vec;
use crate::topics::InternalTopic;

/// The store of source offsets. Cheap to clone.
#[derive(Clone)]
pub struct OffsetStore {
    journal: Arc<dyn Journal>,
    offsets: Arc<Mutex<Offsets>>,
}

/// By connector, then by the partition's canonical form.
type Offsets = BTreeMap<ConnectorName, BTreeMap<String, Stored>>;

/// What the topic holds for one partition.
#[derive(Clone, Debug)]
struct Stored {
    /// The record's key as read: a Java worker may have written the members in another order than a task does,
    /// and a second key for one partition would make two truths.
    key: Vec<u8>,
    partition: FlatMap,
    /// None after a tombstone.
    offset: Option<FlatMap>,
}

impl OffsetStore {
    /// Opens the topic and reads it to its end.
    ///
    /// Errors: as [`Journals::open`].
    pub async fn open(journals: &dyn Journals, topic: &InternalTopic) -> Result<Self> {
        let offsets = Arc::new(Mutex::new(Offsets::new()));
        let reader = Arc::clone(&offsets);
        let name = topic.name.clone();
        let take = move |record: LogRecord<'_>| take(&mut lock(&reader), &name, record);
        let journal = journals.open(topic, Box::new(take)).await?;
        Ok(Self { journal, offsets })
    }

    /// Offsets of these partitions, in the same order, as of now: reads the topic to its end first.
    ///
    /// Errors: `Format` where a partition is no flat map; `Topic` and `Timeout` of the read.
    pub async fn read(
        &self,
        connector: &ConnectorName,
        partitions: &[SourcePartition],
    ) -> Result<Vec<Option<SourceOffset>>> {
        let wanted = partitions
            .iter()
            .map(|partition| Ok(FlatMap::from_cbor(&partition.0)?.canonical()))
            .collect::<Result<Vec<_>>>()?;
        self.journal.read_to_end().await?;
        let offsets = lock(&self.offsets);
        let known = offsets.get(connector);
        let offset = |wanted: &String| {
            let offset = known?.get(wanted)?.offset.as_ref()?;
            Some(SourceOffset(offset.to_cbor()))
        };
        Ok(wanted.iter().map(offset).collect())
    }

    /// All partitions of a connector with an offset, as of now.
    pub async fn positions(&self, connector: &ConnectorName) -> Result<Vec<(FlatMap, FlatMap)>> {
        self.journal.read_to_end().await?;
        let offsets = lock(&self.offsets);
        let known = offsets.get(connector).into_iter().flatten();
        Ok(known
            .filter_map(|(_, stored)| Some((stored.partition.clone(), stored.offset.clone()?)))
            .collect())
    }

    /// Stores offsets, or forgets them; returns when that is durable.
    pub async fn write_maps(
        &self,
        connector: &ConnectorName,
        positions: &[(FlatMap, Option<FlatMap>)],
    ) -> Result<()> {
        let entries = positions
            .iter()
            .map(|(partition, offset)| {
                Ok((self.key(connector, partition)?, offset.as_ref().map(to_vec).transpose()?))
            })
            .collect::<Result<Vec<Entry>>>()?;
        self.journal.append(&entries).await
    }

    fn key(&self, connector: &ConnectorName, partition: &FlatMap) -> Result<Vec<u8>> {
        let offsets = lock(&self.offsets);
        let known = offsets.get(connector).and_then(|known| known.get(&partition.canonical()));
        match known {
            Some(stored) => Ok(stored.key.clone()),
            None => to_vec(&(connector.as_str(), partition)),
        }
    }
}

/// Positions as maps.
///
/// Errors: `Format` where one is no flat map.
pub(crate) fn maps(positions: &[SourcePosition]) -> Result<Vec<(FlatMap, Option<FlatMap>)>> {
    let map = |position: &SourcePosition| {
        let offset = position.offset.as_ref().map(|offset| FlatMap::from_cbor(&offset.0));
        Ok((FlatMap::from_cbor(&position.partition.0)?, offset.transpose()?))
    };
    positions.iter().map(map).collect()
}

fn take(offsets: &mut Offsets, topic: &str, record: LogRecord<'_>) {
    let (at, offset) = (record.partition, record.offset);
    let key = record.key.unwrap_or_default();
    let Some((connector, partition)) = read_key(key) else {
        let key = shown_key(&record);
        tracing::warn!(
            topic,
            partition = at,
            offset,
            "Ignoring offset partition key with an unexpected format: {key}"
        );
        return;
    };
    let offset = match record.value.map(read_value) {
        None => None,
        Some(Ok(offset)) => offset,
        Some(Err(error)) => {
            tracing::error!(%connector, topic, partition = at, offset, %error, "CRITICAL: Failed to deserialize offset data. No value for this data will be returned, which may break the task or cause it to skip some data");
            None
        }
    };
    let stored = Stored { key: key.to_vec(), partition: partition.clone(), offset };
    offsets.entry(connector).or_default().insert(partition.canonical(), stored);
}

/// Reads `["connector",{partition}]`.
fn read_key(key: &[u8]) -> Option<(ConnectorName, FlatMap)> {
    let (name, partition): (String, Json) = serde_json::from_slice(key).ok()?;
    Some((ConnectorName::new(name), FlatMap::from_json(&partition).ok()?))
}

fn read_value(value: &[u8]) -> Result<Option<FlatMap>> {
    let json: Json = serde_json::from_slice(value)
        .map_err(|error| Error::Format(format!("not JSON: {error}")))?;
    if json.is_null() { Ok(None) } else { FlatMap::from_json(&json).map(Some) }
}

fn lock(offsets: &Mutex<Offsets>) -> MutexGuard<'_, Offsets> {
    offsets.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The store of uploaded components: an index, and their bytes in chunks, each in a compacted topic of its own.
//!
//! Two topics, so that a start reads the index alone: the bytes are fetched only where the sandbox has no artifact of a component.
//! Not here: what a component is. Kafka Connect has nothing like it; the formats are ours.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tombolo_model::plugin::ComponentDigest;

use crate::error::{Error, Result};
use crate::journal::{Entry, Journal, Journals, LogRecord};
use crate::json::to_vec;
use crate::topics::InternalTopic;

/// Most bytes of a chunk: below a broker's default of 1 MiB for a batch, with room for key and headers.
pub const CHUNK_BYTES_MAX: usize = 900 * 1000;

/// The store of uploaded components. Cheap to clone.
#[derive(Clone)]
pub struct PluginStore {
    journals: Arc<dyn Journals>,
    chunks: InternalTopic,
    index: Arc<dyn Journal>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    components: Mutex<BTreeMap<ComponentDigest, IndexValue>>,
    changed: Notify,
}

/// Value of a record `component-<digest>` of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct IndexValue {
    /// Format of the chunks.
    version: u32,
    /// How many there are, under the keys `chunk-<digest>-0` and on.
    chunks: u32,
    /// Bytes of the component.
    bytes: u64,
}

impl IndexValue {
    const VERSION: u32 = 1;
}

impl PluginStore {
    /// Opens the index and reads it to its end; the chunks stay closed.
    ///
    /// Errors: as [`Journals::open`].
    pub async fn open(
        journals: Arc<dyn Journals>,
        index: &InternalTopic,
        chunks: &InternalTopic,
    ) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let reader = Arc::clone(&shared);
        let index = journals.open(index, Box::new(move |record| reader.take(record))).await?;
        Ok(Self { journals, chunks: chunks.clone(), index, shared })
    }

    /// Digests of all stored components.
    pub fn components(&self) -> Vec<ComponentDigest> {
        self.shared.lock().keys().cloned().collect()
    }

    /// Waits until [`PluginStore::components`] may have changed. For one follower.
    pub async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// Stores a component; returns when it is durable. One that is there is not stored again.
    pub async fn put(&self, digest: &ComponentDigest, component: &[u8]) -> Result<()> {
        if self.shared.lock().contains_key(digest) {
            return Ok(());
        }
        let parts: Vec<_> = component.chunks(CHUNK_BYTES_MAX).collect();
        let index = IndexValue {
            version: IndexValue::VERSION,
            chunks: u32::try_from(parts.len()).unwrap_or(u32::MAX),
            bytes: component.len() as u64,
        };
        let chunks = self.journals.open(&self.chunks, Box::new(|_| {})).await?;
        for (number, part) in (0u32..).zip(parts) {
            chunks.append(&[(chunk_key(digest, number), Some(part.to_vec()))]).await?;
        }
        // The index comes last: what it names is there.
        let entry: Entry = (format!("component-{}", digest.0).into_bytes(), Some(to_vec(&index)?));
        self.index.append(&[entry]).await?;
        self.index.read_to_end().await
    }

    /// The bytes of components, of those that are stored.
    ///
    /// Errors: `Component` where chunks are missing. That the bytes have their digest is for the caller to see.
    ///
    /// Cost: reads the whole topic of chunks, once for all that are asked for.
    pub async fn get(
        &self,
        digests: &[ComponentDigest],
    ) -> Result<Vec<(ComponentDigest, Vec<u8>)>> {
        let wanted: BTreeMap<ComponentDigest, IndexValue> = {
            let components = self.shared.lock();
            let known =
                |digest| Some((ComponentDigest::clone(digest), components.get(digest)?.clone()));
            digests.iter().filter_map(known).collect()
        };
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let collected = Arc::new(Mutex::new(BTreeMap::<Vec<u8>, Vec<u8>>::new()));
        let sink = Arc::clone(&collected);
        let keys: std::collections::BTreeSet<Vec<u8>> = wanted
            .iter()
            .flat_map(|(digest, index)| {
                (0..index.chunks).map(move |number| chunk_key(digest, number))
            })
            .collect();
        let collect = move |record: LogRecord<'_>| {
            let (Some(key), Some(value)) = (record.key, record.value) else { return };
            if keys.contains(key) {
                let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
                sink.insert(key.to_vec(), value.to_vec());
            }
        };
        let open = self.journals.open(&self.chunks, Box::new(collect)).await?;
        drop(open);
        let mut chunks =
            std::mem::take(&mut *collected.lock().unwrap_or_else(PoisonError::into_inner));
        wanted.into_iter().map(|(digest, index)| join(digest, &index, &mut chunks)).collect()
    }
}

fn join(
    digest: ComponentDigest,
    index: &IndexValue,
    chunks: &mut BTreeMap<Vec<u8>, Vec<u8>>,
) -> Result<(ComponentDigest, Vec<u8>)> {
    let broken = |why: String| Error::Component { digest: digest.0.clone(), why };
    let mut component = Vec::new();
    for number in 0..index.chunks {
        let chunk = chunks.remove(&chunk_key(&digest, number));
        let chunk = chunk.ok_or_else(|| broken(format!("chunk {number} is missing")))?;
        component.extend(chunk);
    }
    if component.len() as u64 != index.bytes {
        return Err(broken(format!("has {} bytes, not {}", component.len(), index.bytes)));
    }
    Ok((digest, component))
}

fn chunk_key(digest: &ComponentDigest, number: u32) -> Vec<u8> {
    format!("chunk-{}-{number}", digest.0).into_bytes()
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ComponentDigest, IndexValue>> {
        self.components.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, record: LogRecord<'_>) {
        let key = String::from_utf8_lossy(record.key.unwrap_or_default());
        let Some(digest) = key.strip_prefix("component-") else {
            tracing::warn!(offset = record.offset, "ignoring record '{key}' of the plugin topic");
            return;
        };
        let digest = ComponentDigest(digest.to_owned());
        match record.value.map(serde_json::from_slice::<IndexValue>) {
            None => drop(self.lock().remove(&digest)),
            Some(Ok(index)) if index.version == IndexValue::VERSION => {
                self.lock().insert(digest, index);
            }
            Some(_) => {
                tracing::warn!(
                    offset = record.offset,
                    "ignoring '{key}' of the plugin topic: of another version"
                );
                return;
            }
        }
        self.changed.notify_one();
    }
}

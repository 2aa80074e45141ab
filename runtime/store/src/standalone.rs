//! Stores of a worker that stands alone: offsets and secrets in files, everything else in memory while it runs.
//!
//! Not here: the file (`offset_file`). Follows `MemoryConfigBackingStore` and `MemoryStatusBackingStore` of Kafka Connect.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::config_store::ConfigStore;
use crate::error::Result;
use crate::journal::{Entry, Journal, Journals, LogRecord, Reader};
use crate::offset_file::OffsetFile;
use crate::offset_store::OffsetStore;
use crate::plugin_store::PluginStore;
use crate::sealed::SecretKeys;
use crate::secret_store::SecretStore;
use crate::status_store::StatusStore;
use crate::stores::Stores;
use crate::topics::InternalTopic;

impl Stores {
    /// Opens the stores of a worker that stands alone.
    ///
    /// Errors: `File`, where the file of offsets cannot be used.
    pub async fn standalone(offsets: &Path) -> Result<Self> {
        let passing: Arc<dyn Journals> = Arc::new(PassingJournals);
        let file = OffsetFiles { path: offsets.to_path_buf() };
        let topic = InternalTopic::nowhere;
        Ok(Self {
            config: ConfigStore::open(&*passing, &topic("configurations")).await?,
            offsets: OffsetStore::open(&file, &topic("offsets")).await?,
            statuses: StatusStore::open(&*passing, &topic("statuses")).await?,
            plugins: PluginStore::open(
                Arc::clone(&passing),
                &topic("components"),
                &topic("components in chunks"),
            )
            .await?,
            secrets: None,
        })
    }
}

impl SecretStore {
    /// Opens the secrets of a worker that stands alone: a file beside that of its offsets, in the same form, with `.secrets` at its name's end.
    ///
    /// Errors: `File`, where it cannot be used.
    pub async fn standalone(offsets: &Path, keys: SecretKeys) -> Result<Self> {
        let mut name = offsets.file_name().unwrap_or_default().to_os_string();
        name.push(".secrets");
        let file = OffsetFiles { path: offsets.with_file_name(name) };
        Self::open(&file, &InternalTopic::nowhere("secrets"), keys).await
    }
}

/// Opens the file of offsets.
struct OffsetFiles {
    path: PathBuf,
}

#[async_trait]
impl Journals for OffsetFiles {
    async fn open(&self, _: &InternalTopic, reader: Reader) -> Result<Arc<dyn Journal>> {
        OffsetFile::open(&self.path, reader).await
    }
}

/// Journals that keep nothing: what is appended is read at once, by who opened it, and that is all.
struct PassingJournals;

struct PassingJournal(Mutex<Passing>);

struct Passing {
    reader: Reader,
    /// How many entries the reader was given.
    given: i64,
}

#[async_trait]
impl Journals for PassingJournals {
    async fn open(&self, _: &InternalTopic, reader: Reader) -> Result<Arc<dyn Journal>> {
        Ok(Arc::new(PassingJournal(Mutex::new(Passing { reader, given: 0 }))))
    }
}

#[async_trait]
impl Journal for PassingJournal {
    async fn append(&self, entries: &[Entry]) -> Result<()> {
        let mut passing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in entries {
            let offset = passing.given;
            passing.given += 1;
            (passing.reader)(LogRecord {
                partition: 0,
                offset,
                timestamp: -1,
                key: Some(key),
                value: value.as_deref(),
            });
        }
        Ok(())
    }

    async fn read_to_end(&self) -> Result<()> {
        Ok(())
    }
}

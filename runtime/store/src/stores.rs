//! All stores of a worker, opened at once.
//!
//! Not here: the stores themselves.

use std::sync::Arc;

use crate::config_store::ConfigStore;
use crate::error::Result;
use crate::journal::Journals;
use crate::offset_store::OffsetStore;
use crate::plugin_store::PluginStore;
use crate::secret_store::SecretStore;
use crate::status_store::StatusStore;
use crate::topics::InternalTopics;

/// All stores of a worker. Cheap to clone.
#[derive(Clone)]
pub struct Stores {
    /// Configurations.
    pub config: ConfigStore,
    /// Source offsets.
    pub offsets: OffsetStore,
    /// Statuses.
    pub statuses: StatusStore,
    /// Uploaded components.
    pub plugins: PluginStore,
    /// Secrets, where the worker has a key for them. It is opened with that key, by itself.
    pub secrets: Option<SecretStore>,
}

impl Stores {
    /// Opens the topics side by side and reads them to their ends.
    ///
    /// Errors: the first of any store.
    pub async fn open(journals: Arc<dyn Journals>, topics: &InternalTopics) -> Result<Self> {
        let plugins =
            PluginStore::open(Arc::clone(&journals), &topics.plugin, &topics.plugin_chunks);
        let (config, offsets, statuses, plugins) = tokio::try_join!(
            ConfigStore::open(&*journals, &topics.config),
            OffsetStore::open(&*journals, &topics.offset),
            StatusStore::open(&*journals, &topics.status),
            plugins,
        )?;
        Ok(Self { config, offsets, statuses, plugins, secrets: None })
    }
}

//! Where source connectors keep their offsets: in the worker's store, or in topics of their own.
//!
//! Not here: the stores (`store`), and that a connector's topic is none in which the worker keeps anything else (`own_topics`). Follows `Worker.offsetStoreForRegularSourceConnector` of Kafka Connect.

use std::collections::BTreeSet;
use std::time::Duration;

use tombolo_kafka::log::LogClients;
use tombolo_kafka::{Admin, ClientKind};
use tombolo_model::{Fault, Settings, Stage};
use tombolo_store::topics::InternalTopic;
use tombolo_store::{ConnectorOffsetStore, Error as StoreError, KafkaJournals, OffsetStore};

use crate::client_settings::{admin, translate};
use crate::connector_config::{ConnectorConfig, RoleConfig};
use crate::shared::Shared;

/// Setting of a connector's own topic.
const SETTING: &str = "offsets.storage.topic";
/// Longest wait for an answer about a topic.
const ADMIN_WAIT: Duration = Duration::from_secs(30);

/// Where source connectors keep their offsets.
#[derive(Clone)]
pub struct SourceOffsets {
    /// The worker's store.
    pub store: OffsetStore,
    /// Its topic, after which connectors' own are made. None on a worker that stands alone, whose connectors have none.
    pub topic: Option<InternalTopic>,
}

impl Shared {
    /// Opens what holds a source connector's offsets. A topic of its own is created where it is missing, and read to its end.
    ///
    /// Waits for a broker that is away.
    ///
    /// Errors: `Config` for a topic that is not compacted, and for client settings that cannot be used.
    pub(crate) async fn source_offsets(
        &self,
        config: &ConnectorConfig,
    ) -> Result<ConnectorOffsetStore, Fault> {
        let (name, worker) = (config.name.clone(), self.offsets.store.clone());
        let Some((topic, java)) = self.own_topic(config)? else {
            return Ok(ConnectorOffsetStore::in_worker_store(name, worker));
        };
        let mut consumer = self.config.client(ClientKind::Consumer, &config.consumer_override)?;
        if !consumer.contains("isolation.level") {
            consumer.insert("isolation.level", "read_committed");
        }
        let consumer = translate(ClientKind::Consumer, &consumer)?;
        let producer = translate(ClientKind::Producer, &java)?;
        let admin = admin(&self.config, &config.admin_override)?;
        let failed = |error: StoreError| match error {
            StoreError::Config(why) => Fault::config(why),
            error => {
                let message = format!("Failed to open the offsets topic '{}'", topic.name);
                Fault::fatal(Stage::Lifecycle, message).with_source(error)
            }
        };
        let client_id = format!("connector-offsets-{name}");
        let cannot = |error| {
            Fault::fatal(Stage::Lifecycle, "Failed to make an admin client").with_source(error)
        };
        let admin = Admin::new(&admin, &client_id, ADMIN_WAIT).map_err(cannot)?;
        let clients = LogClients::new(&consumer, &producer, &client_id, &self.producers);
        let own = OffsetStore::open(&KafkaJournals::new(clients, admin), &topic).await;
        Ok(ConnectorOffsetStore::in_own_store(name, own.map_err(failed)?, worker))
    }

    /// A topic of the connector's own, and the settings of the producer for it; none where the worker's store serves.
    fn own_topic(
        &self,
        config: &ConnectorConfig,
    ) -> Result<Option<(InternalTopic, Settings)>, Fault> {
        let RoleConfig::Source(source) = &config.role else { return Ok(None) };
        let (Some(name), Some(like)) = (&source.offsets_topic, &self.offsets.topic) else {
            return Ok(None);
        };
        let producer = self.config.client(ClientKind::Producer, &config.producer_override)?;
        if *name == like.name && servers(&producer) == servers(&self.config.all) {
            return Ok(None);
        }
        let topic = InternalTopic { name: name.clone(), setting: SETTING, ..like.clone() };
        Ok(Some((topic, producer)))
    }
}

/// The brokers to start from, in no order. Two names of one cluster look like two clusters, as in Kafka Connect.
fn servers(settings: &Settings) -> BTreeSet<&str> {
    settings.get("bootstrap.servers").unwrap_or_default().split(',').map(str::trim).collect()
}

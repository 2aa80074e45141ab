//! Offsets of connectors: those of sources in the offset store, those of sinks in their consumer groups.
//!
//! Not here: when they may change (`step`). Follows `Worker.connectorOffsets` and `Worker.modifyConnectorOffsets` of Kafka Connect.

mod sink;

use std::sync::Arc;
use std::time::Duration;

use tombolo_model::fault::{Fault, FaultKind};
use tombolo_model::offset::{SourceOffset, SourcePartition, SourcePosition};
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::role::Plugins;
use tombolo_model::{ConnectorName, Settings};
use tombolo_store::flat::FlatMap;
use tombolo_store::{ClusterConfigState, ConnectorOffsetStore, Error as StoreError};
use tombolo_worker::ProposedOffsets;

use crate::error::Error;
use crate::event::{OffsetChange, OffsetsAltered};
use crate::work::Work;
use sink::Group;

/// Longest wait for a connector's own topic of offsets to be opened.
const OPEN_TIMEOUT: Duration = tombolo_store::topics::READ_WRITE_TIMEOUT;

/// Offset of one partition of a connector.
#[derive(Clone, Debug, PartialEq)]
pub struct Offset {
    /// The partition.
    pub partition: FlatMap,
    /// The offset.
    pub offset: FlatMap,
}

/// Reads offsets. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) plugins: Arc<dyn Plugins>,
    pub(crate) worker: Arc<dyn Work>,
}

/// Alters offsets. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Alterer(pub(crate) Reader);

/// A connector whose plugin is known.
struct Known {
    name: ConnectorName,
    /// Its configuration, resolved.
    config: Settings,
    plugin: Arc<PluginInfo>,
}

impl Reader {
    /// All offsets of a connector.
    pub(crate) async fn read(
        &self,
        state: &ClusterConfigState,
        name: &ConnectorName,
    ) -> Result<Vec<Offset>, Error> {
        let known = self.known(state, name).await?;
        if known.plugin.kind == PluginKind::Sink {
            return self.group(&known)?.offsets().await;
        }
        let doing = format!("retrieve offsets for source connector {name}");
        let offsets = self.source(&known, &doing).await?;
        let positions = offsets.positions().await.map_err(|error| cannot(&doing, &error))?;
        Ok(positions.into_iter().map(|(partition, offset)| Offset { partition, offset }).collect())
    }

    /// What holds the offsets of a source.
    async fn source(&self, known: &Known, doing: &str) -> Result<ConnectorOffsetStore, Error> {
        let opening = self.worker.source_offsets(&known.config);
        match tokio::time::timeout(OPEN_TIMEOUT, opening).await {
            Ok(opened) => opened.map_err(|fault| {
                Error::failed(format!("Failed to {doing}: {}", fault.message), &fault)
            }),
            Err(_) => Err(Error::Internal(format!("Timed out while attempting to {doing}"))),
        }
    }

    /// The consumer group of a sink.
    fn group<'a>(&self, known: &'a Known) -> Result<Group<'a>, Error> {
        let group = self.worker.sink_group(&known.config).map_err(|fault| {
            let (name, why) = (&known.name, &fault.message);
            let message = format!("Failed to reach the consumer group of connector {name}: {why}");
            Error::failed(message, &fault)
        })?;
        Group::new(&known.name, group)
    }

    async fn known(
        &self,
        state: &ClusterConfigState,
        name: &ConnectorName,
    ) -> Result<Known, Error> {
        let connector = state.connector(name).ok_or_else(|| Error::not_found(name))?;
        let resolved = self.worker.resolve(&connector.config).await;
        let config = resolved.map_err(crate::validation::refusal)?.settings;
        let plugin = tombolo_worker::validation::connector(&*self.plugins, &config)
            .map_err(|fault| crate::validation::refusal(config.secrets().hide_in(fault)))?;
        Ok(Known { name: name.clone(), config, plugin })
    }
}

impl Alterer {
    /// Changes offsets of a stopped connector: the connector is asked first, and may refuse.
    pub(crate) async fn alter(
        &self,
        state: &ClusterConfigState,
        name: &ConnectorName,
        change: OffsetChange,
    ) -> Result<OffsetsAltered, Error> {
        let known = self.0.known(state, name).await?;
        let is_sink = known.plugin.kind == PluginKind::Sink;
        let by_connector = if is_sink {
            self.alter_sink(&known, change).await?
        } else {
            self.alter_source(&known, change).await?
        };
        Ok(OffsetsAltered { by_connector })
    }

    async fn alter_source(&self, known: &Known, change: OffsetChange) -> Result<bool, Error> {
        let doing = format!("modify offsets for source connector {}", known.name);
        let offsets = self.0.source(known, &doing).await?;
        let failed = |error| cannot(&doing, &error);
        let changes: Vec<_> = match change {
            // No partition is like one without members: the connector says what it misses.
            OffsetChange::Alter(changes) => changes
                .into_iter()
                .map(|(partition, offset)| (partition.unwrap_or_default(), offset))
                .collect(),
            OffsetChange::Reset => {
                let positions = offsets.positions().await.map_err(failed)?;
                positions.into_iter().map(|(partition, _)| (partition, None)).collect()
            }
        };
        let positions: Vec<SourcePosition> = changes
            .iter()
            .map(|(partition, offset)| SourcePosition {
                partition: SourcePartition(partition.to_cbor()),
                offset: offset.as_ref().map(|offset| SourceOffset(offset.to_cbor())),
            })
            .collect();
        let by_connector = self.ask(known, ProposedOffsets::Source(positions)).await?;
        offsets.write_maps(&changes).await.map_err(failed)?;
        Ok(by_connector)
    }

    async fn alter_sink(&self, known: &Known, change: OffsetChange) -> Result<bool, Error> {
        let group = self.0.group(known)?;
        let is_reset = change == OffsetChange::Reset;
        let changes = match change {
            OffsetChange::Alter(changes) => sink::parse(&changes)?,
            OffsetChange::Reset => {
                let committed = group.committed().await?;
                committed.into_iter().map(|committed| (committed.at, None)).collect()
            }
        };
        let by_connector = self.ask(known, ProposedOffsets::Sink(changes.clone())).await?;
        if is_reset {
            group.delete().await?;
        } else {
            group.alter(&changes).await?;
        }
        Ok(by_connector)
    }

    /// Asks the connector, which may refuse, whether it makes the change itself.
    async fn ask(&self, known: &Known, offsets: ProposedOffsets) -> Result<bool, Error> {
        let asked = self.0.worker.alter_offsets(&known.name, &known.config, offsets).await;
        asked.map_err(|fault| refused(&known.name, fault))
    }
}

fn cannot(doing: &str, error: &StoreError) -> Error {
    Error::failed(format!("Failed to {doing}"), error)
}

fn refused(name: &ConnectorName, fault: Fault) -> Error {
    match &fault.kind {
        FaultKind::Plugin(_) => {
            let message = format!("Failed to modify offsets for connector {name}");
            Error::failed(format!("{message}: {}", fault.message), &fault)
        }
        _ => Error::Internal(fault.message),
    }
}

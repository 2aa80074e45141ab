//! Settings of Java's Kafka clients, translated for librdkafka.
//!
//! Every setting of Kafka's clients is in one of three lists (`table`): translated; ignored with a warning, as it makes no difference here;
//! refused, as delivery or security would not be what its author expects. Not here: which settings a connector may override, and their merging.

mod convert;
mod defaults;
mod jaas;
mod passwords;
mod sasl;
mod server;
mod ssl;
mod store_file;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tombolo_model::Settings;
use tombolo_model::settings::HIDDEN;

use crate::ffi::refused_property;
pub use passwords::passwords;
pub use server::ServerStores;
use table::Treatment;

/// For which client settings are meant: each has its own defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// A consumer, with Kafka Connect's defaults of a sink's consumer.
    Consumer,
    /// A producer, with Kafka Connect's defaults of a source's producer, but idempotent.
    Producer,
    /// An admin client.
    Admin,
}

/// Settings of one client, in librdkafka's terms.
///
/// Equal settings make equal clients, so tasks may share them. Values may be secrets: `Debug` shows the names alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientSettings {
    kind: ClientKind,
    properties: BTreeMap<String, String>,
    poll_records_max: usize,
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

/// A setting that cannot be honoured, and without which delivery or security would not be what its author expects; or one that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("setting {name} is not supported: {reason}")]
pub struct RefusedSetting {
    /// The setting.
    pub name: String,
    /// Why, and what to do instead; never a secret.
    pub reason: String,
}

/// What becomes of a setting of Kafka's clients here, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSetting {
    /// The setting.
    pub name: &'static str,
    /// The clients that have it.
    pub kinds: &'static [ClientKind],
    /// What becomes of it, as `used` or `ignored: …`.
    pub treatment: String,
}

/// All settings of Kafka's clients, each with what becomes of it.
pub fn all() -> impl Iterator<Item = ClientSetting> {
    table::SETTINGS.iter().map(|&(name, kinds, treatment)| {
        let treatment = match treatment {
            Treatment::Same | Treatment::Converted(_) | Treatment::Security => "used".to_owned(),
            Treatment::Renamed(property) => format!("used, as librdkafka's `{property}`"),
            Treatment::Ignored(reason) => format!("ignored: {reason}"),
            Treatment::Refused(reason) => format!("refused: {reason}"),
            Treatment::Unknown => "unknown".to_owned(),
        };
        let treatment = match table::needs(name) {
            Some(needs) => format!("{treatment}; {needs}"),
            None => treatment,
        };
        ClientSetting { name, kinds, treatment }
    })
}

/// Whether Kafka's clients have a setting of this name, whatever becomes of it here.
pub fn is_known(name: &str) -> bool {
    !matches!(table::treatment(ClientKind::Admin, name), Treatment::Unknown)
}

/// What a translation comes to, setting by setting.
struct Translation<'a> {
    kind: ClientKind,
    java: &'a Settings,
    properties: BTreeMap<String, String>,
    warnings: Vec<Warning>,
}

impl Translation<'_> {
    fn set(&mut self, property: &str, value: impl Into<String>) {
        self.properties.insert(property.to_owned(), value.into());
    }

    fn warn(&mut self, name: &str, reason: impl Into<String>) {
        self.warnings.push(Warning { name: name.to_owned(), reason: reason.into() });
    }
}

fn refused(name: &str, reason: impl Into<String>) -> RefusedSetting {
    RefusedSetting { name: name.to_owned(), reason: reason.into() }
}

impl ClientSettings {
    /// Translates Java client settings over Kafka Connect's defaults for `kind`.
    ///
    /// Settings that Kafka's client of this kind does not know are warned about, as Kafka does. Key and trust stores are read, so that a store
    /// that cannot be used is refused here and not by the first connection.
    pub fn translate(
        kind: ClientKind,
        java: &Settings,
    ) -> Result<(ClientSettings, Vec<Warning>), RefusedSetting> {
        let properties = defaults::properties(kind);
        let mut to = Translation { kind, java, properties, warnings: Vec::new() };
        for (name, value) in java.iter() {
            match table::treatment(kind, name) {
                Treatment::Same => to.set(name, value.trim()),
                Treatment::Renamed(property) => to.set(property, value.trim()),
                Treatment::Converted(convert) => convert(&mut to, name, value.trim())?,
                // Read together, below.
                Treatment::Security => {}
                Treatment::Ignored(reason) => to.warn(name, reason),
                Treatment::Refused(reason) => return Err(refused(name, reason)),
                Treatment::Unknown => to.warn(name, "Kafka's clients have no such setting"),
            }
        }
        ssl::translate(&mut to)?;
        sasl::translate(&mut to)?;
        defaults::complete(&mut to);
        let poll_records_max = convert::poll_records_max(java)?;
        let Translation { properties, warnings, .. } = to;
        let all = properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        if let Some(property) = refused_property(all) {
            // Not the value: it may be a secret.
            let reason = "its value is of another type, or out of its range";
            return Err(refused(table::java_name(kind, property), reason));
        }
        Ok((ClientSettings { kind, properties, poll_records_max }, warnings))
    }

    /// `max.poll.records`: most rows of one batch of a consumer.
    pub fn poll_records_max(&self) -> usize {
        self.poll_records_max
    }

    /// The value of a librdkafka property.
    pub(crate) fn get(&self, property: &str) -> Option<&str> {
        self.properties.get(property).map(String::as_str)
    }

    /// These settings with one librdkafka property more, or another value of it.
    pub(crate) fn with(&self, property: &str, value: &str) -> ClientSettings {
        let mut changed = self.clone();
        changed.properties.insert(property.to_owned(), value.to_owned());
        changed
    }

    /// A librdkafka property in milliseconds.
    pub(crate) fn millis(&self, property: &str) -> Option<Duration> {
        self.get(property)?.parse().ok().map(Duration::from_millis)
    }

    /// All properties, over those given.
    pub(crate) fn properties_over<'a>(
        &'a self,
        defaults: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let defaults = defaults.iter().copied().filter(|(name, _)| self.get(name).is_none());
        defaults.chain(self.properties.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.properties.keys().map(|name| (name, HIDDEN));
        write!(f, "{:?} ", self.kind)?;
        f.debug_map().entries(shown).finish()
    }
}

//! Settings: typed keys that define a plugin's settings and read them.
//!
//! A plugin lists its keys and reads each into a field; the catalogue, the checks and the errors come from the keys. Not here: who stores settings.
//!
//! ```
//! use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};
//!
//! const TOPIC: Key<String> = Key::new("topic").doc("Where records go.").importance(Importance::High);
//! const BATCH: Key<u32> = Key::new("batch.size").default("2000").at_least(1).doc("Most records at once.");
//!
//! struct Reader { topic: String, batch: u32 }
//!
//! impl Configuration for Reader {
//!     const KEYS: &'static [&'static dyn Definition] = &[&TOPIC, &BATCH];
//!     fn read(settings: &Settings) -> Result<Self, ConfigError> {
//!         Ok(Self { topic: TOPIC.get(settings)?, batch: BATCH.get(settings)? })
//!     }
//! }
//!
//! let read = Reader::read(&[("topic", "orders")].into()).unwrap();
//! assert_eq!((read.topic.as_str(), read.batch), ("orders", 2000));
//! let error = Reader::read(&[("topic", "orders"), ("batch.size", "x")].into()).err().unwrap();
//! assert_eq!(error.to_string(), "Invalid value x for configuration batch.size: Not a number of type INT");
//! ```

mod key;
mod value;

use std::fmt::Display;

pub use crate::bindings::catalog::{Importance, SettingState, SettingType, Width};
pub use key::{Definition, Key};
pub use value::{Password, SettingValue};

use crate::fault::{Fault, Problem};

/// Settings as a user wrote them: names and texts, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(pub Vec<(String, String)>);

impl Settings {
    /// The text of a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Sets a setting, replacing one of this name.
    pub fn set(&mut self, name: &str, value: impl Display) {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value.to_string()));
    }

    /// These settings with one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.set(name, value);
        self
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Settings {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self(pairs.into_iter().map(owned).collect())
    }
}

/// What a plugin's settings are, and the plugin's own form of them.
pub trait Configuration: Sized + 'static {
    /// All keys, in the order of the catalogue.
    const KEYS: &'static [&'static dyn Definition];

    /// Reads them.
    ///
    /// Errors: the first setting that is missing or wrong; combinations that cannot work.
    fn read(settings: &Settings) -> Result<Self, ConfigError>;
}

/// For plugins without settings.
impl Configuration for () {
    const KEYS: &'static [&'static dyn Definition] = &[];

    fn read(_settings: &Settings) -> Result<Self, ConfigError> {
        Ok(())
    }
}

/// A setting that is missing or wrong, in Kafka's words: names the key, the value and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The setting.
    pub key: String,
    message: String,
}

impl ConfigError {
    /// `Invalid value … for configuration …: …`. The caller hides a secret.
    pub fn invalid(key: &str, value: impl Display, expected: impl Display) -> Self {
        let message = format!("Invalid value {value} for configuration {key}: {expected}");
        Self { key: key.to_owned(), message }
    }

    /// A setting without default that is not there.
    pub fn missing(key: &str) -> Self {
        let message =
            format!("Missing required configuration \"{key}\" which has no default value.");
        Self { key: key.to_owned(), message }
    }

    /// An error of this setting in other words.
    pub fn of(key: &str, message: impl Display) -> Self {
        Self { key: key.to_owned(), message: message.to_string() }
    }
}

impl Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        Fault::config(error)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Fault::Fatal(problem)
    }
}

/// The state of each setting that is wrong; of a setting without an error nothing.
///
/// A value that is missing is left to the host, which knows defaults; what a key demands beyond its type only the plugin knows.
pub(crate) fn states<C: Configuration>(settings: &Settings) -> Vec<SettingState> {
    let errors = C::KEYS.iter().filter_map(|key| key.error(settings));
    let states: Vec<SettingState> = errors.map(state_of).collect();
    let missing = |key: &&dyn Definition| {
        let key = key.describe();
        key.required && settings.get(&key.name).is_none()
    };
    if !states.is_empty() || C::KEYS.iter().any(missing) {
        return states;
    }
    C::read(settings).err().map(state_of).into_iter().collect()
}

fn state_of(error: ConfigError) -> SettingState {
    SettingState { name: error.key, errors: vec![error.message], recommended: None, visible: None }
}

#[cfg(test)]
mod tests;

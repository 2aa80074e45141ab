//! The setting that every converter has. Not here: the converters' own.

use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};

/// Whether keys, values or headers are converted. The worker sets it.
pub(crate) const TYPE: Key<Option<String>> = Key::new("converter.type")
    .doc("What is converted: key, value or header. Set by the worker.")
    .one_of(&["key", "value", "header"])
    .importance(Importance::Low);

/// Settings of a converter that has none of its own.
pub(crate) struct NoSettings;

impl Configuration for NoSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&TYPE];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        TYPE.get(settings).map(|_| Self)
    }
}

//! Settings that the kit's connectors read without defining them, as Apache's test connectors do. Not here: those of `defined`.

use std::str::FromStr;

use tombolo_sdk::prelude::*;

/// All settings, as they were written.
#[derive(Clone)]
pub(crate) struct Undefined(pub(crate) Settings);

impl Configuration for Undefined {
    const KEYS: &'static [&'static dyn Definition] = &[];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self(settings.clone()))
    }
}

impl Undefined {
    /// A setting's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }

    /// A setting, or what it is where it is left out or is not one of this type.
    pub(crate) fn or<T: FromStr>(&self, name: &str, default: T) -> T {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// Whether a setting is `true`.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }
}

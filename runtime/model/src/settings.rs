//! Settings as text, as Kafka Connect's configurations are.
//!
//! Not here: their definitions (`config_def`) and where they come from.

use std::collections::BTreeMap;
use std::fmt;

/// Names and values of a configuration, as text, ordered by name.
///
/// A value may be a secret: `Debug` shows the names alone.
#[derive(Clone, PartialEq, Eq, Default, Hash)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets a value, and returns the one before.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> Option<String> {
        self.0.insert(name.into(), value.into())
    }

    /// Takes a setting out.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Whether a setting is there.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All settings, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The settings whose names start with `prefix`, without it.
    ///
    /// Follows `AbstractConfig.originalsWithPrefix` of Kafka.
    pub fn with_prefix(&self, prefix: &str) -> Settings {
        self.iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)))
            .filter(|(name, _)| !name.is_empty())
            .collect()
    }

    /// These settings with those of `other` over them.
    pub fn overlaid(mut self, other: &Settings) -> Settings {
        self.0.extend(other.0.clone());
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Settings {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(settings: I) -> Self {
        Self(settings.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A secret. Prints as `[hidden]`.
///
/// Follows `Password` of Kafka.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Password(String);

/// What a secret prints as.
pub const HIDDEN: &str = "[hidden]";

impl Password {
    /// Keeps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret, for the one place that uses it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_selects_and_is_taken_off() {
        let settings: Settings =
            [("producer.acks", "1"), ("producer.", "x"), ("acks", "2")].into_iter().collect();
        assert_eq!(settings.with_prefix("producer."), [("acks", "1")].into_iter().collect());
    }

    #[test]
    fn values_are_not_printed() {
        let settings: Settings = [("password", "hunter2")].into_iter().collect();
        assert_eq!(format!("{settings:?}"), r#"{"password"}"#);
        assert_eq!(format!("{0} {0:?}", Password::new("hunter2")), "[hidden] [hidden]");
    }
}

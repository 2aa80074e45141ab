//! Settings as text, as Kafka Connect's configurations are.
//!
//! Not here: their definitions (`config_def`) and where they come from.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};

use zeroize::{Zeroize as _, Zeroizing};

use crate::secrets::Secrets;

/// Names and values of a configuration, as text, ordered by name.
///
/// A value may be a secret: `Debug` shows the names alone. Settings in which references were resolved know which values must not be seen, and
/// so do those below a prefix of theirs, and the values of both are wiped out of memory when they are dropped; two settings are equal all the same.
#[derive(Clone, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
    secrets: Secrets,
}

impl Settings {
    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Sets a value, and returns the one before.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> Option<String> {
        self.values.insert(name.into(), value.into())
    }

    /// Takes a setting out.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }

    /// Whether a setting is there.
    pub fn contains(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// All settings, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The settings whose names start with `prefix`, without it.
    ///
    /// Follows `AbstractConfig.originalsWithPrefix` of Kafka.
    pub fn with_prefix(&self, prefix: &str) -> Settings {
        self.iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)))
            .filter(|(name, _)| !name.is_empty())
            .collect::<Self>()
            .hiding(&self.secrets)
    }

    /// These settings with those of `other` over them.
    pub fn overlaid(mut self, other: &Settings) -> Settings {
        self.values.extend(other.values.clone());
        self.hiding(&other.secrets)
    }

    /// Whether they may be stored and shown: nothing was resolved in them.
    pub fn is_fit_to_be_shown(&self) -> bool {
        self.secrets.is_empty()
    }

    /// What of these settings, and of others that were used with them, must not be seen.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// These settings, of which these values must not be seen either.
    #[must_use]
    pub fn hiding(mut self, secrets: &Secrets) -> Self {
        self.secrets = self.secrets.and(secrets);
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Settings {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(settings: I) -> Self {
        let values = settings.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { values: values.collect(), secrets: Secrets::default() }
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        if !self.secrets.is_empty() {
            self.values.values_mut().for_each(|value| value.zeroize());
        }
    }
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl Eq for Settings {}

impl Hash for Settings {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values.hash(state);
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// A secret. Prints as `[hidden]`, and is wiped out of memory when it is dropped.
///
/// Follows `Password` of Kafka.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

/// What a secret prints as.
pub const HIDDEN: &str = "[hidden]";

impl Password {
    /// Keeps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
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
        let below = settings.hiding(&Secrets::new(["hunter2"])).with_prefix("pass");
        assert_eq!(below.secrets().hide("as hunter2"), "as [hidden]");
        assert_eq!(format!("{0} {0:?}", Password::new("hunter2")), "[hidden] [hidden]");
    }
}

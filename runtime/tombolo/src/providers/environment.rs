//! Values in the environment of the worker's process: `${name:VARIABLE}`.
//!
//! Not here: changing it. Follows `EnvVarConfigProvider` of Kafka.

use std::collections::{BTreeMap, BTreeSet};

use tombolo_model::ConfigProvider;
use tombolo_worker::pattern::Pattern;

/// Knows the variables that may be referred to, as they were when the process started.
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process whose whole names the pattern matches; all, where there is none. What is not UTF-8 is left out.
    ///
    /// Errors: what is wrong with the pattern.
    pub(super) fn of_process(pattern: Option<&str>) -> Result<Self, String> {
        let text = |text: std::ffi::OsString| text.into_string().ok();
        let all = std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?)));
        Self::of(all, pattern)
    }

    pub(super) fn of(
        all: impl Iterator<Item = (String, String)>,
        pattern: Option<&str>,
    ) -> Result<Self, String> {
        let pattern = pattern.map(Pattern::new).transpose()?;
        let is_allowed = |name: &str| pattern.as_ref().is_none_or(|pattern| pattern.is_match(name));
        Ok(Self(all.filter(|(name, _)| is_allowed(name)).collect()))
    }
}

impl ConfigProvider for Environment {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<BTreeMap<String, String>, String> {
        if !path.is_empty() {
            return Err(format!(
                "Path is not supported for EnvVarConfigProvider, invalid value '{path}'"
            ));
        }
        Ok(super::only(self.0.clone(), keys))
    }
}

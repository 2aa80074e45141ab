//! Values in a file of Java properties: `${name:/path/to/file.properties:key}`.
//!
//! Not here: which files (`allowed`). Follows `FileConfigProvider` of Kafka.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tombolo_model::ConfigProvider;

use super::allowed::{self, AllowedPaths};
use crate::properties;

/// Reads files of properties.
pub(super) struct File {
    pub(super) allowed: AllowedPaths,
}

impl ConfigProvider for File {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<BTreeMap<String, String>, String> {
        if path.is_empty() {
            return Ok(BTreeMap::new());
        }
        if !self.allowed.holds(Path::new(path)) {
            tracing::warn!("The path {path} is not allowed to be accessed");
            return Ok(BTreeMap::new());
        }
        let content = allowed::read(Path::new(path)).map_err(anyhow::Error::from);
        match content.and_then(|content| properties::parse_exactly(&content)) {
            Ok(all) => Ok(super::only(all, keys)),
            Err(error) => {
                tracing::error!("Could not read properties from file {path}: {error:#}");
                Err(format!("Could not read properties from file {path}"))
            }
        }
    }
}

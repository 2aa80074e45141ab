//! Values in a folder, each in a file that is named like its key: `${name:/path/to/folder:key}`.
//!
//! Not here: which folders (`allowed`). Follows `DirectoryConfigProvider` of Kafka: a value is all of its file, line ends included.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use tombolo_model::ConfigProvider;

use super::allowed::{self, AllowedPaths};

/// Reads the files of folders.
pub(super) struct Directory {
    pub(super) allowed: AllowedPaths,
}

impl ConfigProvider for Directory {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<BTreeMap<String, String>, String> {
        let folder = Path::new(path);
        if path.is_empty() {
            return Ok(BTreeMap::new());
        }
        if !self.allowed.holds(folder) {
            tracing::warn!("The path {path} is not allowed to be accessed");
            return Ok(BTreeMap::new());
        }
        if !folder.is_dir() {
            tracing::warn!("The path {path} is not a directory");
            return Ok(BTreeMap::new());
        }
        let mut values = BTreeMap::new();
        for key in keys.iter().filter(|key| is_file_name(key)) {
            let file = folder.join(key);
            if !file.is_file() {
                continue;
            }
            if !self.allowed.holds(&file) {
                tracing::warn!("The path {} is not allowed to be accessed", file.display());
                continue;
            }
            let content = allowed::read(&file).map_err(|error| {
                let shown = file.display();
                tracing::error!("Could not read file {shown} for property {key}: {error}");
                format!("Could not read file {shown} for property {key}")
            })?;
            values.insert((*key).to_owned(), String::from_utf8_lossy(&content).into_owned());
        }
        Ok(values)
    }
}

/// Whether a key names something in the folder itself.
fn is_file_name(key: &str) -> bool {
    let mut parts = Path::new(key).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(name)), None) if name == key)
}

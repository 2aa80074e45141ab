//! The kit: plugins whose doings can be watched, as a component for Tombolo and as classes for Kafka Connect. Their sources are in `kit/`.
//!
//! Not here: what they tell (`events`).

use std::path::{Path, PathBuf};

use anyhow::Result;
use tombolo_harness::jars;

/// The component.
pub const COMPONENT: &[u8] = include!(concat!(env!("OUT_DIR"), "/kit.rs"));

/// The source, by its alias.
pub const SOURCE: &str = "MonitorableSourceConnector";

/// The sink, by its alias.
pub const SINK: &str = "MonitorableSinkConnector";

/// The classes, compiled: a folder for `plugin.path`.
pub fn classes() -> Result<PathBuf> {
    jars::compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("kit/java"))
}

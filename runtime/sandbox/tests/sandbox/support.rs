//! A sandbox in a temporary folder, and rows to put through it.
//!
//! Not here: what is expected of them.

use std::sync::Arc;

use tempfile::TempDir;
use tombolo_model::batch::{Batch, Column, Headers, TimestampType, Values};
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::policy::{Grants, Limits};
use tombolo_model::role::{NoOffsets, Plugins, TaskContext, TaskPlugins};
use tombolo_model::settings::Settings;
use tombolo_model::{ConnectorName, TaskId};
use tombolo_sandbox::{Sandbox, SandboxOptions};

/// A sandbox with one guest installed.
pub(crate) struct Fixture {
    pub(crate) sandbox: Sandbox,
    pub(crate) cache: TempDir,
}

impl Fixture {
    pub(crate) async fn new(guest: &[u8]) -> Self {
        Self::with(guest, Grants::default()).await
    }

    pub(crate) async fn with(guest: &[u8], grants: Grants) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let sandbox = sandbox(&cache, grants);
        sandbox.install(guest.to_vec()).await.unwrap();
        Self { sandbox, cache }
    }

    /// The only plugin of this kind.
    pub(crate) fn plugin(&self, kind: PluginKind) -> Arc<PluginInfo> {
        self.sandbox.list().into_iter().find(|plugin| plugin.kind == kind).unwrap()
    }

    /// Room for a task with these limits.
    pub(crate) async fn task(&self, limits: Limits) -> Box<dyn TaskPlugins> {
        let context = TaskContext { limits, offsets: Arc::new(NoOffsets) };
        self.sandbox.task(&task(), context).await.unwrap()
    }
}

pub(crate) fn sandbox(cache: &TempDir, grants: Grants) -> Sandbox {
    let cache_dir = cache.path().join("artifacts");
    Sandbox::new(SandboxOptions { cache_dir, grants, ceiling: Limits::default() }).unwrap()
}

pub(crate) fn task() -> TaskId {
    TaskId::new(ConnectorName::new("c"), 0)
}

pub(crate) fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().copied().collect()
}

pub(crate) fn column(rows: &[Option<&str>]) -> Column {
    let mut column = Column::default();
    rows.iter().for_each(|row| column.push_option(row.map(str::as_bytes)));
    column
}

pub(crate) fn values(rows: &[Option<&str>]) -> Values {
    Values { bytes: column(rows), schemas: vec![] }
}

/// Three rows with something in every column.
pub(crate) fn batch() -> Batch {
    Batch {
        rows: 3,
        topics: vec!["t".into(), "u".into()],
        topic: vec![0, 1, 0],
        partition: vec![0, 1, 2],
        offset: vec![10, 11, 12],
        timestamp: vec![1, 2, -1],
        timestamp_types: vec![
            TimestampType::CreateTime,
            TimestampType::LogAppendTime,
            TimestampType::None,
        ],
        key: values(&[Some("k0"), None, Some("")]),
        value: values(&[Some("v0"), Some("v1"), None]),
        headers: Headers {
            ends: vec![1, 1, 3],
            names: column(&[Some("a"), Some("b"), Some("c")]),
            values: values(&[Some("1"), None, Some("3")]),
        },
    }
}

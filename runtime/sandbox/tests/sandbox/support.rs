//! A sandbox in a temporary folder, and rows to put through it.
//!
//! Not here: what is expected of them.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tombolo_model::batch::{Batch, Column, Headers, TimestampType, Values};
use tombolo_model::egress::Egress;
use tombolo_model::meters::Meters;
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::policy::{CompileLimits, Grants, Limits};
use tombolo_model::role::{
    NoOffsets, OffsetReader, Plugins, PollRequest, SinkTask, SourceTask, TaskContext, TaskPlugins,
};
use tombolo_model::settings::Settings;
use tombolo_model::{Breach, ConnectorName, Fault, FaultKind, TaskId};
use tombolo_sandbox::{Compiler, Sandbox, SandboxOptions};

pub(crate) const POLL: PollRequest =
    PollRequest { batch: 0, rows_max: 500, bytes_max: 1 << 20, wait: Duration::ZERO };

/// A sandbox with one guest installed.
pub(crate) struct Fixture {
    pub(crate) sandbox: Sandbox,
    /// Removed with the fixture.
    _cache: TempDir,
}

impl Fixture {
    pub(crate) async fn new(guest: &[u8]) -> Self {
        Self::with(guest, Grants::default()).await
    }

    pub(crate) async fn with(guest: &[u8], grants: Grants) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let sandbox = sandbox(&cache, grants);
        sandbox.install(guest.to_vec()).await.unwrap();
        Self { sandbox, _cache: cache }
    }

    /// The only plugin of this kind.
    pub(crate) fn plugin(&self, kind: PluginKind) -> Arc<PluginInfo> {
        self.sandbox.list().into_iter().find(|plugin| plugin.kind == kind).unwrap()
    }

    /// Room for a task with these limits.
    pub(crate) async fn task(&self, limits: Limits) -> Box<dyn TaskPlugins> {
        self.task_with(limits, Arc::new(NoOffsets)).await
    }

    /// Room for a task that counts what it uses here.
    pub(crate) async fn metered_task(
        &self,
        limits: Limits,
        meters: &Arc<Meters>,
    ) -> Box<dyn TaskPlugins> {
        self.metered_task_of(&task(), limits, meters).await
    }

    /// The same for this task.
    pub(crate) async fn metered_task_of(
        &self,
        task: &TaskId,
        limits: Limits,
        meters: &Arc<Meters>,
    ) -> Box<dyn TaskPlugins> {
        let (meters, offsets) = (Arc::clone(meters), Arc::new(NoOffsets));
        self.sandbox
            .task(task, TaskContext { limits, meters, egress: Egress::default(), offsets })
            .await
            .unwrap()
    }

    pub(crate) async fn task_with(
        &self,
        limits: Limits,
        offsets: Arc<dyn OffsetReader>,
    ) -> Box<dyn TaskPlugins> {
        self.sandbox
            .task(
                &task(),
                TaskContext { limits, meters: Arc::default(), egress: Egress::default(), offsets },
            )
            .await
            .unwrap()
    }

    /// A sink task that was started with these settings.
    pub(crate) async fn sink(&self, limits: Limits, pairs: &[(&str, &str)]) -> Box<dyn SinkTask> {
        let mut task = self.task(limits).await;
        let mut sink = task.sink(&self.plugin(PluginKind::Sink)).await.unwrap();
        sink.start(&settings(pairs)).await.unwrap();
        sink
    }

    /// A source task that was started with these settings.
    pub(crate) async fn source(&self, pairs: &[(&str, &str)]) -> Box<dyn SourceTask> {
        let mut task = self.task(Limits::default()).await;
        let mut source = task.source(&self.plugin(PluginKind::Source)).await.unwrap();
        source.start(&settings(pairs)).await.unwrap();
        source
    }
}

pub(crate) fn sandbox(cache: &TempDir, grants: Grants) -> Sandbox {
    let cache_dir = cache.path().join("artifacts");
    Sandbox::new(SandboxOptions {
        cache_dir,
        grants,
        ceiling: quick(),
        compiler: Compiler::Here,
        compile_limits: CompileLimits::default(),
    })
    .unwrap()
}

/// Limits under which a test need not wait long for a deadline.
pub(crate) fn quick() -> Limits {
    Limits { call_timeout: Duration::from_millis(500), ..Limits::default() }
}

pub(crate) fn task() -> TaskId {
    TaskId::new(ConnectorName::new("c"), 0)
}

pub(crate) fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().copied().collect()
}

/// The breach that a fault tells of, and its message.
pub(crate) fn breach(fault: &Fault) -> (Breach, &str) {
    match fault.kind {
        FaultKind::Plugin(breach) => (breach, &fault.message),
        ref other => panic!("{other:?}: {fault}"),
    }
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

/// Rows with these keys and values, of topic `t`.
pub(crate) fn rows(rows: &[(&str, &str)]) -> Batch {
    let keys: Vec<_> = rows.iter().map(|(key, _)| Some(*key)).collect();
    let of: Vec<_> = rows.iter().map(|(_, value)| Some(*value)).collect();
    Batch {
        rows: u32::try_from(rows.len()).unwrap(),
        topics: vec!["t".into()],
        offset: (100..100 + i64::try_from(rows.len()).unwrap()).collect(),
        key: values(&keys),
        value: values(&of),
        ..Batch::default()
    }
}

/// The values of a batch, as text.
pub(crate) fn texts(batch: &Batch) -> Vec<&str> {
    batch.value.bytes.iter().map(|row| std::str::from_utf8(row.unwrap()).unwrap()).collect()
}

//! Installed plugins that are native: one source, one sink, and the few others that their pipelines need.
//!
//! Not here: source and sink.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tombolo_model::config_def::SettingState;
use tombolo_model::fault::{Breach, Problem, RowFault};
use tombolo_model::offset::{SourcePosition, TopicPartition};
use tombolo_model::plugin::{Columns, ComponentDigest, PluginInfo, PluginKind};
use tombolo_model::role::{
    Applied, Connector, ConnectorContext, Converter, HeaderConverter, InstallRefused, Installed,
    OffsetReader, Plugins, Result, SinkTask, SourceTask, Support, TaskContext, TaskPlugins, Topics,
    TransformationChain, TransformationStep,
};
use tombolo_model::transformed::StepFault;
use tombolo_model::{
    Batch, Column, ConnectorName, Fault, Headers, Settings, Stage, TaskId, Values,
};

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const SIMPLE: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

type MakeSource = dyn Fn(Arc<dyn OffsetReader>) -> Box<dyn SourceTask> + Send + Sync;
type MakeSink = dyn Fn() -> Box<dyn SinkTask> + Send + Sync;
type MakeConnector = dyn Fn() -> Box<dyn Connector> + Send + Sync;

/// Plugins of a test.
#[derive(Default)]
pub(crate) struct NativePlugins {
    source: Mutex<Option<Arc<MakeSource>>>,
    sink: Mutex<Option<Arc<MakeSink>>>,
    connector: Mutex<Option<Arc<MakeConnector>>>,
    /// What instances of connectors were made with, in order.
    pub(crate) contexts: Mutex<Vec<ConnectorContext>>,
    /// Threads on which instances of connectors were made and configurations checked, in order.
    pub(crate) threads: Mutex<Vec<String>>,
    /// Cloned for as long as the check of a configuration lasts that says `hang`, which is for ever.
    pub(crate) hanging: Arc<()>,
}

impl NativePlugins {
    fn note_thread(&self) {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        self.threads.lock().unwrap().push(name);
    }

    pub(crate) fn set_source(
        &self,
        make: impl Fn(Arc<dyn OffsetReader>) -> Box<dyn SourceTask> + Send + Sync + 'static,
    ) {
        *self.source.lock().unwrap() = Some(Arc::new(make));
    }

    pub(crate) fn set_sink(&self, make: impl Fn() -> Box<dyn SinkTask> + Send + Sync + 'static) {
        *self.sink.lock().unwrap() = Some(Arc::new(make));
    }

    pub(crate) fn set_connector(
        &self,
        make: impl Fn() -> Box<dyn Connector> + Send + Sync + 'static,
    ) {
        *self.connector.lock().unwrap() = Some(Arc::new(make));
    }
}

#[async_trait]
impl Plugins for NativePlugins {
    fn list(&self) -> Vec<Arc<PluginInfo>> {
        Vec::new()
    }

    fn find(&self, kind: PluginKind, name: &str, _: Option<&str>) -> Result<Arc<PluginInfo>> {
        let known = match kind {
            PluginKind::Source => "org.acme.SourceConnector",
            PluginKind::Sink => "org.acme.SinkConnector",
            PluginKind::Converter if name == JSON => JSON,
            PluginKind::HeaderConverter if name == SIMPLE => SIMPLE,
            PluginKind::Converter | PluginKind::HeaderConverter => "Bytes",
            PluginKind::Transformation => "Mark",
            PluginKind::Predicate => "",
        };
        if name != known {
            return Err(Fault::config(format!("no {} {name}", kind.name())));
        }
        Ok(Arc::new(PluginInfo {
            class: known.to_owned(),
            kind,
            version: "1.0".to_owned(),
            doc: String::new(),
            settings: Vec::new(),
            reads: Columns::ALL,
            component: ComponentDigest(String::new()),
        }))
    }

    async fn validate(&self, _: &PluginInfo, settings: &Settings) -> Result<Vec<SettingState>> {
        self.note_thread();
        if settings.contains("hang") {
            let _hanging = Arc::clone(&self.hanging);
            std::future::pending::<()>().await;
        }
        Ok(Vec::new())
    }

    async fn connector(
        &self,
        _: &ConnectorName,
        _: &PluginInfo,
        context: ConnectorContext,
    ) -> Result<Box<dyn Connector>> {
        self.note_thread();
        self.contexts.lock().unwrap().push(context);
        let make = self.connector.lock().unwrap().clone().unwrap();
        Ok(make())
    }

    async fn task(&self, _: &TaskId, context: TaskContext) -> Result<Box<dyn TaskPlugins>> {
        let (source, sink) =
            (self.source.lock().unwrap().clone(), self.sink.lock().unwrap().clone());
        Ok(Box::new(Room { source, sink, offsets: context.offsets }))
    }

    async fn prepare(&self, _: Arc<Vec<u8>>) -> std::result::Result<Installed, InstallRefused> {
        Err(InstallRefused::Invalid("native plugins only".to_owned()))
    }

    async fn install(&self, _: Vec<u8>) -> std::result::Result<Installed, InstallRefused> {
        Err(InstallRefused::Invalid("native plugins only".to_owned()))
    }
}

struct Room {
    source: Option<Arc<MakeSource>>,
    sink: Option<Arc<MakeSink>>,
    offsets: Arc<dyn OffsetReader>,
}

#[async_trait]
impl TaskPlugins for Room {
    async fn source(&mut self, _: &PluginInfo) -> Result<Box<dyn SourceTask>> {
        let make = self.source.as_ref().unwrap();
        Ok(make(Arc::clone(&self.offsets)))
    }

    async fn sink(&mut self, _: &PluginInfo) -> Result<Box<dyn SinkTask>> {
        let make = self.sink.as_ref().unwrap();
        Ok(make())
    }

    async fn converter(
        &mut self,
        plugin: &PluginInfo,
        _: &Settings,
        _: bool,
    ) -> Result<Box<dyn Converter>> {
        if plugin.class == JSON {
            return Ok(Box::new(Quote));
        }
        Ok(Box::new(Bytes))
    }

    async fn header_converter(
        &mut self,
        _: &PluginInfo,
        _: &Settings,
    ) -> Result<Box<dyn HeaderConverter>> {
        Ok(Box::new(Bytes))
    }

    async fn transformations(
        &mut self,
        steps: Vec<TransformationStep>,
    ) -> Result<Box<dyn TransformationChain>> {
        Ok(Box::new(Mark { topic: steps[0].settings.get("topic").map(str::to_owned) }))
    }
}

/// Values are bytes on both sides. A row that begins with `bad` is refused; a row `trap` ends the plugin.
struct Bytes;

fn refused(column: &Column) -> Vec<RowFault> {
    let problem = || Problem { message: "a bad row".to_owned(), class: None, trace: None };
    let rows = column.iter().zip(0_u32..);
    rows.filter(|(row, _)| row.is_some_and(|row| row.starts_with(b"bad")))
        .map(|(_, row)| RowFault { row, problem: problem() })
        .collect()
}

fn raw(bytes: &Column) -> Values {
    Values { bytes: bytes.clone(), schemas: Vec::new() }
}

#[async_trait]
impl Converter for Bytes {
    async fn to_connect_data(
        &mut self,
        _: Topics<'_>,
        bytes: &mut Column,
        _: Option<&mut Headers>,
    ) -> Result<(Values, Vec<RowFault>)> {
        if bytes.iter().any(|row| row == Some(b"trap")) {
            return Err(Fault::breach(Breach::Trap, Stage::ValueConverter, "unreachable"));
        }
        Ok((raw(bytes), refused(bytes)))
    }

    async fn from_connect_data(
        &mut self,
        _: Topics<'_>,
        values: &mut Values,
    ) -> Result<(Column, Option<Headers>, Vec<RowFault>)> {
        Ok((values.bytes.clone(), None, refused(&values.bytes)))
    }
}

/// Puts texts into quotation marks. A row that is no text is refused.
struct Quote;

#[async_trait]
impl Converter for Quote {
    async fn to_connect_data(
        &mut self,
        _: Topics<'_>,
        bytes: &mut Column,
        _: Option<&mut Headers>,
    ) -> Result<(Values, Vec<RowFault>)> {
        Ok((raw(bytes), Vec::new()))
    }

    async fn from_connect_data(
        &mut self,
        _: Topics<'_>,
        values: &mut Values,
    ) -> Result<(Column, Option<Headers>, Vec<RowFault>)> {
        let (mut quoted, mut faults) = (Column::default(), Vec::new());
        for (row, number) in values.bytes.iter().zip(0_u32..) {
            let text = row.map(str::from_utf8).transpose();
            quoted.push_option(
                text.as_ref()
                    .ok()
                    .and_then(|text| text.map(|text| format!("{text:?}")))
                    .as_deref()
                    .map(str::as_bytes),
            );
            if text.is_err() {
                let problem = Problem { message: "no text".to_owned(), class: None, trace: None };
                faults.push(RowFault { row: number, problem });
            }
        }
        Ok((quoted, None, faults))
    }
}

#[async_trait]
impl HeaderConverter for Bytes {
    async fn to_connect_data(
        &mut self,
        _: Topics<'_>,
        _: &mut Column,
        bytes: &mut Column,
    ) -> Result<(Values, Vec<RowFault>)> {
        Ok((raw(bytes), Vec::new()))
    }

    async fn from_connect_data(
        &mut self,
        _: Topics<'_>,
        _: &mut Column,
        values: &mut Values,
    ) -> Result<(Column, Vec<RowFault>)> {
        Ok((values.bytes.clone(), Vec::new()))
    }
}

/// Drops rows whose value ends with an odd digit, and renames their topic.
struct Mark {
    topic: Option<String>,
}

#[async_trait]
impl TransformationChain for Mark {
    async fn apply(&mut self, batch: &mut Batch) -> Result<Applied> {
        let is_odd = |value: Option<&[u8]>| {
            value
                .and_then(<[u8]>::last)
                .is_some_and(|digit| digit.is_ascii_digit() && digit % 2 == 1)
        };
        let rows = batch.value.bytes.iter().zip(0_u32..);
        let origin: Vec<u32> = rows.filter(|(row, _)| !is_odd(*row)).map(|(_, row)| row).collect();
        *batch = batch.gather(&origin);
        if let Some(topic) = &self.topic {
            (batch.topics, batch.topic) = (vec![topic.clone()], Vec::new());
        }
        Ok(Applied { origin: Some(origin), faults: Vec::<StepFault>::new() })
    }
}

/// A connector as its test wants it.
#[derive(Clone, Default)]
pub(crate) struct NativeConnector {
    pub(crate) script: Arc<Mutex<ConnectorScript>>,
}

/// What a connector does, and what it was asked.
#[derive(Default)]
pub(crate) struct ConnectorScript {
    pub(crate) tasks: usize,
    pub(crate) calls: Vec<&'static str>,
    /// The next call of this name fails.
    pub(crate) failing: Option<&'static str>,
    /// The next call of this name never ends.
    pub(crate) hanging: Option<&'static str>,
    /// Why it does not say its tasks when it is asked next.
    pub(crate) refusal: Option<Fault>,
    /// How it fails, where that is not fatal.
    pub(crate) fault: Option<Fault>,
    /// What it was started with.
    pub(crate) settings: Settings,
    /// Settings that its tasks have beside their number.
    pub(crate) beside: Settings,
    /// Whether the next watch asks for new tasks.
    pub(crate) has_changed: bool,
    /// Whether it passed its memory mark; told once.
    pub(crate) is_recycling_due: bool,
}

impl NativeConnector {
    fn called(&self, name: &'static str) -> Result<()> {
        let mut script = self.script.lock().unwrap();
        if name != "watch" {
            script.calls.push(name);
        }
        match script.failing.take_if(|failing| *failing == name) {
            Some(name) => Err(script
                .fault
                .take()
                .unwrap_or_else(|| Fault::fatal(Stage::Lifecycle, format!("{name} failed")))),
            None => Ok(()),
        }
    }

    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.script.lock().unwrap().calls.clone()
    }
}

#[async_trait]
impl Connector for NativeConnector {
    async fn start(&mut self, settings: &Settings) -> Result<()> {
        self.called("start")?;
        self.script.lock().unwrap().settings = settings.clone();
        let hangs = self.script.lock().unwrap().hanging.take_if(|name| *name == "start").is_some();
        if hangs {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn task_settings(&mut self, _: u32) -> Result<Vec<Settings>> {
        self.called("task_settings")?;
        if let Some(refusal) = self.script.lock().unwrap().refusal.take() {
            return Err(refusal);
        }
        let script = self.script.lock().unwrap();
        let task = |n: usize| [("n", n.to_string())].into_iter().collect::<Settings>();
        Ok((0..script.tasks).map(|n| task(n).overlaid(&script.beside)).collect())
    }

    async fn watch(&mut self, _: Duration) -> Result<bool> {
        self.called("watch")?;
        Ok(std::mem::take(&mut self.script.lock().unwrap().has_changed))
    }

    fn is_recycling_due(&self) -> bool {
        std::mem::take(&mut self.script.lock().unwrap().is_recycling_due)
    }

    async fn stop(&mut self) -> Result<()> {
        self.called("stop")
    }

    async fn exactly_once_support(&mut self, _: &Settings) -> Result<Support> {
        Ok(Support::Unknown)
    }

    async fn can_define_transaction_boundaries(&mut self, _: &Settings) -> Result<bool> {
        Ok(false)
    }

    async fn alter_source_offsets(&mut self, _: &Settings, _: &[SourcePosition]) -> Result<bool> {
        Ok(true)
    }

    async fn alter_sink_offsets(
        &mut self,
        _: &Settings,
        _: &[(TopicPartition, Option<i64>)],
    ) -> Result<bool> {
        Ok(true)
    }
}

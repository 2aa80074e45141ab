//! The roles a plugin plays, as worker and herder see them.
//!
//! The sandbox implements them for components; tests implement them natively. Not here: how a plugin is run.
//! Calls of one object never overlap (`&mut self`). A dropped call ends the plugin's instance: the object is of no more use.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::batch::{Batch, Column, Headers, Values};
use crate::capability::{Asked, Change};
use crate::config_def::SettingState;
use crate::egress::Egress;
use crate::fault::{Fault, Problem, RowFault};
use crate::id::{ConnectorName, TaskId};
use crate::meters::Meters;
use crate::offset::{
    PartitionOffset, SourceOffset, SourcePartition, SourcePosition, TopicPartition,
};
use crate::plugin::{ComponentDigest, PluginInfo, PluginKind};
use crate::policy::Limits;
use crate::settings::Settings;
use crate::transformed::StepFault;

/// Result of a call to a plugin.
pub type Result<T> = std::result::Result<T, Fault>;

/// The installed plugins: finds, describes, and makes instances of them.
#[async_trait]
pub trait Plugins: Send + Sync + 'static {
    /// All plugins: by kind in the order of [`PluginKind::ALL`], then by class, and of each class from the oldest version to the newest.
    fn list(&self) -> Vec<Arc<PluginInfo>>;

    /// The plugin of this kind with this class or unambiguous alias: the newest of those that the version, or range of versions, allows.
    ///
    /// Errors: `Config`, in Kafka Connect's words.
    fn find(&self, kind: PluginKind, name: &str, version: Option<&str>) -> Result<Arc<PluginInfo>>;

    /// Checks beyond each setting's own type. No side effects.
    async fn validate(&self, plugin: &PluginInfo, settings: &Settings)
    -> Result<Vec<SettingState>>;

    /// A connector, not started yet.
    async fn connector(
        &self,
        name: &ConnectorName,
        plugin: &PluginInfo,
        context: ConnectorContext,
    ) -> Result<Box<dyn Connector>>;

    /// Room for the plugins of one task, all of which it may hold at once.
    async fn task(&self, task: &TaskId, context: TaskContext) -> Result<Box<dyn TaskPlugins>>;

    /// Checks, compiles and describes a component, so that [`Plugins::recall`] or [`Plugins::install`] has nothing left to do but make its plugins known.
    /// Its bytes are shared with whoever stores them meanwhile: there may be many.
    ///
    /// Cost: compiling, on a thread for blocking work.
    async fn prepare(
        &self,
        component: Arc<Vec<u8>>,
    ) -> std::result::Result<Installed, InstallRefused>;

    /// Makes the plugins of a component known, prepared or not. The same component again changes nothing.
    ///
    /// Cost: where it was not prepared, that of [`Plugins::prepare`].
    async fn install(&self, component: Vec<u8>) -> std::result::Result<Installed, InstallRefused>;

    /// Makes the plugins of a component known without its bytes, from what was kept of an earlier installation or preparation; none if nothing was.
    async fn recall(&self, _component: &ComponentDigest) -> Option<Installed> {
        None
    }
}

/// Where the bytes of uploaded components are kept.
#[async_trait]
pub trait Components: Send + Sync + 'static {
    /// The bytes of a component; none if they are not there, or cannot be read now.
    async fn component(&self, digest: &ComponentDigest) -> Option<Vec<u8>>;
}

/// What installing a component brought.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Digest of the component.
    pub component: ComponentDigest,
    /// Its plugins.
    pub plugins: Vec<Arc<PluginInfo>>,
    /// What it imports, as `wasi:filesystem/types@0.2.3`, sorted.
    pub imports: Vec<String>,
    /// What it asks for by these imports.
    pub asks: Vec<Asked>,
    /// What is different from the version before it, if one is installed.
    pub change: Option<Change>,
    /// Whether it was there before.
    pub known: bool,
}

/// Why a component was refused.
#[derive(Debug, thiserror::Error)]
pub enum InstallRefused {
    /// It is not what a component must be; says what and where, for whoever uploaded it.
    #[error("{0}")]
    Invalid(String),
    /// The worker could not do it.
    #[error("the component could not be installed")]
    Failed(#[source] crate::fault::BoxError),
}

/// What a connector gets beside its settings.
#[derive(Clone)]
pub struct ConnectorContext {
    /// Limits of its sandbox.
    pub limits: Limits,
    /// Where its sandbox counts what it uses.
    pub meters: Arc<Meters>,
    /// Where it may connect to.
    pub egress: Egress,
    /// Its source offsets; reads nothing for a sink.
    pub offsets: Arc<dyn OffsetReader>,
}

/// What the plugins of a task get beside their settings.
#[derive(Clone)]
pub struct TaskContext {
    /// Limits of each of its sandboxes.
    pub limits: Limits,
    /// Where its sandboxes count what they use.
    pub meters: Arc<Meters>,
    /// Where they may connect to.
    pub egress: Egress,
    /// The connector's source offsets; reads nothing for a sink.
    pub offsets: Arc<dyn OffsetReader>,
}

/// Reads committed source offsets.
///
/// Follows `OffsetStorageReader` of Kafka Connect.
#[async_trait]
pub trait OffsetReader: Send + Sync + 'static {
    /// The last committed offset of each of these partitions, in the same order.
    async fn read(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>>;
}

/// Reads nothing: for sinks and for validation.
pub struct NoOffsets;

#[async_trait]
impl OffsetReader for NoOffsets {
    async fn read(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        Ok(vec![None; partitions.len()])
    }
}

/// A connector: says how many tasks it wants, and with which settings.
#[async_trait]
pub trait Connector: Send {
    /// Starts it with the connector's configuration, in a fresh instance where it ran before.
    async fn start(&mut self, settings: &Settings) -> Result<()>;
    /// Settings of each task, at most `tasks_max` where the plugin keeps to it.
    async fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>>;
    /// Waits at most this long; true asks for [`Connector::task_settings`] again; a fault fails the connector.
    async fn watch(&mut self, wait: Duration) -> Result<bool>;
    /// Whether it should be stopped and started anew, because its memory passed its mark.
    fn is_recycling_due(&self) -> bool;
    /// Stops it.
    async fn stop(&mut self) -> Result<()>;
    /// Whether a source supports exactly-once; only on a connector that is not started.
    async fn exactly_once_support(&mut self, settings: &Settings) -> Result<Support>;
    /// Whether a source can say where transactions end; only on a connector that is not started.
    async fn can_define_transaction_boundaries(&mut self, settings: &Settings) -> Result<bool>;
    /// Lets a source check or make a change of its offsets; false leaves it to the host. Only on a connector that is not started.
    async fn alter_source_offsets(
        &mut self,
        settings: &Settings,
        offsets: &[SourcePosition],
    ) -> Result<bool>;
    /// Lets a sink check or make a change of its offsets; none resets a partition. Only on a connector that is not started.
    async fn alter_sink_offsets(
        &mut self,
        settings: &Settings,
        offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<bool>;
}

/// What a source says of exactly-once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Supported with these settings.
    Supported,
    /// Not supported.
    Unsupported,
    /// The plugin does not say.
    Unknown,
}

/// Makes the plugins of one task. Plugins of one component share one sandbox.
///
/// Where a source or a sink [is due to be recycled](SourceTask::is_recycling_due), the worker stops it at a point where nothing is lost and asks
/// for it again: converters and transformations of the task go on as they are.
#[async_trait]
pub trait TaskPlugins: Send {
    /// A source task, not started yet, in a fresh instance where one ran in it before.
    ///
    /// Errors: a breach, where the instance before grew past its mark soon after a fresh start.
    async fn source(&mut self, plugin: &PluginInfo) -> Result<Box<dyn SourceTask>>;
    /// A sink task, as [`TaskPlugins::source`].
    async fn sink(&mut self, plugin: &PluginInfo) -> Result<Box<dyn SinkTask>>;
    /// A converter of keys or of values.
    async fn converter(
        &mut self,
        plugin: &PluginInfo,
        settings: &Settings,
        is_key: bool,
    ) -> Result<Box<dyn Converter>>;
    /// A converter of headers.
    async fn header_converter(
        &mut self,
        plugin: &PluginInfo,
        settings: &Settings,
    ) -> Result<Box<dyn HeaderConverter>>;
    /// A chain of transformations, in order; not empty.
    async fn transformations(
        &mut self,
        steps: Vec<TransformationStep>,
    ) -> Result<Box<dyn TransformationChain>>;
}

/// One transformation of a chain.
#[derive(Clone, Debug)]
pub struct TransformationStep {
    /// The transformation.
    pub plugin: Arc<PluginInfo>,
    /// Its settings, without prefix.
    pub settings: Settings,
    /// The predicate that chooses its rows.
    pub predicate: Option<PredicateStep>,
}

/// The predicate of a transformation.
#[derive(Clone, Debug)]
pub struct PredicateStep {
    /// The predicate.
    pub plugin: Arc<PluginInfo>,
    /// Its settings, without prefix.
    pub settings: Settings,
    /// Whether to choose the rows for which it does not hold.
    pub negate: bool,
}

/// What a poll may bring.
#[derive(Clone, Copy, Debug)]
pub struct PollRequest {
    /// Counts up by one per call.
    pub batch: u64,
    /// Most rows.
    pub rows_max: u32,
    /// Most bytes; a single larger row still passes alone.
    pub bytes_max: u32,
    /// How long to wait for rows; 0 while acknowledgements or a commit are due.
    pub wait: Duration,
}

/// Rows from a source, checked.
#[derive(Clone, Debug, Default)]
pub struct SourceBatch {
    /// The records.
    pub records: Batch,
    /// The source partitions this batch draws from.
    pub partitions: Vec<SourcePartition>,
    /// Index into `partitions` per row; empty means 0 in every row.
    pub partition: Vec<u32>,
    /// A CBOR map per row: where to resume after it. Never null; has `records.rows` rows.
    pub offset: Column,
    /// Where the connector wants transactions to end.
    pub boundaries: Vec<Boundary>,
}

/// Where a source wants a transaction to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// After this many rows of the batch.
    pub after_rows: u32,
    /// Whether to commit, else to abort.
    pub commit: bool,
}

/// A row that was written or dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Number of the poll that brought it.
    pub batch: u64,
    /// Its row in that batch.
    pub row: u32,
    /// Kafka partition and offset; none when it was dropped by a transformation or a tolerance.
    pub written: Option<(i32, i64)>,
}

/// A source task.
///
/// Follows `SourceTask` of Kafka Connect; the delivery contract is in `wit/README.md`.
#[async_trait]
pub trait SourceTask: Send {
    /// Starts it with its task settings.
    async fn start(&mut self, settings: &Settings) -> Result<()>;
    /// Asks for rows. No rows is a good answer.
    async fn poll(&mut self, request: PollRequest) -> Result<SourceBatch>;
    /// These offsets are durable now.
    async fn commit(&mut self, offsets: &[SourcePosition]) -> Result<()>;
    /// Whether [`SourceTask::acknowledge`] is wanted.
    fn wants_acknowledgements(&self) -> bool;
    /// These rows were written or dropped.
    async fn acknowledge(&mut self, rows: &[Acknowledged]) -> Result<()>;
    /// Whether it should be stopped and asked for anew, because its memory passed its mark or the task's table of schemas is full.
    fn is_recycling_due(&self) -> bool;
    /// Stops it.
    async fn stop(&mut self) -> Result<()>;
}

/// Topic, partition and offset as consumed, where a transformation changed them. An empty list is unchanged.
#[derive(Clone, Debug, Default)]
pub struct Original {
    /// Names used by `topic`.
    pub topics: Vec<String>,
    /// Index into `topics` per row.
    pub topic: Vec<u32>,
    /// Partition per row.
    pub partition: Vec<i32>,
    /// Offset per row.
    pub offset: Vec<i64>,
}

/// What a sink asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SinkRequests {
    /// Read on from these offsets.
    pub rewind: Vec<PartitionOffset>,
    /// Read no more from these partitions for now.
    pub pause: Vec<TopicPartition>,
    /// Read from these again.
    pub resume: Vec<TopicPartition>,
    /// Commit offsets soon.
    pub commit: bool,
    /// Wait at most this long for the next records.
    pub timeout: Option<Duration>,
    /// Rows found bad after their `put`.
    pub faults: Vec<RecordFault>,
}

/// A row found bad after its `put`.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordFault {
    /// Where it was consumed.
    pub at: PartitionOffset,
    /// What is wrong with it.
    pub problem: Problem,
}

/// A sink task.
///
/// Follows `SinkTask` of Kafka Connect; the delivery contract is in `wit/README.md`.
#[async_trait]
pub trait SinkTask: Send {
    /// Starts it with its task settings.
    async fn start(&mut self, settings: &Settings) -> Result<()>;
    /// It gets these partitions, each with the offset where reading starts.
    async fn open(&mut self, partitions: &[PartitionOffset]) -> Result<SinkRequests>;
    /// Takes rows; none is a chance to flush by time. `records` is unchanged after the call, whatever its result.
    async fn put(
        &mut self,
        records: &mut Batch,
        original: Option<&Original>,
    ) -> Result<(Vec<RowFault>, SinkRequests)>;
    /// Given the next offsets to read, says up to where rows are durable.
    async fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
    ) -> Result<(Vec<PartitionOffset>, SinkRequests)>;
    /// It loses these partitions.
    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()>;
    /// Whether it should be stopped and asked for anew, because its memory passed its mark or the task's table of schemas is full.
    fn is_recycling_due(&self) -> bool;
    /// Stops it.
    async fn stop(&mut self) -> Result<()>;
}

/// Names of topics, and an index into them per row; an empty index means 0 in every row.
#[derive(Clone, Copy, Debug)]
pub struct Topics<'a> {
    /// The names.
    pub topics: &'a [String],
    /// The index.
    pub topic: &'a [u32],
}

/// A converter between connect data and bytes.
///
/// A result has a row per input row; a failed row is null with schema 0 and has a fault. Inputs are unchanged after the call.
#[async_trait]
pub trait Converter: Send {
    /// Bytes as consumed to connect data.
    async fn to_connect_data(
        &mut self,
        topics: Topics<'_>,
        bytes: &mut Column,
        headers: Option<&mut Headers>,
    ) -> Result<(Values, Vec<RowFault>)>;
    /// Connect data to bytes, and headers to add, if any.
    #[expect(clippy::wrong_self_convention, reason = "Kafka Connect's name")]
    async fn from_connect_data(
        &mut self,
        topics: Topics<'_>,
        values: &mut Values,
    ) -> Result<(Column, Option<Headers>, Vec<RowFault>)>;
}

/// A converter of header values. Rows are headers, with the topic of their record.
#[async_trait]
pub trait HeaderConverter: Send {
    /// Bytes as consumed to connect data.
    async fn to_connect_data(
        &mut self,
        topics: Topics<'_>,
        names: &mut Column,
        bytes: &mut Column,
    ) -> Result<(Values, Vec<RowFault>)>;
    /// Connect data to bytes.
    #[expect(clippy::wrong_self_convention, reason = "Kafka Connect's name")]
    async fn from_connect_data(
        &mut self,
        topics: Topics<'_>,
        names: &mut Column,
        values: &mut Values,
    ) -> Result<(Column, Vec<RowFault>)>;
}

/// What a chain did to a batch.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// The input row of each row that is left; none when rows correspond one to one.
    pub origin: Option<Vec<u32>>,
    /// Input rows that a step could not process; they are not among the rows left.
    pub faults: Vec<StepFault>,
}

/// Transformations in order, with their predicates.
#[async_trait]
pub trait TransformationChain: Send {
    /// Puts the rows through. After a fault the batch is as it was.
    async fn apply(&mut self, batch: &mut Batch) -> Result<Applied>;
}

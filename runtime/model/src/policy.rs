//! What a plugin may use: limits and grants.
//!
//! Not here: enforcing them (the sandbox does), what an entry of the network's lists is (`egress`), and tenants.

use std::path::PathBuf;
use std::time::Duration;

use crate::egress::Offered;

/// Limits of the sandboxes of one connector. Each has a setting that names it in errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most memory of one instance, in bytes: linear memories, tables and what the host keeps for it. Setting `sandbox.memory.max`.
    pub memory_max: u64,
    /// Longest call. Setting `sandbox.call.timeout.ms`.
    pub call_timeout: Duration,
    /// Most bytes of a batch; a single larger record still passes alone. Setting `sandbox.batch.bytes.max`.
    pub batch_bytes_max: u64,
    /// Log bytes a second of one task's plugins, a line counting 128 bytes beside its own. Setting `sandbox.log.rate`.
    pub log_bytes_per_second: u32,
    /// Bytes of memory of all sandboxes of the connector together; none for as many as there are. Setting `sandbox.memory.total.max`.
    pub memory_total_max: Option<u64>,
    /// Share of `memory_max` above which an instance is recycled, in percent; 100 for never. Setting `sandbox.memory.recycle.percent`.
    pub recycle_percent: u8,
    /// Processor time of the connector.
    pub cpu: CpuLimits,
}

/// Processor time of all sandboxes of one connector together. Who is over it is slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuLimits {
    /// Most cores in the long run, in thousandths; none for as many as there are. Setting `sandbox.cpu.max`.
    pub max_millicores: Option<u32>,
    /// Processor time at once, beyond that. Setting `sandbox.cpu.burst.ms`.
    pub burst: Duration,
    /// Its share where sandboxes compete. Setting `sandbox.cpu.weight`.
    pub weight: u32,
}

/// Default of `sandbox.memory.max`: the largest engine inside a guest, StarlingMonkey's, settles at 83 MiB.
pub const MEMORY_MAX: u64 = 128 << 20;
/// Default of `sandbox.call.timeout.ms`: well above any call that makes progress, well below a consumer group's patience.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Default of `sandbox.batch.bytes.max`: 500 rows of 16 KiB; far past where a crossing costs more than its copy.
pub const BATCH_BYTES_MAX: u64 = 8 << 20;
/// Default of `sandbox.log.rate`: 250 lines a second of an ordinary length.
pub const LOG_BYTES_PER_SECOND: u32 = 64 << 10;
/// Default of `sandbox.memory.recycle.percent`: some toolchains leak, and a planned restart is cheaper than a breach.
pub const RECYCLE_PERCENT: u8 = 75;
/// Default of `sandbox.cpu.burst.ms`: starting the largest engine inside a guest takes less.
pub const CPU_BURST: Duration = Duration::from_secs(1);
/// Default of `sandbox.cpu.weight`, as of Linux's control groups: one turn of one tick after the other.
pub const CPU_WEIGHT: u32 = 100;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_max: MEMORY_MAX,
            call_timeout: CALL_TIMEOUT,
            batch_bytes_max: BATCH_BYTES_MAX,
            log_bytes_per_second: LOG_BYTES_PER_SECOND,
            memory_total_max: None,
            recycle_percent: RECYCLE_PERCENT,
            cpu: CpuLimits::default(),
        }
    }
}

impl Default for CpuLimits {
    fn default() -> Self {
        Self { max_millicores: None, burst: CPU_BURST, weight: CPU_WEIGHT }
    }
}

/// What compiling one component may take, in the process that does it. Each has a setting that names it in refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Most processor time, counted in whole seconds. Setting `sandbox.compile.cpu.max.ms`.
    pub cpu_max: Duration,
    /// Most address space, in bytes. Setting `sandbox.compile.memory.max`.
    pub memory_max: u64,
    /// Longest time by the clock. Setting `sandbox.compile.timeout.ms`.
    pub timeout: Duration,
}

/// Default of `sandbox.compile.cpu.max.ms`: a component of 10 MiB takes about half of it.
pub const COMPILE_CPU_MAX: Duration = Duration::from_secs(20);
/// Default of `sandbox.compile.memory.max`: several times what the largest engines of languages take.
pub const COMPILE_MEMORY_MAX: u64 = 1 << 30;
/// Default of `sandbox.compile.timeout.ms`: processor time decides, and this ends one that waits; clients of Kafka Connect wait 90 s.
pub const COMPILE_TIMEOUT: Duration = Duration::from_secs(90);

impl Default for CompileLimits {
    fn default() -> Self {
        Self { cpu_max: COMPILE_CPU_MAX, memory_max: COMPILE_MEMORY_MAX, timeout: COMPILE_TIMEOUT }
    }
}

/// A directory that the operator offers to plugins. Setting `sandbox.fs.roots`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRoot {
    /// The directory.
    pub path: PathBuf,
    /// Whether nothing in it may be changed.
    pub is_read_only: bool,
    /// Most bytes that it may hold, other people's files among them; none leaves that to the disk.
    pub bytes_max: Option<u64>,
}

impl FileRoot {
    /// A directory to read and write, as much as the disk holds.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_read_only: false, bytes_max: None }
    }
}

/// What the operator offers to plugins beyond their own memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Directories that plugins reach. Setting `sandbox.fs.roots`.
    pub file_roots: Vec<FileRoot>,
    /// What a relative path is relative to, if that lies below a root.
    pub working_directory: Option<PathBuf>,
    /// Whether plugins reach the program's standard input and output.
    pub standard_streams: bool,
    /// What of the network connectors may be allowed. Settings `sandbox.net.*`.
    pub network: Offered,
}

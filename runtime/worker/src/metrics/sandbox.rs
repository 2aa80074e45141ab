//! What the sandboxes of a task, or of a connector's own instance, use, and the limits that hold for it. Ours.
//!
//! Not here: counting it (the sandbox does, in `model::meters`).

use tombolo_model::meters::{Imported, Meters, Usage};
use tombolo_model::metric::{Group, Readings, Tags};
use tombolo_model::policy::Limits;

use crate::connector_config::{ConnectorConfig, RestartConfig};

const USAGE: Group = Group { domain: "tombolo", name: "sandbox" };
const CAPABILITIES: Group = Group { domain: "tombolo", name: "sandbox-capabilities" };
const PLACES: Group = Group { domain: "tombolo", name: "sandbox-places" };
const LIMITS: Group = Group { domain: "tombolo", name: "sandbox-limits" };

/// Reads what was used so far. Breaches are told by kind, beside.
pub(crate) fn read_usage(meters: &Meters, tags: &Tags, readings: &mut Readings) {
    let used = meters.read();
    let mut of = readings.of(USAGE, tags);
    for (name, help, bytes) in [
        ("memory-bytes", MEMORY, used.memory),
        ("memory-peak-bytes", "Most memory that was in use at once.", used.memory_peak),
    ] {
        of.gauge(name, help, bytes as f64);
    }
    of.counter("cpu-seconds-total", CPU, used.cpu.as_secs_f64());
    of.counter("cpu-parked-seconds-total", PARKED, used.parked.as_secs_f64());
    for (name, help, count) in counts(&used) {
        of.counter(name, help, count as f64);
    }
    read_capabilities(meters, tags, readings);
    read_places(meters, tags, readings);
}

/// What plugins import, what of it is granted, and what of that they have used.
fn read_capabilities(meters: &Meters, tags: &Tags, readings: &mut Readings) {
    let yes_or_no = |is_so: bool| if is_so { 1.0 } else { 0.0 };
    for Imported { capability, is_granted, is_used } in meters.capabilities().read() {
        let tags = with(tags, "capability", capability.name().to_owned());
        let mut of = readings.of(CAPABILITIES, &tags);
        of.gauge("imported", "A component imports the capability.", 1.0);
        of.gauge("granted", "Whether the connector gets it.", yes_or_no(is_granted));
        if let Some(is_used) = is_used {
            of.gauge("used", USED, yes_or_no(is_used));
        }
    }
}

/// Where plugins connected to, and where they wanted to.
fn read_places(meters: &Meters, tags: &Tags, readings: &mut Readings) {
    for (place, asked) in meters.places().read() {
        let tags = with(tags, "place", place);
        let mut of = readings.of(PLACES, &tags);
        of.counter("connections-total", "Connections to the place.", asked.connections as f64);
        of.counter("refused-total", "Connections to it that were refused.", asked.refused as f64);
        if let Some(reason) = asked.reason {
            of.text("reason", "Why the last of them was refused.", reason);
        }
    }
}

fn with(tags: &Tags, name: &'static str, value: String) -> Tags {
    tags.iter().cloned().chain([(name, value)]).collect()
}

const USED: &str =
    "Whether a plugin has used it; missing for clocks, random numbers and what is never granted.";

const MEMORY: &str = "Memory in use: linear memories, tables and what the host keeps for plugins.";
const CPU: &str = "Processor time inside plugins, and inside the host's functions that they call.";
const PARKED: &str =
    "Time for which calls were held back because the connector's processor time was used up.";

/// What is counted: name, what it is, and how much.
fn counts(used: &Usage) -> [(&'static str, &'static str, u64); 12] {
    [
        ("cpu-parks-total", "How often a call was held back.", used.parks),
        ("instances-total", "Instances of components that were started.", used.instances),
        ("calls-total", "Calls of plugins, about one for each batch and stage.", used.calls),
        ("host-calls-total", "Calls that plugins made of the host.", used.host_calls),
        ("record-bytes-in-total", "Bytes of records that went into plugins.", used.bytes_in),
        ("record-bytes-out-total", "Bytes of records that came out of plugins.", used.bytes_out),
        ("log-bytes-total", "Bytes of plugins' lines in the log.", used.log_bytes),
        (
            "log-lines-dropped-total",
            "Lines of plugins above sandbox.log.rate, which were dropped.",
            used.log_lines_dropped,
        ),
        ("connections-total", "Connections that were made for plugins.", used.connections),
        (
            "connections-refused-total",
            "Connections that plugins asked for and did not get.",
            used.connections_refused,
        ),
        ("network-bytes-sent-total", "Bytes that plugins sent over connections.", used.bytes_sent),
        (
            "network-bytes-received-total",
            "Bytes that plugins received over connections.",
            used.bytes_received,
        ),
    ]
}

/// The limits of a connector, which hold for each of its sandboxes.
#[derive(Debug)]
pub(crate) struct SandboxLimits {
    sandbox: Limits,
    restart: RestartConfig,
}

impl SandboxLimits {
    /// Those of a configuration.
    pub(crate) fn of(config: &ConnectorConfig) -> Self {
        Self { sandbox: config.limits.clone(), restart: config.restart }
    }

    pub(crate) fn read(&self, tags: &Tags, readings: &mut Readings) {
        let Self { sandbox, restart } = self;
        let mut of = readings.of(LIMITS, tags);
        for (name, help, limit) in [
            (
                "memory-max-bytes",
                "Most memory of one instance of a plugin (sandbox.memory.max).",
                sandbox.memory_max as f64,
            ),
            (
                "memory-recycle-percent",
                "Share of an instance's memory, in percent, above which it is made anew (sandbox.memory.recycle.percent).",
                f64::from(sandbox.recycle_percent),
            ),
            (
                "cpu-burst-seconds",
                "Processor time at once, beyond the cores in the long run (sandbox.cpu.burst.ms).",
                sandbox.cpu.burst.as_secs_f64(),
            ),
            (
                "cpu-weight",
                "Share of the connector where plugins compete (sandbox.cpu.weight).",
                f64::from(sandbox.cpu.weight),
            ),
            (
                "call-timeout-seconds",
                "Longest call of a plugin (sandbox.call.timeout.ms).",
                sandbox.call_timeout.as_secs_f64(),
            ),
            (
                "batch-max-bytes",
                "Most bytes of a batch (sandbox.batch.bytes.max).",
                sandbox.batch_bytes_max as f64,
            ),
            (
                "log-rate-bytes",
                "Most bytes that the plugins of one task log in a second (sandbox.log.rate).",
                f64::from(sandbox.log_bytes_per_second),
            ),
            (
                "restarts-max",
                "Most restarts within the window (sandbox.restart.max).",
                f64::from(restart.max),
            ),
            (
                "restart-window-seconds",
                "Time within which restarts count (sandbox.restart.window.ms).",
                restart.window.as_secs_f64(),
            ),
        ] {
            of.gauge(name, help, limit);
        }
        if let Some(bytes) = sandbox.memory_total_max {
            of.gauge("memory-total-max-bytes", TOTAL_MAX, bytes as f64);
        }
        if let Some(millicores) = sandbox.cpu.max_millicores {
            of.gauge("cpu-max-cores", CPU_MAX, f64::from(millicores) / 1_000.0);
        }
    }
}

const TOTAL_MAX: &str = "Most memory of all instances of the connector together (sandbox.memory.total.max); missing where there is no limit.";
const CPU_MAX: &str = "Most cores in the long run, all tasks of the connector together (sandbox.cpu.max); missing where there is no limit.";

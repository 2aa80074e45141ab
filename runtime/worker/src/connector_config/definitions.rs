//! Definitions of the settings that every connector has.
//!
//! Names, defaults, groups and order follow `ConnectorConfig`, `SinkConnectorConfig` and `SourceConnectorConfig` of Kafka Connect 4.3;
//! our own settings come after them. Not here: the settings of plugins.

use tombolo_model::Settings;
use tombolo_model::config_def::{Check, ConfigKey, Importance, Type, Width, key};
use tombolo_model::egress::{NET_ALLOW, is_for_the_host_alone};
use tombolo_model::plugin::PluginKind;

/// Setting for the bytes of a source task that Kafka has not acknowledged.
///
/// Default 8 MiB: enough to keep a broker busy over an ordinary round trip, and a quarter of the queue that tasks share.
pub const INFLIGHT_BYTES_MAX: &str = "task.inflight.bytes.max";
/// Setting for the most topics that one source task writes to.
///
/// Default 10,000: more than the tables of the largest databases that one task reads. Each costs worker and Kafka's client some kilobytes, and a source
/// may name a new one with each record.
pub const TOPICS_MAX: &str = "sandbox.topics.max";
/// Setting for the most memory of one instance.
pub const MEMORY_MAX: &str = "sandbox.memory.max";
/// Setting for the most memory of all instances together.
pub const MEMORY_TOTAL_MAX: &str = "sandbox.memory.total.max";
/// Setting for the share of the first at which an instance is made anew.
pub const MEMORY_RECYCLE: &str = "sandbox.memory.recycle.percent";
/// Setting for most cores in the long run.
pub const CPU_MAX: &str = "sandbox.cpu.max";
/// Setting for processor time at once.
pub const CPU_BURST: &str = "sandbox.cpu.burst.ms";
/// Setting for the share where sandboxes compete.
pub const CPU_WEIGHT: &str = "sandbox.cpu.weight";
/// Setting for the longest call.
pub const CALL_TIMEOUT: &str = "sandbox.call.timeout.ms";
/// Setting for the most bytes of a batch.
pub const BATCH_BYTES_MAX: &str = "sandbox.batch.bytes.max";
/// Setting for records in a row that may fail a call alone.
///
/// Default 10: enough for a producer's mistake, few enough that a sink which is broken itself does not move its whole topic to the dead letter queue.
pub const POISON_ROWS_MAX: &str = "errors.poison.rows.max";
/// Setting for log bytes a second, a line counting 128 bytes beside its own.
pub const LOG_RATE: &str = "sandbox.log.rate";

/// Setting for how often what failed is started anew within a window.
///
/// Default 10: with pauses that double up to a minute these are some five minutes, in which most databases come back.
pub const RESTART_MAX: &str = "sandbox.restart.max";
/// Setting for the time within which restarts count.
///
/// Default an hour: ten calls that hang until their deadline, and the pauses between, are well within.
pub const RESTART_WINDOW: &str = "sandbox.restart.window.ms";
/// Setting for the pause before the first restart.
pub const RESTART_BACKOFF: &str = "sandbox.restart.backoff.ms";
/// Setting for the longest pause before a restart.
pub const RESTART_BACKOFF_MAX: &str = "sandbox.restart.backoff.max.ms";
/// Shortest pause before a restart, in milliseconds: a start and its lines in the log take about a millisecond of processor time that is in no bill, which
/// without pauses is a third of a core.
const RESTART_BACKOFF_MIN: i64 = 50;
/// Most restarts that can be asked for: each is remembered for as long as the window.
const RESTARTS_MAX: i64 = 1_000;

/// Kafka Connect's words for a sink without topics.
pub const NO_TOPICS: &str = "Must configure one of topics or topics.regex";
/// Kafka Connect's words for a sink with both.
pub const BOTH_TOPICS: &str =
    "topics and topics.regex are mutually exclusive options, but both are set.";

/// The group of most settings.
pub const COMMON: &str = "Common";
/// The group of `transforms`.
pub const TRANSFORMS: &str = "Transforms";
/// The group of `predicates`.
pub const PREDICATES: &str = "Predicates";
/// The group of `errors.*`.
pub const ERRORS: &str = "Error Handling";
/// The group of `topic.creation.*`.
pub const TOPIC_CREATION: &str = "Topic Creation";
const EXACTLY_ONCE: &str = "Exactly Once Support";
const OFFSETS_TOPIC: &str = "offsets.topic";
const SANDBOX: &str = "Sandbox";

/// All settings of connectors of this kind that are not the plugin's, in Kafka Connect's order, then ours.
pub fn of(kind: PluginKind) -> Vec<ConfigKey> {
    let mut keys = of_every_kind();
    match kind {
        PluginKind::Sink => keys.extend(sink()),
        _ => keys.extend(source()),
    }
    keys
}

/// Those of them that sources and sinks share.
pub fn of_every_kind() -> Vec<ConfigKey> {
    let mut keys = common();
    keys.extend(error_handling());
    keys
}

/// Our own settings, which Kafka Connect does not have: read and checked, but not among the definitions that clients decode.
pub fn own(kind: PluginKind) -> Vec<ConfigKey> {
    match kind {
        PluginKind::Sink => sandbox().into_iter().chain(restart()).collect(),
        // Kafka Connect has dead letter queues for sinks only.
        _ => sandbox().into_iter().chain(restart()).chain(dead_letter_queue()).collect(),
    }
}

fn sandbox() -> Vec<ConfigKey> {
    let long = |name, default, order, title| {
        key(name, Type::Long)
            .default(default)
            .importance(Importance::Low)
            .check(Check::AtLeast(1))
            .shown(SANDBOX, order, Width::Short, title)
    };
    vec![
        long(MEMORY_MAX, "134217728", 1, "Memory max")
            .doc("Most memory of one plugin instance, in bytes."),
        long(CALL_TIMEOUT, "30000", 2, "Call timeout")
            .doc("Longest call into a plugin, in milliseconds."),
        long(BATCH_BYTES_MAX, "8388608", 3, "Batch bytes max")
            .doc("Most bytes of one batch; a single larger record still passes alone."),
        long(LOG_RATE, "65536", 4, "Log rate").doc("Log bytes a second of the plugins of one task together; a line counts 128 bytes beside its own."),
        long(INFLIGHT_BYTES_MAX, "8388608", 5, "In-flight bytes max")
            .doc("Most bytes of a source task that Kafka has not acknowledged."),
        key(TOPICS_MAX, Type::Int)
            .default("10000")
            .importance(Importance::Low)
            .check(Check::AtLeast(1))
            .shown(SANDBOX, 6, Width::Short, "Topics max")
            .doc("Most topics that one source task writes to; a record for one more fails the task. Each is kept by the worker and by Kafka's client for as long as the task runs."),
        key(NET_ALLOW, Type::List)
            .default("")
            .importance(Importance::Medium)
            .check(Check::Destinations)
            .shown(SANDBOX, 7, Width::Long, "Net allow")
            .doc("Where the connector's plugins may connect to, with commas between, as `https://api.example.com`, `https://*.example.com:443` or `tcp://db.example.com:5432`; schemes are `http`, `https` and `tcp`. Nowhere where nothing is given. Each must lie within one entry of the worker's own `sandbox.net.allow`."),
        key(CPU_MAX, Type::Double)
            .importance(Importance::Low)
            .check(Check::AtLeastFraction(0.001))
            .shown(SANDBOX, 8, Width::Short, "CPU max")
            .doc("Most cores that the plugins of the connector use in the long run, all its tasks together, as 0.2. Who is over it is slowed down and not failed. None for as many as there are; between strangers, 0.2 is a good start."),
        long(CPU_BURST, "1000", 9, "CPU burst")
            .doc("Processor time that they may use at once beyond sandbox.cpu.max, in milliseconds; it fills again at that rate."),
        long(CPU_WEIGHT, "100", 10, "CPU weight")
            .check(Check::Between(1, 1000))
            .doc("Share of the processor that the connector's plugins get where they compete with those of other connectors: twice the weight, twice the time. Where nobody competes it makes no difference."),
        key(MEMORY_TOTAL_MAX, Type::Long)
            .importance(Importance::Low)
            .check(Check::AtLeast(1))
            .shown(SANDBOX, 11, Width::Short, "Memory total max")
            .doc("Most memory of all plugin instances of the connector together, in bytes: a task has one for each component that it uses. No limit beyond sandbox.memory.max where none is given; between strangers, 536870912 is a good start."),
        long(MEMORY_RECYCLE, "75", 12, "Memory recycle percent")
            .check(Check::Between(1, 100))
            .doc("Share of sandbox.memory.max, in percent, above which a plugin instance is made anew between two batches, so that one that leaks goes on; 100 for never."),
        key(POISON_ROWS_MAX, Type::Int)
            .default("10")
            .importance(Importance::Low)
            .check(Check::AtLeast(0))
            .shown(ERRORS, 9, Width::Short, "Poison rows max")
            .doc("With errors.tolerance=all and a dead letter queue: how many records in a row, without a good one between, may go there because a call of the sink, a transformation or a converter fails as a whole for each alone. One more fails the task, as then the plugin is broken and not its records. 0 for none: a call that fails as a whole fails the task, as in Kafka Connect."),
    ]
}

fn restart() -> Vec<ConfigKey> {
    let shown = |name, r#type, default, order, title| {
        key(name, r#type).default(default).importance(Importance::Low).shown(
            SANDBOX,
            order,
            Width::Short,
            title,
        )
    };
    let time = |name, default, order, title| {
        shown(name, Type::Long, default, order, title).check(Check::AtLeast(1))
    };
    vec![
        shown(RESTART_MAX, Type::Int, "10", 20, "Restarts max")
            .check(Check::Between(0, RESTARTS_MAX))
            .doc("How often within sandbox.restart.window.ms a task, or the connector's own instance, is started anew from its last committed offsets after a breach of its sandbox or a failure for now that outlived its retries. One more fails it. 0 for never: it stays FAILED until someone restarts it, as in Kafka Connect. What a plugin calls fatal, and a wrong configuration, is never started anew."),
        time(RESTART_WINDOW, "3600000", 21, "Restart window")
            .doc("Time within which sandbox.restart.max restarts are allowed, in milliseconds."),
        time(RESTART_BACKOFF, "1000", 22, "Restart backoff")
            .check(Check::AtLeast(RESTART_BACKOFF_MIN))
            .doc("Pause before a restart, in milliseconds. It doubles with each restart, less up to a fifth at random, until a run lasts longer than sandbox.restart.backoff.max.ms."),
        time(RESTART_BACKOFF_MAX, "60000", 23, "Restart backoff max")
            .check(Check::AtLeast(RESTART_BACKOFF_MIN))
            .doc("Longest pause before a restart, in milliseconds."),
    ]
}

/// Settings below an alias or another name of one's own, which stands in capitals in their names. Of each there are as many as there are aliases.
pub fn of_aliases() -> Vec<ConfigKey> {
    let class = |name, doc| key(name, Type::Class).required().importance(Importance::High).doc(doc);
    let version = |name| {
        key(name, Type::String)
            .importance(Importance::High)
            .check(Check::PluginVersion)
            .doc("Version of its plugin, or a range of versions as [1.0,2.0); the newest where none is given.")
    };
    let low = |name, r#type, doc| key(name, r#type).importance(Importance::Low).doc(doc);
    vec![
        class(
            "transforms.ALIAS.type",
            "Class of the transformation of this alias. Its own settings stand beside this one.",
        ),
        version("transforms.ALIAS.plugin.version"),
        low(
            "transforms.ALIAS.predicate",
            Type::String,
            "Alias of the predicate that chooses the rows of this transformation; all rows where none is given.",
        ),
        low(
            "transforms.ALIAS.negate",
            Type::Boolean,
            "Whether the transformation applies to the rows for which its predicate does not hold.",
        )
        .default("false"),
        class(
            "predicates.ALIAS.type",
            "Class of the predicate of this alias. Its own settings stand beside this one.",
        ),
        version("predicates.ALIAS.plugin.version"),
        low(
            "topic.creation.GROUP.include",
            Type::List,
            "Regular expressions, in Java's syntax: topics whose whole names one of them matches are of this group. The group `default` has all that no other has.",
        ),
        low(
            "topic.creation.GROUP.exclude",
            Type::List,
            "Regular expressions: topics whose whole names one of them matches are not of this group.",
        ),
        low(
            "topic.creation.GROUP.partitions",
            Type::Int,
            "Partitions to create topics with, -1 for the broker's default; of the group `default` where none are given, which must say it once any topic.creation setting is there.",
        ),
        low(
            "topic.creation.GROUP.replication.factor",
            Type::Short,
            "Replication factor to create topics with, as partitions. Every other setting beside it is one of the topic.",
        ),
    ]
    .into_iter()
    .chain(of_the_host())
    .collect()
}

/// Those of them that are for the host alone.
fn of_the_host() -> [ConfigKey; 5] {
    let low = |name, r#type, doc| key(name, r#type).importance(Importance::Low).doc(doc);
    [
        low(
            "sandbox.http.auth.NAME.origin",
            Type::String,
            "Origin, as `https://api.example.com`, to whose requests the host adds a header; plugins never see these settings. Plain `http` only at places that the worker's `sandbox.net.private` opens.",
        ),
        low(
            "sandbox.http.auth.NAME.header",
            Type::String,
            "Name of that header, as `Authorization`. What the plugin itself says under this name is not sent.",
        ),
        low("sandbox.http.auth.NAME.value", Type::Password, "What the header says, as `Bearer …`."),
        low(
            "sandbox.tls.client.NAME.certificate",
            Type::String,
            "Certificate that a plugin may show by its name in TLS, and those between it and its authority, as PEM; plugins never see it.",
        ),
        low(
            "sandbox.tls.client.NAME.key",
            Type::Password,
            "Private key of that certificate, as PEM, not encrypted; plugins never see it.",
        ),
    ]
}

/// The definitions of a configuration's settings for the host alone, each by its whole name.
pub fn for_the_host(config: &Settings) -> Vec<ConfigKey> {
    let of_name = |(name, _): (&str, _)| {
        let is_same = |key: &ConfigKey| {
            let template = key.name.split_once("NAME");
            template.is_some_and(|(start, end)| {
                name.starts_with(start)
                    && name.ends_with(end)
                    && name.len() > start.len() + end.len()
            })
        };
        let mut key = of_aliases().into_iter().find(is_same)?;
        key.display_name = name.to_owned().into();
        key.name = name.to_owned().into();
        Some(key)
    };
    let ours = config.iter().filter(|(name, _)| is_for_the_host_alone(name));
    ours.filter_map(of_name).collect()
}

/// The definition of a setting.
pub fn find(name: &str) -> Option<ConfigKey> {
    let all = common().into_iter().chain(error_handling()).chain(source()).chain(sink());
    all.chain(sandbox()).chain(restart()).find(|key| key.name == name)
}

fn common() -> Vec<ConfigKey> {
    use Importance::{High, Low, Medium};
    let shown = |name, r#type, importance, order, width, title| {
        key(name, r#type).importance(importance).shown(COMMON, order, width, title)
    };
    vec![
        shown("name", Type::String, High, 1, Width::Medium, "Connector name")
            .required()
            .doc("Name of the connector, unique in the cluster."),
        shown("connector.class", Type::String, High, 2, Width::Long, "Connector class")
            .required()
            .doc("Class of the connector, its simple name, or the simple name without \"Connector\"."),
        shown("connector.plugin.version", Type::String, Medium, 3, Width::Medium, "Connector version")
            .check(Check::PluginVersion)
            .doc("Version of the connector's plugin; the newest where none is given."),
        shown("tasks.max", Type::Int, High, 4, Width::Short, "Tasks max")
            .default("1")
            .check(Check::AtLeast(1))
            .doc("Most tasks of the connector."),
        shown("tasks.max.enforce", Type::Boolean, Low, 5, Width::Short, "Enforce tasks max")
            .default("true")
            .doc("Whether a connector that wants more tasks than tasks.max fails. Deprecated."),
        shown("key.converter", Type::Class, Low, 6, Width::Short, "Key converter class")
            .doc("Converter of record keys; the worker's where none is given."),
        shown("key.converter.plugin.version", Type::String, Low, 7, Width::Short, "Key converter version")
            .check(Check::PluginVersion)
            .doc("Version of the key converter's plugin; the newest where none is given."),
        shown("value.converter", Type::Class, Low, 8, Width::Short, "Value converter class")
            .doc("Converter of record values; the worker's where none is given."),
        shown("value.converter.plugin.version", Type::String, Low, 9, Width::Short, "Value converter version")
            .check(Check::PluginVersion)
            .doc("Version of the value converter's plugin; the newest where none is given."),
        shown("header.converter", Type::Class, Low, 10, Width::Short, "Header converter class")
            .doc("Converter of record headers; the worker's where none is given."),
        shown("header.converter.plugin.version", Type::String, Low, 11, Width::Short, "Header converter version")
            .check(Check::PluginVersion)
            .doc("Version of the header converter's plugin; the newest where none is given."),
        key("transforms", Type::List)
            .default("")
            .importance(Low)
            .shown(TRANSFORMS, 12, Width::Long, "Transforms")
            .doc("Aliases of the transformations, in the order in which they apply."),
        key("predicates", Type::List)
            .default("")
            .importance(Low)
            .shown(PREDICATES, 13, Width::Long, "Predicates")
            .doc("Aliases of the predicates that transformations use."),
        shown("config.action.reload", Type::String, Low, 14, Width::Medium, "Reload Action")
            .default("restart")
            .check(Check::OneOfIgnoringCase(&["none", "restart"]))
            .doc("What to do when a value from a config provider is out of date: restart or none. No provider says when its values are, and nothing is restarted for them."),
    ]
}

fn error_handling() -> Vec<ConfigKey> {
    let shown = |name, r#type, default, order, width, title| {
        key(name, r#type).default(default).shown(ERRORS, order, width, title)
    };
    let retries = "Retry Timeout for Errors";
    let delay = "Maximum Delay Between Retries for Errors";
    vec![
        shown("errors.retry.timeout", Type::Long, "0", 1, Width::Medium, retries)
            .doc("How long a failed operation is tried again, in milliseconds; -1 for ever."),
        shown("errors.retry.delay.max.ms", Type::Long, "60000", 2, Width::Medium, delay)
            .check(Check::AtLeast(0))
            .doc("Longest pause between two tries, in milliseconds."),
        shown("errors.tolerance", Type::String, "none", 3, Width::Short, "Error Tolerance")
            .check(Check::OneOf(&["none", "all"]))
            .doc("Whether a bad record fails the task (none) or is skipped (all)."),
        shown("errors.log.enable", Type::Boolean, "false", 4, Width::Short, "Log Errors")
            .doc("Whether every failed operation is logged, also a tolerated one."),
        shown(
            "errors.log.include.messages",
            Type::Boolean,
            "false",
            5,
            Width::Short,
            "Log Error Details",
        )
        .doc("Whether the log shows the record that failed."),
    ]
}

fn sink() -> Vec<ConfigKey> {
    let topics = |name, r#type, title| {
        key(name, r#type).default("").importance(Importance::High).shown(
            COMMON,
            4,
            Width::Long,
            title,
        )
    };
    let mut keys = vec![
        topics("topics", Type::List, "Topics").doc("Topics to read, with commas between."),
        topics("topics.regex", Type::String, "Topics regex")
            .doc("Regular expression, in Java's syntax, that matches the whole names of the topics to read."),
    ];
    keys.extend(dead_letter_queue());
    keys
}

fn dead_letter_queue() -> Vec<ConfigKey> {
    let queue = |name, r#type, default, order, title| {
        key(name, r#type).default(default).shown(ERRORS, order, Width::Medium, title)
    };
    let name = "errors.deadletterqueue.topic.name";
    let factor = "errors.deadletterqueue.topic.replication.factor";
    let headers = "errors.deadletterqueue.context.headers.enable";
    vec![
        queue(name, Type::String, "", 6, "Dead Letter Queue Topic Name")
            .doc("Topic for records that could not be processed; empty for none."),
        queue(factor, Type::Short, "3", 7, "Dead Letter Queue Topic Replication Factor")
            .doc("Replication factor with which that topic is created."),
        queue(headers, Type::Boolean, "false", 8, "Enable Error Context Headers")
            .doc("Whether records in that topic tell in headers what went wrong."),
    ]
}

fn source() -> Vec<ConfigKey> {
    let once = |name, r#type, order, title| {
        key(name, r#type).shown(EXACTLY_ONCE, order, Width::Short, title)
    };
    vec![
        key("topic.creation.groups", Type::List)
            .default("")
            .importance(Importance::Low)
            .shown(TOPIC_CREATION, 1, Width::Long, "Topic Creation Groups")
            .doc("Aliases of groups of topics that are created alike."),
        once("exactly.once.support", Type::String, 2, "Exactly once support")
            .default("requested")
            .check(Check::OneOfIgnoringCase(&["requested", "required"]))
            .doc("Whether records must be delivered exactly once (required) or may be delivered again (requested). Sources deliver at least once so far, and what is required is refused."),
        once("transaction.boundary", Type::String, 3, "Transaction Boundary")
            .default("poll")
            .check(Check::OneOfIgnoringCase(&["poll", "interval", "connector"]))
            .doc("Where transactions end: after each poll, after an interval, or where the connector says. Without effect so far."),
        once("transaction.boundary.interval.ms", Type::Long, 4, "Transaction boundary interval")
            .importance(Importance::Low)
            .check(Check::AtLeast(0))
            .doc("Length of a transaction with transaction.boundary=interval, in milliseconds. Without effect so far."),
        key("offsets.storage.topic", Type::String)
            .importance(Importance::Low)
            .shown(OFFSETS_TOPIC, 1, Width::Long, "Offsets topic")
            .check(Check::NonEmpty)
            .doc("Topic for the connector's own offsets; the worker's where none is given."),
    ]
}

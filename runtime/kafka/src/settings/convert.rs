//! Settings whose values, and not only their names, differ between Java's clients and librdkafka.
//!
//! Not here: security.

use tombolo_model::Settings;

use super::{RefusedSetting, Translation, refused};

/// Default of `max.poll.records`, as Kafka's.
const POLL_RECORDS_MAX: usize = 500;

/// The longest that librdkafka may wait between two looks at topics, in milliseconds.
const REFRESH_MAX: i64 = 3_600_000;

/// Converts one setting.
pub(super) type Convert =
    fn(to: &mut Translation<'_>, name: &str, value: &str) -> Result<(), RefusedSetting>;

fn number(name: &str, value: &str) -> Result<i64, RefusedSetting> {
    value.parse().map_err(|_| refused(name, format!("{value} is not a number")))
}

/// `max.poll.records`.
pub(super) fn poll_records_max(java: &Settings) -> Result<usize, RefusedSetting> {
    let name = "max.poll.records";
    let Some(value) = java.get(name) else { return Ok(POLL_RECORDS_MAX) };
    match value.trim().parse() {
        Ok(records) if records > 0 => Ok(records),
        _ => Err(refused(name, format!("{value} is not a number above 0"))),
    }
}

pub(super) fn security_protocol(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    to.set(name, value.to_ascii_lowercase());
    Ok(())
}

pub(super) fn metadata_max_age(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    let age = number(name, value)?.clamp(1, REFRESH_MAX);
    to.set("topic.metadata.refresh.interval.ms", age.to_string());
    Ok(())
}

/// Java's -1 is "never".
pub(super) fn max_idle(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    to.set(name, number(name, value)?.max(0).to_string());
    Ok(())
}

/// librdkafka takes at least 1.
pub(super) fn at_least_one(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    to.set(name, number(name, value)?.max(1).to_string());
    Ok(())
}

/// How long a request may take: librdkafka's most is 5 minutes.
pub(super) fn request_timeout(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    to.set("socket.timeout.ms", number(name, value)?.clamp(10, 300_000).to_string());
    Ok(())
}

/// librdkafka's least is a second.
pub(super) fn setup_timeout(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    to.set(name, number(name, value)?.max(1000).to_string());
    Ok(())
}

/// How long a record may take. Java's largest is "for ever", which is 0 here.
pub(super) fn delivery_timeout(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    let timeout = number(name, value)?;
    let forever = timeout >= i64::from(i32::MAX);
    to.set("message.timeout.ms", if forever { "0".to_owned() } else { timeout.max(1).to_string() });
    Ok(())
}

/// Bytes there, kibibytes here.
pub(super) fn buffer_memory(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    let kbytes = (number(name, value)? / 1024).max(1);
    to.set("queue.buffering.max.kbytes", kbytes.to_string());
    Ok(())
}

/// A level counts for the compression it is named after, if that is the one in use.
pub(super) fn compression_level(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    let of = name.trim_start_matches("compression.").trim_end_matches(".level");
    if to.java.get("compression.type").map(str::trim) == Some(of) {
        to.set("compression.level", number(name, value)?.to_string());
    }
    Ok(())
}

pub(super) fn ignore_keys(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    match value.to_ascii_lowercase().as_str() {
        "true" => to.set("partitioner", "random"),
        "false" => {}
        _ => return Err(refused(name, format!("{value} is not true or false"))),
    }
    Ok(())
}

pub(super) fn auto_offset_reset(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    match value.to_ascii_lowercase().as_str() {
        reset @ ("earliest" | "latest") => to.set(name, reset),
        "none" => to.set(name, "error"),
        _ => return Err(refused(name, "only earliest, latest and none can be chosen")),
    }
    Ok(())
}

pub(super) fn auto_commit(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    if value.eq_ignore_ascii_case("true") {
        let reason = "offsets of records that a task has not finished would be committed, and lost in a crash";
        return Err(refused(name, reason));
    }
    to.set(name, "false");
    Ok(())
}

/// Java's assignors by class. Where eager and cooperative ones stand side by side, Java's consumers rebalance eagerly: so do we.
pub(super) fn assignors(
    to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    let (mut eager, mut cooperative) = (Vec::new(), false);
    for class in value.split(',').map(str::trim).filter(|class| !class.is_empty()) {
        match class.strip_prefix("org.apache.kafka.clients.consumer.").unwrap_or(class) {
            "RangeAssignor" | "range" => eager.push("range"),
            "RoundRobinAssignor" | "roundrobin" => eager.push("roundrobin"),
            "CooperativeStickyAssignor" | "cooperative-sticky" => cooperative = true,
            other => {
                to.warn(name, format!("{other} is not available; the others, or range, are used"))
            }
        }
    }
    let strategy = match (eager.is_empty(), cooperative) {
        (true, true) => "cooperative-sticky".to_owned(),
        (true, false) => "range".to_owned(),
        (false, _) => eager.join(","),
    };
    to.set(name, strategy);
    Ok(())
}

/// Java's own partitioners are the default here too.
pub(super) fn partitioner(
    _to: &mut Translation<'_>,
    name: &str,
    value: &str,
) -> Result<(), RefusedSetting> {
    match value {
        "" | "org.apache.kafka.clients.producer.internals.DefaultPartitioner" => Ok(()),
        other => Err(refused(
            name,
            format!("{other} is a Java class, and keys would go to other partitions"),
        )),
    }
}

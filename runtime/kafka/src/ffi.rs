//! librdkafka behind safe types: what the `rdkafka` crate does not wrap, or wraps record by record.
//!
//! Every type here owns one native object, and holds what must outlive it. Not here: what the events mean.

mod client;
mod consume;
pub(crate) mod groups;
mod list;
mod produce;
mod queue;
pub(crate) mod request;
pub(crate) mod topics;

pub(crate) use client::{Client, Raised, Role, refused_property};
pub(crate) use consume::Message;
pub(crate) use list::PartitionList;
pub(crate) use produce::{Delivered, Headers, Record, Topic};
pub(crate) use queue::{Event, Queue};
pub(crate) use topics::Offsets;

use std::ffi::{CStr, CString, c_char};

use rdkafka::bindings as native;

use crate::error::Error;

/// No partition chosen.
pub(crate) const NO_PARTITION: i32 = -1;

/// librdkafka's number of an error: negative ones are the client's own, positive ones the broker's.
pub(crate) type Code = i32;

/// The numbers this crate acts on.
pub(crate) mod code {
    use super::{Code, native::rd_kafka_resp_err_t as E};

    pub(crate) const NONE: Code = E::RD_KAFKA_RESP_ERR_NO_ERROR as Code;
    pub(crate) const ALL_BROKERS_DOWN: Code = E::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN as Code;
    pub(crate) const FATAL: Code = E::RD_KAFKA_RESP_ERR__FATAL as Code;
    pub(crate) const PARTITION_EOF: Code = E::RD_KAFKA_RESP_ERR__PARTITION_EOF as Code;
    pub(crate) const QUEUE_FULL: Code = E::RD_KAFKA_RESP_ERR__QUEUE_FULL as Code;
    pub(crate) const PURGE_QUEUE: Code = E::RD_KAFKA_RESP_ERR__PURGE_QUEUE as Code;
    pub(crate) const PURGE_INFLIGHT: Code = E::RD_KAFKA_RESP_ERR__PURGE_INFLIGHT as Code;
    pub(crate) const MAX_POLL_EXCEEDED: Code = E::RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED as Code;
    pub(crate) const UNKNOWN_TOPIC: Code = E::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC as Code;
    pub(crate) const UNKNOWN_TOPIC_OR_PART: Code =
        E::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART as Code;
    pub(crate) const TOPIC_ALREADY_EXISTS: Code = E::RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS as Code;
    pub(crate) const GROUP_ID_NOT_FOUND: Code = E::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND as Code;
    pub(crate) const NO_OFFSET: Code = E::RD_KAFKA_RESP_ERR__NO_OFFSET as Code;
    pub(crate) const AUTO_OFFSET_RESET: Code = E::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET as Code;
    pub(crate) const STATE: Code = E::RD_KAFKA_RESP_ERR__STATE as Code;
    pub(crate) const PREV_IN_PROGRESS: Code = E::RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS as Code;
    pub(crate) const TIMED_OUT: Code = E::RD_KAFKA_RESP_ERR__TIMED_OUT as Code;

    /// A record is larger than client or topic allow.
    pub(crate) const RECORD_TOO_LARGE: Code = E::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE as Code;
    /// A record, or the batch that it is in, is larger than client or topic allow.
    pub(crate) const TOO_LARGE: [Code; 2] =
        [RECORD_TOO_LARGE, E::RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE as Code];

    /// The credentials or the TLS handshake were refused.
    pub(super) const AUTHENTICATION: [Code; 3] = [
        E::RD_KAFKA_RESP_ERR__AUTHENTICATION as Code,
        E::RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED as Code,
        E::RD_KAFKA_RESP_ERR__SSL as Code,
    ];
    /// The principal may not.
    pub(super) const AUTHORIZATION: [Code; 4] = [
        E::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED as Code,
        E::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED as Code,
        E::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED as Code,
        E::RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED as Code,
    ];
    /// The same call may succeed later: Kafka's `RetriableException`, and a broker that is away.
    pub(super) const UNAVAILABLE: [Code; 25] = [
        E::RD_KAFKA_RESP_ERR__TIMED_OUT as Code,
        E::RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE as Code,
        E::RD_KAFKA_RESP_ERR__MSG_TIMED_OUT as Code,
        E::RD_KAFKA_RESP_ERR__TRANSPORT as Code,
        E::RD_KAFKA_RESP_ERR__RESOLVE as Code,
        E::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN as Code,
        E::RD_KAFKA_RESP_ERR__WAIT_COORD as Code,
        E::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT as Code,
        E::RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION as Code,
        E::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE as Code,
        E::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION as Code,
        E::RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE as Code,
        E::RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE as Code,
        E::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS as Code,
        E::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE as Code,
        E::RD_KAFKA_RESP_ERR_NOT_COORDINATOR as Code,
        E::RD_KAFKA_RESP_ERR_NOT_CONTROLLER as Code,
        E::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS as Code,
        E::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND as Code,
        E::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS as Code,
        E::RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT as Code,
        E::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR as Code,
        // A leader that has just begun, as of a topic that is new.
        E::RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH as Code,
        E::RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH as Code,
        E::RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE as Code,
    ];
}

/// Whether Kafka's Java client calls this error retriable.
pub(crate) fn is_retriable(code: Code) -> bool {
    code::UNAVAILABLE.contains(&code)
        || [code::UNKNOWN_TOPIC_OR_PART, code::UNKNOWN_TOPIC].contains(&code)
}

/// Whether the broker refused the client's credentials, or the TLS handshake failed.
///
/// A connection that closes within a TLS handshake is a broker that goes away, not one that refuses.
pub(crate) fn is_refusal(code: Code, reason: &str) -> bool {
    let ssl = native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__SSL as Code;
    code::AUTHENTICATION.contains(&code) && !(code == ssl && reason.contains("isconnected"))
}

/// What the caller does about an error that concerns `what`.
pub(crate) fn error(code: Code, what: &str, reason: &str) -> Error {
    let reason = if reason.is_empty() { text(code) } else { reason.to_owned() };
    let reason = if what.is_empty() { reason } else { format!("{what}: {reason}") };
    if is_refusal(code, &reason) {
        Error::Authentication { reason }
    } else if code::AUTHORIZATION.contains(&code) {
        Error::Authorization { reason }
    } else if code::UNAVAILABLE.contains(&code) || code::AUTHENTICATION.contains(&code) {
        Error::Unavailable { reason }
    } else if code == code::UNKNOWN_TOPIC_OR_PART || code == code::UNKNOWN_TOPIC {
        Error::UnknownTopic { topic: what.to_owned() }
    } else {
        Error::Refused { code: name(code), reason }
    }
}

/// Kafka's name of an error, as `UNKNOWN_TOPIC_OR_PART`.
pub(crate) fn name(code: Code) -> String {
    describe(code).0
}

/// Kafka's text of an error.
pub(crate) fn text(code: Code) -> String {
    describe(code).1
}

/// Name and text of an error, looked up in librdkafka's table: the bindings' enum cannot hold the number of an error newer than they are.
fn describe(code: Code) -> (String, String) {
    let mut table: *const native::rd_kafka_err_desc = std::ptr::null();
    let mut count = 0;
    // SAFETY: the table is static, with `count` entries of static strings; an entry without a name is a gap.
    let entries = unsafe {
        native::rd_kafka_get_err_descs(&raw mut table, &raw mut count);
        std::slice::from_raw_parts(table, count)
    };
    for entry in entries {
        // SAFETY: `code` is a 32-bit enum in C, read as the number it is.
        let number = unsafe { (&raw const entry.code).cast::<Code>().read() };
        if number == code && !entry.name.is_null() {
            return (owned(entry.name), owned(entry.desc));
        }
    }
    (format!("{code}"), format!("error {code}"))
}

/// Whether librdkafka was built with a feature, as `sasl_gssapi`.
pub(crate) fn has_feature(feature: &str) -> bool {
    let mut found = Explanation::new();
    let mut size = found.0.len();
    // SAFETY: the configuration is ours and destroyed once; the buffer has the size given.
    unsafe {
        let conf = native::rd_kafka_conf_new();
        let name = c"builtin.features".as_ptr();
        native::rd_kafka_conf_get(conf, name, found.0.as_mut_ptr(), &raw mut size);
        native::rd_kafka_conf_destroy(conf);
    }
    found.text().split(',').any(|one| one.trim() == feature)
}

/// Reads an error number that C wrote through a field of the bindings' enum type.
///
/// Cost: none. A number that is newer than the bindings must not be read as their enum.
fn read_code(field: *const native::rd_kafka_resp_err_t) -> Code {
    // SAFETY: callers pass a pointer to a live field; the enum is 32 bits wide in C.
    unsafe { field.cast::<Code>().read() }
}

/// A C string of librdkafka, copied; empty for null.
fn owned(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: librdkafka's strings end with a zero byte and live during this call.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Text for C; refused when it holds a zero byte.
fn c_string(text: &str) -> Result<CString, Error> {
    CString::new(text).map_err(|_| Error::Refused {
        code: "INVALID_ARGUMENT".to_owned(),
        reason: format!("{text:?} holds a zero byte"),
    })
}

/// Room for librdkafka's explanations.
struct Explanation([c_char; 512]);

impl Explanation {
    fn new() -> Self {
        Self([0; 512])
    }

    fn text(&self) -> String {
        owned(self.0.as_ptr())
    }
}

/// Takes an error object of librdkafka: its number and text, or nothing when it is null.
fn take_error(error: *mut native::rd_kafka_error_t) -> Option<(Code, String)> {
    if error.is_null() {
        return None;
    }
    // SAFETY: the object is ours and is destroyed here, once.
    unsafe {
        let found = (
            native::rd_kafka_error_code(error) as Code,
            owned(native::rd_kafka_error_string(error)),
        );
        native::rd_kafka_error_destroy(error);
        Some(found)
    }
}

//! A native client, and the callbacks that librdkafka makes into it.
//!
//! Not here: queues, which most callbacks come through.

use std::collections::VecDeque;
use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::bindings as native;
use tombolo_model::offset::TopicPartition;

use super::{Code, Explanation, PartitionList, c_string, error, is_refusal, owned, take_error};
use crate::error::Error;

/// What a client is for: decides what librdkafka tells us, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Member of a consumer group.
    Member,
    /// Reads partitions without a group.
    Reader,
    /// Produces; deliveries come as events.
    Producer,
    /// Requests only.
    Admin,
    /// Requests about groups: has a group of its own, which it never joins.
    ///
    /// librdkafka 2.12 looks for the coordinator of the client's own group when it cannot have another group's offsets for now, and crashes where
    /// there is none.
    GroupAdmin,
}

/// What a callback told us, in the order told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Raised {
    /// The group gave us these partitions; librdkafka waits for our answer.
    Assign(Vec<TopicPartition>),
    /// The group wants these partitions back, or gave them to another already; librdkafka waits for our answer.
    Revoke { partitions: Vec<TopicPartition>, lost: bool },
    /// A commit was answered.
    Committed(Code),
    /// The client as a whole has a problem.
    Problem { code: Code, reason: String },
}

/// What callbacks reach. Lives as long as the native client.
#[derive(Default)]
struct Shared {
    raised: Mutex<VecDeque<Raised>>,
    /// How often the broker refused us, and why the last time.
    refusals: Mutex<(u64, String)>,
    /// Set while closing: rebalances are answered in the callback, as nobody else will.
    closing: AtomicBool,
}

impl Shared {
    fn raised(&self) -> MutexGuard<'_, VecDeque<Raised>> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusals(&self) -> MutexGuard<'_, (u64, String)> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a problem of the client as a whole.
    fn problem(&self, code: Code, reason: String) {
        if is_refusal(code, &reason) {
            let mut refusals = self.refusals();
            refusals.0 += 1;
            refusals.1.clone_from(&reason);
        }
        self.raised().push_back(Raised::Problem { code, reason });
    }
}

/// A native client. Destroyed in the background when the last handle goes, as that joins its threads and leaves its group.
pub(crate) struct Client {
    pub(super) rk: *mut native::rd_kafka_t,
    role: Role,
    shared: Arc<Shared>,
    record_max: usize,
}

// SAFETY: librdkafka's client is thread-safe throughout, and `Shared` is.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

impl Client {
    /// Makes a client. Errors: a property that librdkafka refuses; the value is not in the text.
    pub(crate) fn new<'a>(
        role: Role,
        properties: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Arc<Client>, Error> {
        let shared = Arc::new(Shared::default());
        let conf = Conf::new(role, properties, &shared)?;
        let kind = match role {
            Role::Member | Role::Reader | Role::GroupAdmin => {
                native::rd_kafka_type_t::RD_KAFKA_CONSUMER
            }
            Role::Producer | Role::Admin => native::rd_kafka_type_t::RD_KAFKA_PRODUCER,
        };
        let mut explanation = Explanation::new();
        // SAFETY: `conf` is live; on success librdkafka owns it, which `forget` says.
        let rk = unsafe {
            native::rd_kafka_new(kind, conf.0, explanation.0.as_mut_ptr(), explanation.0.len())
        };
        if rk.is_null() {
            return Err(Error::Client { reason: explanation.text() });
        }
        std::mem::forget(conf);
        // SAFETY: `rk` is live. Logins are renewed in librdkafka's own thread: not every client's queue is always polled.
        take_error(unsafe { native::rd_kafka_sasl_background_callbacks_enable(rk) });
        if role == Role::Member {
            // SAFETY: `rk` is live. Callbacks then come through the consumer's queue, in order with records.
            unsafe { native::rd_kafka_poll_set_consumer(rk) };
        }
        // SAFETY: `rk` is live.
        let record_max = unsafe { record_max(rk) };
        Ok(Arc::new(Client { rk, role, shared, record_max }))
    }

    /// Most bytes of a record, with its headers: a larger one is not sent.
    pub(crate) fn record_max(&self) -> usize {
        self.record_max
    }

    /// Takes the oldest thing that a callback told us.
    pub(crate) fn take_raised(&self) -> Option<Raised> {
        self.shared.raised().pop_front()
    }

    /// Puts a problem that came as an event beside those that came by callback.
    pub(super) fn problem(&self, code: Code, reason: String) {
        self.shared.problem(code, reason);
    }

    /// How often the broker refused this client.
    pub(super) fn refusals(&self) -> u64 {
        self.shared.refusals().0
    }

    /// Why the broker refused this client, if it did so more than `before` times.
    pub(super) fn refusal_since(&self, before: u64) -> Option<String> {
        if matches!(self.role, Role::Admin | Role::GroupAdmin) {
            // Nobody else takes what an admin client is told.
            // SAFETY: `rk` is live; callbacks run within the call.
            unsafe { native::rd_kafka_poll(self.rk, 0) };
            self.shared.raised().clear();
        }
        let refusals = self.shared.refusals();
        (refusals.0 > before).then(|| refusals.1.clone())
    }

    /// The first fatal error of this client, if there was one: it cannot go on.
    pub(crate) fn fatal_error(&self) -> Option<(Code, String)> {
        let mut explanation = Explanation::new();
        // SAFETY: `rk` is live, the buffer has the size given.
        let code = unsafe {
            native::rd_kafka_fatal_error(self.rk, explanation.0.as_mut_ptr(), explanation.0.len())
        } as Code;
        (code != super::code::NONE).then(|| (code, explanation.text()))
    }

    /// Leaves the group and waits until that is done, or given up. Blocks.
    pub(crate) fn close_member(&self) {
        self.shared.closing.store(true, Ordering::Release);
        // SAFETY: `rk` is live. The answer is of no use: the member is gone either way.
        unsafe { native::rd_kafka_consumer_close(self.rk) };
    }

    /// Subscribes to these topics, or to none.
    pub(crate) fn subscribe(&self, topics: &[String]) -> Result<(), Error> {
        let mut list = PartitionList::with_capacity(topics.len());
        for topic in topics {
            list.push(topic, super::NO_PARTITION, None)?;
        }
        // SAFETY: `rk` and `list` are live; the list is copied.
        let code = unsafe {
            if topics.is_empty() {
                native::rd_kafka_unsubscribe(self.rk)
            } else {
                native::rd_kafka_subscribe(self.rk, list.ptr())
            }
        } as Code;
        check(code, "subscribe")
    }

    /// Whether partitions come and go one by one (cooperative), instead of all at once (eager).
    pub(crate) fn is_cooperative(&self) -> bool {
        // SAFETY: `rk` is live; the string is static.
        owned(unsafe { native::rd_kafka_rebalance_protocol(self.rk) }) == "COOPERATIVE"
    }

    /// Answers an assignment: begins to read at these offsets.
    pub(crate) fn assign(&self, offsets: &PartitionList) -> Result<(), Error> {
        // SAFETY: `rk` and the list are live; the list is copied.
        unsafe {
            if self.is_cooperative() {
                match take_error(native::rd_kafka_incremental_assign(self.rk, offsets.ptr())) {
                    Some((code, reason)) => Err(error(code, "assign", &reason)),
                    None => Ok(()),
                }
            } else {
                check(native::rd_kafka_assign(self.rk, offsets.ptr()) as Code, "assign")
            }
        }
    }

    /// Answers a revocation.
    pub(crate) fn unassign(&self, partitions: &PartitionList) -> Result<(), Error> {
        // SAFETY: `rk` and the list are live; the list is copied.
        unsafe { unassign(self.rk, self.is_cooperative(), partitions.ptr()) }
    }

    /// Starts to commit; the answer comes as [`Raised::Committed`].
    pub(crate) fn commit(&self, offsets: &PartitionList) -> Result<(), Error> {
        // SAFETY: `rk` and the list are live; the list is copied.
        check(unsafe { native::rd_kafka_commit(self.rk, offsets.ptr(), 1) } as Code, "commit")
    }

    /// Reads on from these offsets; waits at most `timeout_ms` until that is in force. Blocks. Answers the number of each partition's error.
    pub(crate) fn seek(&self, to: &PartitionList, timeout_ms: c_int) -> Result<(), Error> {
        // SAFETY: `rk` and the list are live.
        let failed =
            take_error(unsafe { native::rd_kafka_seek_partitions(self.rk, to.ptr(), timeout_ms) });
        match failed {
            Some((code, reason)) => Err(error(code, "seek", &reason)),
            None => Ok(()),
        }
    }

    /// Stops or resumes fetching these partitions.
    pub(crate) fn pause(&self, partitions: &PartitionList, pause: bool) -> Result<(), Error> {
        // SAFETY: `rk` and the list are live.
        let code = unsafe {
            if pause {
                native::rd_kafka_pause_partitions(self.rk, partitions.ptr())
            } else {
                native::rd_kafka_resume_partitions(self.rk, partitions.ptr())
            }
        } as Code;
        check(code, "pause or resume")
    }

    /// Drops everything queued or under way; all of it comes back as failed deliveries.
    pub(crate) fn purge(&self) {
        let both = native::RD_KAFKA_PURGE_F_QUEUE | native::RD_KAFKA_PURGE_F_INFLIGHT;
        // SAFETY: `rk` is live. It can fail only for a consumer.
        unsafe { native::rd_kafka_purge(self.rk, both) };
    }

    /// Records that were sent and whose deliveries were not all let go yet.
    pub(crate) fn records_held(&self) -> usize {
        // SAFETY: `rk` is live.
        usize::try_from(unsafe { native::rd_kafka_outq_len(self.rk) }).unwrap_or(0)
    }

    /// Makes the client fail as a fatal error of the broker would. For tests of what follows.
    #[cfg(test)]
    pub(crate) fn provoke_fatal_error(&self) {
        let code = native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        // SAFETY: `rk` is live; the text is static.
        unsafe { native::rd_kafka_test_fatal_error(self.rk, code, c"provoked".as_ptr()) };
    }
}

/// The property `message.max.bytes` of a client.
///
/// # Safety
///
/// `rk` is live.
unsafe fn record_max(rk: *mut native::rd_kafka_t) -> usize {
    let mut text = Explanation::new();
    let mut size = text.0.len();
    // SAFETY: as the caller promises; the configuration lives as long, and the buffer has the size given.
    unsafe {
        let conf = native::rd_kafka_conf(rk);
        let name = c"message.max.bytes";
        native::rd_kafka_conf_get(conf, name.as_ptr(), text.0.as_mut_ptr(), &raw mut size);
    }
    text.text().parse().unwrap_or(usize::MAX)
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        let last = Last(self.rk, Arc::clone(&self.shared));
        // Without a thread to spare, the client stays until the process ends: better than blocking whoever dropped it.
        let spawned = std::thread::Builder::new().name("kafka-close".to_owned()).spawn(move || {
            let last = last;
            // SAFETY: this is the last use of the client: every queue, topic and message holds the `Client` that was just dropped.
            unsafe { native::rd_kafka_destroy(last.0) };
            drop(last.1);
        });
        if let Err(err) = spawned {
            tracing::warn!(error = %err, "a Kafka client could not be closed");
        }
    }
}

/// A client on its way out, with what its callbacks reach.
struct Last(*mut native::rd_kafka_t, Arc<Shared>);

// SAFETY: as for `Client`.
unsafe impl Send for Last {}

/// A configuration, until a client owns it.
struct Conf(*mut native::rd_kafka_conf_t);

impl Conf {
    fn new<'a>(
        role: Role,
        properties: impl Iterator<Item = (&'a str, &'a str)>,
        shared: &Arc<Shared>,
    ) -> Result<Conf, Error> {
        // SAFETY: makes an object, which `Conf` destroys.
        let conf = Conf(unsafe { native::rd_kafka_conf_new() });
        for (name, value) in properties {
            conf.set(name, value)?;
        }
        // SAFETY: `conf` is live. The opaque pointer outlives the client: `Client` and then `Last` keep `shared` until it is destroyed.
        unsafe {
            native::rd_kafka_conf_set_opaque(conf.0, Arc::as_ptr(shared).cast_mut().cast());
            native::rd_kafka_conf_enable_sasl_queue(conf.0, 1);
            native::rd_kafka_conf_set_log_cb(conf.0, Some(on_log));
            native::rd_kafka_conf_set_error_cb(conf.0, Some(on_error));
            match role {
                Role::Member => {
                    native::rd_kafka_conf_set_rebalance_cb(conf.0, Some(on_rebalance));
                    native::rd_kafka_conf_set_offset_commit_cb(conf.0, Some(on_commit));
                }
                Role::Producer => {
                    native::rd_kafka_conf_set_events(conf.0, native::RD_KAFKA_EVENT_DR);
                }
                Role::Reader | Role::Admin | Role::GroupAdmin => {}
            }
        }
        Ok(conf)
    }

    fn set(&self, name: &str, value: &str) -> Result<(), Error> {
        let (c_name, c_value) = (c_string(name)?, c_string(value)?);
        let mut explanation = Explanation::new();
        // SAFETY: all pointers are live during the call, the buffer has the size given.
        let result = unsafe {
            native::rd_kafka_conf_set(
                self.0,
                c_name.as_ptr(),
                c_value.as_ptr(),
                explanation.0.as_mut_ptr(),
                explanation.0.len(),
            )
        };
        if result == native::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK {
            return Ok(());
        }
        // librdkafka may quote the value, which may be a secret.
        let reason = explanation.text().replace(value, "[hidden]");
        Err(Error::Client { reason: format!("{name}: {reason}") })
    }
}

/// The first property whose value librdkafka does not take: it is not of its type, or out of its range. Whether a client can be made of the others shows later.
pub(crate) fn refused_property<'p>(
    properties: impl IntoIterator<Item = (&'p str, &'p str)>,
) -> Option<&'p str> {
    // SAFETY: as in `Conf::new`; it is destroyed on drop.
    let conf = Conf(unsafe { native::rd_kafka_conf_new() });
    let mut properties = properties.into_iter();
    properties.find(|(name, value)| conf.set(name, value).is_err()).map(|(name, _)| name)
}

impl Drop for Conf {
    fn drop(&mut self) {
        // SAFETY: ours, and not owned by a client: that is forgotten.
        unsafe { native::rd_kafka_conf_destroy(self.0) };
    }
}

/// Nothing, or what the caller does about a number.
pub(super) fn check(code: Code, what: &str) -> Result<(), Error> {
    if code == super::code::NONE { Ok(()) } else { Err(error(code, what, "")) }
}

/// Gives partitions back: some of them (cooperative) or all (eager).
///
/// # Safety
///
/// The client and the list are live.
unsafe fn unassign(
    rk: *mut native::rd_kafka_t,
    cooperative: bool,
    partitions: *mut native::rd_kafka_topic_partition_list_t,
) -> Result<(), Error> {
    // SAFETY: as the caller promises.
    unsafe {
        if cooperative {
            match take_error(native::rd_kafka_incremental_unassign(rk, partitions)) {
                Some((code, reason)) => Err(error(code, "unassign", &reason)),
                None => Ok(()),
            }
        } else {
            check(native::rd_kafka_assign(rk, std::ptr::null()) as Code, "unassign")
        }
    }
}

/// What a callback's opaque pointer leads to.
///
/// # Safety
///
/// `opaque` is what [`Conf::new`] set, and the client is not destroyed yet.
unsafe fn shared<'a>(opaque: *mut c_void) -> &'a Shared {
    // SAFETY: as the caller promises.
    unsafe { &*opaque.cast::<Shared>() }
}

unsafe extern "C" fn on_rebalance(
    rk: *mut native::rd_kafka_t,
    err: native::rd_kafka_resp_err_t,
    partitions: *mut native::rd_kafka_topic_partition_list_t,
    opaque: *mut c_void,
) {
    // SAFETY: librdkafka passes live pointers, and the opaque pointer of the configuration.
    unsafe {
        let shared = shared(opaque);
        let assign = err == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if shared.closing.load(Ordering::Acquire) {
            let cooperative = owned(native::rd_kafka_rebalance_protocol(rk)) == "COOPERATIVE";
            // A client that is going away has nobody to tell.
            drop(unassign(rk, cooperative, partitions));
            return;
        }
        let partitions = PartitionList::read(partitions).map(|entry| entry.at()).collect();
        let lost = !assign && native::rd_kafka_assignment_lost(rk) == 1;
        shared.raised().push_back(if assign {
            Raised::Assign(partitions)
        } else {
            Raised::Revoke { partitions, lost }
        });
    }
}

unsafe extern "C" fn on_commit(
    _rk: *mut native::rd_kafka_t,
    err: native::rd_kafka_resp_err_t,
    _offsets: *mut native::rd_kafka_topic_partition_list_t,
    opaque: *mut c_void,
) {
    // SAFETY: librdkafka passes the opaque pointer of the configuration.
    unsafe { shared(opaque) }.raised().push_back(Raised::Committed(err as Code));
}

unsafe extern "C" fn on_error(
    _rk: *mut native::rd_kafka_t,
    err: c_int,
    reason: *const c_char,
    opaque: *mut c_void,
) {
    // SAFETY: librdkafka passes the opaque pointer of the configuration.
    let shared = unsafe { shared(opaque) };
    shared.problem(err, owned(reason));
}

/// Syslog's level from which on a line is worth a warning, and an information.
const WARNING: c_int = 4;
const NOTICE: c_int = 5;

unsafe extern "C" fn on_log(
    rk: *const native::rd_kafka_t,
    level: c_int,
    facility: *const c_char,
    text: *const c_char,
) {
    // SAFETY: librdkafka passes live pointers.
    let client = owned(unsafe { native::rd_kafka_name(rk) });
    let (facility, text) = (owned(facility), owned(text));
    // Connections that fail are told once, by an error; librdkafka's lines repeat with every attempt.
    let told = matches!(facility.as_str(), "FAIL" | "ERROR" | "MAXPOLL");
    match level {
        _ if told => tracing::debug!(target: "librdkafka", client, facility, "{text}"),
        ..WARNING => tracing::error!(target: "librdkafka", client, facility, "{text}"),
        WARNING => tracing::warn!(target: "librdkafka", client, facility, "{text}"),
        NOTICE => tracing::info!(target: "librdkafka", client, facility, "{text}"),
        _ => tracing::debug!(target: "librdkafka", client, facility, "{text}"),
    }
}

//! Requests that any client can make: submitted at once, answered by an event.
//!
//! Not here: retries, and requests about topics (`topics`) and groups (`groups`).

use std::ffi::{CStr, c_int};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as native;
use tombolo_model::offset::PartitionOffset;

use super::client::{Client, check};
use super::queue::{Event, Queue};
use super::{Code, Explanation, PartitionList, code, error, owned};
use crate::error::Error;

pub(super) use native::rd_kafka_admin_op_t as Op;

/// A request that was submitted. Its answer comes to a queue of its own.
pub(super) struct Request {
    queue: Queue,
    what: String,
    /// How often the broker had refused the client before.
    refusals: u64,
}

/// How often a waiting request looks whether the broker refuses the client: that is told to the client, not to the request.
const REFUSAL_CHECK: Duration = Duration::from_millis(100);

impl Request {
    /// Waits for the answer. librdkafka ends it in time.
    pub(super) async fn answer(self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.queue.poll() {
                return match event.code() {
                    code::NONE => Ok(event),
                    failed => Err(error(failed, &self.what, &event.reason())),
                };
            }
            if let Some(reason) = self.queue.client().refusal_since(self.refusals) {
                return Err(Error::Authentication { reason });
            }
            drop(tokio::time::timeout(REFUSAL_CHECK, self.queue.ready()).await);
        }
    }
}

/// Options of a request.
struct Options(*mut native::rd_kafka_AdminOptions_t);

impl Options {
    fn new(client: &Client, op: Op, wait: Duration) -> Options {
        let wait = c_int::try_from(wait.as_millis()).unwrap_or(c_int::MAX);
        let mut explanation = Explanation::new();
        // SAFETY: the client is live; the options are ours. A time out of range leaves the default.
        unsafe {
            let options = native::rd_kafka_AdminOptions_new(client.rk, op);
            native::rd_kafka_AdminOptions_set_request_timeout(
                options,
                wait,
                explanation.0.as_mut_ptr(),
                explanation.0.len(),
            );
            Options(options)
        }
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { native::rd_kafka_AdminOptions_destroy(self.0) };
    }
}

/// Submits a request: `call` gets the client, its options and the queue for the answer, all live during the call.
pub(super) fn submit(
    client: &Arc<Client>,
    op: Op,
    what: &str,
    wait: Duration,
    call: impl FnOnce(
        *mut native::rd_kafka_t,
        *mut native::rd_kafka_AdminOptions_t,
        *mut native::rd_kafka_queue_t,
    ),
) -> Request {
    let refusals = client.refusals();
    let queue = Queue::new(client);
    let options = Options::new(client, op, wait);
    call(client.rk, options.0, queue.ptr);
    Request { queue, what: what.to_owned(), refusals }
}

/// An array that librdkafka answers with; empty for null.
///
/// # Safety
///
/// A pointer that is not null leads to `count` entries that live for `'a`.
pub(super) unsafe fn array<'a, T>(entries: *mut *const T, count: usize) -> &'a [*const T] {
    if entries.is_null() {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts(entries, count) }
}

/// The id of the cluster.
pub(crate) async fn cluster_id(client: &Arc<Client>, wait: Duration) -> Result<String, Error> {
    let op = Op::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER;
    let request = submit(client, op, "describe the cluster", wait, |rk, options, queue| {
        // SAFETY: all is live during the call.
        unsafe { native::rd_kafka_DescribeCluster(rk, options, queue) };
    });
    let event = request.answer().await?;
    // SAFETY: the event is of this type and live, and the string with it.
    unsafe {
        let result = native::rd_kafka_event_DescribeCluster_result(event.ptr);
        Ok(owned(native::rd_kafka_DescribeCluster_result_cluster_id(result)))
    }
}

/// Commits offsets of a member and waits for the answer.
pub(crate) async fn commit(client: &Arc<Client>, offsets: &[PartitionOffset]) -> Result<(), Error> {
    let request = {
        let list = PartitionList::of_offsets(offsets)?;
        let queue = Queue::new(client);
        // SAFETY: client, list and queue are live; the list is copied. Without a callback the answer is an event of the queue.
        let submitted = unsafe {
            native::rd_kafka_commit_queue(
                client.rk,
                list.ptr(),
                queue.ptr,
                None,
                std::ptr::null_mut(),
            )
        };
        check(submitted as Code, "commit")?;
        Request { queue, what: "commit".to_owned(), refusals: client.refusals() }
    };
    request.answer().await.map(drop)
}

/// Names of all topics. Blocks.
pub(crate) fn topics(client: &Client, wait: Duration) -> Result<Vec<String>, Error> {
    let wait = c_int::try_from(wait.as_millis()).unwrap_or(c_int::MAX);
    let mut metadata = std::ptr::null();
    // SAFETY: the client is live. On success the metadata is ours until destroyed, with `topic_cnt` topics with C strings for names.
    unsafe {
        let topic = std::ptr::null_mut();
        let failed = native::rd_kafka_metadata(client.rk, 1, topic, &raw mut metadata, wait);
        check(failed as Code, "list topics")?;
        let count = usize::try_from((*metadata).topic_cnt).unwrap_or(0);
        let names = match (*metadata).topics {
            topics if count > 0 && !topics.is_null() => std::slice::from_raw_parts(topics, count)
                .iter()
                .map(|topic| CStr::from_ptr(topic.topic).to_string_lossy().into_owned())
                .collect(),
            _ => Vec::new(),
        };
        native::rd_kafka_metadata_destroy(metadata);
        Ok(names)
    }
}

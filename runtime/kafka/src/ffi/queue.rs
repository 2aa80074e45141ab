//! Queues of a client, and the events they hold, without a thread that waits for each.
//!
//! Not here: records, which are drained from a queue in batches (`consume`).

use std::ffi::c_void;
use std::sync::Arc;

use rdkafka::bindings as native;
use tokio::sync::Notify;

use super::client::Client;
use super::{Code, owned};

/// A queue that says when it is no longer empty.
pub(crate) struct Queue {
    pub(super) ptr: *mut native::rd_kafka_queue_t,
    ready: Arc<Notify>,
    /// Queues are destroyed before their client.
    client: Arc<Client>,
}

// SAFETY: librdkafka's queues are thread-safe.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

unsafe extern "C" fn on_ready(_rk: *mut native::rd_kafka_t, opaque: *mut c_void) {
    // SAFETY: the pointer of `Queue::watch`, whose queue is not dropped: that takes this callback off first.
    unsafe { &*opaque.cast::<Notify>() }.notify_one();
}

impl Queue {
    /// A queue of its own.
    pub(crate) fn new(client: &Arc<Client>) -> Queue {
        // SAFETY: the client is live; the handle is ours.
        Self::watch(unsafe { native::rd_kafka_queue_new(client.rk) }, client)
    }

    /// The client's main queue: deliveries and problems.
    pub(crate) fn main(client: &Arc<Client>) -> Queue {
        // SAFETY: the client is live; the handle is ours.
        Self::watch(unsafe { native::rd_kafka_queue_get_main(client.rk) }, client)
    }

    /// The queue of a member: records, and every callback in order with them. None without a group.
    pub(crate) fn member(client: &Arc<Client>) -> Option<Queue> {
        // SAFETY: the client is live; the handle is ours.
        let ptr = unsafe { native::rd_kafka_queue_get_consumer(client.rk) };
        (!ptr.is_null()).then(|| Self::watch(ptr, client))
    }

    /// Lets everything that the client is told come through this queue too.
    pub(crate) fn take_over_main(&self) {
        // SAFETY: client and queue are live; the handle of the main queue is ours for the call.
        unsafe {
            let main = native::rd_kafka_queue_get_main(self.client.rk);
            native::rd_kafka_queue_forward(main, self.ptr);
            native::rd_kafka_queue_destroy(main);
        }
    }

    fn watch(ptr: *mut native::rd_kafka_queue_t, client: &Arc<Client>) -> Queue {
        let ready = Arc::new(Notify::new());
        let opaque = Arc::as_ptr(&ready).cast_mut().cast();
        // SAFETY: `ready` lives until `Drop` has taken the callback off.
        unsafe { native::rd_kafka_queue_cb_event_enable(ptr, Some(on_ready), opaque) };
        Queue { ptr, ready, client: Arc::clone(client) }
    }

    /// The client it belongs to.
    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Wakes whoever waits in [`Queue::ready`].
    pub(crate) fn waker(&self) -> &Arc<Notify> {
        &self.ready
    }

    /// Waits until the queue, found empty, holds something. May return early. Safe to cancel.
    pub(crate) async fn ready(&self) {
        self.ready.notified().await;
    }

    /// Takes the next event, without waiting. Problems are put among what the client raised, and passed over.
    pub(crate) fn poll(&self) -> Option<Event> {
        loop {
            // SAFETY: the queue is live; the event is ours.
            let ptr = unsafe { native::rd_kafka_queue_poll(self.ptr, 0) };
            if ptr.is_null() {
                return None;
            }
            let event = Event { ptr, _client: Arc::clone(&self.client) };
            match event.kind() {
                EventKind::Problem => {
                    self.client.problem(event.code(), event.reason());
                }
                EventKind::Deliveries | EventKind::Answer => return Some(event),
            }
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the queue is live. The callback is called under the queue's lock, which taking it off takes too: none runs afterwards.
        unsafe {
            native::rd_kafka_queue_cb_event_enable(self.ptr, None, std::ptr::null_mut());
            native::rd_kafka_queue_destroy(self.ptr);
        }
    }
}

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EventKind {
    /// Produced records that were settled.
    Deliveries,
    /// A problem of the client as a whole.
    Problem,
    /// The answer to a request.
    Answer,
}

/// An event of a queue.
pub(crate) struct Event {
    pub(super) ptr: *mut native::rd_kafka_event_t,
    _client: Arc<Client>,
}

// SAFETY: an event has one owner and no thread affinity.
unsafe impl Send for Event {}

impl Event {
    /// What it is.
    fn kind(&self) -> EventKind {
        // SAFETY: the event is live.
        match unsafe { native::rd_kafka_event_type(self.ptr) } {
            native::RD_KAFKA_EVENT_DR => EventKind::Deliveries,
            native::RD_KAFKA_EVENT_ERROR => EventKind::Problem,
            _ => EventKind::Answer,
        }
    }

    /// Its error.
    pub(super) fn code(&self) -> Code {
        // SAFETY: the event is live.
        unsafe { native::rd_kafka_event_error(self.ptr) as Code }
    }

    /// What is said about its error.
    pub(super) fn reason(&self) -> String {
        // SAFETY: the event is live, and its string with it.
        owned(unsafe { native::rd_kafka_event_error_string(self.ptr) })
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { native::rd_kafka_event_destroy(self.ptr) };
    }
}

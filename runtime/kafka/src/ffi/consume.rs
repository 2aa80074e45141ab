//! Records of a queue, drained in batches; and partitions read without a group.
//!
//! Not here: the columns they go into.

use std::ptr::NonNull;

use rdkafka::bindings as native;
use tombolo_model::batch::TimestampType;

use super::produce::Topic;
use super::queue::Queue;
use super::{Code, Error, error, owned, read_code};

/// A fetched record, or an error in its place. Borrows from the buffer it was fetched in, which goes with the last of its records.
#[repr(transparent)]
pub(crate) struct Message(NonNull<native::rd_kafka_message_t>);

// SAFETY: one owner, no thread affinity.
unsafe impl Send for Message {}

impl Queue {
    /// Appends at most `max` records that are there, and makes the callbacks that stand before or among them. Does not wait.
    pub(crate) fn drain(&self, into: &mut Vec<Message>, max: usize) {
        into.reserve(max);
        let spare = into.spare_capacity_mut();
        // SAFETY: `Message` is a transparent pointer that is not null, so `spare` is room for `max` pointers, of which librdkafka fills the
        // first `count`, each with a record that is ours.
        unsafe {
            let count =
                native::rd_kafka_consume_batch_queue(self.ptr, 0, spare.as_mut_ptr().cast(), max);
            into.set_len(into.len() + usize::try_from(count).unwrap_or(0));
        }
    }
}

impl Topic {
    /// Starts to read a partition into `queue`, from `offset` on.
    pub(crate) fn start(&self, partition: i32, offset: i64, queue: &Queue) -> Result<(), Error> {
        // SAFETY: topic and queue are live.
        let failed = unsafe {
            native::rd_kafka_consume_start_queue(self.ptr(), partition, offset, queue.ptr)
        };
        if failed == 0 {
            return Ok(());
        }
        // SAFETY: reads what the call above left.
        let code = unsafe { native::rd_kafka_last_error() } as Code;
        Err(error(code, "read", ""))
    }
}

impl Message {
    fn native(&self) -> &native::rd_kafka_message_t {
        // SAFETY: live until dropped.
        unsafe { self.0.as_ref() }
    }

    /// Its error: [`super::code::NONE`] for a record.
    pub(crate) fn code(&self) -> Code {
        // SAFETY: the pointer is live; only its field's address is taken, as the number may be none of the bindings' enum.
        read_code(unsafe { &raw const (*self.0.as_ptr()).err })
    }

    /// What is said about its error.
    pub(crate) fn reason(&self) -> String {
        // SAFETY: the message is live.
        owned(unsafe { native::rd_kafka_message_errstr(self.0.as_ptr()) })
    }

    /// Tells topics apart among messages held at the same time, without looking at their names.
    pub(crate) fn topic_identity(&self) -> usize {
        self.native().rkt as usize
    }

    /// Name of its topic. Empty for an error of no topic.
    pub(crate) fn topic(&self) -> &str {
        let rkt = self.native().rkt;
        if rkt.is_null() {
            return "";
        }
        // SAFETY: the message holds its topic, whose name is a C string that lives as long.
        let name = unsafe { std::ffi::CStr::from_ptr(native::rd_kafka_topic_name(rkt)) };
        name.to_str().unwrap_or_default()
    }

    /// Its partition.
    pub(crate) fn partition(&self) -> i32 {
        self.native().partition
    }

    /// Its offset.
    pub(crate) fn offset(&self) -> i64 {
        self.native().offset
    }

    /// Bytes of its key and value.
    pub(crate) fn len(&self) -> usize {
        self.native().key_len + self.native().len
    }

    /// Its key.
    pub(crate) fn key(&self) -> Option<&[u8]> {
        let native = self.native();
        // SAFETY: the pair is null, or bytes that live as long as the message.
        unsafe { bytes(native.key, native.key_len) }
    }

    /// Its value.
    pub(crate) fn value(&self) -> Option<&[u8]> {
        let native = self.native();
        // SAFETY: as for the key.
        unsafe { bytes(native.payload, native.len) }
    }

    /// Milliseconds since the epoch, -1 for none, and what they mean.
    pub(crate) fn timestamp(&self) -> (i64, TimestampType) {
        use native::rd_kafka_timestamp_type_t as T;
        let mut kind = T::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is live.
        let at = unsafe { native::rd_kafka_message_timestamp(self.0.as_ptr(), &raw mut kind) };
        match kind {
            T::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => (-1, TimestampType::None),
            T::RD_KAFKA_TIMESTAMP_CREATE_TIME => (at, TimestampType::CreateTime),
            T::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => (at, TimestampType::LogAppendTime),
        }
    }

    /// Calls `each` with the name and the value of every header, in order.
    pub(crate) fn headers(&self, each: impl FnMut(&[u8], Option<&[u8]>)) {
        // SAFETY: the message is live.
        unsafe { headers(self.0.as_ptr(), each) };
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { native::rd_kafka_message_destroy(self.0.as_ptr()) };
    }
}

/// Bytes that C points to; none for null.
///
/// # Safety
///
/// `ptr` is null or leads to `len` bytes that live for `'a`.
pub(super) unsafe fn bytes<'a>(ptr: *const std::ffi::c_void, len: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller promises.
    (!ptr.is_null()).then(|| unsafe { std::slice::from_raw_parts(ptr.cast(), len) })
}

/// Calls `each` with every header of a message.
///
/// # Safety
///
/// The message is live.
pub(super) unsafe fn headers(
    message: *const native::rd_kafka_message_t,
    mut each: impl FnMut(&[u8], Option<&[u8]>),
) {
    let mut list = std::ptr::null_mut();
    // SAFETY: the message is live, and its headers with it; names are C strings.
    unsafe {
        if native::rd_kafka_message_headers(message, &raw mut list) as Code != super::code::NONE {
            return;
        }
        let (mut name, mut value, mut size) = (std::ptr::null(), std::ptr::null(), 0);
        for index in 0.. {
            let code = native::rd_kafka_header_get_all(
                list,
                index,
                &raw mut name,
                &raw mut value,
                &raw mut size,
            );
            if code as Code != super::code::NONE {
                return;
            }
            each(std::ffi::CStr::from_ptr(name).to_bytes(), bytes(value, size));
        }
    }
}

//! Records into a producer, and what became of them.
//!
//! Not here: who sent them.

use std::ffi::c_void;
use std::sync::Arc;

use rdkafka::bindings as native;

use super::client::Client;
use super::consume::{bytes, headers};
use super::queue::Event;
use super::{Code, c_string, error, owned, read_code, take_error};
use crate::error::Error;

/// A topic of a client.
pub(crate) struct Topic {
    ptr: *mut native::rd_kafka_topic_t,
    /// Topics are let go before their client.
    client: Arc<Client>,
}

// SAFETY: librdkafka's topics are thread-safe.
unsafe impl Send for Topic {}
// SAFETY: as above.
unsafe impl Sync for Topic {}

impl Topic {
    /// The topic of this name, whether it exists or not.
    pub(crate) fn new(client: &Arc<Client>, name: &str) -> Result<Topic, Error> {
        let c_name = c_string(name)?;
        // SAFETY: the client is live; the handle is ours.
        let ptr =
            unsafe { native::rd_kafka_topic_new(client.rk, c_name.as_ptr(), std::ptr::null_mut()) };
        if ptr.is_null() {
            // SAFETY: reads what the call above left.
            let code = unsafe { native::rd_kafka_last_error() } as Code;
            return Err(error(code, name, ""));
        }
        Ok(Topic { ptr, client: Arc::clone(client) })
    }

    pub(super) fn ptr(&self) -> *mut native::rd_kafka_topic_t {
        self.ptr
    }

    /// Hands a record over, copied. Does not wait. Errors: the number of the error; the record was not taken.
    pub(crate) fn produce(
        &self,
        record: &Record<'_>,
        headers: Option<Headers>,
    ) -> Result<(), Code> {
        use native::rd_kafka_vtype_t as V;
        let field = |vtype, u| native::rd_kafka_vu_t { vtype, u };
        let mut fields = [
            field(V::RD_KAFKA_VTYPE_RKT, Field { rkt: self.ptr }),
            field(V::RD_KAFKA_VTYPE_PARTITION, Field { i32_: record.partition }),
            field(V::RD_KAFKA_VTYPE_MSGFLAGS, Field { i: native::RD_KAFKA_MSG_F_COPY }),
            field(V::RD_KAFKA_VTYPE_KEY, memory(record.key)),
            field(V::RD_KAFKA_VTYPE_VALUE, memory(record.value)),
            // Not a pointer to librdkafka, nor to us: a number that comes back with the delivery.
            field(
                V::RD_KAFKA_VTYPE_OPAQUE,
                Field { ptr: std::ptr::without_provenance_mut(record.opaque as usize) },
            ),
            field(V::RD_KAFKA_VTYPE_TIMESTAMP, Field { i64_: timestamp(record.timestamp) }),
            // Not counted without headers.
            field(V::RD_KAFKA_VTYPE_END, Field { i: 0 }),
        ];
        let mut count = fields.len() - 1;
        if let (Some(headers), Some(last)) = (&headers, fields.last_mut()) {
            *last = field(V::RD_KAFKA_VTYPE_HEADERS, Field { headers: headers.0 });
            count += 1;
        }
        // SAFETY: topic and client are live, and the bytes during the call, which copies them. On success the headers are librdkafka's.
        let failed = take_error(unsafe {
            native::rd_kafka_produceva(self.client.rk, fields.as_ptr(), count)
        });
        match failed {
            Some((code, _)) => Err(code),
            None => {
                std::mem::forget(headers);
                Ok(())
            }
        }
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: ours, let go once.
        unsafe { native::rd_kafka_topic_destroy(self.ptr) };
    }
}

use native::rd_kafka_vu_s__bindgen_ty_1 as Field;

/// A timestamp as librdkafka takes it. Whatever the call, 0 is "now" to it (`rd_kafka_msg_new0`): the first millisecond of 1970 becomes the second.
fn timestamp(millis: i64) -> i64 {
    match millis {
        ..=-1 => 0,
        0 => 1,
        millis => millis,
    }
}

fn memory(bytes: Option<&[u8]>) -> Field {
    let (ptr, size) = match bytes {
        Some(bytes) => (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len()),
        None => (std::ptr::null_mut(), 0),
    };
    Field { mem: native::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr, size } }
}

/// A record to produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// Its partition, -1 for the partitioner's.
    pub(crate) partition: i32,
    /// Milliseconds since the epoch, less than 0 for now.
    pub(crate) timestamp: i64,
    /// Its key.
    pub(crate) key: Option<&'a [u8]>,
    /// Its value.
    pub(crate) value: Option<&'a [u8]>,
    /// Comes back with its delivery.
    pub(crate) opaque: u64,
}

/// Headers of a record to produce.
pub(crate) struct Headers(*mut native::rd_kafka_headers_t);

// SAFETY: a plain list on the heap, with one owner.
unsafe impl Send for Headers {}

impl Headers {
    /// None yet, with room for `count`.
    pub(crate) fn with_capacity(count: usize) -> Headers {
        // SAFETY: makes an object, which `Drop` destroys.
        Headers(unsafe { native::rd_kafka_headers_new(count) })
    }

    /// Appends a header, copied.
    pub(crate) fn push(&mut self, name: &[u8], value: Option<&[u8]>) {
        let len = |bytes: &[u8]| isize::try_from(bytes.len()).unwrap_or(isize::MAX);
        let (value, size) = match value {
            Some(value) => (value.as_ptr().cast(), len(value)),
            None => (std::ptr::null(), 0),
        };
        // SAFETY: the list is ours; name and value are copied.
        unsafe {
            native::rd_kafka_header_add(self.0, name.as_ptr().cast(), len(name), value, size);
        }
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { native::rd_kafka_headers_destroy(self.0) };
    }
}

/// A record that was settled. Everything that was sent is still there.
pub(crate) struct Delivered<'a>(&'a native::rd_kafka_message_t);

impl Event {
    /// Calls `each` with every record of this event, in the order in which they were sent to their partition.
    pub(crate) fn deliveries(&self, mut each: impl FnMut(Delivered<'_>)) {
        loop {
            // SAFETY: the event is live, and its messages with it; none is passed twice.
            match unsafe { native::rd_kafka_event_message_next(self.ptr).as_ref() } {
                Some(message) => each(Delivered(message)),
                None => return,
            }
        }
    }
}

impl Delivered<'_> {
    /// Its error, [`super::code::NONE`] when it was written.
    pub(crate) fn code(&self) -> Code {
        read_code(&raw const self.0.err)
    }

    /// The number it was sent with.
    pub(crate) fn opaque(&self) -> u64 {
        self.0._private.addr() as u64
    }

    /// Bytes of its key and value.
    pub(crate) fn len(&self) -> usize {
        self.0.key_len + self.0.len
    }

    /// How many headers it has, and their bytes.
    pub(crate) fn header_size(&self) -> (usize, usize) {
        let (mut count, mut sum) = (0, 0);
        // SAFETY: the message is live.
        unsafe {
            headers(self.0, |name, value| {
                count += 1;
                sum += name.len() + value.map_or(0, <[u8]>::len);
            });
        }
        (count, sum)
    }

    /// Partition and offset.
    pub(crate) fn position(&self) -> (i32, i64) {
        (self.0.partition, self.0.offset)
    }

    /// Name of its topic.
    pub(crate) fn topic(&self) -> String {
        // SAFETY: the message holds its topic.
        owned(unsafe { native::rd_kafka_topic_name(self.0.rkt) })
    }

    /// What was sent.
    pub(crate) fn record(&self) -> Record<'_> {
        // SAFETY: the message is live, and its key and value with it.
        unsafe {
            Record {
                partition: self.0.partition,
                timestamp: native::rd_kafka_message_timestamp(self.0, std::ptr::null_mut()),
                key: bytes(self.0.key, self.0.key_len),
                value: bytes(self.0.payload, self.0.len),
                opaque: self.opaque(),
            }
        }
    }

    /// Its headers, copied; none when it has none.
    pub(crate) fn headers(&self) -> Option<Headers> {
        let mut copy = None;
        // SAFETY: the message is live.
        unsafe {
            headers(self.0, |name, value| {
                copy.get_or_insert_with(|| Headers::with_capacity(1)).push(name, value);
            });
        }
        copy
    }
}

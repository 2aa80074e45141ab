//! One record, read again at its offset.
//!
//! Not here: a stream of records (`consumer`).

use std::time::Duration;

use tokio::time::Instant;
use tombolo_model::offset::PartitionOffset;

use crate::consumer::ConsumedBatch;
use crate::error::Error;
use crate::ffi::{self, Client, Message, Queue, Raised, Role, Topic, code};
use crate::settings::ClientSettings;

/// Reads the record at this offset, with a client of its own; none when it is no longer there. Waits at most `wait`.
///
/// Errors: `Unavailable` when there was no answer in time; authentication and authorization.
///
/// Cost: connections of its own. For records that were consumed before and are needed once more, which is rare.
pub async fn record_at(
    settings: &ClientSettings,
    client_id: &str,
    at: &PartitionOffset,
    wait: Duration,
) -> Result<Option<ConsumedBatch>, Error> {
    let deadline = Instant::now() + wait;
    let settings = settings
        .with("enable.partition.eof", "true")
        .with("auto.offset.reset", "error")
        .with("queued.min.messages", "1");
    let client = Client::new(Role::Reader, settings.properties_over(&[("client.id", client_id)]))?;
    let queue = Queue::new(&client);
    queue.take_over_main();
    let topic = Topic::new(&client, &at.at.topic)?;
    topic.start(at.at.partition, at.offset, &queue)?;
    let mut messages = Vec::new();
    loop {
        queue.drain(&mut messages, 1);
        while let Some(raised) = client.take_raised() {
            refused(raised)?;
        }
        for message in messages.drain(..) {
            match found(&message, at)? {
                Found::Later => {}
                Found::Gone => return Ok(None),
                Found::Here => {
                    let mut batch = ConsumedBatch::default();
                    let place = batch.topic_place(message.topic());
                    batch.push(&message, place);
                    return Ok(Some(batch));
                }
            }
        }
        if Instant::now() >= deadline {
            let what = format!("read {} at {}", at.at, at.offset);
            return Err(ffi::error(code::TIMED_OUT, &what, ""));
        }
        drop(tokio::time::timeout_at(deadline, queue.ready()).await);
    }
}

/// What a message says about a record.
enum Found {
    Here,
    Gone,
    /// Nothing yet.
    Later,
}

fn found(message: &Message, at: &PartitionOffset) -> Result<Found, Error> {
    match message.code() {
        code::NONE if message.offset() < at.offset => Ok(Found::Later),
        code::NONE if message.offset() == at.offset => Ok(Found::Here),
        code::NONE | code::PARTITION_EOF | code::AUTO_OFFSET_RESET => Ok(Found::Gone),
        failed => match ffi::error(failed, message.topic(), &message.reason()) {
            Error::UnknownTopic { .. } => Ok(Found::Gone),
            err if err.is_retriable() => Ok(Found::Later),
            err => Err(err),
        },
    }
}

/// Problems of the client as a whole that will not pass.
fn refused(raised: Raised) -> Result<(), Error> {
    let Raised::Problem { code, reason } = raised else { return Ok(()) };
    match ffi::error(code, "", &reason) {
        err @ (Error::Authentication { .. } | Error::Authorization { .. }) => Err(err),
        _ => Ok(()),
    }
}

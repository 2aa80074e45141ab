//! Request bodies: how much of them is read, and JSON as Jackson takes it.
//!
//! Every body is read to its end before anything is answered: a connection with an unread rest could not serve the next request.
//! Not here: what the members mean, and which media types are read (`media`).

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tombolo_herder::SubmittedConfig;

use crate::error::Failure;

/// Most bytes of a JSON body: a hundred times the largest configuration seen in practice.
const JSON_BYTES_MAX: usize = 8 << 20;

/// Most bytes of a body that are read only to be dropped; the connection of a larger one is closed.
const DROPPED_BYTES_MAX: usize = 256 << 20;

/// Longest time that a client may leave between two pieces of a body: as long as Kafka Connect leaves a connection idle.
const PIECE_TIMEOUT: Duration = Duration::from_secs(90);

/// When a request may be tried again for which there was no room: a component takes some seconds to compile.
const RETRY_AFTER_SECONDS: u32 = 10;

/// What editors on Windows put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A JSON text that is known to be whole, and not yet looked at.
pub(crate) struct Json(Bytes);

/// The members of an object, each as it was written.
pub(crate) type Members = BTreeMap<String, Box<RawValue>>;

/// Why a body is not at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is larger than it may be.
    TooLarge,
    /// It is not as HTTP says, or the connection has ended.
    Broken,
    /// It did not go on for [`PIECE_TIMEOUT`].
    Stalled,
    /// Others have all the room that there is.
    NoRoom,
}

impl Unread {
    /// What is answered where a body of at most so many bytes was expected.
    pub(crate) fn failure(self, bytes_max: usize) -> Failure {
        let (status, message) = match self {
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is larger than {bytes_max} bytes"),
            ),
            Self::Broken => {
                (StatusCode::BAD_REQUEST, "the body could not be read to its end".to_owned())
            }
            Self::Stalled => {
                let seconds = PIECE_TIMEOUT.as_secs();
                (
                    StatusCode::REQUEST_TIMEOUT,
                    format!("the body did not go on for {seconds} seconds"),
                )
            }
            Self::NoRoom => return Room::taken(),
        };
        Failure::new(status, message)
    }
}

/// Bytes that bodies may take all together. Clones are the same.
#[derive(Clone)]
pub(crate) struct Room(Arc<Semaphore>);

/// What a body takes of it, until this is dropped.
#[derive(Debug)]
pub(crate) struct Taken(Option<OwnedSemaphorePermit>);

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// Takes so many more; none where there are not so many.
    fn take(&self, taken: &mut Taken, bytes: usize) -> Option<()> {
        let more = Arc::clone(&self.0).try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()?;
        match &mut taken.0 {
            Some(taken) => taken.merge(more),
            None => taken.0 = Some(more),
        }
        Some(())
    }

    /// What is answered where it is taken.
    fn taken() -> Failure {
        let message = "bodies of other requests take all the room that there is for them";
        Failure::busy(message, RETRY_AFTER_SECONDS)
    }
}

/// Reads a body to its end, and returns it if it is not larger than this.
pub(crate) async fn whole(body: Body, bytes_max: usize) -> Result<Bytes, Unread> {
    within(body, bytes_max, None).await.map(|(bytes, _)| bytes)
}

/// The same of one that takes room beside others, for as long as it is kept.
pub(crate) async fn within(
    mut body: Body,
    bytes_max: usize,
    room: Option<&Room>,
) -> Result<(Bytes, Taken), Unread> {
    let (mut kept, mut taken) = (Vec::new(), Taken(None));
    let (mut seen, mut refused) = (0, None);
    loop {
        let next = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let piece = match timeout(PIECE_TIMEOUT, next).await {
            Ok(None) => break,
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(_))) => return Err(Unread::Broken),
            Err(_) => return Err(Unread::Stalled),
        };
        let Ok(data) = piece.into_data() else { continue };
        seen += data.len();
        if seen > bytes_max {
            refused = Some(Unread::TooLarge);
        } else if room.is_some_and(|room| room.take(&mut taken, data.len()).is_none()) {
            refused = refused.or(Some(Unread::NoRoom));
        }
        match refused {
            None => kept.extend_from_slice(&data),
            // The rest is read to be dropped.
            Some(_) if seen <= DROPPED_BYTES_MAX => (kept, taken) = (Vec::new(), Taken(None)),
            Some(why) => return Err(why),
        }
    }
    refused.map_or(Ok((kept.into(), taken)), Err)
}

/// A request with its body at hand.
///
/// Errors: 413 for too large a body, 400 and 408 for one that does not come to its end.
pub(crate) async fn at_hand(request: Request) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    let bytes = whole(body, JSON_BYTES_MAX).await;
    let bytes = bytes.map_err(|unread| unread.failure(JSON_BYTES_MAX))?;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Reads a body as JSON. An empty one counts as `null`.
///
/// Errors: Kafka Connect's 500 with where and why for what is not JSON.
pub(crate) fn json(bytes: Bytes) -> Result<Json, Failure> {
    let bytes = match bytes.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => bytes.slice_ref(text),
        None => bytes,
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Json(Bytes::from_static(b"null")));
    }
    serde_json::from_slice::<&RawValue>(&bytes)
        .map_err(|err| Failure::unreadable(format!("the body is not valid JSON: {err}")))?;
    Ok(Json(bytes))
}

impl Json {
    /// Whether it is `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.0.trim_ascii() == b"null"
    }

    /// The members of an object, of which only these are known.
    ///
    /// Errors: Kafka Connect's 500 for what is not an object, and for an unknown member.
    pub(crate) fn members(&self, known: &[&str]) -> Result<Members, Failure> {
        let members: Members = self.parsed("the body")?;
        match members.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(members),
            Some(name) => Err(Failure::unreadable(format!(
                "Unrecognized field \"{name}\", expected one of: {}",
                known.join(", ")
            ))),
        }
    }

    /// The settings of an object of texts: numbers and booleans become text, null stays.
    pub(crate) fn settings(&self) -> Result<SubmittedConfig, Failure> {
        settings(self.parsed("config")?)
    }

    fn parsed<'a, T: Deserialize<'a>>(&'a self, what: &str) -> Result<T, Failure> {
        serde_json::from_slice(&self.0).map_err(|err| not_expected(what, &err))
    }
}

/// Parses a member that was found to be JSON.
pub(crate) fn parsed<'a, T: Deserialize<'a>>(raw: &'a RawValue, what: &str) -> Result<T, Failure> {
    serde_json::from_str(raw.get()).map_err(|err| not_expected(what, &err))
}

fn not_expected(what: &str, err: &serde_json::Error) -> Failure {
    Failure::unreadable(format!("{what}: {err}"))
}

/// The settings of a member.
pub(crate) fn settings_of(raw: &RawValue) -> Result<SubmittedConfig, Failure> {
    settings(parsed(raw, "config")?)
}

fn settings(members: Members) -> Result<SubmittedConfig, Failure> {
    let setting = |(name, raw): (String, Box<RawValue>)| {
        let value = text(&raw, &name)?;
        Ok((name, value))
    };
    members.into_iter().map(setting).collect()
}

/// A text, or what stands for one: of numbers and booleans the characters as they were written.
///
/// Errors: Kafka Connect's 500 for an object or an array; 400 for text that is not Unicode.
pub(crate) fn text(raw: &RawValue, what: &str) -> Result<Option<String>, Failure> {
    let written = raw.get();
    match written.as_bytes().first() {
        Some(b'n') => Ok(None),
        // It was found to be JSON: what is left to be wrong is half a surrogate pair.
        Some(b'"') => serde_json::from_str(written).map(Some).map_err(|_| {
            Failure::bad_request(format!("{what}: the text has half a surrogate pair in it"))
        }),
        Some(b'{' | b'[') => {
            let found = if written.starts_with('{') { "an object" } else { "an array" };
            Err(Failure::unreadable(format!("{what}: expected a text, found {found}")))
        }
        _ => Ok(Some(written.to_owned())),
    }
}

/// What a JSON value is, for people.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse as _;

    fn sent(body: &'static [u8]) -> Result<SubmittedConfig, Failure> {
        json(Bytes::from_static(body))?.settings()
    }

    #[test]
    fn scalars_in_settings_become_text() {
        let body = br#"{"a": 1, "b": true, "c": "x", "d": 1.50e3, "e": null, "f": 12345678901234567890123}"#;
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            ("a", text("1")),
            ("b", text("true")),
            ("c", text("x")),
            ("d", text("1.50e3")),
            ("e", None),
            ("f", text("12345678901234567890123")),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        assert_eq!(sent(body).unwrap(), expected.into_iter().collect());
    }

    #[test]
    fn what_is_not_an_object_of_texts_is_refused() {
        let bodies: [&[u8]; 8] = [
            br#"{"a": []}"#,
            br#"{"a": {}}"#,
            b"[]",
            b"null",
            b"1",
            br#"{"a": "\ud800"}"#,
            b"{\"a\": \"\xff\"}",
            br#"{"a": "b"} c"#,
        ];
        for body in bodies {
            assert!(sent(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn a_byte_order_mark_and_an_empty_body_are_taken() {
        assert_eq!(sent(b"\xef\xbb\xbf{}").unwrap(), SubmittedConfig::new());
        assert!(json(Bytes::from_static(b" \n")).unwrap().is_null());
    }

    #[tokio::test]
    async fn a_body_is_held_to_its_size() {
        let of = |size: usize| whole(Body::from("x".repeat(size)), 10);
        assert_eq!(of(10).await.unwrap().len(), 10);
        assert_eq!(of(11).await, Err(Unread::TooLarge));
    }

    #[tokio::test]
    async fn bodies_that_are_kept_take_room_from_others() {
        let room = Room::new(10);
        let of = |size: usize| within(Body::from("x".repeat(size)), 20, Some(&room));
        let (_, kept) = of(6).await.unwrap();
        assert_eq!(of(5).await.unwrap_err(), Unread::NoRoom);
        assert_eq!(of(21).await.unwrap_err(), Unread::TooLarge);
        assert_eq!(of(4).await.unwrap().0.len(), 4, "those that were refused take none");
        drop(kept);
        assert_eq!(of(10).await.unwrap().0.len(), 10);
        let refused = Unread::NoRoom.failure(20).into_response();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "10");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_go_on_is_given_up() {
        struct Silent;
        impl hyper::body::Body for Silent {
            type Data = Bytes;
            type Error = std::convert::Infallible;

            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>>
            {
                std::task::Poll::Pending
            }
        }
        let begin = tokio::time::Instant::now();
        assert_eq!(whole(Body::new(Silent), 10).await, Err(Unread::Stalled));
        assert_eq!(begin.elapsed().as_secs(), PIECE_TIMEOUT.as_secs());
    }
}

//! Messages from the server. Everything in them is checked: a server may be anybody. Not here: what they mean for a session.

use std::io::{self, Error, ErrorKind, Read};

/// Most bytes of one message: rows of the catalog and errors are small, and a length that lies must not take the sandbox's memory.
const MESSAGE_MAX: usize = 16 * 1024 * 1024;

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// A message: its kind and its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u8,
    pub(crate) body: Body<'a>,
}

/// Bytes that were read and not yet handed out as messages.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    buffer: Vec<u8>,
    /// What is not yet handed out begins here.
    start: usize,
}

impl Incoming {
    /// The next message; waits for it as long as `from` does.
    ///
    /// Errors: those of `from`, the end of the connection, and a message that cannot be.
    pub(crate) fn next(&mut self, from: &mut impl Read) -> io::Result<Message<'_>> {
        let len = loop {
            let unread = self.buffer.get(self.start..).unwrap_or_default();
            let mut wanted = 5;
            if let Some(&[_, a, b, c, d]) = unread.first_chunk::<5>() {
                let len = u32::from_be_bytes([a, b, c, d]) as usize;
                if !(4..=MESSAGE_MAX).contains(&len) {
                    return Err(malformed("a message of an impossible length"));
                }
                wanted = len + 1;
            }
            if unread.len() >= wanted {
                break wanted;
            }
            self.fill(from, wanted)?;
        };
        let start = self.start;
        self.start += len;
        let message = self.buffer.get(start..start + len).unwrap_or_default();
        let (head, body) = message.split_at_checked(5).unwrap_or_default();
        Ok(Message { kind: head.first().copied().unwrap_or_default(), body: Body(body) })
    }

    /// Reads more, so that `wanted` bytes from `start` on can be there.
    fn fill(&mut self, from: &mut impl Read, wanted: usize) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        self.buffer.resize(wanted.max(held + CHUNK), 0);
        let read = from.read(self.buffer.get_mut(held..).unwrap_or_default());
        self.buffer.truncate(held + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What is left of a message's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body<'a>(pub(crate) &'a [u8]);

impl<'a> Body<'a> {
    /// The next bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> io::Result<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or_else(short)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or_else(short)?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(crate) fn u8(&mut self) -> io::Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn i32(&mut self) -> io::Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    /// Text that ends with a zero.
    pub(crate) fn text(&mut self) -> io::Result<String> {
        let len = self.0.iter().position(|&byte| byte == 0).ok_or_else(short)?;
        let text = self.bytes(len)?;
        self.u8()?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// The columns of a `DataRow` as text, none for null.
    pub(crate) fn row(mut self) -> io::Result<Vec<Option<String>>> {
        let count = u16::from_be_bytes(self.array()?);
        let column = |_| -> io::Result<Option<String>> {
            let Ok(len) = usize::try_from(self.i32()?) else { return Ok(None) };
            Ok(Some(String::from_utf8_lossy(self.bytes(len)?).into_owned()))
        };
        (0..count).map(column).collect()
    }
}

fn short() -> Error {
    malformed("a message that ends too early")
}

/// The server did not keep to the protocol.
pub(crate) fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("the server sent {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out bytes in pieces of this size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let piece = self.0.len().min(self.1).min(out.len());
            out[..piece].copy_from_slice(&self.0[..piece]);
            self.0 = &self.0[piece..];
            Ok(piece)
        }
    }

    #[test]
    fn messages_are_whole_whatever_the_pieces() {
        let sent = b"Z\0\0\0\x05IC\0\0\0\x0bCOPY 1\0S\0\0\0\x04";
        for size in 1..=sent.len() {
            let (mut incoming, mut from) = (Incoming::default(), Pieces(sent, size));
            let mut next = || {
                let message = incoming.next(&mut from).unwrap();
                (message.kind, message.body.0.to_vec())
            };
            assert_eq!(next(), (b'Z', b"I".to_vec()));
            assert_eq!(next(), (b'C', b"COPY 1\0".to_vec()));
            assert_eq!(next(), (b'S', Vec::new()));
            let end = incoming.next(&mut from).unwrap_err();
            assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn what_lies_is_refused() {
        for sent in [&b"Z\0\0\0\x03"[..], b"D\xff\xff\xff\xff", b"D\x7f\xff\xff\xff"] {
            let error = Incoming::default().next(&mut Pieces(sent, 5)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
        }
        for row in [&b""[..], b"\0\x02\0\0\0\x01a", b"\0\x01\0\0\0\x02a", b"\xff\xff"] {
            assert!(Body(row).row().is_err(), "{row:?}");
        }
        assert!(Body(b"no end").text().is_err());
        let row = Body(b"\0\x02\0\0\0\x01a\xff\xff\xff\xff").row().unwrap();
        assert_eq!(row, [Some("a".to_owned()), None]);
    }
}

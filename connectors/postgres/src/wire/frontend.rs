//! Messages to the server, appended to a buffer. Not here: sending them.

/// Version 3.0 of the protocol.
const PROTOCOL: i32 = 196_608;
/// Asks for TLS in the place of a version.
const SSL_REQUEST: i32 = 80_877_103;

/// Before every row of a binary `COPY`: its signature, no flags, no extension.
pub(crate) const COPY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// After the last row of a binary `COPY`.
pub(crate) const COPY_TAIL: &[u8] = &[0xff, 0xff];

/// Appends a message of this kind, whose body `write` appends.
fn message(out: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    unnamed(out, write);
}

/// Appends a message without a kind, as the first ones of a session are.
fn unnamed(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    set_length(out, start);
}

/// Puts the number of bytes from `start` on, itself among them, at `start`.
fn set_length(out: &mut [u8], start: usize) {
    let len = u32::try_from(out.len() - start).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&len);
    }
}

/// Appends text that ends with a zero; what follows a zero in it would be taken for something else, and goes.
fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().take_while(|&byte| byte != 0));
    out.push(0);
}

pub(crate) fn ssl_request(out: &mut Vec<u8>) {
    unnamed(out, |out| out.extend_from_slice(&SSL_REQUEST.to_be_bytes()));
}

pub(crate) fn startup(out: &mut Vec<u8>, parameters: &[(&str, &str)]) {
    unnamed(out, |out| {
        out.extend_from_slice(&PROTOCOL.to_be_bytes());
        for (name, value) in parameters {
            text(out, name);
            text(out, value);
        }
        out.push(0);
    });
}

/// A password, or what takes its place.
pub(crate) fn password(out: &mut Vec<u8>, password: &str) {
    message(out, b'p', |out| text(out, password));
}

/// The first answer of SASL: the mechanism, and what it begins with.
pub(crate) fn sasl_first(out: &mut Vec<u8>, mechanism: &str, first: &str) {
    message(out, b'p', |out| {
        text(out, mechanism);
        out.extend_from_slice(&u32::try_from(first.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(first.as_bytes());
    });
}

/// A further answer of SASL.
pub(crate) fn sasl_next(out: &mut Vec<u8>, answer: &str) {
    message(out, b'p', |out| out.extend_from_slice(answer.as_bytes()));
}

/// Statements without parameters. Answered by one `ReadyForQuery`.
pub(crate) fn query(out: &mut Vec<u8>, sql: &str) {
    message(out, b'Q', |out| text(out, sql));
}

/// One statement with parameters as text, answered in text. Answered by one `ReadyForQuery`.
pub(crate) fn statement(out: &mut Vec<u8>, sql: &str, parameters: &[&str]) {
    let count = u16::try_from(parameters.len()).unwrap_or(u16::MAX).to_be_bytes();
    message(out, b'P', |out| {
        text(out, "");
        text(out, sql);
        out.extend_from_slice(&[0; 2]);
    });
    message(out, b'B', |out| {
        // No name of a portal or a statement, all parameters in text.
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&count);
        for parameter in parameters {
            let len = u32::try_from(parameter.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(parameter.as_bytes());
        }
        out.extend_from_slice(&[0; 2]);
    });
    message(out, b'E', |out| {
        text(out, "");
        out.extend_from_slice(&[0; 4]);
    });
    message(out, b'S', |_| {});
}

/// A part of what a `COPY` reads.
pub(crate) fn copy_data(out: &mut Vec<u8>, parts: &[&[u8]]) {
    message(out, b'd', |out| parts.iter().for_each(|part| out.extend_from_slice(part)));
}

pub(crate) fn copy_done(out: &mut Vec<u8>) {
    message(out, b'c', |_| {});
}

pub(crate) fn terminate(out: &mut Vec<u8>) {
    message(out, b'X', |_| {});
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl FnOnce(&mut Vec<u8>), expected: &[u8]) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(out, expected, "{}", String::from_utf8_lossy(&out));
    }

    #[test]
    fn messages_have_kind_length_and_body() {
        check(ssl_request, &[0, 0, 0, 8, 4, 210, 22, 47]);
        check(|out| query(out, "BEGIN"), b"Q\0\0\0\x0aBEGIN\0");
        check(|out| password(out, "x"), b"p\0\0\0\x06x\0");
        check(copy_done, b"c\0\0\0\x04");
        check(|out| copy_data(out, &[b"ab", b"c"]), b"d\0\0\0\x07abc");
        check(|out| startup(out, &[("user", "u")]), b"\0\0\0\x10\0\x03\0\0user\0u\0\0");
    }

    #[test]
    fn a_zero_in_a_text_does_not_end_it_early_for_something_else_to_follow() {
        check(|out| query(out, "a\0b"), b"Q\0\0\0\x06a\0");
    }
}

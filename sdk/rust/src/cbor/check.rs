//! Holds a value to the whole profile of `wit/cbor.md`, duplicate keys included. Not here: reading it.

use super::{Cursor, DEPTH_MAX, Error, Token};

/// Whether these bytes are one item in the profile, and a row of a column: not null.
///
/// Cost: quadratic in the number of keys of a map whose keys are long; for tests and tools, not for the record path.
pub fn check(bytes: &[u8]) -> Result<(), Error> {
    let mut cursor = Cursor::new(bytes);
    if cursor.peek()? == Token::Null {
        return Err(Error::refused("null, which is a null row,", 0));
    }
    item(&mut cursor, 0)?;
    cursor.end()
}

fn item(cursor: &mut Cursor<'_>, depth: usize) -> Result<(), Error> {
    let start = cursor.position();
    let deeper = |depth: usize| {
        if depth >= DEPTH_MAX {
            return Err(Error::refused("a value nested too deep", start));
        }
        Ok(depth + 1)
    };
    match cursor.token()? {
        Token::Array(items) => {
            let depth = deeper(depth)?;
            for _ in 0..items {
                item(cursor, depth)?;
            }
        }
        Token::Map(pairs) => {
            let depth = deeper(depth)?;
            let mut keys = std::collections::HashSet::with_capacity(pairs);
            for _ in 0..pairs {
                let start = cursor.position();
                item(cursor, depth)?;
                if !keys.insert(key(cursor.slice(start, cursor.position()))?) {
                    return Err(Error::refused("a key that the map already has", start));
                }
                item(cursor, depth)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// A key in a form in which equal keys have equal bytes: heads may be longer than they need be.
fn key(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(bytes.len());
    match Cursor::new(bytes).token()? {
        Token::Text(text) => super::write::text(&mut out, text),
        Token::Bytes(value) => super::write::bytes(&mut out, value),
        Token::Int(value) => super::write::int(&mut out, value),
        _ => out.extend_from_slice(bytes),
    }
    Ok(out)
}

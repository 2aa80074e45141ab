//! CBOR to JSON in one pass, as `JsonConverter` writes a payload. Not here: the schema beside it.

use crate::base64;
use crate::cbor::{Cursor, DEPTH_MAX, Decimal, Error, Token};
use crate::itoa;
use crate::java;

use super::write;

/// How a decimal is written. `decimal.format` of `JsonConverter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimals {
    /// Its unscaled value, as base64.
    Base64,
    /// A number.
    Numeric,
}

/// Appends one value as JSON.
///
/// Maps whose keys are all text become objects, others arrays of pairs; bytes become base64; a date days; a timestamp and a time of day milliseconds.
/// Errors: bytes outside the profile of `wit/cbor.md`; they leave a part of the value in `out`.
pub fn from_cbor(cbor: &[u8], decimals: Decimals, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut cursor = Cursor::new(cbor);
    from_cbor_cursor(&mut cursor, decimals, out)?;
    cursor.end()
}

/// Appends the item at a cursor as JSON.
pub fn from_cbor_cursor(
    cursor: &mut Cursor<'_>,
    decimals: Decimals,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    Printer { decimals, out }.item(cursor, 0)
}

/// A text at `at` that was written, or is not UTF-8.
#[inline]
fn checked(written: bool, at: usize) -> Result<(), Error> {
    if written { Ok(()) } else { Err(Error::refused("text that is not UTF-8", at)) }
}

struct Printer<'a> {
    decimals: Decimals,
    out: &'a mut Vec<u8>,
}

impl Printer<'_> {
    fn item(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), Error> {
        let start = cursor.position();
        if let Some(text) = cursor.text_bytes()? {
            return checked(write::checked_string(self.out, text), start);
        }
        match cursor.token()? {
            Token::Null => self.out.extend_from_slice(b"null"),
            Token::Boolean(true) => self.out.extend_from_slice(b"true"),
            Token::Boolean(false) => self.out.extend_from_slice(b"false"),
            Token::Int(value)
            | Token::Date(value)
            | Token::Timestamp(value)
            | Token::Time(value) => itoa::write_signed(self.out, value),
            Token::Float32(value) => write::float(self.out, value),
            Token::Float64(value) => write::double(self.out, value),
            Token::Text(value) => {
                return checked(write::checked_string(self.out, value.as_bytes()), start);
            }
            Token::Bytes(value) => self.base64(value),
            Token::Decimal(value) => self.decimal(&value),
            Token::Array(_) | Token::Map(_) if depth >= DEPTH_MAX => {
                return Err(Error::refused("a value nested too deep", start));
            }
            Token::Array(items) => self.array(cursor, items, depth + 1)?,
            Token::Map(pairs) => self.map(cursor, pairs, depth + 1)?,
        }
        Ok(())
    }

    fn array(&mut self, cursor: &mut Cursor<'_>, items: usize, depth: usize) -> Result<(), Error> {
        self.out.push(b'[');
        for place in 0..items {
            if place > 0 {
                self.out.push(b',');
            }
            self.item(cursor, depth)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn map(&mut self, cursor: &mut Cursor<'_>, pairs: usize, depth: usize) -> Result<(), Error> {
        let (start, body) = (self.out.len(), cursor.clone());
        self.out.push(b'{');
        for place in 0..pairs {
            if place > 0 {
                self.out.push(b',');
            }
            let at = cursor.position();
            let Some(name) = cursor.text_bytes()? else {
                self.out.truncate(start);
                *cursor = body;
                return self.pairs(cursor, pairs, depth);
            };
            checked(write::checked_string(self.out, name), at)?;
            self.out.push(b':');
            self.item(cursor, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// A map with keys that are not text.
    #[cold]
    fn pairs(&mut self, cursor: &mut Cursor<'_>, pairs: usize, depth: usize) -> Result<(), Error> {
        self.out.push(b'[');
        for place in 0..pairs {
            self.out.extend_from_slice(if place > 0 { b",[" } else { b"[" });
            self.item(cursor, depth)?;
            self.out.push(b',');
            self.item(cursor, depth)?;
            self.out.push(b']');
        }
        self.out.push(b']');
        Ok(())
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        base64::write(self.out, bytes);
        self.out.push(b'"');
    }

    fn decimal(&mut self, value: &Decimal<'_>) {
        match self.decimals {
            Decimals::Numeric => {
                self.out.extend_from_slice(java::decimal_to_string(value).as_bytes());
            }
            Decimals::Base64 => {
                let mut unscaled = Vec::with_capacity(16);
                value.unscaled.twos_complement(&mut unscaled);
                self.base64(&unscaled);
            }
        }
    }
}

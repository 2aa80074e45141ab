//! JSON to CBOR in one pass. Not here: JSON with a schema, which its converter reads by [`Reader`](super::Reader).

use super::reader::{Reader, Text, Token};
use super::scan::Plain;
use super::shape::{Found, Shape};
use super::{DEPTH_MAX, Error, Number, Why};
use crate::cbor::{Cursor, write};
use crate::short::append_first;

/// What becomes of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// As Kafka Connect without a schema: integers are INT64, of larger ones the low 64 bits; others are FLOAT64.
    Connect,
    /// Nothing is lost: integers beyond 64 bits and numbers with a point or an exponent become decimals.
    Exact,
}

/// Turns JSON into CBOR, row after row.
///
/// Of a member that an object has twice, the last value stays, in the place of the first, as Jackson's trees have it.
#[derive(Clone, Debug)]
pub struct Transcoder {
    numbers: Numbers,
    /// Hashes of the keys of the objects that are open, the innermost last.
    hashes: Vec<u32>,
    /// What the names of an object at the top are foreseen to be.
    shape: Shape,
    /// Its names that were not.
    found: Vec<Found>,
}

impl Transcoder {
    /// With this treatment of numbers.
    pub fn new(numbers: Numbers) -> Self {
        Self { numbers, hashes: Vec::new(), shape: Shape::default(), found: Vec::new() }
    }

    /// How many names are foreseen.
    #[cfg(test)]
    pub(super) fn foreseen(&self) -> usize {
        self.shape.len()
    }

    /// Appends the first value of `json`, and gives the position behind it. `null` at the top is appended as CBOR null, which is no row.
    ///
    /// What follows the value is not looked at, except that a number or a word must end there. Errors leave a part of the value in `out`.
    pub fn transcode(&mut self, json: &[u8], out: &mut Vec<u8>) -> Result<usize, Error> {
        self.hashes.clear();
        let mut reader = Reader::new(json);
        let scalar = !matches!(reader.peek(), Some(b'{' | b'[' | b'"'));
        self.value(&mut reader, out, 0)?;
        match reader.here() {
            Some(byte) if scalar && !byte.is_ascii_whitespace() => Err(reader.unexpected()),
            _ => Ok(reader.position()),
        }
    }

    /// Appends the value at a reader.
    pub fn transcode_at(
        &mut self,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.hashes.clear();
        self.value(reader, out, 0)
    }

    /// Appends text or a number, which most values are, without a call; false where another value stands.
    #[inline(always)]
    fn plain(&mut self, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<bool, Error> {
        match reader.peek() {
            Some(b'"') => _ = text(reader, out)?,
            Some(b'-' | b'0'..=b'9') => {
                let number = reader.number()?;
                self.number(number, out);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn value(
        &mut self,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), Error> {
        if self.plain(reader, out)? {
            return Ok(());
        }
        match reader.token()? {
            Token::Null => write::null(out),
            Token::Boolean(value) => write::boolean(out, value),
            Token::Number(number) => self.number(number, out),
            Token::Text(value) => _ = decoded(value, out),
            Token::Array => return self.array(reader, out, depth),
            Token::Object if depth == 0 => return self.top(reader, out),
            Token::Object => return self.object(reader, out, depth),
        }
        Ok(())
    }

    #[inline]
    fn number(&self, number: Number<'_>, out: &mut Vec<u8>) {
        match self.numbers {
            Numbers::Connect if number.integral => write::int(out, number.to_i64()),
            Numbers::Connect => write::f64(out, number.to_f64()),
            Numbers::Exact => exact(number, out),
        }
    }

    fn array(
        &mut self,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), Error> {
        if depth >= DEPTH_MAX {
            return Err(Error::new(Why::Depth, reader.position()));
        }
        let open = write::begin(out);
        let mut items = 0;
        while reader.element(items == 0)? {
            self.value(reader, out, depth + 1)?;
            items += 1;
        }
        write::end_array(out, open, items);
        Ok(())
    }

    /// The object at the top, whose names are foreseen as far as it goes.
    #[inline]
    fn top(&mut self, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let open = write::begin(out);
        let mut pairs = 0;
        while self.shape.take(pairs, reader, out) {
            if !self.plain(reader, out)? {
                self.value(reader, out, 1)?;
            }
            pairs += 1;
        }
        if pairs > 0 && reader.closes(b'}', true)? {
            write::end_map(out, open, pairs);
            return Ok(());
        }
        self.unforeseen(reader, out, (start, open, pairs))
    }

    /// The rest of an object at the top behind names that were foreseen.
    fn unforeseen(
        &mut self,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
        (start, open, foreseen): (usize, write::Open, usize),
    ) -> Result<(), Error> {
        self.hashes.clear();
        self.hashes.extend(self.shape.hashes(foreseen));
        self.found.clear();
        let mut pairs = foreseen;
        loop {
            let (json, cbor) = (reader.position(), out.len());
            if !self.key(reader, out, pairs == 0)? {
                break;
            }
            let (json, cbor) = ((json, reader.position()), (cbor, out.len()));
            let hash = self.hashes.last().copied().unwrap_or_default();
            self.found.push(Found { json, cbor, hash });
            self.value(reader, out, 1)?;
            pairs += 1;
        }
        let repeated = has_repeated(&mut self.hashes);
        if !repeated {
            self.shape.learn(foreseen, &self.found, reader.whole(), out);
        }
        write::end_map(out, open, pairs);
        if repeated {
            without_repeated(out, start, pairs);
        }
        Ok(())
    }

    fn object(
        &mut self,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), Error> {
        if depth >= DEPTH_MAX {
            return Err(Error::new(Why::Depth, reader.position()));
        }
        let start = out.len();
        let open = write::begin(out);
        let hashes = self.hashes.len();
        let mut pairs = 0;
        loop {
            let first = pairs == 0;
            if !self.key(reader, out, first)? {
                break;
            }
            self.value(reader, out, depth + 1)?;
            pairs += 1;
        }
        write::end_map(out, open, pairs);
        let repeated = has_repeated(self.hashes.get_mut(hashes..).unwrap_or_default());
        self.hashes.truncate(hashes);
        if repeated {
            without_repeated(out, start, pairs);
        }
        Ok(())
    }

    /// Appends the name of the next member and notes its hash; false behind the object's end.
    #[inline]
    fn key(
        &mut self,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
        first: bool,
    ) -> Result<bool, Error> {
        if !reader.has_member(first)? {
            return Ok(false);
        }
        let len = text(reader, out)?;
        let start = out.len().saturating_sub(len);
        self.hashes.push(hash(out.get(start..).unwrap_or_default()));
        reader.colon()?;
        Ok(true)
    }
}

/// Appends the string at the reader, and gives its length. One without escapes is copied as it was found.
#[inline(always)]
fn text(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<usize, Error> {
    let (bytes, Plain { len, ascii }) = reader.plain_text();
    if bytes.get(len) != Some(&b'"') {
        return Ok(decoded(reader.escaped_text()?, out));
    }
    if !ascii && std::str::from_utf8(bytes.get(..len).unwrap_or_default()).is_err() {
        return Err(Error::new(Why::Utf8, reader.position()));
    }
    write::text_head(out, len);
    append_first(out, bytes, len);
    reader.advance(len + 2);
    Ok(len)
}

/// Appends a string with escapes, and gives its length.
#[cold]
fn decoded(text: Text<'_>, out: &mut Vec<u8>) -> usize {
    let mut decoded = Vec::with_capacity(text.raw.len());
    text.decode(&mut decoded);
    write::text_head(out, decoded.len());
    out.extend_from_slice(&decoded);
    decoded.len()
}

#[cold]
fn exact(number: Number<'_>, out: &mut Vec<u8>) {
    let integer = number.integral.then(|| number.text().parse::<i64>().ok()).flatten();
    match (integer, crate::java::parse_decimal(number.text())) {
        (Some(value), _) => write::int(out, value),
        (None, Some((unscaled, scale))) => write::decimal_bytes(out, &unscaled, scale),
        (None, None) => write::f64(out, number.to_f64()),
    }
}

/// A quick hash: equal keys have equal hashes, and others rarely.
#[inline]
fn hash(key: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = key.len() as u64;
    let mut chunks = key.chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        hash = (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }
    let rest = chunks.remainder();
    let word = match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        _ => rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    hash = (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    (hash >> 32) as u32
}

/// Up to so many hashes are compared pair by pair; more are sorted.
const PAIRWISE: usize = 32;

#[inline]
fn has_repeated(hashes: &mut [u32]) -> bool {
    if hashes.len() > PAIRWISE {
        hashes.sort_unstable();
        return hashes.windows(2).any(|pair| pair.first() == pair.last());
    }
    let mut rest: &[u32] = hashes;
    while let Some((first, others)) = rest.split_first() {
        if others.iter().fold(false, |found, other| found | (other == first)) {
            return true;
        }
        rest = others;
    }
    false
}

/// Writes the map from `start` on anew, if a key is there twice: the last value in the place of the first.
#[cold]
fn without_repeated(out: &mut Vec<u8>, start: usize, pairs: usize) {
    let map = out.split_off(start);
    let mut cursor = Cursor::new(&map);
    let mut places = std::collections::HashMap::with_capacity(pairs);
    let mut members: Vec<(&[u8], &[u8])> = Vec::with_capacity(pairs);
    let read = |cursor: &mut Cursor<'_>| cursor.map();
    if !matches!(read(&mut cursor), Ok(Some(_))) {
        return;
    }
    while let (Ok(key), Ok(value)) = (cursor.item(), cursor.item()) {
        let place = *places.entry(key).or_insert(members.len());
        match members.get_mut(place) {
            Some(member) => member.1 = value,
            None => members.push((key, value)),
        }
    }
    write::map(out, members.len());
    for (key, value) in members {
        out.extend_from_slice(key);
        out.extend_from_slice(value);
    }
}

//! A cursor over CBOR: reads heads and tokens, skips items, hands out slices. It allocates nothing.
//!
//! It holds what it reads to the profile: a malformed item is an error, never a panic or an endless loop. Only what it passes without reading
//! (skipped items) and duplicate keys are left to [`check`](super::check()).

use super::decimal::{Decimal, Unscaled};
use super::{
    Error, TAG_BIGNUM, TAG_DATE, TAG_DECIMAL, TAG_NEGATIVE_BIGNUM, TAG_TIME, TAG_TIMESTAMP, Why,
};

/// The major type of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Major {
    /// An integer from 0.
    Unsigned,
    /// An integer below 0: -1 less the argument.
    Negative,
    /// Bytes; the argument is their number.
    Bytes,
    /// UTF-8 text; the argument is the number of its bytes.
    Text,
    /// Items; the argument is their number.
    Array,
    /// Pairs of items; the argument is their number.
    Map,
    /// A tag before an item.
    Tag,
    /// False, true, null, or a float's bits.
    Simple,
}

impl Major {
    fn of(initial: u8) -> Self {
        match initial >> 5 {
            0 => Self::Unsigned,
            1 => Self::Negative,
            2 => Self::Bytes,
            3 => Self::Text,
            4 => Self::Array,
            5 => Self::Map,
            6 => Self::Tag,
            _ => Self::Simple,
        }
    }
}

/// The head of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its major type.
    pub major: Major,
    /// The low five bits of its first byte: which simple value, and how wide a float.
    pub info: u8,
    /// Its argument.
    pub argument: u64,
}

/// A scalar, or the start of an array or a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// Null.
    Null,
    /// True or false.
    Boolean(bool),
    /// Any integer type.
    Int(i64),
    /// FLOAT32.
    Float32(f32),
    /// FLOAT64.
    Float64(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// This many items follow.
    Array(usize),
    /// This many pairs of items follow.
    Map(usize),
    /// A decimal.
    Decimal(Decimal<'a>),
    /// Days since the epoch.
    Date(i64),
    /// Milliseconds since the epoch.
    Timestamp(i64),
    /// Milliseconds since midnight.
    Time(i64),
}

impl Token<'_> {
    /// What it is, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float32(_) | Self::Float64(_) => "a float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Array(_) => "an array",
            Self::Map(_) => "a map",
            Self::Decimal(_) => "a decimal",
            Self::Date(_) => "a date",
            Self::Timestamp(_) => "a timestamp",
            Self::Time(_) => "a time of day",
        }
    }
}

/// In [`LENGTHS`]: a string whose length is in the next byte.
const LENGTH_FOLLOWS: u8 = u8::MAX;

/// Lengths of items by their first byte; 0 where more has to be read.
#[expect(clippy::indexing_slicing, reason = "worked out by the compiler, which checks it")]
const LENGTHS: [u8; 256] = {
    let mut lengths = [0; 256];
    let mut small = 0;
    while small < 24 {
        lengths[small] = 1;
        lengths[0x20 | small] = 1;
        lengths[0x40 | small] = 1 + small as u8;
        lengths[0x60 | small] = 1 + small as u8;
        small += 1;
    }
    let mut width = 0;
    while width < 4 {
        lengths[0x18 + width] = 1 + (1 << width);
        lengths[0x38 + width] = 1 + (1 << width);
        width += 1;
    }
    lengths[0x58] = LENGTH_FOLLOWS;
    lengths[0x78] = LENGTH_FOLLOWS;
    lengths[0xf4] = 1;
    lengths[0xf5] = 1;
    lengths[0xf6] = 1;
    lengths[0xfa] = 5;
    lengths[0xfb] = 9;
    lengths
};

/// A place in CBOR.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of these bytes.
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// How many bytes are behind it.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The bytes from here on.
    pub fn rest(&self) -> &'a [u8] {
        self.data.get(self.at..).unwrap_or_default()
    }

    /// Whether nothing follows.
    pub fn is_at_end(&self) -> bool {
        self.at >= self.data.len()
    }

    /// Errors unless nothing follows.
    pub fn end(&self) -> Result<(), Error> {
        if self.is_at_end() { Ok(()) } else { Err(Error::refused("more than one item", self.at)) }
    }

    /// The bytes between two positions; empty when they are not there.
    pub fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.data.get(from..to).unwrap_or_default()
    }

    /// Reads a head.
    #[inline]
    pub fn head(&mut self) -> Result<Head, Error> {
        let Some(&initial) = self.data.get(self.at) else {
            return Err(Error::new(Why::Truncated, self.at));
        };
        let info = initial & 31;
        let argument = if info < 24 {
            self.at += 1;
            u64::from(info)
        } else {
            self.argument(info)?
        };
        Ok(Head { major: Major::of(initial), info, argument })
    }

    #[inline]
    fn argument(&mut self, info: u8) -> Result<u64, Error> {
        let after = self.data.get(self.at + 1..).unwrap_or_default();
        let (argument, width) = match info {
            24 => (after.first().map(|&byte| u64::from(byte)), 1),
            25 => (after.first_chunk().map(|&bytes| u64::from(u16::from_be_bytes(bytes))), 2),
            26 => (after.first_chunk().map(|&bytes| u64::from(u32::from_be_bytes(bytes))), 4),
            27 => (after.first_chunk().map(|&bytes| u64::from_be_bytes(bytes)), 8),
            31 => return Err(Error::refused("an indefinite length", self.at)),
            _ => return Err(Error::refused("a reserved head", self.at)),
        };
        let argument = argument.ok_or_else(|| Error::new(Why::Truncated, self.at))?;
        self.at += 1 + width;
        Ok(argument)
    }

    /// Steps over this many bytes, and hands them out.
    #[inline]
    fn take(&mut self, len: u64) -> Result<&'a [u8], Error> {
        let start = self.at;
        let end = usize::try_from(len).ok().and_then(|len| start.checked_add(len));
        let Some(bytes) = end.and_then(|end| self.data.get(start..end)) else {
            return Err(Error::new(Why::Truncated, start));
        };
        self.at = start + bytes.len();
        Ok(bytes)
    }

    /// The number of items or pairs that follow, each at least this many bytes.
    #[inline]
    fn count(&self, argument: u64, least: usize) -> Result<usize, Error> {
        let possible = (self.data.len() - self.at) / least;
        match usize::try_from(argument) {
            Ok(count) if count <= possible => Ok(count),
            _ => Err(Error::new(Why::Truncated, self.at)),
        }
    }

    /// Steps over one item, whatever it is.
    ///
    /// Cost: a table's look-up for scalars and short strings; else linear in its heads. The stack does not grow with its depth.
    #[inline]
    pub fn skip(&mut self) -> Result<(), Error> {
        let rest = self.rest();
        if let Some(&initial) = rest.first() {
            let len = match LENGTHS.get(usize::from(initial)) {
                Some(&LENGTH_FOLLOWS) => 2 + usize::from(rest.get(1).copied().unwrap_or(u8::MAX)),
                Some(&len) => usize::from(len),
                None => 0,
            };
            if len > 0 && len <= rest.len() {
                self.at += len;
                return Ok(());
            }
        }
        self.skip_any()
    }

    fn skip_any(&mut self) -> Result<(), Error> {
        let mut left = 1_usize;
        while left > 0 {
            left -= 1;
            let head = self.head()?;
            match head.major {
                Major::Unsigned | Major::Negative | Major::Simple => {}
                Major::Bytes | Major::Text => {
                    self.take(head.argument)?;
                }
                Major::Array => left += self.count(head.argument, 1)?,
                Major::Map => left += 2 * self.count(head.argument, 2)?,
                Major::Tag => left += 1,
            }
        }
        Ok(())
    }

    /// Steps over one item and hands out its bytes.
    #[inline]
    pub fn item(&mut self) -> Result<&'a [u8], Error> {
        let start = self.at;
        self.skip()?;
        Ok(self.slice(start, self.at))
    }

    /// Reads the head of a map: its number of pairs; none when another item stands here, which is not passed.
    #[inline]
    pub fn map(&mut self) -> Result<Option<usize>, Error> {
        self.collection(Major::Map, 2)
    }

    /// Reads the head of an array: its number of items; none when another item stands here, which is not passed.
    #[inline]
    pub fn array(&mut self) -> Result<Option<usize>, Error> {
        self.collection(Major::Array, 1)
    }

    #[inline]
    fn collection(&mut self, major: Major, least: usize) -> Result<Option<usize>, Error> {
        let start = self.at;
        let head = self.head()?;
        if head.major == major {
            return self.count(head.argument, least).map(Some);
        }
        self.at = start;
        Ok(None)
    }

    /// Reads text as bytes that are not held to UTF-8, for comparing names; none when another item stands here, which is not passed.
    #[inline]
    pub fn text_bytes(&mut self) -> Result<Option<&'a [u8]>, Error> {
        let start = self.at;
        let head = self.head()?;
        if head.major == Major::Text {
            return self.take(head.argument).map(Some);
        }
        self.at = start;
        Ok(None)
    }

    /// Reads a token and does not pass it.
    pub fn peek(&self) -> Result<Token<'a>, Error> {
        self.clone().token()
    }

    /// Reads a token: a scalar wholly, of an array or a map the head.
    #[inline]
    pub fn token(&mut self) -> Result<Token<'a>, Error> {
        let start = self.at;
        let head = self.head()?;
        Ok(match head.major {
            Major::Unsigned | Major::Negative => Token::Int(int(head, start)?),
            Major::Bytes => Token::Bytes(self.take(head.argument)?),
            Major::Text => {
                let bytes = self.take(head.argument)?;
                let text = std::str::from_utf8(bytes);
                Token::Text(text.map_err(|_| Error::refused("text that is not UTF-8", start))?)
            }
            Major::Array => Token::Array(self.count(head.argument, 1)?),
            Major::Map => Token::Map(self.count(head.argument, 2)?),
            Major::Tag => self.tagged(head.argument, start)?,
            Major::Simple => simple(head, start)?,
        })
    }

    fn tagged(&mut self, tag: u64, start: usize) -> Result<Token<'a>, Error> {
        match tag {
            TAG_DECIMAL => self.decimal(start).map(Token::Decimal),
            TAG_DATE => self.int("an integer").map(Token::Date),
            TAG_TIMESTAMP => self.time(start).map(Token::Timestamp),
            TAG_TIME => self.time(start).map(Token::Time),
            _ => Err(Error::refused("a tag outside the profile", start)),
        }
    }

    /// Reads an integer.
    pub fn int(&mut self, expected: &'static str) -> Result<i64, Error> {
        let start = self.at;
        match self.token()? {
            Token::Int(value) => Ok(value),
            other => Err(Error::new(Why::Type { expected, found: other.name() }, start)),
        }
    }

    /// `{1: seconds, -3: milliseconds}` as milliseconds.
    fn time(&mut self, start: usize) -> Result<i64, Error> {
        let refused = || Error::refused("a time that is not {1: seconds, -3: milliseconds}", start);
        if self.map()? != Some(2) || self.int("1")? != 1 {
            return Err(refused());
        }
        let seconds = self.int("seconds")?;
        if self.int("-3")? != -3 {
            return Err(refused());
        }
        let millis = self.int("milliseconds")?;
        if !(0..1000).contains(&millis) {
            return Err(refused());
        }
        seconds.checked_mul(1000).and_then(|whole| whole.checked_add(millis)).ok_or_else(refused)
    }

    /// `[-scale, unscaled]`.
    fn decimal(&mut self, start: usize) -> Result<Decimal<'a>, Error> {
        let refused = || Error::refused("a decimal that is not [-scale, integer]", start);
        if self.array()? != Some(2) {
            return Err(refused());
        }
        let exponent = self.int("an exponent")?;
        let scale = exponent.checked_neg().and_then(|scale| i32::try_from(scale).ok());
        let scale = scale.ok_or_else(refused)?;
        let head = self.head()?;
        let unscaled = match (head.major, head.argument) {
            (Major::Unsigned | Major::Negative, _) => Unscaled::Int(int(head, start)?),
            (Major::Tag, tag @ (TAG_BIGNUM | TAG_NEGATIVE_BIGNUM)) => {
                let bignum = self.head()?;
                if bignum.major != Major::Bytes {
                    return Err(refused());
                }
                let bytes = self.take(bignum.argument)?;
                Unscaled::Big { negative: tag == TAG_NEGATIVE_BIGNUM, bytes }
            }
            _ => return Err(refused()),
        };
        Ok(Decimal { scale, unscaled })
    }
}

#[inline]
fn int(head: Head, start: usize) -> Result<i64, Error> {
    match i64::try_from(head.argument) {
        Ok(value) if head.major == Major::Negative => Ok(-1 - value),
        Ok(value) => Ok(value),
        Err(_) => Err(Error::refused("an integer beyond 64 bits", start)),
    }
}

fn simple<'a>(head: Head, start: usize) -> Result<Token<'a>, Error> {
    Ok(match head.info {
        20 => Token::Boolean(false),
        21 => Token::Boolean(true),
        22 => Token::Null,
        26 => Token::Float32(f32::from_bits(head.argument as u32)),
        27 => Token::Float64(f64::from_bits(head.argument)),
        23 => return Err(Error::refused("undefined", start)),
        25 => return Err(Error::refused("a half-precision float", start)),
        _ => return Err(Error::refused("a simple value outside the profile", start)),
    })
}

//! The part of CBOR that offsets need: one flat map, in the profile of `wit/cbor.md`.
//!
//! Not here: nested values, tags and floats of 16 bits, which no offset may hold.

use crate::error::{Error, Result};
use crate::flat::{FlatMap, Primitive, not_primitive};

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const MAP: u8 = 5;

/// Takes values off the front of some bytes.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The map that comes next.
    pub(crate) fn flat_map(&mut self) -> Result<FlatMap> {
        let (major, length) = self.head()?;
        if major != MAP {
            return Err(Error::Format("Offset data must be a map".to_owned()));
        }
        // The length is the guest's word: memory is taken as members arrive, not in advance.
        let mut members = Vec::new();
        for _ in 0..length {
            let (major, length) = self.head()?;
            if major != TEXT {
                return Err(Error::Format("Offsets may only use String keys".to_owned()));
            }
            let key = self.text(length)?;
            let value = self.primitive(&key)?;
            members.push((key, value));
        }
        Ok(FlatMap(members))
    }

    /// Checks that nothing is left.
    pub(crate) fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(broken("bytes after the map")) }
    }

    fn primitive(&mut self, key: &str) -> Result<Primitive> {
        let first = *self.rest.first().ok_or_else(|| broken("ends early"))?;
        match first {
            0xf4 | 0xf5 => self.take(1).map(|_| Primitive::Bool(first == 0xf5)),
            0xf6 => self.take(1).map(|_| Primitive::Null),
            0xfa => {
                self.take(1)?;
                Ok(Primitive::Float(f32::from_be_bytes(self.array()?)))
            }
            0xfb => {
                self.take(1)?;
                Ok(Primitive::Double(f64::from_be_bytes(self.array()?)))
            }
            _ => {
                let (major, argument) = self.head()?;
                self.sized(key, major, argument)
            }
        }
    }

    fn sized(&mut self, key: &str, major: u8, argument: u64) -> Result<Primitive> {
        let integer = || i64::try_from(argument).map_err(|_| broken("an integer over 64 bits"));
        match major {
            UNSIGNED => Ok(Primitive::Int(integer()?)),
            NEGATIVE => Ok(Primitive::Int(-1 - integer()?)),
            BYTES => self.count(argument).map(|bytes| Primitive::Bytes(bytes.to_vec())),
            TEXT => self.text(argument).map(Primitive::Text),
            4 => Err(not_primitive(key, "ARRAY")),
            MAP => Err(not_primitive(key, "MAP")),
            _ => Err(not_primitive(key, "a tagged value")),
        }
    }

    /// Major type and argument; a definite length in any of its widths.
    fn head(&mut self) -> Result<(u8, u64)> {
        let [first] = self.array()?;
        let argument = match first & 0x1f {
            small @ 0..24 => u64::from(small),
            24 => u64::from(u8::from_be_bytes(self.array()?)),
            25 => u64::from(u16::from_be_bytes(self.array()?)),
            26 => u64::from(u32::from_be_bytes(self.array()?)),
            27 => u64::from_be_bytes(self.array()?),
            _ => return Err(broken("an indefinite length")),
        };
        Ok((first >> 5, argument))
    }

    fn text(&mut self, length: u64) -> Result<String> {
        let bytes = self.count(length)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| broken("text that is no UTF-8"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| broken("ends early"))
    }

    fn count(&mut self, count: u64) -> Result<&'a [u8]> {
        self.take(usize::try_from(count).map_err(|_| broken("ends early"))?)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| broken("ends early"))?;
        self.rest = rest;
        Ok(taken)
    }
}

fn broken(why: &str) -> Error {
    Error::Format(format!("not a CBOR map: {why}"))
}

/// Appends values.
#[derive(Default)]
pub(crate) struct Writer {
    /// What was written.
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    /// Appends a map.
    pub(crate) fn flat_map(&mut self, map: &FlatMap) {
        self.head(MAP, length(map.0.len()));
        for (key, value) in &map.0 {
            self.string(TEXT, key.as_bytes());
            self.primitive(value);
        }
    }

    fn primitive(&mut self, value: &Primitive) {
        match value {
            Primitive::Null => self.bytes.push(0xf6),
            Primitive::Bool(value) => self.bytes.push(if *value { 0xf5 } else { 0xf4 }),
            Primitive::Int(value) => match u64::try_from(*value) {
                Ok(value) => self.head(UNSIGNED, value),
                // The argument of a negative integer n is -1 - n, which is its complement.
                Err(_) => self.head(NEGATIVE, (!*value).unsigned_abs()),
            },
            Primitive::Float(value) => {
                self.bytes.push(0xfa);
                self.bytes.extend(value.to_be_bytes());
            }
            Primitive::Double(value) => {
                self.bytes.push(0xfb);
                self.bytes.extend(value.to_be_bytes());
            }
            Primitive::Text(text) => self.string(TEXT, text.as_bytes()),
            Primitive::Bytes(bytes) => self.string(BYTES, bytes),
        }
    }

    fn string(&mut self, major: u8, bytes: &[u8]) {
        self.head(major, length(bytes.len()));
        self.bytes.extend(bytes);
    }

    fn head(&mut self, major: u8, argument: u64) {
        let major = major << 5;
        match argument {
            0..24 => self.bytes.push(major | u8::try_from(argument).unwrap_or(0)),
            _ => {
                let (width, skip) = match argument {
                    0..0x100 => (24, 7),
                    0x100..0x1_0000 => (25, 6),
                    0x1_0000..0x1_0000_0000 => (26, 4),
                    _ => (27, 0),
                };
                self.bytes.push(major | width);
                self.bytes.extend(argument.to_be_bytes().into_iter().skip(skip));
            }
        }
    }
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

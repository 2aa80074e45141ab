//! A strict look at CBOR in the profile of `wit/cbor.md`: source partitions, source offsets, defaults of schemas.
//!
//! The host looks into nothing else. Not here: one form for equal items (`canonical`), and values with their meaning.

use std::borrow::Cow;

mod canonical;

pub(crate) use canonical::canonical_maps;

/// Most arrays and maps of the profile, one in another.
const DEPTH_MAX: u32 = 512;

/// Longest item that a host looks into, in bytes: what Kafka's default lets a record be, in which it has to fit to be kept.
const ITEM_MAX: usize = 1 << 20;

/// Members of a map whose keys are compared without a list of them.
const MEMBERS_FEW: usize = 8;

/// The tags of the profile; the first two inside a decimal alone.
const BIGNUM: u64 = 2;
const NEGATIVE_BIGNUM: u64 = 3;
const DECIMAL: u64 = 4;
const DATE: u64 = 100;
const TIMESTAMP: u64 = 1001;
const TIME_OF_DAY: u64 = 1002;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

/// What is wrong with bytes; completes "it is …".
pub(crate) type Wrong = &'static str;

const CUT: Wrong = "not CBOR: cut short";
const TOO_LARGE: Wrong = "an integer beyond 64 bits";
const TOO_LONG: Wrong = "longer than 1 MiB";
const TOO_DEEP: Wrong = "nested too deeply";
const NOT_DATE: Wrong = "a date that is not a number of days";
const NOT_DECIMAL: Wrong = "a decimal that is not [-scale, unscaled]";
const NOT_TIME: Wrong = "a time that is not {1: seconds, -3: milliseconds}";

/// Holds bytes to one item of the profile. It may be null: only a row may not.
pub(crate) fn check_item(bytes: &[u8]) -> Result<(), Wrong> {
    let mut reader = Reader::of_item(bytes)?;
    reader.skip(0)?;
    reader.end()
}

/// Holds bytes to one map of the profile whose keys are texts.
pub(crate) fn check_map(bytes: &[u8]) -> Result<(), Wrong> {
    let mut reader = Reader::of_item(bytes)?;
    let head = reader.head()?;
    if head.major != MAP {
        return Err("not a map");
    }
    let mut keys = Keys::default();
    for _ in 0..head.argument {
        if reader.rest.first().is_none_or(|byte| byte >> 5 != TEXT) {
            return Err("a map with keys that are not text");
        }
        keys.add(reader.key(1)?)?;
        reader.skip(1)?;
    }
    keys.check()?;
    reader.end()
}

/// Keys of one map, to find equal ones.
#[derive(Default)]
struct Keys<'a> {
    few: [Cow<'a, [u8]>; MEMBERS_FEW],
    count: usize,
    more: Vec<Cow<'a, [u8]>>,
}

const DUPLICATE: Wrong = "a map with a key twice";

impl<'a> Keys<'a> {
    fn add(&mut self, key: Cow<'a, [u8]>) -> Result<(), Wrong> {
        if self.few.iter().take(self.count).any(|few| *few == key) {
            return Err(DUPLICATE);
        }
        match self.few.get_mut(self.count) {
            Some(place) => {
                *place = key;
                self.count += 1;
            }
            None => self.more.push(key),
        }
        Ok(())
    }

    fn check(mut self) -> Result<(), Wrong> {
        self.more.sort_unstable();
        let twice = self.more.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
        if twice { Err(DUPLICATE) } else { Ok(()) }
    }
}

/// What an item begins with.
#[derive(Clone, Copy)]
struct Head {
    /// The major type.
    major: u8,
    /// The low five bits of the first byte.
    info: u8,
    /// A number, a length or a tag; of major type 7 bits.
    argument: u64,
}

impl Head {
    /// The number, of a whole one.
    fn int(self, otherwise: Wrong) -> Result<i64, Wrong> {
        if self.major > NEGATIVE {
            return Err(otherwise);
        }
        let number = i64::try_from(self.argument).map_err(|_| TOO_LARGE)?;
        Ok(if self.major == NEGATIVE { -1 - number } else { number })
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Whether a head was longer than it need be, since a key began.
    has_long_head: bool,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, has_long_head: false }
    }

    fn of_item(bytes: &'a [u8]) -> Result<Self, Wrong> {
        if bytes.len() > ITEM_MAX { Err(TOO_LONG) } else { Ok(Self::new(bytes)) }
    }

    fn end(&self) -> Result<(), Wrong> {
        if self.rest.is_empty() { Ok(()) } else { Err("followed by more bytes") }
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Wrong> {
        let count = usize::try_from(count).map_err(|_| CUT)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(CUT)?;
        self.rest = rest;
        Ok(taken)
    }

    fn head(&mut self) -> Result<Head, Wrong> {
        let (&initial, rest) = self.rest.split_first().ok_or(CUT)?;
        self.rest = rest;
        let info = initial & 31;
        let argument = match info {
            0..=23 => u64::from(info),
            24..=27 => {
                let bytes = self.take(1 << (info - 24))?;
                let argument =
                    bytes.iter().fold(0_u64, |number, &byte| (number << 8) | u64::from(byte));
                let shorter_max = match info {
                    24 => 23,
                    25 => 0xff,
                    26 => 0xffff,
                    _ => 0xffff_ffff,
                };
                self.has_long_head |= argument <= shorter_max;
                argument
            }
            31 => return Err("of indefinite length"),
            _ => return Err("not CBOR: a reserved length"),
        };
        Ok(Head { major: initial >> 5, info, argument })
    }

    /// Passes over one item that is inside so many arrays and maps.
    fn skip(&mut self, depth: u32) -> Result<(), Wrong> {
        let head = self.head()?;
        if matches!(head.major, ARRAY | MAP) && depth >= DEPTH_MAX {
            return Err(TOO_DEEP);
        }
        match head.major {
            UNSIGNED | NEGATIVE => head.int(TOO_LARGE).map(drop),
            BYTES => self.take(head.argument).map(drop),
            TEXT => match std::str::from_utf8(self.take(head.argument)?) {
                Ok(_) => Ok(()),
                Err(_) => Err("text that is not UTF-8"),
            },
            ARRAY => (0..head.argument).try_for_each(|_| self.skip(depth + 1)),
            MAP => {
                let mut keys = Keys::default();
                for _ in 0..head.argument {
                    keys.add(self.key(depth + 1)?)?;
                    self.skip(depth + 1)?;
                }
                keys.check()
            }
            TAG => self.tagged(head.argument),
            _ => match head.info {
                // False, true, null, single and double floats.
                20..=22 | 26 | 27 => Ok(()),
                25 => Err("a half float"),
                _ => Err("a simple value outside the profile"),
            },
        }
    }

    /// Passes over a key, and returns bytes that are the same for equal keys. Arrays and maps are taken as they are written: they make rare keys, and
    /// whoever writes one of them twice writes it in the same way.
    fn key(&mut self, depth: u32) -> Result<Cow<'a, [u8]>, Wrong> {
        let item = self.rest;
        self.has_long_head = false;
        self.skip(depth)?;
        let key = item.get(..item.len() - self.rest.len()).unwrap_or_default();
        let is_container = key.first().is_some_and(|byte| matches!(byte >> 5, ARRAY | MAP));
        if self.has_long_head && !is_container {
            let mut canonical = Vec::with_capacity(key.len());
            Reader::new(key).canonical(&mut canonical)?;
            return Ok(Cow::Owned(canonical));
        }
        Ok(Cow::Borrowed(key))
    }

    /// Passes over what a tag stands before. It goes no deeper.
    fn tagged(&mut self, tag: u64) -> Result<(), Wrong> {
        match tag {
            DECIMAL => self.decimal(),
            DATE => self.int(NOT_DATE).map(drop),
            TIMESTAMP | TIME_OF_DAY => self.time(),
            _ => Err("tagged outside the profile"),
        }
    }

    fn int(&mut self, otherwise: Wrong) -> Result<i64, Wrong> {
        self.head()?.int(otherwise)
    }

    /// Passes over the head of an array of two items, or of a map of two members.
    fn two(&mut self, major: u8, otherwise: Wrong) -> Result<(), Wrong> {
        let head = self.head()?;
        if head.major == major && head.argument == 2 { Ok(()) } else { Err(otherwise) }
    }

    fn decimal(&mut self) -> Result<(), Wrong> {
        self.two(ARRAY, NOT_DECIMAL)?;
        let scale = self.int(NOT_DECIMAL)?.checked_neg();
        if scale.is_none_or(|scale| i32::try_from(scale).is_err()) {
            return Err("a decimal whose scale is beyond 32 bits");
        }
        let unscaled = self.head()?;
        if unscaled.major != TAG {
            return unscaled.int(NOT_DECIMAL).map(drop);
        }
        let number = self.head()?;
        if !matches!(unscaled.argument, BIGNUM | NEGATIVE_BIGNUM) || number.major != BYTES {
            return Err(NOT_DECIMAL);
        }
        self.take(number.argument).map(drop)
    }

    fn time(&mut self) -> Result<(), Wrong> {
        self.two(MAP, NOT_TIME)?;
        let mut next = || self.int(NOT_TIME);
        let (one, seconds, minus_three, milliseconds) = (next()?, next()?, next()?, next()?);
        if one != 1 || minus_three != -3 || !(0..1_000).contains(&milliseconds) {
            return Err(NOT_TIME);
        }
        let all = seconds.checked_mul(1_000).and_then(|whole| whole.checked_add(milliseconds));
        all.map(drop).ok_or("a time whose milliseconds are beyond 64 bits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn bytes(hex: &str) -> Vec<u8> {
        let hex: Vec<char> = hex.chars().filter(|char| !char.is_whitespace()).collect();
        hex.chunks(2)
            .map(|two| u8::from_str_radix(&two.iter().collect::<String>(), 16).unwrap())
            .collect()
    }

    #[test]
    fn maps_of_the_profile_are_taken_and_others_refused() {
        let check = |hex: &str, expected: Result<(), Wrong>| {
            assert_eq!(check_map(&bytes(hex)), expected, "{hex}");
        };
        check("a0", Ok(()));
        check("a1 61 61 01", Ok(()));
        check("a2 61 61 82 01 f6 61 62 fb 0000000000000000", Ok(()));
        check("a1 61 61 c4 82 01 c2 41 01", Ok(()));
        check("", Err(CUT));
        check("a1 61 61", Err(CUT));
        check("a1 61 61 1b ff", Err(CUT));
        check("9b ffffffffffffffff", Err("not a map"));
        check("a1 61 61 9b ffffffffffffffff", Err(CUT));
        check("80", Err("not a map"));
        check("f6", Err("not a map"));
        check("a1 01 01", Err("a map with keys that are not text"));
        check("a2 61 61 01 61 61 02", Err(DUPLICATE));
        check("a1 61 61 a2 01 01 01 02", Err(DUPLICATE));
        check("bf ff", Err("of indefinite length"));
        check("a1 61 61 7f ff", Err("of indefinite length"));
        check("a1 61 61 1c", Err("not CBOR: a reserved length"));
        check("a1 61 61 f9 0000", Err("a half float"));
        check("a1 61 61 f7", Err("a simple value outside the profile"));
        check("a1 61 61 c0 01", Err("tagged outside the profile"));
        check("a1 61 61 61 ff", Err("text that is not UTF-8"));
        check("a0 00", Err("followed by more bytes"));
        check(&format!("a1 61 61 {} 01", "81".repeat(511)), Ok(()));
        check(&format!("a1 61 61 {} 80", "81".repeat(510)), Ok(()));
        check(&format!("a1 61 61 {} 80", "81".repeat(511)), Err(TOO_DEEP));
        check(&format!("a1 61 61 {} 01", "81".repeat(600)), Err(TOO_DEEP));
        let decimal = "c4 82 01 c2 41 01";
        check(&format!("a1 61 61 {} {decimal}", "81".repeat(511)), Ok(()));
        check("a1 61 61 c2 41 01", Err("tagged outside the profile"));
        check("a1 61 61 c4 c4 82 01 01", Err(NOT_DECIMAL));
        check("a1 61 61 c4 82 01 c2 01", Err(NOT_DECIMAL));
        check(
            "a1 61 61 c4 82 3b 7fffffffffffffff 01",
            Err("a decimal whose scale is beyond 32 bits"),
        );
        check("a1 61 61 3b 8000000000000000", Err(TOO_LARGE));
        check("a2 61 61 01 78 01 61 02", Err(DUPLICATE));
    }

    #[test]
    fn an_item_has_a_mebibyte_at_most() {
        let of = |bytes: usize| {
            let mut item = vec![0x5a];
            item.extend_from_slice(&u32::try_from(bytes - 5).unwrap().to_be_bytes());
            item.resize(bytes, 0);
            check_item(&item)
        };
        assert_eq!(of(ITEM_MAX), Ok(()));
        assert_eq!(of(ITEM_MAX + 1), Err(TOO_LONG));
    }

    #[test]
    fn the_vectors_of_the_profile_are_taken_and_refused_as_they_say() {
        let text = include_str!("../../../wit/cbor-vectors.json");
        let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
        let of = |kind: &str| {
            let vectors = vectors[kind].as_array().unwrap();
            assert!(vectors.len() > 40, "{kind}: {}", vectors.len());
            vectors.iter().map(|vector| vector["cbor"].as_str().unwrap()).collect::<Vec<_>>()
        };
        for hex in of("valid") {
            assert_eq!(check_item(&bytes(hex)), Ok(()), "{hex}");
        }
        for hex in of("invalid") {
            // Null is no row, and nothing here is a row: a map is not null, and a default may be.
            let expected = hex == "f6";
            assert_eq!(check_item(&bytes(hex)).is_ok(), expected, "{hex}");
            assert!(check_map(&bytes(hex)).is_err(), "{hex}");
        }
    }

    #[test]
    fn a_key_twice_is_found_in_large_maps() {
        let mut map = vec![MAP << 5 | 24, 200];
        for number in 0..200_u8 {
            map.extend([TEXT << 5 | 2, b'a' + number / 20, b'a' + number % 20, number % 20]);
        }
        assert_eq!(check_map(&map), Ok(()));
        let last = map.len() - 3;
        map[last] = b'a';
        map[last + 1] = b'a';
        assert_eq!(check_map(&map), Err(DUPLICATE));
    }
}

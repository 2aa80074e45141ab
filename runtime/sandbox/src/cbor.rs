//! A strict look at CBOR in the profile of `wit/cbor.md`: source partitions, source offsets, defaults of schemas.
//!
//! The host looks into nothing else. Not here: values, and their meaning.

use std::borrow::Cow;

/// Deepest nesting of the profile.
const DEPTH_MAX: u32 = 512;

/// Members of a map whose keys are compared without a list of them.
const MEMBERS_FEW: usize = 8;

/// Tags of the profile: bignums, decimal, date, timestamp, time of day.
const TAGS: [u64; 6] = [2, 3, 4, 100, 1001, 1002];

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

/// Holds bytes to one item of the profile.
pub(crate) fn check_item(bytes: &[u8]) -> Result<(), Wrong> {
    let mut reader = Reader { rest: bytes };
    reader.skip(0)?;
    reader.end()
}

/// Holds bytes to one map of the profile whose keys are texts.
pub(crate) fn check_map(bytes: &[u8]) -> Result<(), Wrong> {
    let mut reader = Reader { rest: bytes };
    let (major, members) = reader.head()?;
    if major != MAP {
        return Err("not a map");
    }
    let mut keys = Keys::default();
    for _ in 0..members {
        if reader.rest.first().is_none_or(|byte| byte >> 5 != TEXT) {
            return Err("a map with keys that are not text");
        }
        keys.add(reader.taken(|reader| reader.skip(1))?)?;
        reader.skip(1)?;
    }
    keys.check()?;
    reader.end()
}

/// The map in one form for equal content: members in the order of their keys' bytes, heads as short as can be.
pub(crate) fn canonical_map(bytes: &[u8]) -> Result<Vec<u8>, Wrong> {
    check_map(bytes)?;
    let mut reader = Reader { rest: bytes };
    reader.canonical().map(Cow::into_owned)
}

/// Keys of one map, to find equal ones.
#[derive(Default)]
struct Keys<'a> {
    few: [&'a [u8]; MEMBERS_FEW],
    count: usize,
    more: Vec<&'a [u8]>,
}

const DUPLICATE: Wrong = "a map with a key twice";

impl<'a> Keys<'a> {
    fn add(&mut self, key: &'a [u8]) -> Result<(), Wrong> {
        if let Some(place) = self.few.get_mut(self.count) {
            *place = key;
            self.count += 1;
            let before = self.few.get(..self.count - 1).unwrap_or_default();
            return if before.contains(&key) { Err(DUPLICATE) } else { Ok(()) };
        }
        self.more.push(key);
        Ok(())
    }

    fn check(mut self) -> Result<(), Wrong> {
        if self.more.is_empty() {
            return Ok(());
        }
        self.more.extend(self.few);
        self.more.sort_unstable();
        let twice = self.more.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
        if twice { Err(DUPLICATE) } else { Ok(()) }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn end(&self) -> Result<(), Wrong> {
        if self.rest.is_empty() { Ok(()) } else { Err("followed by more bytes") }
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Wrong> {
        let count = usize::try_from(count).map_err(|_| CUT)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(CUT)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The bytes that `read` passes over.
    fn taken(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), Wrong>,
    ) -> Result<&'a [u8], Wrong> {
        let before = self.rest;
        read(self)?;
        Ok(before.get(..before.len() - self.rest.len()).unwrap_or_default())
    }

    /// Major type and argument; of major type 7 the argument is the bits.
    fn head(&mut self) -> Result<(u8, u64), Wrong> {
        let (&initial, rest) = self.rest.split_first().ok_or(CUT)?;
        self.rest = rest;
        let argument = match initial & 31 {
            small @ 0..=23 => u64::from(small),
            size @ 24..=27 => {
                let bytes = self.take(1 << (size - 24))?;
                bytes.iter().fold(0, |number, &byte| (number << 8) | u64::from(byte))
            }
            31 => return Err("of indefinite length"),
            _ => return Err("not CBOR: a reserved length"),
        };
        Ok((initial >> 5, argument))
    }

    /// Passes over one item.
    fn skip(&mut self, depth: u32) -> Result<(), Wrong> {
        if depth > DEPTH_MAX {
            return Err("nested too deeply");
        }
        let initial = self.rest.first().copied().unwrap_or(0);
        let (major, argument) = self.head()?;
        match major {
            UNSIGNED | NEGATIVE => Ok(()),
            BYTES => self.take(argument).map(drop),
            TEXT => match std::str::from_utf8(self.take(argument)?) {
                Ok(_) => Ok(()),
                Err(_) => Err("text that is not UTF-8"),
            },
            ARRAY => (0..argument).try_for_each(|_| self.skip(depth + 1)),
            MAP => {
                let mut keys = Keys::default();
                for _ in 0..argument {
                    keys.add(self.taken(|reader| reader.skip(depth + 1))?)?;
                    self.skip(depth + 1)?;
                }
                keys.check()
            }
            TAG if TAGS.contains(&argument) => self.skip(depth + 1),
            TAG => Err("tagged outside the profile"),
            _ => match initial & 31 {
                // False, true, null, single and double floats.
                20..=22 | 26 | 27 => Ok(()),
                25 => Err("a half float"),
                _ => Err("a simple value outside the profile"),
            },
        }
    }

    /// One checked item in canonical form.
    fn canonical(&mut self) -> Result<Cow<'a, [u8]>, Wrong> {
        let item = self.rest;
        let (major, argument) = self.head()?;
        let mut out = Vec::new();
        match major {
            BYTES | TEXT => {
                write_head(&mut out, major, argument);
                out.extend_from_slice(self.take(argument)?);
            }
            ARRAY | TAG => {
                write_head(&mut out, major, argument);
                for _ in 0..if major == TAG { 1 } else { argument } {
                    out.extend_from_slice(&self.canonical()?);
                }
            }
            MAP => {
                let mut members = Vec::new();
                for _ in 0..argument {
                    members.push((self.canonical()?, self.canonical()?));
                }
                members.sort_unstable();
                write_head(&mut out, major, argument);
                for (key, value) in members {
                    out.extend_from_slice(&key);
                    out.extend_from_slice(&value);
                }
            }
            UNSIGNED | NEGATIVE => write_head(&mut out, major, argument),
            _ => {
                return Ok(Cow::Borrowed(
                    item.get(..item.len() - self.rest.len()).unwrap_or_default(),
                ));
            }
        }
        Ok(Cow::Owned(out))
    }
}

/// Writes a head as short as can be.
fn write_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let bytes = argument.to_be_bytes();
    let (size, from) = match argument {
        0..=23 => {
            let small = u8::try_from(argument).unwrap_or_default();
            out.push(major << 5 | small);
            return;
        }
        24..=0xff => (24, 7),
        0x100..=0xffff => (25, 6),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 0),
    };
    out.push(major << 5 | size);
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
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
        check(&format!("a1 61 61 {} 01", "81".repeat(600)), Err("nested too deeply"));
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

    #[test]
    fn equal_content_has_one_form() {
        let check = |hex: &str, expected: &str| {
            assert_eq!(canonical_map(&bytes(hex)), Ok(bytes(expected)), "{hex}");
        };
        check("a2 61 62 01 61 61 02", "a2 61 61 02 61 62 01");
        check("b8 01 78 01 61 1b 0000000000000001", "a1 61 61 01");
        check("a1 61 61 a2 02 01 01 39 0000", "a1 61 61 a2 01 20 02 01");
        check("a1 61 61 19 ffff", "a1 61 61 19 ffff");
        check("a1 61 61 c1 01".replace("c1", "d864").as_str(), "a1 61 61 d8 64 01");
        check("a1 61 61 fb 3ff0000000000000", "a1 61 61 fb 3ff0000000000000");
    }
}

//! Checked CBOR in one form for equal content. Not here: the check.

use super::{
    ARRAY, BYTES, Head, ITEM_MAX, MAP, NEGATIVE, Reader, TAG, TEXT, UNSIGNED, Wrong, check_map,
};

const TOO_LONG_TOGETHER: Wrong = "longer than 1 MiB with those before it";

/// The map in one form for equal content: members in the order of their keys' bytes, heads as short as can be.
fn canonical_map(bytes: &[u8]) -> Result<Vec<u8>, Wrong> {
    check_map(bytes)?;
    let mut out = Vec::with_capacity(bytes.len());
    Reader::new(bytes).canonical(&mut out)?;
    Ok(out)
}

/// Maps in one form each, as [`canonical_map`] has it: together no longer than one item may be, since each costs a look at all of it.
///
/// Errors: which one, and what is wrong with it.
pub(crate) fn canonical_maps(maps: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, (usize, Wrong)> {
    let mut bytes = 0;
    let mut canonical = |(place, map): (usize, &Vec<u8>)| {
        bytes += map.len();
        if bytes > ITEM_MAX {
            return Err((place, TOO_LONG_TOGETHER));
        }
        canonical_map(map).map_err(|wrong| (place, wrong))
    };
    maps.iter().enumerate().map(&mut canonical).collect()
}

impl Reader<'_> {
    /// Appends one checked item in canonical form.
    ///
    /// Cost: linear in its bytes; a map whose members are not in order is copied once more, with all that is in it.
    pub(super) fn canonical(&mut self, out: &mut Vec<u8>) -> Result<(), Wrong> {
        let item = self.rest;
        let Head { major, argument, .. } = self.head()?;
        match major {
            BYTES | TEXT => {
                write_head(out, major, argument);
                out.extend_from_slice(self.take(argument)?);
            }
            ARRAY | TAG => {
                write_head(out, major, argument);
                for _ in 0..if major == TAG { 1 } else { argument } {
                    self.canonical(out)?;
                }
            }
            MAP => {
                write_head(out, major, argument);
                self.canonical_members(argument, out)?;
            }
            UNSIGNED | NEGATIVE => write_head(out, major, argument),
            _ => {
                let written = item.get(..item.len() - self.rest.len());
                out.extend_from_slice(written.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Appends the members of a map in the order of their keys' bytes.
    fn canonical_members(&mut self, count: u64, out: &mut Vec<u8>) -> Result<(), Wrong> {
        let start = out.len();
        // Where keys begin and end, and values end.
        let mut members: Vec<(usize, usize, usize)> = Vec::new();
        for _ in 0..count {
            let key = out.len();
            self.canonical(out)?;
            let value = out.len();
            self.canonical(out)?;
            members.push((key, value, out.len()));
        }
        let key = |&(from, to, _): &(usize, usize, usize)| out.get(from..to).unwrap_or_default();
        if members.is_sorted_by_key(key) {
            return Ok(());
        }
        members.sort_unstable_by_key(key);
        let mut sorted = Vec::with_capacity(out.len() - start);
        for (from, _, to) in members {
            sorted.extend_from_slice(out.get(from..to).unwrap_or_default());
        }
        out.truncate(start);
        out.append(&mut sorted);
        Ok(())
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
    use super::super::tests::bytes;
    use super::*;

    #[test]
    fn deep_content_is_copied_a_few_times_and_not_once_for_each_level() {
        // Maps of two members each, the wrong way round, around half a mebibyte.
        let mut map = vec![BYTES << 5 | 26, 0, 8, 0, 0];
        map.resize(map.len() + (512 << 10), 7);
        for _ in 0..500 {
            let mut around = vec![MAP << 5 | 2, TEXT << 5 | 1, b'b', 0, TEXT << 5 | 1, b'a'];
            around.append(&mut map);
            map = around;
        }
        let form = canonical_map(&map).unwrap();
        assert_eq!(form.len(), map.len());
        assert_eq!(form[..4], [MAP << 5 | 2, TEXT << 5 | 1, b'a', MAP << 5 | 2]);
        assert_eq!(canonical_map(&form), Ok(form));
    }

    #[test]
    fn some_maps_are_together_no_longer_than_one_may_be() {
        let mut map = bytes("a1 61 61 5a 00040000");
        map.resize(map.len() + (256 << 10), 0);
        let maps = vec![map; 5];
        assert_eq!(canonical_maps(&maps[..3]).unwrap().len(), 3);
        assert_eq!(canonical_maps(&maps), Err((3, TOO_LONG_TOGETHER)));
        assert_eq!(canonical_maps(&[vec![0xa0], vec![0xf6]]), Err((1, "not a map")));
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

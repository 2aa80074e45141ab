//! Which of some names an entry of a map has, told in most cases without comparing one. Not here: what happens to it.

use tombolo_sdk::short::equal;

/// Some names, as text or as CBOR items, whichever they were made of.
///
/// Cost of asking for one that is not among them: a look at its length and its last byte, mostly.
#[derive(Debug, Default)]
pub(crate) struct Names {
    all: Vec<Vec<u8>>,
    /// A bit for each of them.
    bits: u64,
}

impl Names {
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let all: Vec<Vec<u8>> = names.into_iter().map(<[u8]>::to_vec).collect();
        let bits = all.iter().fold(0, |bits, name| bits | bit(name));
        Self { all, bits }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether this is one of them.
    #[inline(always)]
    pub(crate) fn has(&self, name: &[u8]) -> bool {
        self.bits & bit(name) != 0 && self.is_there(name)
    }

    fn is_there(&self, name: &[u8]) -> bool {
        self.all.iter().any(|known| equal(known, name))
    }
}

/// One bit of 64, by the length and the last byte: names of one map differ in them mostly.
#[inline(always)]
fn bit(name: &[u8]) -> u64 {
    let last = usize::from(name.last().copied().unwrap_or_default());
    1 << ((name.len() * 11 + last) % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_every_byte() {
        let some: Vec<String> = (0..200).step_by(2).map(|number| format!("name{number}")).collect();
        let names = Names::new(some.iter().map(String::as_bytes));
        for number in 0..200 {
            assert_eq!(names.has(format!("name{number}").as_bytes()), number % 2 == 0, "{number}");
        }
        assert!(Names::new([b"".as_slice()]).has(b""));
        assert!(!names.has(b"") && !Names::default().has(b"") && Names::default().is_empty());
    }
}

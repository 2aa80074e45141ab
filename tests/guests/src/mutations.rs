//! Uploads as an attacker sends them: good components with something wrong, other files, and noise, without end and the same for the same seed.
//!
//! Not here: what is expected of them (nothing but a refusal, or to be harmless).

use crate::ALL;
use crate::bombs::around;

/// The first bytes of a component.
const HEAD: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// First bytes of files that are none.
const OTHER_HEADS: [&[u8]; 8] = [
    b"\x7fELF\x02\x01\x01\0",
    b"PK\x03\x04",
    b"\x1f\x8b\x08\0",
    b"\0asm\x01\0\0\0",
    b"\0asm\x0d\0\x02\0",
    b"(component (core module))",
    b"\0asm",
    b"",
];

/// Bytes that numbers break at.
const EDGES: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/// Names of a component, and what stands in their place: of the same length, so that only the name is wrong.
const NAMES: [(&[u8], &[u8]); 6] = [
    (b"tombolo:connect/", b"tombolo:connecT/"),
    (b"@0.1.0", b"@9.1.0"),
    (b"wasi:io/", b"wasi:oi/"),
    (b"wasi:cli/", b"wasi:nn_/"),
    (b"@0.2.", b"@0.3."),
    (b"catalog", b"\xff\xfe\0alog"),
];

/// An endless row of uploads.
pub struct Mutations {
    state: u64,
}

impl Mutations {
    /// The row of this seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number of SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.random() % (end.max(1) as u64)).unwrap_or_default()
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> Option<&'a T> {
        let place = self.below(all.len());
        all.get(place).copied()
    }

    /// A range of at most `longest` bytes.
    fn range(&mut self, bytes: &[u8], longest: usize) -> std::ops::Range<usize> {
        let start = self.below(bytes.len());
        start..(start + 1 + self.below(longest)).min(bytes.len())
    }

    fn noise(&mut self, longest: usize) -> Vec<u8> {
        (0..self.below(longest)).map(|_| self.random().to_le_bytes()[0]).collect()
    }

    /// A good component. The smallest of all comes more often than the others, which take long to read.
    fn good(&mut self) -> Vec<u8> {
        match self.below(8) {
            0 => self.one_of(ALL).unwrap_or_default().to_vec(),
            _ => ALL
                .iter()
                .min_by_key(|guest| guest.len())
                .map(|guest| guest.to_vec())
                .unwrap_or_default(),
        }
    }

    fn flipped(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        for _ in 0..=self.below(8) {
            let place = self.below(bytes.len());
            let bit = 1 << self.below(8);
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= bit;
            }
        }
        bytes
    }

    fn edged(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        for _ in 0..=self.below(4) {
            let range = self.range(&bytes, 5);
            let with = EDGES.get(self.below(EDGES.len())).copied().unwrap_or_default();
            bytes.get_mut(range).unwrap_or_default().fill(with);
        }
        bytes
    }

    fn spliced(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let other = self.good();
        bytes.truncate(self.below(bytes.len()));
        bytes.extend_from_slice(other.get(self.below(other.len())..).unwrap_or_default());
        bytes
    }

    fn renamed(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let (name, with) = NAMES.get(self.below(NAMES.len())).copied().unwrap_or_default();
        let places: Vec<_> = bytes
            .windows(name.len())
            .enumerate()
            .filter(|(_, seen)| *seen == name)
            .map(|(place, _)| place)
            .collect();
        if let Some(place) = places.get(self.below(places.len())).copied() {
            bytes.splice(place..place + name.len(), with.iter().copied());
        }
        bytes
    }

    /// Sections twice, missing, or in another order.
    fn resectioned(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut sections = sections(bytes);
        for _ in 0..=self.below(3) {
            let (from, to) = (self.below(sections.len()), self.below(sections.len()));
            match self.below(3) {
                0 if from < sections.len() => drop(sections.remove(from)),
                1 if from < sections.len() => {
                    sections.insert(to, sections.get(from).copied().unwrap_or_default())
                }
                _ if from < sections.len() => sections.swap(from, to),
                _ => {}
            }
        }
        [&HEAD[..], &sections.concat()].concat()
    }

    /// A component in a component in a component.
    fn nested(&mut self) -> Vec<u8> {
        let mut bytes = match self.below(2) {
            0 => around(&wasm_encoder::Module::new()),
            _ => HEAD.to_vec(),
        };
        for _ in 0..self.below(200) {
            let mut outer = HEAD.to_vec();
            outer.push(4);
            outer.extend(leb(bytes.len()));
            outer.append(&mut bytes);
            bytes = outer;
        }
        bytes
    }

    /// A section of any kind that says it holds very much.
    fn boastful(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let count = leb(usize::MAX >> (1 + self.below(60)));
        let (kind, rest) = (self.random().to_le_bytes()[0] % 14, self.noise(64));
        bytes.push(kind);
        bytes.extend(leb(count.len() + rest.len()));
        bytes.extend(count);
        bytes.extend(rest);
        bytes
    }
}

impl Iterator for Mutations {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.good();
        Some(match self.below(14) {
            0 => [
                OTHER_HEADS.get(self.below(OTHER_HEADS.len())).copied().unwrap_or_default(),
                &self.noise(400),
            ]
            .concat(),
            1 => [&HEAD[..], &self.noise(400)].concat(),
            2 | 3 => self.flipped(bytes),
            4 | 5 => self.edged(bytes),
            6 => {
                bytes.truncate(self.below(bytes.len()));
                bytes
            }
            7 => {
                let range = self.range(&bytes, 64);
                bytes.drain(range);
                bytes
            }
            8 => {
                let range = self.range(&bytes, 64);
                let again = bytes.get(range.clone()).unwrap_or_default().to_vec();
                bytes.splice(range.start..range.start, again);
                bytes
            }
            9 => self.spliced(bytes),
            10 => self.renamed(bytes),
            11 => self.resectioned(&bytes),
            12 => self.nested(),
            _ => self.boastful(bytes),
        })
    }
}

/// A number as WebAssembly writes it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// The sections of a good component, each with its head.
fn sections(bytes: &[u8]) -> Vec<&[u8]> {
    let mut sections = Vec::new();
    let mut rest = bytes.get(HEAD.len()..).unwrap_or_default();
    while let Some(length) = section(rest) {
        let (section, behind) = rest.split_at(length);
        sections.push(section);
        rest = behind;
    }
    sections
}

/// How long the section is that these bytes begin with.
fn section(bytes: &[u8]) -> Option<usize> {
    let (mut length, mut shift) = (0, 0);
    for (place, byte) in bytes.iter().enumerate().skip(1).take(5) {
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            let whole = place + 1 + length;
            return (whole <= bytes.len()).then_some(whole);
        }
    }
    None
}

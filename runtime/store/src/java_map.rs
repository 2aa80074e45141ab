//! A Java-serialised `HashMap<byte[], byte[]>`: the form in which Kafka Connect keeps the offsets of a worker that stands alone.
//!
//! Not here: what the bytes mean, and the file. Follows Java's object serialization protocol as far as this one class goes.

use crate::journal::Entry;

/// Magic and version of the protocol.
const STREAM: [u8; 4] = [0xac, 0xed, 0x00, 0x05];

const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const ARRAY: u8 = 0x75;
const BLOCK: u8 = 0x77;
const END_BLOCK: u8 = 0x78;

/// An object that is read again later is named by its number; they count from here.
const FIRST_HANDLE: u32 = 0x7e_0000;
/// The number of the class of byte arrays, after the map's class and the map.
const ARRAY_CLASS_HANDLE: u32 = FIRST_HANDLE + 2;

/// Name and version of `java.util.HashMap`.
const MAP_CLASS: &[u8] = b"\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1";
/// It writes its own content after its two fields, `float loadFactor` and `int threshold`; it has no superclass that does.
const MAP_FIELDS: &[u8] = b"\x03\x00\x02F\x00\nloadFactorI\x00\tthresholdxp";
/// Name, version and lack of fields of `byte[]`.
const ARRAY_CLASS: &[u8] = b"\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00xp";

/// A map is made larger when it is fuller than this.
const LOAD_FACTOR: f32 = 0.75;
/// Fewest and most buckets of a map.
const CAPACITY_MIN: u32 = 16;
const CAPACITY_MAX: u32 = 1 << 30;

/// Why bytes are not such a map; completes "the file …".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// They stop where more was announced.
    EndsEarly,
    /// They are something else.
    Foreign(&'static str),
}

type Result<T> = std::result::Result<T, Broken>;

/// Reads a map in its order. Keys that are null are left out: they say nothing.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Entry>> {
    let mut reader = Reader { rest: bytes, arrays: Vec::new(), has_class: false };
    reader.expect(&STREAM, "is not written by Java")?;
    reader.expect(&[OBJECT, CLASS], "holds no object")?;
    reader.expect(MAP_CLASS, "holds no java.util.HashMap")?;
    reader.expect(MAP_FIELDS, "holds another version of java.util.HashMap")?;
    // Load factor, threshold and number of buckets are for Java's own use.
    reader.take(4 + 4)?;
    reader.expect(&[BLOCK, 8], "holds another version of java.util.HashMap")?;
    reader.take(4)?;
    // The number is the file's word: memory is taken as entries arrive, not in advance.
    let size = u32::from_be_bytes(reader.array()?);
    let mut entries = Vec::new();
    for _ in 0..size {
        let (key, value) = (reader.bytes()?, reader.bytes()?);
        entries.extend(key.map(|key| (key.to_vec(), value.map(<[u8]>::to_vec))));
    }
    reader.expect(&[END_BLOCK], "does not end after its last entry")?;
    match reader.rest {
        [] => Ok(entries),
        _ => Err(Broken::Foreign("holds more than a map")),
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Those read so far, by their numbers.
    arrays: Vec<&'a [u8]>,
    /// Whether the class of byte arrays was read.
    has_class: bool,
}

impl<'a> Reader<'a> {
    /// A byte array, or null.
    fn bytes(&mut self) -> Result<Option<&'a [u8]>> {
        match self.array()? {
            [NULL] => Ok(None),
            [REFERENCE] => self.read_before().map(Some),
            [ARRAY] => {
                self.array_class()?;
                let length = u32::from_be_bytes(self.array()?);
                let bytes = self.take(usize::try_from(length).map_err(|_| Broken::EndsEarly)?)?;
                self.arrays.push(bytes);
                Ok(Some(bytes))
            }
            [_] => Err(Broken::Foreign("holds a map of something else than byte arrays")),
        }
    }

    /// The class is written once, and named by its number from then on.
    fn array_class(&mut self) -> Result<()> {
        let other = "holds a map of something else than byte arrays";
        if self.has_class {
            self.expect(&[REFERENCE], other)?;
            return self.expect(&ARRAY_CLASS_HANDLE.to_be_bytes(), other);
        }
        self.has_class = true;
        self.expect(&[CLASS], other)?;
        self.expect(ARRAY_CLASS, other)
    }

    fn read_before(&mut self) -> Result<&'a [u8]> {
        let handle = u32::from_be_bytes(self.array()?);
        let index = handle.checked_sub(ARRAY_CLASS_HANDLE + 1);
        let known = index.and_then(|index| self.arrays.get(usize::try_from(index).ok()?));
        known.copied().ok_or(Broken::Foreign("names an object that it does not hold"))
    }

    fn expect(&mut self, expected: &[u8], otherwise: &'static str) -> Result<()> {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None if expected.starts_with(self.rest) => Err(Broken::EndsEarly),
            None => Err(Broken::Foreign(otherwise)),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| Broken::EndsEarly)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Broken::EndsEarly)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Writes a map as Java does.
///
/// Errors: more entries or longer arrays than Java can have; there is no such thing.
pub(crate) fn write<'a>(
    entries: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])>,
) -> std::result::Result<Vec<u8>, std::num::TryFromIntError> {
    let size = i32::try_from(entries.len())?;
    let mut bytes = Vec::with_capacity(128);
    bytes.extend(STREAM);
    bytes.extend([OBJECT, CLASS]);
    bytes.extend(MAP_CLASS);
    bytes.extend(MAP_FIELDS);
    let (capacity, threshold) = table(size.unsigned_abs());
    bytes.extend(LOAD_FACTOR.to_be_bytes());
    bytes.extend(threshold.to_be_bytes());
    bytes.extend([BLOCK, 8]);
    bytes.extend(capacity.to_be_bytes());
    bytes.extend(size.to_be_bytes());
    let mut is_first = true;
    for array in entries.flat_map(|(key, value)| [key, value]) {
        bytes.push(ARRAY);
        if std::mem::take(&mut is_first) {
            bytes.push(CLASS);
            bytes.extend(ARRAY_CLASS);
        } else {
            bytes.push(REFERENCE);
            bytes.extend(ARRAY_CLASS_HANDLE.to_be_bytes());
        }
        bytes.extend(i32::try_from(array.len())?.to_be_bytes());
        bytes.extend(array);
    }
    bytes.push(END_BLOCK);
    Ok(bytes)
}

/// Buckets of a map that grew to this size, and the size at which it grows next.
fn table(size: u32) -> (u32, u32) {
    let mut capacity = CAPACITY_MIN;
    while size > capacity / 4 * 3 && capacity < CAPACITY_MAX {
        capacity *= 2;
    }
    (capacity, if size == 0 { 0 } else { capacity / 4 * 3 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maps as OpenJDK 17 serialises them.
    const EMPTY: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c6478703f400000000000007708000000100000000078";
    const ONE: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c6478703f4000000000000c77080000001000000001757200025b42acf317f8060854e00200007870000000085b2261222c7b7d5d7571007e0002000000077b2270223a317d78";
    const NULL_VALUE: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c6478703f4000000000000c77080000001000000001757200025b42acf317f8060854e00200007870000000016b7078";
    const THIRTEEN: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c6478703f400000000000187708000000200000000d757200025b42acf317f8060854e00200007870000000026b377571007e00020000000276377571007e0002000000026b327571007e00020000000276327571007e0002000000036b31317571007e0002000000037631317571007e0002000000026b397571007e00020000000276397571007e0002000000026b367571007e00020000000276367571007e0002000000036b31307571007e0002000000037631307571007e0002000000026b317571007e00020000000276317571007e0002000000026b357571007e00020000000276357571007e0002000000026b337571007e00020000000276337571007e0002000000026b387571007e00020000000276387571007e0002000000026b347571007e00020000000276347571007e0002000000026b307571007e00020000000276307571007e0002000000036b31327571007e00020000000376313278";
    /// Key and value are one object.
    const SHARED: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c6478703f4000000000000c77080000001000000001757200025b42acf317f8060854e002000078700000000473616d6571007e000378";
    /// A map of texts, another map, a text.
    const TEXTS: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c6478703f4000000000000c77080000001000000001740001617400016278";
    const TREE: &str = "aced0005737200116a6176612e7574696c2e547265654d61700cc1f63e2d256ae60300014c000a636f6d70617261746f727400164c6a6176612f7574696c2f436f6d70617261746f723b78707077040000000078";
    const TEXT: &str = "aced000574000474657874";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        let byte = |two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
        digits.map(byte).collect()
    }

    fn entry(key: &str, value: Option<&str>) -> Entry {
        (key.as_bytes().to_vec(), value.map(|value| value.as_bytes().to_vec()))
    }

    fn written(entries: &[Entry]) -> Vec<u8> {
        let pair = |(key, value): &'_ Entry| (key.clone(), value.clone().unwrap());
        let pairs: Vec<_> = entries.iter().map(pair).collect();
        write(pairs.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))).unwrap()
    }

    #[test]
    fn what_java_wrote_is_read_and_written_again_byte_for_byte() {
        let check = |hex: &str, expected: &[Entry]| {
            let entries = read(&bytes(hex)).unwrap();
            assert_eq!(entries, expected);
            assert_eq!(written(&entries), bytes(hex));
        };
        check(EMPTY, &[]);
        check(ONE, &[entry("[\"a\",{}]", Some("{\"p\":1}"))]);
        let order = ["7", "2", "11", "9", "6", "10", "1", "5", "3", "8", "4", "0", "12"];
        let entries = order.map(|n| entry(&format!("k{n}"), Some(&format!("v{n}"))));
        check(THIRTEEN, &entries);
    }

    #[test]
    fn null_values_and_shared_objects_are_read() {
        assert_eq!(read(&bytes(NULL_VALUE)), Ok(vec![entry("k", None)]));
        assert_eq!(read(&bytes(SHARED)), Ok(vec![entry("same", Some("same"))]));
    }

    #[test]
    fn what_is_no_such_map_is_refused_with_what_it_is() {
        let check = |bytes: &[u8], expected| {
            assert_eq!(read(bytes), Err(Broken::Foreign(expected)));
        };
        check(b"{\"a\":1}", "is not written by Java");
        check(&bytes(TEXT), "holds no object");
        check(&bytes(TREE), "holds no java.util.HashMap");
        check(&bytes(TEXTS), "holds a map of something else than byte arrays");
        check(&[bytes(ONE), vec![0]].concat(), "holds more than a map");
    }

    #[test]
    fn a_map_that_ends_early_is_known_as_one_wherever_it_ends() {
        let whole = bytes(THIRTEEN);
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), Err(Broken::EndsEarly), "{length}");
        }
    }
}

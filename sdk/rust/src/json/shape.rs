//! Foresees the names in an object: rows of one topic mostly have the same ones in the same order, with the same blanks between.
//!
//! A name that stands where it was foreseen, byte for byte, needs no scan, no check of its text, and no hash. Not here: values, and objects in objects.

use super::reader::Reader;
use crate::short;

/// Names that are foreseen; the others of a wider object are read as they come.
const NAMES_MAX: usize = 512;

/// Of so many objects that were not as foreseen, one is learnt from: what all objects have in common stays, what changes from row to row costs little.
const LEARN_EVERY: u32 = 16;

/// A name as it stood in the text, and what it became.
#[derive(Clone, Debug)]
struct Name {
    /// From behind the value before it to behind its colon.
    json: Box<[u8]>,
    /// As a CBOR item, and room behind it.
    cbor: Box<[u8]>,
    cbor_len: usize,
    hash: u32,
}

impl Name {
    fn new(found: &Found, text: &[u8], written: &[u8]) -> Self {
        fn slice(of: &[u8], (from, to): (usize, usize)) -> &[u8] {
            of.get(from..to).unwrap_or_default()
        }
        let mut cbor = slice(written, found.cbor).to_vec();
        let cbor_len = cbor.len();
        cbor.resize(cbor_len.max(short::ROOM), 0);
        Self { json: slice(text, found.json).into(), cbor: cbor.into(), cbor_len, hash: found.hash }
    }
}

/// What is known of the objects so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// In order, none twice.
    names: Vec<Name>,
    /// Objects that were not as foreseen.
    misses: u32,
}

/// Where a name that was not foreseen stands.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// From and to, in the text.
    pub(super) json: (usize, usize),
    /// From and to, in what was written.
    pub(super) cbor: (usize, usize),
    pub(super) hash: u32,
}

impl Shape {
    /// Passes the name at this place and appends it, if it is the one that was foreseen.
    #[inline]
    pub(super) fn take(&self, place: usize, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> bool {
        let Some(name) = self.names.get(place) else { return false };
        let is_there = reader.take(&name.json);
        if is_there {
            short::append_first(out, &name.cbor, name.cbor_len);
        }
        is_there
    }

    /// How many names are foreseen.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Hashes of the first `count` names.
    pub(super) fn hashes(&self, count: usize) -> impl Iterator<Item = u32> {
        self.names.iter().take(count).map(|name| name.hash)
    }

    /// Takes note of an object whose first `foreseen` names were, and no others; none of its names is there twice.
    pub(super) fn learn(&mut self, foreseen: usize, found: &[Found], text: &[u8], written: &[u8]) {
        let is_due = self.misses.is_multiple_of(LEARN_EVERY);
        self.misses = self.misses.wrapping_add(1);
        if !is_due || found.is_empty() {
            return;
        }
        self.names.truncate(foreseen);
        let new = found.iter().take(NAMES_MAX.saturating_sub(foreseen));
        self.names.extend(new.map(|found| Name::new(found, text, written)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Numbers, Transcoder};
    use super::NAMES_MAX;

    fn cbor(transcoder: &mut Transcoder, json: &str) -> Option<Vec<u8>> {
        let mut out = vec![7];
        transcoder.transcode(json.as_bytes(), &mut out).ok().map(|_| out)
    }

    /// Objects that have much in common, so that each is partly as the others make it foreseen.
    fn objects() -> Vec<String> {
        let wide = |names: usize| {
            let members: Vec<String> = (0..names).map(|n| format!("\"name{n}\":{n}")).collect();
            format!("{{{}}}", members.join(","))
        };
        let written = [
            "{}",
            r#"{"a":1,"b":"x","c":null}"#,
            r#"{"a":2,"b":"y","c":true}"#,
            r#"{"a":1,"b":"x"}"#,
            r#"{"a":1,"b":"x","c":[{"a":1},{"a":2,"b":3}],"d":{"a":{"a":1}}}"#,
            r#"{ "a": 1, "b": "x", "c": -2.5e3 }"#,
            r#"{"a":1,"b":2,"a":3}"#,
            r#"{"a":1,"b":2,"b":3,"a":4,"c":5}"#,
            r#"{"\u0061":1,"b":2,"a":3}"#,
            r#"{"\u0061":1,"b":2}"#,
            r#"{"ä":1,"b":"ä"}"#,
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,,"b":2}"#,
            r#"{"a":1 "b":2}"#,
            r#"{"a":1,"b"}"#,
            r#"{"a":1,"#,
            r#"{"a":1,"b":2"#,
            r#"{"a":1,"b":2,}"#,
            r#"[{"a":1},{"a":1,"a":2}]"#,
        ];
        let mut objects: Vec<String> = written.iter().map(|&object| object.to_owned()).collect();
        objects.extend(
            [20, 24, 40, 300, NAMES_MAX - 1, NAMES_MAX, NAMES_MAX + 1, 2 * NAMES_MAX].map(wide),
        );
        objects
    }

    #[test]
    fn what_came_before_changes_nothing_in_what_an_object_becomes() {
        let objects = objects();
        let alone: Vec<_> = objects
            .iter()
            .map(|object| cbor(&mut Transcoder::new(Numbers::Connect), object))
            .collect();
        assert!(alone.iter().flatten().count() > 15);
        let mut transcoder = Transcoder::new(Numbers::Connect);
        // Each behind each, and often enough that each is learnt from.
        for before in 0..objects.len() {
            for (object, alone) in objects.iter().zip(&alone) {
                for _ in 0..2 * super::LEARN_EVERY {
                    cbor(&mut transcoder, &objects[before]);
                }
                assert_eq!(
                    cbor(&mut transcoder, object),
                    *alone,
                    "{object} behind {}",
                    objects[before]
                );
            }
        }
    }

    #[test]
    fn an_error_is_told_where_it_is_whether_or_not_the_names_before_it_were_foreseen() {
        for json in [r#"{"a":1,"b":x}"#, r#"{"a":1,"b":"x"#, r#"{"a":1;"b":2}"#] {
            let error = |transcoder: &mut Transcoder| {
                transcoder.transcode(json.as_bytes(), &mut Vec::new()).unwrap_err().to_string()
            };
            let alone = error(&mut Transcoder::new(Numbers::Connect));
            let mut transcoder = Transcoder::new(Numbers::Connect);
            cbor(&mut transcoder, r#"{"a":1,"b":2}"#).unwrap();
            assert_eq!(error(&mut transcoder), alone);
        }
    }

    #[test]
    fn one_object_in_sixteen_is_learnt_from() {
        let mut transcoder = Transcoder::new(Numbers::Connect);
        for _ in 0..=super::LEARN_EVERY {
            cbor(&mut transcoder, r#"{"first":1}"#).unwrap();
        }
        let names = |transcoder: &Transcoder| transcoder.foreseen();
        assert_eq!(names(&transcoder), 1);
        for row in 1..=super::LEARN_EVERY {
            cbor(&mut transcoder, r#"{"other":1,"names":2}"#).unwrap();
            let learnt = if row < super::LEARN_EVERY { 1 } else { 2 };
            assert_eq!(names(&transcoder), learnt, "{row}");
        }
        cbor(&mut transcoder, &objects().pop().unwrap()).unwrap();
        assert!(names(&transcoder) <= NAMES_MAX);
    }
}

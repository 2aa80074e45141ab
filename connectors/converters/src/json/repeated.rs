//! Keys that a map got twice: the last value stays, in the place of the first. Not here: structs, whose schema names their members.

use std::collections::HashMap;

use tombolo_sdk::cbor::{Cursor, Error, write};

/// Writes the map from `start` on anew, if a key is there twice.
///
/// Cost: a walk over the map; a hash per key.
pub(super) fn without_repeated(out: &mut Vec<u8>, start: usize) -> Result<(), Error> {
    let map = out.get(start..).unwrap_or_default();
    let mut cursor = Cursor::new(map);
    let pairs = cursor.map()?.unwrap_or(0);
    if pairs < 2 {
        return Ok(());
    }
    let mut places: HashMap<&[u8], usize> = HashMap::with_capacity(pairs);
    let mut members: Vec<(&[u8], &[u8])> = Vec::with_capacity(pairs);
    for _ in 0..pairs {
        let (key, value) = (cursor.item()?, cursor.item()?);
        let place = *places.entry(key).or_insert(members.len());
        match members.get_mut(place) {
            Some(member) => member.1 = value,
            None => members.push((key, value)),
        }
    }
    if members.len() < pairs {
        let mut unique = Vec::with_capacity(map.len());
        write::map(&mut unique, members.len());
        for (key, value) in members {
            unique.extend_from_slice(key);
            unique.extend_from_slice(value);
        }
        out.truncate(start);
        out.extend_from_slice(&unique);
    }
    Ok(())
}

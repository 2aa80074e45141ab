//! Structs and maps some of whose values are made anew: what `Cast` and `TimestampConverter` share. Not here: what the values become.

use tombolo_sdk::cbor::{Cursor, write};
use tombolo_sdk::fault::{Failure, Problem};
use tombolo_sdk::schema::{Schema, SchemaType};

use crate::fields::{self, Fields, NULL, copy_value, null_in_required};

/// Appends a map. The values of the entries with these keys are what `make`, given the key's place, appends for them; null stays null. A key that the map
/// does not have gets null, as Java's `HashMap.put` of what `get` gives makes it.
///
/// Errors: as `Requirements.requireMap`, and those of `make`.
pub(crate) fn map(
    keys: &[Vec<u8>],
    (value, purpose): (Option<&[u8]>, &str),
    out: &mut Vec<u8>,
    mut make: impl FnMut(usize, &[u8], &mut Vec<u8>) -> Result<(), Problem>,
) -> Result<(), Failure> {
    let (mut cursor, pairs) = fields::map(value, purpose)?;
    let open = write::begin(out);
    let body = cursor.position();
    // Entries that stay as they are, up to here, are copied in one go.
    let (mut copied, mut found) = (body, 0);
    for _ in 0..pairs {
        let key = cursor.item()?;
        let Some(place) = keys.iter().position(|made| made == key) else {
            cursor.skip()?;
            continue;
        };
        found += 1;
        let start = cursor.position();
        let item = cursor.item()?;
        if item != NULL {
            out.extend_from_slice(cursor.slice(copied, start));
            make(place, item, out)?;
            copied = cursor.position();
        }
    }
    out.extend_from_slice(cursor.slice(copied, cursor.position()));
    let mut all = pairs;
    if found < keys.len() {
        all += add_missing(keys, (cursor.slice(body, cursor.position()), pairs), out)?;
    }
    write::end_map(out, open, all);
    Ok(())
}

/// Appends nulls for the keys that a map does not have. Gives the number of those.
#[cold]
fn add_missing(
    keys: &[Vec<u8>],
    (body, pairs): (&[u8], usize),
    out: &mut Vec<u8>,
) -> Result<usize, Problem> {
    let mut missing: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let mut cursor = Cursor::new(body);
    for _ in 0..pairs {
        let key = cursor.item()?;
        missing.retain(|made| *made != key);
        cursor.skip()?;
    }
    for key in &missing {
        out.extend_from_slice(key);
        out.extend_from_slice(NULL);
    }
    Ok(missing.len())
}

/// A struct whose values are made anew.
pub(crate) struct Remade {
    /// Its type, which may be another.
    pub(crate) type_: SchemaType,
    /// Its fields.
    pub(crate) fields: Fields,
    /// The new types of those that are made anew.
    pub(crate) types: Vec<Option<SchemaType>>,
}

impl Remade {
    /// Appends a struct. The values of the fields that have new types are what `make`, given the old schema and the new type, appends for them; nulls become
    /// defaults before, if that is wanted, or must be allowed.
    ///
    /// Errors: as `Requirements.requireStruct` and `Struct.put`, and those of `make`.
    pub(crate) fn write(
        &self,
        (value, purpose): (Option<&[u8]>, &str),
        null_to_default: bool,
        out: &mut Vec<u8>,
        mut make: impl FnMut(&Schema, SchemaType, &[u8], &mut Vec<u8>) -> Result<(), Problem>,
    ) -> Result<(), Failure> {
        let Self { type_, fields, types } = self;
        let mut cursor = fields::structure(value, *type_, fields.all.len(), purpose)?;
        write::map(out, fields.all.len());
        // Fields that stay as they are, up to here, are copied in one go.
        let mut copied = cursor.position();
        for (field, &new) in fields.all.iter().zip(types) {
            cursor.skip()?;
            let start = cursor.position();
            let mut item = cursor.item()?;
            let is_null = item == NULL;
            if new.is_none() && !(is_null && fields.defaults) {
                continue;
            }
            out.extend_from_slice(cursor.slice(copied, start));
            copied = cursor.position();
            if is_null && null_to_default {
                item = field.schema.default.as_deref().unwrap_or(NULL);
            }
            match new {
                Some(new) if item != NULL => make(&field.schema, new, item, out)?,
                Some(new) if !field.schema.optional => {
                    return Err(null_in_required(&field.name, new).into());
                }
                _ => copy_value(field, item, false, out)?,
            }
        }
        out.extend_from_slice(cursor.slice(copied, cursor.position()));
        Ok(())
    }
}

//! `MaskField`: replaces fields by the empty value of their type, or by one that is given.

use tombolo_sdk::cbor::{Cursor, Token, write};
use tombolo_sdk::columns::Written;
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::java::{self, decimal_to_i64, parse_decimal};
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{Schema, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};

use crate::fields::{self, BySchema, Fields, NULL, copy_value, key_of};
use crate::lists::{NULL_TO_DEFAULT, some_members};
use crate::names::Names;
use crate::part::PartStep;

const PURPOSE: &str = "mask fields";

const FIELDS: Key<Vec<String>> =
    Key::new("fields").doc("Fields to mask.").importance(Importance::High);
const REPLACEMENT: Key<Option<String>> = Key::new("replacement")
    .doc("What masked numbers and strings become, instead of 0 and nothing.")
    .non_empty()
    .importance(Importance::Low);

/// What the settings say.
pub(crate) struct MaskSettings {
    fields: Vec<String>,
    replacement: Option<String>,
    null_to_default: bool,
}

impl Configuration for MaskSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&FIELDS, &REPLACEMENT, &NULL_TO_DEFAULT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            fields: some_members(&FIELDS, settings)?,
            replacement: REPLACEMENT.get(settings)?,
            null_to_default: NULL_TO_DEFAULT.get(settings)?,
        })
    }
}

/// What masked values become.
struct Replacement {
    text: String,
    /// As a string.
    item: Vec<u8>,
    /// As a number, if it is one.
    number: Option<Numeric>,
}

/// A number in the forms that Java makes of it.
struct Numeric {
    integer: i64,
    double: f64,
    /// As a decimal.
    item: Vec<u8>,
}

impl Replacement {
    fn new(text: String) -> Self {
        let number = parse_decimal(&text).map(|(unscaled, scale)| {
            let double = text.parse().unwrap_or(0.0);
            let mut item = Vec::new();
            write::decimal_bytes(&mut item, &unscaled, scale);
            // Java's decimal zero has no sign.
            let double = if double == 0.0 && unscaled == [0] { 0.0 } else { double };
            Numeric { integer: decimal_to_i64(&text), double, item }
        });
        Self { item: key_of(&text), text, number }
    }

    /// As a number, or what Java says of another text; `a` for decimals is its wording.
    fn number(&self, a: &str) -> Result<&Numeric, Problem> {
        let text = &self.text;
        self.number.as_ref().ok_or_else(|| {
            Problem::data(format!("Unable to convert {text} (class java.lang.String) to {a}number"))
        })
    }
}

/// A struct's schema.
struct Known {
    fields: Fields,
    type_: SchemaType,
    /// Whether each field is masked.
    masked: Vec<bool>,
}

/// The step.
pub(crate) struct MaskField {
    /// Names, and names as CBOR items.
    masked: Vec<(String, Vec<u8>)>,
    /// The same items.
    keys: Names,
    replacement: Option<Replacement>,
    null_to_default: bool,
    known: BySchema<Known>,
}

impl PartStep for MaskField {
    type Settings = MaskSettings;
    const KEY_CLASS: &'static str = "org.apache.kafka.connect.transforms.MaskField$Key";
    const VALUE_CLASS: &'static str = "org.apache.kafka.connect.transforms.MaskField$Value";
    const DOC: &'static str =
        "Replaces fields by the empty value of their type, or by a given number or string.";

    fn new(settings: MaskSettings) -> Result<Self, Fault> {
        let with_key = |name: String| {
            let key = key_of(&name);
            (name, key)
        };
        let masked: Vec<_> = settings.fields.into_iter().map(with_key).collect();
        Ok(Self {
            keys: Names::new(masked.iter().map(|(_, key)| key.as_slice())),
            masked,
            replacement: settings.replacement.map(Replacement::new),
            null_to_default: settings.null_to_default,
            known: BySchema::default(),
        })
    }

    #[inline]
    fn apply(&mut self, part: Part, row: &mut Row<'_>) -> Result<(), Failure> {
        let number = row.schema(part);
        if number == 0 {
            return row.set(part, |row, out| {
                self.map(row.get(part), out)?;
                Ok((Written::Item, 0))
            });
        }
        let Self { masked, known, .. } = self;
        let known = known.get(number, |schema| know(schema, masked))?;
        row.set(part, |row, out| {
            self.structure(&known, row.get(part), out)?;
            Ok((Written::Item, number))
        })
    }
}

fn know(schema: &Schema, masked: &[(String, Vec<u8>)]) -> Result<Known, Failure> {
    let is_masked = |name: &str| masked.iter().any(|(masked, _)| masked == name);
    Ok(Known {
        fields: Fields::of(schema)?,
        type_: schema.type_,
        masked: schema.fields.iter().map(|field| is_masked(&field.name)).collect(),
    })
}

impl MaskField {
    fn map(&self, value: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let (mut cursor, pairs) = fields::map(value, PURPOSE)?;
        let open = write::begin(out);
        let body = cursor.rest();
        let at = |cursor: &Cursor<'_>| body.len() - cursor.rest().len();
        let (mut copied, mut found) = (0, 0);
        for _ in 0..pairs {
            let key = cursor.item()?;
            if self.keys.has(key) {
                let start = at(&cursor);
                out.extend_from_slice(body.get(copied..start).unwrap_or_default());
                self.mask(cursor.item()?, None, out)?;
                copied = at(&cursor);
                found += 1;
                if found == self.masked.len() {
                    break;
                }
            } else {
                cursor.skip()?;
            }
        }
        out.extend_from_slice(body.get(copied..).unwrap_or_default());
        let mut all = pairs;
        if found < self.masked.len() {
            all += self.add_missing(body, pairs, out)?;
        }
        write::end_map(out, open, all);
        Ok(())
    }

    /// A field that a map does not have becomes null, as Java's `HashMap.put` of what `get` gives makes it. Gives the number of those.
    #[cold]
    fn add_missing(&self, body: &[u8], pairs: usize, out: &mut Vec<u8>) -> Result<usize, Problem> {
        let mut missing: Vec<&[u8]> = self.masked.iter().map(|(_, key)| key.as_slice()).collect();
        let mut cursor = Cursor::new(body);
        for _ in 0..pairs {
            let key = cursor.item()?;
            missing.retain(|masked| *masked != key);
            cursor.skip()?;
        }
        for key in &missing {
            out.extend_from_slice(key);
            out.extend_from_slice(NULL);
        }
        Ok(missing.len())
    }

    fn structure(
        &self,
        known: &Known,
        value: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let fields = &known.fields;
        let mut cursor = fields::structure(value, known.type_, fields.all.len(), PURPOSE)?;
        write::map(out, fields.all.len());
        let body = cursor.rest();
        let at = |cursor: &Cursor<'_>| body.len() - cursor.rest().len();
        // Fields that stay as they are, up to here, are copied in one go.
        let mut copied = 0;
        for (field, &masked) in fields.all.iter().zip(&known.masked) {
            cursor.skip()?;
            let start = at(&cursor);
            let value = cursor.item()?;
            if !masked && (value != NULL || !fields.defaults) {
                continue;
            }
            out.extend_from_slice(body.get(copied..start).unwrap_or_default());
            copied = at(&cursor);
            if masked && value != NULL {
                self.mask(value, Some(&field.schema), out)?;
                continue;
            }
            let default = out.len();
            copy_value(field, value, self.null_to_default, out)?;
            if masked {
                let default = out.split_off(default);
                self.mask(&default, Some(&field.schema), out)?;
            }
        }
        out.extend_from_slice(body.get(copied..).unwrap_or_default());
        Ok(())
    }

    /// Appends what a value becomes; null stays null.
    fn mask(
        &self,
        value: &[u8],
        schema: Option<&Schema>,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let token = Cursor::new(value).token()?;
        let type_ = schema.map(|schema| schema.type_);
        match &self.replacement {
            _ if token == Token::Null => out.extend_from_slice(NULL),
            None => empty(&token, type_, out)?,
            Some(replacement) => replaced(&token, type_, replacement, out)?,
        }
        Ok(())
    }
}

/// The empty value of a value's class.
fn empty(token: &Token<'_>, type_: Option<SchemaType>, out: &mut Vec<u8>) -> Result<(), Problem> {
    match token {
        Token::Boolean(_) => write::boolean(out, false),
        Token::Int(_) => write::int(out, 0),
        Token::Float32(_) => write::f32(out, 0.0),
        Token::Float64(_) => write::f64(out, 0.0),
        Token::Text(_) => write::text(out, ""),
        Token::Decimal(_) => write::decimal(out, 0, 0),
        Token::Date(_) => write::date(out, 0),
        Token::Timestamp(_) => write::timestamp(out, 0),
        Token::Time(_) => write::time(out, 0),
        Token::Array(_) => write::array(out, 0),
        Token::Map(_) if type_ != Some(SchemaType::Struct) => write::map(out, 0),
        Token::Map(_) | Token::Bytes(_) | Token::Null => {
            let found = java::class_name(token, type_);
            return Err(Problem::data(format!("Cannot mask value of type: class {found}")));
        }
    }
    Ok(())
}

/// The replacement in a value's class.
#[expect(clippy::cast_possible_truncation, reason = "Java's casts drop the high bits as well")]
fn replaced(
    token: &Token<'_>,
    type_: Option<SchemaType>,
    by: &Replacement,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    match token {
        Token::Int(_) => {
            let integer = by.number("a ")?.integer;
            write::int(
                out,
                match type_ {
                    Some(SchemaType::Int8) => i64::from(integer as i8),
                    Some(SchemaType::Int16) => i64::from(integer as i16),
                    Some(SchemaType::Int32) => i64::from(integer as i32),
                    _ => integer,
                },
            );
        }
        Token::Float32(_) => write::f32(out, by.number("a ")?.double as f32),
        Token::Float64(_) => write::f64(out, by.number("a ")?.double),
        Token::Decimal(_) => out.extend_from_slice(&by.number("")?.item),
        Token::Text(_) => out.extend_from_slice(&by.item),
        _ => {
            let found = java::class_name(token, type_);
            return Err(Problem::data(format!(
                "Cannot mask value of type class {found} with custom replacement."
            )));
        }
    }
    Ok(())
}

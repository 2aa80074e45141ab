//! Texts with `${…}` in them, which each record fills. Not here: which settings have one.

use tombolo_sdk::cbor::{Cursor, Error, Token};
use tombolo_sdk::fault::Problem;
use tombolo_sdk::http::percent_encode;
use tombolo_sdk::itoa;
use tombolo_sdk::java;
use tombolo_sdk::record::Record;

/// A text in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The name of what fills it, without `${` and `}`.
    Slot(String),
}

impl Template {
    /// Reads a template.
    ///
    /// Errors: what was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else {
                return Err("Each ${ must be closed by }".to_owned());
            };
            if name.is_empty() || name.split('.').any(str::is_empty) {
                return Err(format!("${{{name}}} must name something, such as ${{topic}}"));
            }
            parts.extend((!before.is_empty()).then(|| Part::Text(before.to_owned())));
            parts.push(Part::Slot(name.to_owned()));
            rest = behind;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Text(rest.to_owned())));
        Ok(Self { parts })
    }

    /// The text, where it has no slots.
    pub(crate) fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text before the first slot.
    pub(crate) fn beginning(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// The names of its slots.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Slot(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with what `fill` says of each slot. Errors: those of `fill`.
    pub(crate) fn fill<E>(
        &self,
        mut fill: impl FnMut(&str, &mut String) -> Result<(), E>,
    ) -> Result<String, E> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Slot(name) => fill(name, &mut out)?,
            }
        }
        Ok(out)
    }

    /// The text for a record. Errors: the record has not what a slot names, or no text for it.
    pub(crate) fn text(&self, record: &Record<'_>) -> Result<String, Problem> {
        self.fill(|name, out| {
            out.push_str(&value(name, record)?);
            Ok(())
        })
    }

    /// The URL for a record: what fills a slot is percent-encoded. Errors: as [`Template::text`].
    pub(crate) fn url(&self, record: &Record<'_>) -> Result<String, Problem> {
        self.fill(|name, out| {
            let text = value(name, record)?;
            if is_dots(&text) {
                return Err(Problem::data(format_args!(
                    "${{{name}}} is \"{text}\", which would lead elsewhere in a URL"
                )));
            }
            // A path that ends early names what is above the record: all of them.
            if text.is_empty() && !out.contains('?') {
                return Err(Problem::data(format_args!(
                    "${{{name}}} is empty, which would lead elsewhere in a URL"
                )));
            }
            percent_encode(out, &text);
            Ok(())
        })
    }
}

/// Whether a path would be led elsewhere by it, whatever is percent-encoded.
fn is_dots(text: &str) -> bool {
    matches!(text, "." | "..")
}

/// What a record says for a slot: `topic`, `partition`, `offset`, `timestamp`, `key`, `key.FIELD`, `value`, `value.FIELD`, `header.NAME`, or else a
/// field of the value.
fn value(name: &str, record: &Record<'_>) -> Result<String, Problem> {
    let missing = || Problem::data(format_args!("the record has nothing for ${{{name}}}"));
    let (first, rest) = name.split_once('.').map_or((name, None), |(a, b)| (a, Some(b)));
    match (first, rest) {
        ("topic", None) => return Ok(record.origin().at.topic),
        ("partition", None) => return Ok(record.origin().at.partition.to_string()),
        ("offset", None) => return Ok(record.origin().offset.to_string()),
        ("timestamp", None) => {
            return record.timestamp().map(|at| at.to_string()).ok_or_else(missing);
        }
        _ => {}
    }
    let found = match (first, rest) {
        ("key", path) => field(record.key_bytes(), path)?,
        ("value", path) => field(record.value_bytes(), path)?,
        ("header", Some(header)) => {
            let named = record.headers().filter(|(known, ..)| *known == header);
            named.last().and_then(|(_, value, _)| value)
        }
        _ => field(record.value_bytes(), Some(name))?,
    };
    let text = found.map(text).transpose()?.ok_or_else(missing)?;
    text.ok_or_else(|| {
        Problem::data(format_args!("what the record has for ${{{name}}} is no single value"))
    })
}

/// The item at a path of names below an item; none when there is none.
fn field<'a>(item: Option<&'a [u8]>, path: Option<&str>) -> Result<Option<&'a [u8]>, Error> {
    let mut found = item;
    for name in path.into_iter().flat_map(|path| path.split('.')) {
        let Some(item) = found else { return Ok(None) };
        found = member(item, name)?;
    }
    Ok(found.filter(|item| !matches!(Cursor::new(item).token(), Ok(Token::Null))))
}

fn member<'a>(item: &'a [u8], name: &str) -> Result<Option<&'a [u8]>, Error> {
    let mut cursor = Cursor::new(item);
    for _ in 0..cursor.map()?.unwrap_or(0) {
        let is_it = match cursor.text_bytes()? {
            Some(known) => known == name.as_bytes(),
            None => {
                cursor.skip()?;
                false
            }
        };
        let value = cursor.item()?;
        if is_it {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// The text of a single value; none of an array or a map.
fn text(item: &[u8]) -> Result<Option<String>, Error> {
    let mut out = Vec::new();
    match Cursor::new(item).token()? {
        Token::Text(text) => out.extend_from_slice(text.as_bytes()),
        Token::Bytes(bytes) => out.extend_from_slice(bytes),
        Token::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Token::Int(value) | Token::Date(value) | Token::Timestamp(value) | Token::Time(value) => {
            itoa::write_signed(&mut out, value);
        }
        Token::Float32(value) => java::write_float(&mut out, value),
        Token::Float64(value) => java::write_double(&mut out, value),
        Token::Decimal(value) => return Ok(Some(java::decimal_to_plain_string(&value))),
        Token::Array(_) | Token::Map(_) | Token::Null => return Ok(None),
    }
    Ok(String::from_utf8(out).ok())
}

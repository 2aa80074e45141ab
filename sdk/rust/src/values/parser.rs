//! Reads a value from tokens: a literal, a quoted string, a list, a map, a time, a number, or else a string.
//!
//! Follows `Values.ValueParser`, in the order of its attempts.

use super::data::{Merger, Shape, Value};
use super::tokens::{Tokens, trim};
use super::{Typed, Unparsed, align, number, temporal};

/// Deepest nesting: the profile's limit of a value. Java gives up at the end of its stack, and falls back to bytes as well.
const DEPTH_MAX: usize = 200;

/// A reader of one text.
pub(super) struct Parser<'a> {
    tokens: Tokens<'a>,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { tokens: Tokens::new(text), depth: 0 }
    }

    /// A value; none for null. An embedded one stands in a list or a map.
    pub(super) fn parse(&mut self, embedded: bool) -> Result<Option<Typed>, Unparsed> {
        if !self.tokens.has_next() {
            return Ok(None);
        }
        if embedded && self.tokens.take("\"") {
            return Ok(Some(self.quoted()));
        }
        if self.literal(embedded, "null") {
            return Ok(None);
        }
        for value in [true, false] {
            if self.literal(embedded, if value { "true" } else { "false" }) {
                return Ok(Some(Typed::new(Value::Boolean(value), Shape::Boolean)));
            }
        }
        let start = self.tokens.mark();
        match self.collection() {
            Ok(Some(collection)) => return Ok(Some(collection)),
            Ok(None) => {}
            Err(Unparsed::Data) => self.tokens.rewind_to(start),
            Err(other) => return Err(other),
        }
        let token = self.tokens.next();
        match trim(token) {
            "" => Ok(Some(Typed::text(token))),
            token => self.scalar(embedded, token).map(Some),
        }
    }

    /// Passes a literal; at the top, only when nothing follows.
    fn literal(&mut self, embedded: bool, literal: &str) -> bool {
        let start = self.tokens.mark();
        if self.tokens.take(literal) && (embedded || !self.tokens.has_next()) {
            return true;
        }
        self.tokens.rewind_to(start);
        false
    }

    fn scalar(&mut self, embedded: bool, token: &str) -> Result<Typed, Unparsed> {
        let digit = token.starts_with(|first: char| first.is_ascii_digit());
        if digit && let Some(temporal) = self.temporal(token) {
            return Ok(temporal);
        }
        if (digit || token.starts_with(['+', '-']))
            && let Some(number) = number::parse(token)
        {
            return Ok(number);
        }
        if embedded { Err(Unparsed::Data) } else { Ok(Typed::text(self.tokens.original())) }
    }

    /// A time may take five tokens, as its colons are delimiters.
    fn temporal(&mut self, token: &str) -> Option<Typed> {
        let start = self.tokens.mark();
        if let Some(rest) = self.tokens.next_tokens(4) {
            let joined = format!("{token}{rest}");
            if let Some(temporal) = temporal::parse(&joined) {
                return Some(temporal);
            }
        }
        self.tokens.rewind_to(start);
        if temporal::may_be(token) { temporal::parse(token) } else { None }
    }

    /// What stands up to the closing quote, or to the end; its escapes are left as they are.
    fn quoted(&mut self) -> Typed {
        let mut content = String::new();
        while self.tokens.has_next() && !self.tokens.take("\"") {
            content.push_str(self.tokens.next());
        }
        temporal::parse(&content).unwrap_or_else(|| Typed::new(Value::Text(content), Shape::Text))
    }

    /// A list or a map; none when neither begins here.
    fn collection(&mut self) -> Result<Option<Typed>, Unparsed> {
        let list = self.tokens.take("[");
        if !list && !self.tokens.take("{") {
            return Ok(None);
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Unparsed::Other);
        }
        let collection = if list { self.list() } else { self.map() };
        self.depth -= 1;
        collection.map(Some)
    }

    fn list(&mut self) -> Result<Typed, Unparsed> {
        let mut elements = Vec::new();
        let mut merger = Merger::default();
        while self.tokens.has_next() {
            if self.tokens.take("]") {
                let shape = merger.common();
                if let Some(shape) = &shape {
                    let aligned = elements.into_iter().map(|element| align::align(element, shape));
                    elements = aligned.collect::<Result<_, _>>()?;
                }
                return Ok(Typed::new(Value::List(elements), Shape::Array(shape.map(Box::new))));
            }
            if self.tokens.take(",") {
                return Err(Unparsed::Data);
            }
            let element = self.parse(true)?;
            merger.merge(element.as_ref().and_then(|element| element.shape.as_ref()));
            elements.push(element.map_or(Value::Null, |element| element.value));
            let here = self.tokens.mark();
            if self.tokens.take("]") {
                self.tokens.rewind_to(here);
            } else if !self.tokens.take(",") {
                return Err(Unparsed::Data);
            }
        }
        Err(Unparsed::Data)
    }

    fn map(&mut self) -> Result<Typed, Unparsed> {
        let mut entries: Vec<(Value, Value)> = Vec::new();
        let (mut keys, mut values) = (Merger::default(), Merger::default());
        while self.tokens.has_next() {
            if self.tokens.take("}") {
                return self.close_map(entries, keys.common(), values.common());
            }
            if self.tokens.take(",") {
                return Err(Unparsed::Data);
            }
            let Some(key) = self.parse(true)?.filter(|key| key.value != Value::Null) else {
                return Err(Unparsed::Data);
            };
            if !self.tokens.take(":") {
                return Err(Unparsed::Data);
            }
            let value = self.parse(true)?;
            // One comma may follow, and need not.
            self.tokens.take(",");
            keys.merge(key.shape.as_ref());
            values.merge(value.as_ref().and_then(|value| value.shape.as_ref()));
            put(&mut entries, key.value, value.map_or(Value::Null, |value| value.value));
        }
        Err(Unparsed::Data)
    }

    fn close_map(
        &self,
        entries: Vec<(Value, Value)>,
        key: Option<Shape>,
        value: Option<Shape>,
    ) -> Result<Typed, Unparsed> {
        let Some(key) = key else {
            return Ok(Typed::new(Value::Map(entries), Shape::Map(None, None)));
        };
        let mut aligned = Vec::with_capacity(entries.len());
        for entry in entries {
            let entry_value = match &value {
                Some(value) => align::align(entry.1, value)?,
                None => entry.1,
            };
            put(&mut aligned, align::align(entry.0, &key)?, entry_value);
        }
        let shape = Shape::Map(Some(Box::new(key)), value.map(Box::new));
        Ok(Typed::new(Value::Map(aligned), shape))
    }
}

/// As `LinkedHashMap.put`: a known key keeps its place.
fn put(entries: &mut Vec<(Value, Value)>, key: Value, value: Value) {
    match entries.iter_mut().find(|entry| entry.0 == key) {
        Some(entry) => entry.1 = value,
        None => entries.push((key, value)),
    }
}

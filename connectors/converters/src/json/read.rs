//! JSON by its schema to CBOR, in one pass.
//!
//! Follows `JsonConverter.convertToConnect`, which asks little: a string read as a number is 0, a number read as a string null. Members of an object are
//! expected in the schema's order, and looked for when they come in another. Not here: the envelope.

use tombolo_sdk::cbor::write;
use tombolo_sdk::columns::Written;
use tombolo_sdk::java::parse_decimal;
use tombolo_sdk::json::{DEPTH_MAX, Number, Numbers, Reader, Text, Token, Transcoder};
use tombolo_sdk::schema::SchemaType;

use super::plan::{Field, Logical, Parts, Plan};
use super::refused::Refused;
use super::repeated::without_repeated;
use super::{base64, number};

/// Milliseconds in a day.
const DAY: i64 = 86_400_000;

/// What stands in the text where a value should be.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    /// Nothing: the text is empty.
    Missing,
    /// A token, already passed.
    Found(Token<'a>),
}

impl Node<'_> {
    /// Jackson's name for it, as `NUMBER`.
    fn name(self) -> &'static str {
        match self {
            Self::Missing => "MISSING",
            Self::Found(Token::Null) => "NULL",
            Self::Found(Token::Boolean(_)) => "BOOLEAN",
            Self::Found(Token::Number(_)) => "NUMBER",
            Self::Found(Token::Text(_)) => "STRING",
            Self::Found(Token::Array) => "ARRAY",
            Self::Found(Token::Object) => "OBJECT",
        }
    }
}

/// Where a value stands in a struct, for the message that it must not be null. Outside of structs nothing is checked.
#[derive(Clone, Copy)]
enum Place<'a> {
    Outside,
    Field(&'a str),
    Element(&'a Place<'a>),
    Key(&'a Place<'a>),
    Value(&'a Place<'a>),
}

impl Place<'_> {
    fn describe(&self) -> Option<String> {
        Some(match self {
            Self::Outside => return None,
            Self::Field(name) => format!("field: \"{name}\""),
            Self::Element(of) => format!("element of array {}", of.describe()?),
            Self::Key(of) => format!("key of map {}", of.describe()?),
            Self::Value(of) => format!("value of map {}", of.describe()?),
        })
    }
}

/// Reads payloads. Its buffers are used again from row to row.
pub(super) struct PayloadReader {
    /// `replace.null.with.default`.
    pub(super) null_to_default: bool,
    transcoder: Transcoder,
    scratch: Vec<u8>,
}

impl PayloadReader {
    pub(super) fn new(null_to_default: bool) -> Self {
        let transcoder = Transcoder::new(Numbers::Connect);
        Self { null_to_default, transcoder, scratch: Vec::new() }
    }

    /// Appends the value at a reader, by its schema or without one.
    pub(super) fn payload(
        &mut self,
        plan: Option<&Plan>,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Written, Refused> {
        let Some(plan) = plan else {
            if reader.peek() == Some(b'n') {
                reader.token()?;
                return Ok(Written::Null);
            }
            self.transcoder.transcode_at(reader, out)?;
            return Ok(Written::Item);
        };
        let node = Node::Found(reader.token()?);
        self.node(plan, node, reader, out)
    }

    /// Appends the value of a node that was read.
    pub(super) fn node<'a>(
        &mut self,
        plan: &Plan,
        node: Node<'a>,
        reader: &mut Reader<'a>,
        out: &mut Vec<u8>,
    ) -> Result<Written, Refused> {
        let mut pass = Pass { of: self, reader, out, depth: 0 };
        pass.value(plan, node, &Place::Outside)
    }
}

/// One value on its way.
struct Pass<'p, 'a> {
    of: &'p mut PayloadReader,
    reader: &'p mut Reader<'a>,
    out: &'p mut Vec<u8>,
    depth: usize,
}

impl<'a> Pass<'_, 'a> {
    /// Appends a value; CBOR null where it is null.
    #[inline]
    fn value(
        &mut self,
        plan: &Plan,
        node: Node<'a>,
        place: &Place<'_>,
    ) -> Result<Written, Refused> {
        if let Node::Found(Token::Null) = node {
            return self.absent(plan);
        }
        if let Some(logical) = plan.logical {
            return self.logical(logical, node);
        }
        match plan.type_ {
            SchemaType::Text => return self.text(plan, node, place),
            SchemaType::Bytes => return self.bytes(plan, node, place),
            SchemaType::Array | SchemaType::Map | SchemaType::Struct => {
                return self.collection(plan, node, place);
            }
            SchemaType::Boolean => {
                write::boolean(self.out, matches!(node, Node::Found(Token::Boolean(true))));
            }
            SchemaType::Float32 => {
                write::f32(self.out, numeric(node).map_or(0.0, number::float));
            }
            SchemaType::Float64 => {
                write::f64(self.out, numeric(node).map_or(0.0, |number| number.to_f64()));
            }
            SchemaType::Int8 | SchemaType::Int16 | SchemaType::Int32 | SchemaType::Int64 => {
                let value = numeric(node).map_or(0, number::integer);
                write::int(self.out, narrowed(plan.type_, value));
            }
        }
        self.pass_rest(node)?;
        Ok(Written::Item)
    }

    /// Passes what a collection holds where none was expected.
    fn pass_rest(&mut self, node: Node<'_>) -> Result<(), Refused> {
        let mut first = true;
        match node {
            Node::Found(Token::Array) => {
                while self.reader.element(std::mem::take(&mut first))? {
                    self.reader.skip()?;
                }
            }
            Node::Found(Token::Object) => {
                while self.reader.member(std::mem::take(&mut first))?.is_some() {
                    self.reader.skip()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Null, or a member that is not there.
    fn absent(&mut self, plan: &Plan) -> Result<Written, Refused> {
        if let Some(default) = plan.default.as_ref().filter(|_| self.of.null_to_default) {
            self.out.extend_from_slice(default);
            return Ok(Written::Item);
        }
        if !plan.optional {
            let message = format!("Invalid null value for required {} field", plan.type_name());
            return Err(Refused::data(message));
        }
        write::null(self.out);
        Ok(Written::Null)
    }

    /// A value of another type that Jackson gives as null. A struct refuses it where its schema does.
    #[cold]
    fn unfit(
        &mut self,
        plan: &Plan,
        node: Node<'_>,
        place: &Place<'_>,
    ) -> Result<Written, Refused> {
        self.pass_rest(node)?;
        if let Some(place) = place.describe().filter(|_| !plan.optional) {
            let type_ = plan.type_name();
            return Err(Refused::data(format!(
                "Invalid value: null used for required {place}, schema type: {type_}"
            )));
        }
        write::null(self.out);
        Ok(Written::Null)
    }

    #[inline]
    fn text(&mut self, plan: &Plan, node: Node<'_>, place: &Place<'_>) -> Result<Written, Refused> {
        let Node::Found(Token::Text(text)) = node else { return self.unfit(plan, node, place) };
        if text.escaped {
            let decoded = self.decoded(text);
            write::text_head(self.out, decoded.len());
            self.out.extend_from_slice(&decoded);
            self.of.scratch = decoded;
        } else {
            write::text(self.out, text.raw);
        }
        Ok(Written::Item)
    }

    /// A string without its escapes, in the scratch buffer, which the caller gives back.
    fn decoded(&mut self, text: Text<'_>) -> Vec<u8> {
        let mut scratch = std::mem::take(&mut self.of.scratch);
        scratch.clear();
        text.decode(&mut scratch);
        scratch
    }

    /// The bytes that a base64 string stands for, in the scratch buffer, which the caller gives back.
    fn decoded_base64(&mut self, text: Text<'_>, refused: &str) -> Result<Vec<u8>, Refused> {
        let mut bytes = std::mem::take(&mut self.of.scratch);
        bytes.clear();
        let read = if text.escaped {
            let mut decoded = Vec::with_capacity(text.raw.len());
            text.decode(&mut decoded);
            base64::read(&mut bytes, &decoded)
        } else {
            base64::read(&mut bytes, text.raw.as_bytes())
        };
        if read { Ok(bytes) } else { Err(Refused::data(refused)) }
    }

    fn bytes(
        &mut self,
        plan: &Plan,
        node: Node<'_>,
        place: &Place<'_>,
    ) -> Result<Written, Refused> {
        let Node::Found(Token::Text(text)) = node else { return self.unfit(plan, node, place) };
        let bytes = self.decoded_base64(text, "Invalid bytes field")?;
        write::bytes(self.out, &bytes);
        self.of.scratch = bytes;
        Ok(Written::Item)
    }

    fn logical(&mut self, logical: Logical, node: Node<'_>) -> Result<Written, Refused> {
        let wrong = |type_: &str, representation: &str| {
            Refused::data(format!(
                "Invalid type for {type_}, underlying representation should be {representation} but was {}",
                node.name()
            ))
        };
        match logical {
            Logical::Decimal(scale) => return self.decimal(scale, node),
            Logical::Date => match numeric(node).and_then(number::exact_i32) {
                Some(days) => write::date(self.out, i64::from(days)),
                None => return Err(wrong("Date", "integer")),
            },
            Logical::Time => match numeric(node).and_then(number::exact_i32).map(i64::from) {
                Some(millis @ 0..=DAY) => write::time(self.out, millis),
                Some(_) => {
                    return Err(Refused::data(
                        "Time values must use number of milliseconds greater than 0 and less than 86400000",
                    ));
                }
                None => return Err(wrong("Time", "integer")),
            },
            Logical::Timestamp => match numeric(node).filter(|number| number.integral) {
                Some(number) => write::timestamp(self.out, number.to_i64()),
                None => return Err(wrong("Timestamp", "integral")),
            },
        }
        Ok(Written::Item)
    }

    fn decimal(&mut self, scale: Option<i32>, node: Node<'_>) -> Result<Written, Refused> {
        let unreadable = "Invalid bytes for Decimal field";
        match node {
            Node::Found(Token::Number(number)) => {
                let (unscaled, scale) =
                    parse_decimal(number.text).ok_or_else(|| Refused::data(unreadable))?;
                write::decimal_bytes(self.out, &unscaled, scale);
            }
            Node::Found(Token::Text(text)) => {
                let bytes = self.decoded_base64(text, unreadable)?;
                let scale = scale.filter(|_| !bytes.is_empty());
                let scale = scale.ok_or_else(|| Refused::data(unreadable))?;
                write::decimal_bytes(self.out, &bytes, scale);
                self.of.scratch = bytes;
            }
            _ => {
                return Err(Refused::data(format!(
                    "Invalid type for Decimal, underlying representation should be numeric or bytes but was {}",
                    node.name()
                )));
            }
        }
        Ok(Written::Item)
    }

    fn collection(
        &mut self,
        plan: &Plan,
        node: Node<'a>,
        place: &Place<'_>,
    ) -> Result<Written, Refused> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Refused::data(format!("JSON nested deeper than {DEPTH_MAX}")));
        }
        match &plan.parts {
            Parts::Array(element) => self.array(element.as_deref(), node, place)?,
            Parts::Map { key, value } => {
                let text_keys = key.as_ref().is_some_and(|key| key.type_ == SchemaType::Text);
                if text_keys {
                    self.object_map(value.as_deref(), node, place)?;
                } else {
                    self.pair_map((key.as_deref(), value.as_deref()), node, place)?;
                }
            }
            Parts::Struct(fields) => self.structure(fields, node)?,
            Parts::None => write::null(self.out),
        }
        self.depth -= 1;
        Ok(Written::Item)
    }

    /// A part of a collection; one without a schema as it comes.
    fn part(&mut self, plan: Option<&Plan>, place: &Place<'_>) -> Result<Written, Refused> {
        match plan {
            Some(plan) => {
                let node = Node::Found(self.reader.token()?);
                self.value(plan, node, place)
            }
            None => {
                self.of.transcoder.transcode_at(self.reader, self.out)?;
                Ok(Written::Item)
            }
        }
    }

    /// Elements of an array, or, as Jackson has it, the members of an object; anything else has none.
    fn array(
        &mut self,
        element: Option<&Plan>,
        node: Node<'_>,
        place: &Place<'_>,
    ) -> Result<(), Refused> {
        let place = Place::Element(place);
        let open = write::begin(self.out);
        let mut items = 0;
        match node {
            Node::Found(Token::Array) => {
                while self.reader.element(items == 0)? {
                    self.part(element, &place)?;
                    items += 1;
                }
            }
            Node::Found(Token::Object) => {
                while self.reader.member(items == 0)?.is_some() {
                    self.part(element, &place)?;
                    items += 1;
                }
            }
            _ => {}
        }
        write::end_array(self.out, open, items);
        Ok(())
    }

    fn object_map(
        &mut self,
        value: Option<&Plan>,
        node: Node<'_>,
        place: &Place<'_>,
    ) -> Result<(), Refused> {
        if !matches!(node, Node::Found(Token::Object)) {
            let found = node.name();
            return Err(Refused::data(format!(
                "Maps with string fields should be encoded as JSON objects, but found {found}"
            )));
        }
        let place = Place::Value(place);
        let start = self.out.len();
        let open = write::begin(self.out);
        let mut pairs = 0;
        while let Some(name) = self.reader.member(pairs == 0)? {
            let decoded = self.decoded(name);
            write::text_head(self.out, decoded.len());
            self.out.extend_from_slice(&decoded);
            self.of.scratch = decoded;
            self.part(value, &place)?;
            pairs += 1;
        }
        write::end_map(self.out, open, pairs);
        Ok(without_repeated(self.out, start)?)
    }

    fn pair_map(
        &mut self,
        (key, value): (Option<&Plan>, Option<&Plan>),
        node: Node<'_>,
        place: &Place<'_>,
    ) -> Result<(), Refused> {
        if !matches!(node, Node::Found(Token::Array)) {
            let found = node.name();
            return Err(Refused::data(format!(
                "Maps with non-string fields should be encoded as JSON array of tuples, but found {found}"
            )));
        }
        let start = self.out.len();
        let open = write::begin(self.out);
        let mut pairs = 0;
        while self.reader.element(pairs == 0)? {
            let entry = Node::Found(self.reader.token()?);
            if !matches!(entry, Node::Found(Token::Array)) {
                return Err(Refused::data(format!(
                    "Found invalid map entry instead of array tuple: {}",
                    entry.name()
                )));
            }
            let mut size = 0;
            while self.reader.element(size == 0)? {
                match size {
                    0 => drop(self.part(key, &Place::Key(place))?),
                    1 => drop(self.part(value, &Place::Value(place))?),
                    _ => drop(self.reader.skip()?),
                }
                size += 1;
            }
            if size != 2 {
                return Err(Refused::data(format!(
                    "Found invalid map entry, expected length 2 but found :{size}"
                )));
            }
            pairs += 1;
        }
        write::end_map(self.out, open, pairs);
        Ok(without_repeated(self.out, start)?)
    }

    fn structure(&mut self, fields: &[Field], node: Node<'_>) -> Result<(), Refused> {
        if !matches!(node, Node::Found(Token::Object)) {
            let found = node.name();
            return Err(Refused::data(format!(
                "Structs should be encoded as JSON objects, but found {found}"
            )));
        }
        write::map(self.out, fields.len());
        let (body, start) = (self.reader.clone(), self.out.len());
        if self.in_order(fields)? {
            return Ok(());
        }
        *self.reader = body;
        self.out.truncate(start);
        self.in_any_order(fields)
    }

    /// Fields whose members come in the schema's order, some of them perhaps missing; false as soon as one does not.
    #[inline]
    fn in_order(&mut self, fields: &[Field]) -> Result<bool, Refused> {
        let mut rest = fields.iter();
        let mut first = true;
        while let Some(name) = self.reader.member(std::mem::take(&mut first))? {
            let here = rest.as_slice().iter().position(|field| name.is(&field.name));
            let Some(missing) = here else {
                // A member that the schema does not know, or one that came before already.
                let done = fields.len() - rest.as_slice().len();
                if fields.iter().take(done).any(|field| name.is(&field.name)) {
                    return Ok(false);
                }
                self.reader.skip()?;
                continue;
            };
            for field in rest.by_ref().take(missing) {
                // It may come later: only then, and at the end, is it known to be missing.
                if field.plan.default.is_none() && !field.plan.optional {
                    return Ok(false);
                }
                self.field_absent(field)?;
            }
            let Some(field) = rest.next() else { return Ok(false) };
            let node = Node::Found(self.reader.token()?);
            self.out.extend_from_slice(&field.cbor_key);
            self.value(&field.plan, node, &Place::Field(&field.name))?;
        }
        rest.try_for_each(|field| self.field_absent(field))?;
        Ok(true)
    }

    fn field_absent(&mut self, field: &Field) -> Result<(), Refused> {
        self.out.extend_from_slice(&field.cbor_key);
        self.absent(&field.plan).map(drop)
    }

    /// Fields whose members come in any order, the last of each name counting.
    #[cold]
    fn in_any_order(&mut self, fields: &[Field]) -> Result<(), Refused> {
        let mut found: Vec<Option<Reader<'a>>> = vec![None; fields.len()];
        let mut first = true;
        while let Some(name) = self.reader.member(std::mem::take(&mut first))? {
            let place = fields.iter().position(|field| name.is(&field.name));
            if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
                *slot = Some(self.reader.clone());
            }
            self.reader.skip()?;
        }
        let end = self.reader.clone();
        for (field, member) in fields.iter().zip(found) {
            let Some(member) = member else {
                self.field_absent(field)?;
                continue;
            };
            *self.reader = member;
            let node = Node::Found(self.reader.token()?);
            self.out.extend_from_slice(&field.cbor_key);
            self.value(&field.plan, node, &Place::Field(&field.name))?;
        }
        *self.reader = end;
        Ok(())
    }
}

fn numeric(node: Node<'_>) -> Option<Number<'_>> {
    match node {
        Node::Found(Token::Number(number)) => Some(number),
        _ => None,
    }
}

/// As Java's casts narrow: the low bits.
#[expect(clippy::cast_possible_truncation, reason = "Java's casts drop the high bits as well")]
fn narrowed(type_: SchemaType, value: i64) -> i64 {
    match type_ {
        SchemaType::Int8 => i64::from(value as i8),
        SchemaType::Int16 => i64::from(value as i16),
        SchemaType::Int32 => i64::from(value as i32),
        _ => value,
    }
}

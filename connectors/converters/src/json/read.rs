//! JSON by its schema to CBOR, in one pass.
//!
//! Follows `JsonConverter.convertToConnect`, which asks little: a string read as a number is 0, a number read as a string null. Members of an object are
//! expected in the schema's order, and looked for when they come in another. Not here: the envelope.

use tombolo_sdk::cbor::write;
use tombolo_sdk::columns::Written;
use tombolo_sdk::java::parse_decimal;
use tombolo_sdk::json::{Number, Numbers, Reader, Text, Token, Transcoder};
use tombolo_sdk::schema::SchemaType;

use super::plan::{Logical, Plan};
use super::refused::Refused;
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
    pub(super) fn name(self) -> &'static str {
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
pub(super) enum Place<'a> {
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
    pub(super) transcoder: Transcoder,
    pub(super) scratch: Vec<u8>,
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
pub(super) struct Pass<'p, 'a> {
    pub(super) of: &'p mut PayloadReader,
    pub(super) reader: &'p mut Reader<'a>,
    pub(super) out: &'p mut Vec<u8>,
    pub(super) depth: usize,
}

impl<'a> Pass<'_, 'a> {
    /// Appends a value; CBOR null where it is null.
    #[inline]
    pub(super) fn value(
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
    pub(super) fn absent(&mut self, plan: &Plan) -> Result<Written, Refused> {
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
    pub(super) fn decoded(&mut self, text: Text<'_>) -> Vec<u8> {
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
                    parse_decimal(number.text()).ok_or_else(|| Refused::data(unreadable))?;
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

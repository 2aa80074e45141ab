//! CBOR to JSON by its schema, in one pass.
//!
//! Follows `JsonConverter.convertToJson`. Not here: the schema itself (`schema_write`), values without one (the SDK).

use tombolo_sdk::cbor::{Cursor, DEPTH_MAX, Token};
use tombolo_sdk::json::{self, Decimals};
use tombolo_sdk::schema::SchemaType;
use tombolo_sdk::{base64, itoa, java};

use super::plan::{Field, Logical, Parts, Plan};
use super::refused::Refused;

/// Milliseconds in a day.
const DAY: i64 = 86_400_000;

/// Writes payloads.
pub(super) struct PayloadWriter {
    /// `decimal.format`.
    pub(super) decimals: Decimals,
    /// `replace.null.with.default`.
    pub(super) null_to_default: bool,
}

impl PayloadWriter {
    /// Appends a value, by its schema or without one.
    pub(super) fn write(
        &self,
        plan: Option<&Plan>,
        value: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        match (plan, value) {
            (None, None) => out.extend_from_slice(b"null"),
            (None, Some(value)) => json::from_cbor(value, self.decimals, out)?,
            (Some(plan), None) => self.absent(plan, out)?,
            (Some(plan), Some(value)) => self.item(plan, &mut Cursor::new(value), out, 0)?,
        }
        Ok(())
    }

    /// A null: its default, or `null` where that is a value.
    fn absent(&self, plan: &Plan, out: &mut Vec<u8>) -> Result<(), Refused> {
        if let Some(default) = plan.default.as_ref().filter(|_| self.null_to_default) {
            return self.item(plan, &mut Cursor::new(default), out, 0);
        }
        if !plan.optional {
            return Err(Refused::data(
                "Conversion error: null value for field that is required and has no default value",
            ));
        }
        out.extend_from_slice(b"null");
        Ok(())
    }

    fn item(
        &self,
        plan: &Plan,
        cursor: &mut Cursor<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), Refused> {
        if depth > DEPTH_MAX {
            return Err(Refused::data(format!("Value nested deeper than {DEPTH_MAX}")));
        }
        let token = cursor.token()?;
        if token == Token::Null {
            return self.absent(plan, out);
        }
        if let Some(logical) = plan.logical {
            return self.logical(logical, &token, out);
        }
        use SchemaType as Type;
        match (plan.type_, token) {
            (Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64, Token::Int(value)) => {
                itoa::write_signed(out, value);
            }
            (Type::Float32, Token::Float32(value)) => json::float(out, value),
            (Type::Float64, Token::Float64(value)) => json::double(out, value),
            (Type::Boolean, Token::Boolean(value)) => {
                out.extend_from_slice(if value { b"true" } else { b"false" });
            }
            (Type::Text, Token::Text(value)) => json::string(out, value.as_bytes()),
            (Type::Bytes, Token::Bytes(value)) => quoted_base64(out, value),
            (Type::Array, Token::Array(items)) => self.array(plan, cursor, out, (items, depth))?,
            (Type::Map, Token::Map(pairs)) => self.map(plan, cursor, out, (pairs, depth))?,
            (Type::Struct, Token::Map(pairs)) => {
                let Parts::Struct(fields) = &plan.parts else { return Err(mismatch()) };
                self.structure(fields, cursor, out, (pairs, depth))?;
            }
            (type_, token) => return Err(invalid_type(type_, &token)),
        }
        Ok(())
    }

    /// A part of a collection; one without a schema as it comes.
    #[inline]
    fn part(
        &self,
        plan: Option<&Plan>,
        cursor: &mut Cursor<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), Refused> {
        match plan {
            Some(plan) => self.item(plan, cursor, out, depth),
            None => Ok(json::from_cbor_cursor(cursor, self.decimals, out)?),
        }
    }

    fn array(
        &self,
        plan: &Plan,
        cursor: &mut Cursor<'_>,
        out: &mut Vec<u8>,
        (items, depth): (usize, usize),
    ) -> Result<(), Refused> {
        let element = match &plan.parts {
            Parts::Array(element) => element.as_deref(),
            _ => None,
        };
        out.push(b'[');
        for place in 0..items {
            if place > 0 {
                out.push(b',');
            }
            self.part(element, cursor, out, depth + 1)?;
        }
        out.push(b']');
        Ok(())
    }

    /// An object, if its schema says that keys are strings; else an array of pairs.
    fn map(
        &self,
        plan: &Plan,
        cursor: &mut Cursor<'_>,
        out: &mut Vec<u8>,
        (pairs, depth): (usize, usize),
    ) -> Result<(), Refused> {
        let (key, value) = match &plan.parts {
            Parts::Map { key, value } => (key.as_deref(), value.as_deref()),
            _ => (None, None),
        };
        let object = key.is_some_and(|key| key.type_ == SchemaType::Text);
        out.push(if object { b'{' } else { b'[' });
        for place in 0..pairs {
            if place > 0 {
                out.push(b',');
            }
            if !object {
                out.push(b'[');
            }
            self.part(key, cursor, out, depth + 1)?;
            out.push(if object { b':' } else { b',' });
            self.part(value, cursor, out, depth + 1)?;
            if !object {
                out.push(b']');
            }
        }
        out.push(if object { b'}' } else { b']' });
        Ok(())
    }

    fn structure(
        &self,
        fields: &[Field],
        cursor: &mut Cursor<'_>,
        out: &mut Vec<u8>,
        (pairs, depth): (usize, usize),
    ) -> Result<(), Refused> {
        if pairs != fields.len() {
            return Err(mismatch());
        }
        out.push(b'{');
        for (place, field) in fields.iter().enumerate() {
            if cursor.item()? != field.cbor_key {
                return Err(mismatch());
            }
            let key =
                if place == 0 { field.json_key.get(1..) } else { Some(field.json_key.as_slice()) };
            out.extend_from_slice(key.unwrap_or_default());
            self.item(&field.plan, cursor, out, depth + 1)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn logical(
        &self,
        logical: Logical,
        token: &Token<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        let wrong = |type_: &str, expected: &str| {
            let found = java::class_name(token, None);
            let message =
                format!("Invalid type for {type_}, expected {expected} but was class {found}");
            Refused::data(message)
        };
        match (logical, token) {
            (Logical::Decimal(scale), Token::Decimal(value)) => match self.decimals {
                Decimals::Numeric => {
                    out.extend_from_slice(java::decimal_to_string(value).as_bytes());
                }
                Decimals::Base64 => {
                    let scale = scale.ok_or_else(|| {
                        Refused::data("Invalid Decimal schema: scale parameter not found.")
                    })?;
                    if scale != value.scale {
                        return Err(Refused::data(format!(
                            "Decimal value has mismatching scale for given Decimal schema. Schema has scale {scale}, value has scale {}.",
                            value.scale
                        )));
                    }
                    let mut unscaled = Vec::with_capacity(16);
                    value.unscaled.twos_complement(&mut unscaled);
                    quoted_base64(out, &unscaled);
                }
            },
            (Logical::Decimal(_), _) => return Err(wrong("Decimal", "BigDecimal")),
            (Logical::Date, token) => {
                let millis = millis(token).ok_or_else(|| wrong("Date", "Date"))?;
                if millis % DAY != 0 {
                    return Err(Refused::data(
                        "Kafka Connect Date type should not have any time fields set to non-zero values.",
                    ));
                }
                itoa::write_signed(out, millis / DAY);
            }
            (Logical::Time, token) => {
                let millis = millis(token).ok_or_else(|| wrong("Time", "Date"))?;
                if !(0..=DAY).contains(&millis) {
                    return Err(Refused::data(
                        "Kafka Connect Time type should not have any date fields set to non-zero values.",
                    ));
                }
                itoa::write_signed(out, millis);
            }
            (Logical::Timestamp, token) => {
                let millis = millis(token).ok_or_else(|| wrong("Timestamp", "Date"))?;
                itoa::write_signed(out, millis);
            }
        }
        Ok(())
    }
}

/// What Java has as one class: a date, a time of day or a timestamp, in milliseconds since the epoch.
fn millis(token: &Token<'_>) -> Option<i64> {
    match token {
        Token::Date(days) => days.checked_mul(DAY),
        Token::Time(millis) | Token::Timestamp(millis) => Some(*millis),
        _ => None,
    }
}

fn quoted_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    base64::write(out, bytes);
    out.push(b'"');
}

#[cold]
fn mismatch() -> Refused {
    Refused::data("Mismatching schema.")
}

#[cold]
fn invalid_type(type_: SchemaType, token: &Token<'_>) -> Refused {
    let found = java::class_name(token, None);
    Refused::data(format!("Invalid type for {}: class {found}", java::type_name(type_)))
}

//! Reads CBOR through serde, straight from the cursor.
//!
//! A timestamp and a time of day are integers of milliseconds to serde, a date one of days, a decimal text, or a float where one is asked for.
//! Not here: what these mean (`logical`).

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Cursor, DEPTH_MAX, Decimal, Error, Token, Why};

/// Reads one value, borrowing text and bytes from `bytes` where the type can.
///
/// Errors: bytes outside the profile; a value of another shape than the type's; more than one item.
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Error> {
    let mut cursor = Cursor::new(bytes);
    let value = T::deserialize(Deserializer::new(&mut cursor))?;
    cursor.end()?;
    Ok(value)
}

/// Reads the item at a cursor.
pub struct Deserializer<'c, 'de> {
    cursor: &'c mut Cursor<'de>,
    depth: usize,
}

impl<'c, 'de> Deserializer<'c, 'de> {
    /// At this cursor.
    pub fn new(cursor: &'c mut Cursor<'de>) -> Self {
        Self { cursor, depth: 0 }
    }

    fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let start = self.cursor.position();
        match self.cursor.token()? {
            Token::Null => visitor.visit_unit(),
            Token::Boolean(value) => visitor.visit_bool(value),
            Token::Int(value)
            | Token::Date(value)
            | Token::Timestamp(value)
            | Token::Time(value) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(value),
            },
            Token::Float32(value) => visitor.visit_f32(value),
            Token::Float64(value) => visitor.visit_f64(value),
            Token::Text(value) => visitor.visit_borrowed_str(value),
            Token::Bytes(value) => visitor.visit_borrowed_bytes(value),
            Token::Decimal(value) => visitor.visit_string(crate::java::decimal_to_string(&value)),
            Token::Array(left) => visitor.visit_seq(self.members(left, start)?),
            Token::Map(left) => visitor.visit_map(self.members(left, start)?),
        }
    }

    fn members(self, left: usize, start: usize) -> Result<Members<'c, 'de>, Error> {
        if self.depth >= DEPTH_MAX {
            return Err(Error::refused("a value nested too deep", start));
        }
        Ok(Members { cursor: self.cursor, left, depth: self.depth + 1 })
    }

    fn float<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.cursor.peek()? {
            Token::Decimal(value) => {
                self.cursor.skip()?;
                visitor.visit_f64(decimal_to_f64(&value))
            }
            _ => self.visit(visitor),
        }
    }
}

fn decimal_to_f64(value: &Decimal<'_>) -> f64 {
    crate::java::decimal_to_string(value).parse().unwrap_or(f64::NAN)
}

impl<'de> serde::Deserializer<'de> for Deserializer<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit(visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.float(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.float(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.cursor.peek()? == Token::Null {
            self.cursor.skip()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let start = self.cursor.position();
        match self.cursor.token()? {
            Token::Text(name) => visitor.visit_enum(name.into_deserializer()),
            Token::Map(1) => visitor.visit_enum(self.members(1, start)?),
            other => {
                let expected = "an enum: text, or a map of one member";
                Err(Error::new(Why::Type { expected, found: other.name() }, start))
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.cursor.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier
    }
}

/// The members of an array or a map that are left to read.
struct Members<'c, 'de> {
    cursor: &'c mut Cursor<'de>,
    left: usize,
    depth: usize,
}

impl<'de> Members<'_, 'de> {
    fn member(&mut self) -> Deserializer<'_, 'de> {
        Deserializer { cursor: self.cursor, depth: self.depth }
    }
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.member()).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.member())
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> EnumAccess<'de> for Members<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(mut self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = seed.deserialize(self.member())?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Members<'_, 'de> {
    type Error = Error;

    fn unit_variant(mut self) -> Result<(), Error> {
        <()>::deserialize(self.member())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.member())
    }

    fn tuple_variant<V: Visitor<'de>>(
        mut self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.member().visit(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.member().visit(visitor)
    }
}

//! The transformations and predicates of Apache Kafka, under their class names, in one component.
//!
//! Each stands in a file of its own; what field transformations share is in `fields`, `part` and `remake`. All of them work
//! on CBOR with a cursor and copy what they do not change; what depends on a schema is worked out once per schema. Not here: the chain, which the SDK runs.

mod cast;
mod clock;
mod convert;
mod extract_field;
mod fields;
mod filter;
mod flatten;
mod header_from;
mod headers;
mod hoist_field;
mod insert_field;
mod lists;
mod mask_field;
mod names;
mod part;
mod path;
mod predicates;
mod regex_router;
mod remake;
mod replace_field;
mod set_schema_metadata;
#[cfg(test)]
mod tests;
mod timestamp;
mod timestamp_converter;
mod timestamp_router;
mod value_to_key;
#[cfg(test)]
#[path = "../../converters/tests/vectors/reader.rs"]
mod vectors;

use self::cast::Cast;
use self::extract_field::ExtractField;
use self::filter::Filter;
use self::flatten::Flatten;
use self::header_from::HeaderFrom;
use self::headers::{DropHeaders, InsertHeader};
use self::hoist_field::HoistField;
use self::insert_field::InsertField;
use self::mask_field::MaskField;
use self::part::{Key, On, Value};
use self::predicates::{HasHeaderKey, RecordIsTombstone, TopicNameMatches};
use self::regex_router::RegexRouter;
use self::replace_field::ReplaceField;
use self::set_schema_metadata::SetSchemaMetadata;
use self::timestamp_converter::TimestampConverter;
use self::timestamp_router::TimestampRouter;
use self::value_to_key::ValueToKey;

tombolo_sdk::export! {
    transformation: [
        On<Key, Cast>,
        On<Value, Cast>,
        DropHeaders,
        On<Key, ExtractField>,
        On<Value, ExtractField>,
        Filter,
        On<Key, Flatten>,
        On<Value, Flatten>,
        On<Key, HeaderFrom>,
        On<Value, HeaderFrom>,
        On<Key, HoistField>,
        On<Value, HoistField>,
        On<Key, InsertField>,
        On<Value, InsertField>,
        InsertHeader,
        On<Key, MaskField>,
        On<Value, MaskField>,
        RegexRouter,
        On<Key, ReplaceField>,
        On<Value, ReplaceField>,
        On<Key, SetSchemaMetadata>,
        On<Value, SetSchemaMetadata>,
        On<Key, TimestampConverter>,
        On<Value, TimestampConverter>,
        TimestampRouter,
        ValueToKey,
    ],
    predicate: [HasHeaderKey, RecordIsTombstone, TopicNameMatches],
}

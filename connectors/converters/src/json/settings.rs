//! Settings of `JsonConverter`.
//!
//! Follows `JsonConverterConfig` of Kafka Connect.

use tombolo_sdk::json::Decimals;
use tombolo_sdk::settings::{
    ConfigError, Configuration, Definition, Importance, Key, Settings, Width,
};

use crate::role::TYPE;

const SCHEMAS_ENABLE: Key<bool> = Key::new("schemas.enable")
    .doc("Whether each key and value carries its schema beside it.")
    .default("true")
    .importance(Importance::High)
    .shown("Schemas", 0, Width::Medium, "Enable Schemas");

const CACHE_SIZE: Key<i32> = Key::new("schemas.cache.size")
    .doc("How many schemas, as they stand in messages, are remembered.")
    .default("1000")
    .importance(Importance::High)
    .shown("Schemas", 1, Width::Medium, "Schema Cache Size");

const SCHEMA_CONTENT: Key<Option<String>> = Key::new("schema.content")
    .doc(
        "A schema for all messages that are read, which then are payloads without a schema of \
         their own. Only with schemas.enable.",
    )
    .importance(Importance::High)
    .shown("Schemas", 2, Width::Medium, "Schema Content");

const DECIMAL_FORMAT: Key<String> = Key::new("decimal.format")
    .doc("How decimals are written: BASE64, as bytes, or NUMERIC, as numbers. Both are read.")
    .default("BASE64")
    .one_of_ignoring_case(&["NUMERIC", "BASE64"])
    .importance(Importance::Low)
    .shown("Serialization", 0, Width::Medium, "Decimal Format");

const NULL_TO_DEFAULT: Key<bool> = Key::new("replace.null.with.default")
    .doc("Whether a null is replaced by its schema's default, where there is one.")
    .default("true")
    .importance(Importance::Low)
    .shown("Serialization", 1, Width::Medium, "Replace null with default");

/// What they say.
pub(crate) struct JsonSettings {
    pub(super) schemas: bool,
    pub(super) cache_size: usize,
    pub(super) schema_content: Option<String>,
    pub(super) decimals: Decimals,
    pub(super) null_to_default: bool,
}

impl Configuration for JsonSettings {
    const KEYS: &'static [&'static dyn Definition] =
        &[&TYPE, &SCHEMAS_ENABLE, &CACHE_SIZE, &SCHEMA_CONTENT, &DECIMAL_FORMAT, &NULL_TO_DEFAULT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        TYPE.get(settings)?;
        Ok(Self {
            schemas: SCHEMAS_ENABLE.get(settings)?,
            cache_size: usize::try_from(CACHE_SIZE.get(settings)?).unwrap_or(0),
            schema_content: SCHEMA_CONTENT.get(settings)?.filter(|content| !content.is_empty()),
            decimals: match DECIMAL_FORMAT.get(settings)?.eq_ignore_ascii_case("NUMERIC") {
                true => Decimals::Numeric,
                false => Decimals::Base64,
            },
            null_to_default: NULL_TO_DEFAULT.get(settings)?,
        })
    }
}

//! `InsertHeader` and `DropHeaders`: headers of a fixed value, and headers taken away. Not here: headers from fields (`header_from`).

use tombolo_sdk::columns::{Columns, SchemaNumber};
use tombolo_sdk::fault::{Failure, Fault};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::row::Row;
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};
use tombolo_sdk::transformation::{Next, Transformation};
use tombolo_sdk::values::{self, Typed};

use crate::lists::some_members;

const HEADER: Key<String> =
    Key::new("header").doc("Name of the header.").importance(Importance::High);
const LITERAL: Key<String> = Key::new("value.literal")
    .doc("Text from which the header's value is inferred, as SimpleHeaderConverter infers it.")
    .importance(Importance::High);
const HEADERS: Key<Vec<String>> =
    Key::new("headers").doc("Names of the headers to drop.").importance(Importance::High);

/// What the settings of `InsertHeader` say.
pub(crate) struct InsertSettings {
    name: String,
    /// None for null.
    value: Option<Typed>,
}

impl Configuration for InsertSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&HEADER, &LITERAL];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let (name, literal) = (HEADER.get(settings)?, LITERAL.get(settings)?);
        let unread = |_| ConfigError::invalid(LITERAL.name(), &literal, "Not a readable value");
        Ok(Self { name, value: values::parse(&literal).map_err(unread)? })
    }
}

/// The step that adds.
pub(crate) struct InsertHeader {
    name: String,
    /// The value as CBOR; none for null.
    item: Option<Vec<u8>>,
    schema: SchemaNumber,
}

impl Plugin for InsertHeader {
    type Settings = InsertSettings;
    const CLASS: &'static str = "org.apache.kafka.connect.transforms.InsertHeader";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Adds a header to each record.";
    const READS: Columns = Columns::HEADERS;
}

impl Transformation for InsertHeader {
    fn create(InsertSettings { name, value }: InsertSettings) -> Result<Self, Fault> {
        let Some(value) = value else { return Ok(Self { name, item: None, schema: 0 }) };
        let mut item = Vec::new();
        value.append(&mut item);
        Ok(Self { name, item: Some(item), schema: value.schema()? })
    }

    fn apply(&mut self, row: &mut Row<'_>) -> Result<Next, Failure> {
        row.add_header(&self.name, self.item.as_deref(), self.schema);
        Ok(Next::Keep)
    }
}

/// What the settings of `DropHeaders` say.
pub(crate) struct DropSettings(Vec<String>);

impl Configuration for DropSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&HEADERS];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        some_members(&HEADERS, settings).map(Self)
    }
}

/// The step that drops.
pub(crate) struct DropHeaders(Vec<String>);

impl Plugin for DropHeaders {
    type Settings = DropSettings;
    const CLASS: &'static str = "org.apache.kafka.connect.transforms.DropHeaders";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Takes headers away from each record.";
    const READS: Columns = Columns::HEADERS;
}

impl Transformation for DropHeaders {
    fn create(DropSettings(names): DropSettings) -> Result<Self, Fault> {
        Ok(Self(names))
    }

    fn apply(&mut self, row: &mut Row<'_>) -> Result<Next, Failure> {
        row.retain_headers(|name| !self.0.iter().any(|dropped| dropped == name));
        Ok(Next::Keep)
    }
}

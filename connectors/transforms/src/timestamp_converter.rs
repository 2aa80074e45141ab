//! `TimestampConverter`: a timestamp in another form: text, a number, or one of Connect's types. Not here: patterns, which the SDK has.

use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::java::date_format::DateFormat;
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{self, Schema, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};

use crate::cast::java_trim;
use crate::clock;
use crate::fields::{BySchema, Fields, NULL, key_of, no_field_list, with_fields};
use crate::lists::NULL_TO_DEFAULT;
use crate::part::PartStep;
use crate::remake::{self, Remade};
use crate::timestamp::{Form, Precision, Timestamps};

const PURPOSE: &str = "converting timestamp formats";

const FIELD: Key<String> = Key::new("field")
    .doc("The field with the timestamp; empty when the whole is one.")
    .default("")
    .importance(Importance::High);
const TARGET: Key<String> = Key::new("target.type")
    .doc("The new form: string, unix (a number), Date, Time or Timestamp.")
    .one_of(&["string", "unix", "Date", "Time", "Timestamp"])
    .recommended(&[])
    .importance(Importance::High);
const FORMAT: Key<String> = Key::new("format")
    .doc("How a timestamp is written as text, and read from it, as java.text.SimpleDateFormat has it; in UTC.")
    .default("");
const PRECISION: Key<String> = Key::new("unix.precision")
    .doc(
        "What a timestamp as a number counts, read or written: seconds, milliseconds, microseconds or nanoseconds. What is finer than milliseconds is lost.",
    )
    .default("milliseconds")
    .one_of(&["nanoseconds", "microseconds", "milliseconds", "seconds"])
    .recommended(&[])
    .importance(Importance::Low);

/// What the settings say.
pub(crate) struct TimestampSettings {
    field: String,
    timestamps: Timestamps,
    null_to_default: bool,
}

impl Configuration for TimestampSettings {
    const KEYS: &'static [&'static dyn Definition] =
        &[&FIELD, &TARGET, &FORMAT, &PRECISION, &NULL_TO_DEFAULT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let field = FIELD.get(settings)?;
        let target = match TARGET.get(settings)?.as_str() {
            "string" => Form::Text,
            "unix" => Form::Unix,
            "Date" => Form::Date,
            "Time" => Form::Time,
            _ => Form::Timestamp,
        };
        let pattern = FORMAT.get(settings)?;
        let precision = match PRECISION.get(settings)?.as_str() {
            "nanoseconds" => Precision::Nanoseconds,
            "microseconds" => Precision::Microseconds,
            "seconds" => Precision::Seconds,
            _ => Precision::Milliseconds,
        };
        let null_to_default = NULL_TO_DEFAULT.get(settings)?;
        let is_blank = java_trim(&pattern).is_empty();
        if target == Form::Text && is_blank {
            let message = "TimestampConverter requires format option to be specified when using \
                           string timestamps";
            return Err(ConfigError::of(FORMAT.name(), message));
        }
        let format = (!is_blank).then(|| DateFormat::new(&pattern, clock::now())).transpose();
        let format = format.map_err(|bad| {
            // Kafka Connect takes the cause for a value, and the message for a setting.
            let message = format!(
                "Invalid value java.lang.IllegalArgumentException: {bad} for configuration \
                 TimestampConverter requires a SimpleDateFormat-compatible pattern for string \
                 timestamps: {pattern}"
            );
            ConfigError::of(FORMAT.name(), message)
        })?;
        let timestamps = Timestamps { target, format, precision };
        Ok(Self { field, timestamps, null_to_default })
    }
}

/// A schema before and after.
enum Updated {
    /// Of the whole: the form that a value has, or why it has none.
    Whole(Result<Form, Problem>, SchemaNumber),
    /// Of a struct: the form of its field, if it has it.
    Field(Option<Result<Form, Problem>>, Remade, SchemaNumber),
}

/// The step.
pub(crate) struct TimestampConverter {
    field: String,
    /// Its name as a CBOR item.
    keys: [Vec<u8>; 1],
    timestamps: Timestamps,
    null_to_default: bool,
    updated: BySchema<Updated>,
}

impl PartStep for TimestampConverter {
    type Settings = TimestampSettings;
    const KEY_CLASS: &'static str = "org.apache.kafka.connect.transforms.TimestampConverter$Key";
    const VALUE_CLASS: &'static str =
        "org.apache.kafka.connect.transforms.TimestampConverter$Value";
    const DOC: &'static str =
        "Gives a timestamp another form: text, a number, or one of Connect's types.";

    fn new(settings: TimestampSettings) -> Result<Self, Fault> {
        let TimestampSettings { field, timestamps, null_to_default } = settings;
        let keys = [key_of(&field)];
        Ok(Self { field, keys, timestamps, null_to_default, updated: BySchema::default() })
    }

    fn apply(&mut self, part: Part, row: &mut Row<'_>) -> Result<(), Failure> {
        let number = row.schema(part);
        if number == 0 {
            return self.apply_schemaless(part, row);
        }
        let mut cache = std::mem::take(&mut self.updated);
        let updated = cache.get(number, |schema| self.update(schema));
        self.updated = cache;
        let updated = updated?;
        row.set(part, |row, out| match &*updated {
            Updated::Whole(form, number) => {
                let form = form.clone()?;
                let Some(value) = row.get(part) else { return Ok((Written::Null, *number)) };
                self.timestamps.convert(value, Some(form), out)?;
                Ok((Written::Item, *number))
            }
            Updated::Field(form, remade, number) => {
                let value = row.get(part);
                if value.is_none() {
                    return if remade.type_ == SchemaType::Struct {
                        Ok((Written::Null, *number))
                    } else {
                        Err(no_field_list().into())
                    };
                }
                self.structure(value, form.as_ref(), remade, out)?;
                Ok((Written::Item, *number))
            }
        })
    }
}

impl TimestampConverter {
    fn apply_schemaless(&self, part: Part, row: &mut Row<'_>) -> Result<(), Failure> {
        if row.get(part).is_none() {
            return Ok(());
        }
        row.set(part, |row, out| {
            let value = row.get(part);
            if self.field.is_empty() {
                self.timestamps.convert(value.unwrap_or(NULL), None, out)?;
            } else {
                remake::map(&self.keys, (value, PURPOSE), out, |_, item, out| {
                    self.timestamps.convert(item, None, out)
                })?;
            }
            Ok((Written::Item, 0))
        })
    }

    fn structure(
        &self,
        value: Option<&[u8]>,
        form: Option<&Result<Form, Problem>>,
        remade: &Remade,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        // Without the field nothing is converted.
        let form = form.cloned().transpose()?.unwrap_or(Form::Timestamp);
        remade.write((value, PURPOSE), self.null_to_default, out, |_, _, item, out| {
            self.timestamps.convert(item, Some(form), out)
        })
    }

    /// The schema with the new form in it.
    fn update(&self, schema: &Schema) -> Result<Updated, Failure> {
        let target = self.timestamps.target;
        if self.field.is_empty() {
            let number = target.schema(schema.optional).define()?;
            return Ok(Updated::Whole(Form::of(schema), number));
        }
        let type_ = schema.type_;
        if type_ != SchemaType::Struct {
            let fields = Fields { all: Vec::new(), defaults: false };
            return Ok(Updated::Field(None, Remade { type_, fields, types: Vec::new() }, 0));
        }
        let fields = Fields::of(schema)?;
        let (mut form, mut all, mut types) = (None, Vec::new(), Vec::new());
        for field in &fields.all {
            let is_it = field.name == self.field;
            let mut number = field.number;
            if is_it {
                form = Some(Form::of(&field.schema));
                number = target.schema(field.schema.optional).define()?;
            }
            all.push((field.name.clone(), number));
            types.push(is_it.then(|| target.type_()));
        }
        let number = with_fields(schema, all)?;
        let remade = Remade { type_, fields, types };
        let new = schema::get(number).ok_or_else(|| Fault::fatal("a schema is gone"))?;
        let mut new = Schema { optional: schema.optional, ..Schema::clone(&new) };
        if let Some(default) = &schema.default {
            let mut item = Vec::new();
            self.structure(Some(default), form.as_ref(), &remade, &mut item)?;
            new.default = Some(item);
        }
        Ok(Updated::Field(form, remade, schema::define(new)?))
    }
}

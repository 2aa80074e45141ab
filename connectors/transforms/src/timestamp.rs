//! Timestamps in the forms that Connect data has for them, and from one to another. Not here: where they stand in a value.

use tombolo_sdk::cbor::{Cursor, Token, write};
use tombolo_sdk::fault::Problem;
use tombolo_sdk::java::date_format::DateFormat;
use tombolo_sdk::java::{self, DAY};
use tombolo_sdk::schema::{DATE, Schema, SchemaBuilder, SchemaType, TIME, TIMESTAMP};

use crate::convert::end_text;
use crate::fields::schema_text;

/// A form of a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text, by a pattern.
    Text,
    /// A number since the epoch.
    Unix,
    /// Connect's `Date`.
    Date,
    /// Connect's `Time`.
    Time,
    /// Connect's `Timestamp`.
    Timestamp,
}

/// What a number since the epoch counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// How timestamps are read, and what they become.
pub(crate) struct Timestamps {
    /// What they become.
    pub(crate) target: Form,
    /// How they are written as text.
    pub(crate) format: Option<DateFormat>,
    /// What they count as a number.
    pub(crate) precision: Precision,
}

impl Form {
    /// The form of a schema's values.
    ///
    /// Errors: there is none.
    pub(crate) fn of(schema: &Schema) -> Result<Self, Problem> {
        match (schema.name.as_deref(), schema.type_) {
            (Some(TIMESTAMP), _) => Ok(Self::Timestamp),
            (Some(DATE), _) => Ok(Self::Date),
            (Some(TIME), _) => Ok(Self::Time),
            (_, SchemaType::Text) => Ok(Self::Text),
            (_, SchemaType::Int64) => Ok(Self::Unix),
            _ => {
                let schema = schema_text(schema);
                Err(Problem::of(
                    "org.apache.kafka.connect.errors.ConnectException",
                    format!("Schema {schema} does not correspond to a known timestamp type format"),
                ))
            }
        }
    }

    /// The schema of this form.
    pub(crate) fn schema(self, optional: bool) -> SchemaBuilder {
        let builder = match self {
            Self::Text => SchemaBuilder::string(),
            Self::Unix => SchemaBuilder::int64(),
            Self::Date => SchemaBuilder::date(),
            Self::Time => SchemaBuilder::time(),
            Self::Timestamp => SchemaBuilder::timestamp(),
        };
        if optional { builder.optional() } else { builder }
    }

    /// Its schema's type.
    pub(crate) fn type_(self) -> SchemaType {
        match self {
            Self::Text => SchemaType::Text,
            Self::Unix | Self::Timestamp => SchemaType::Int64,
            Self::Date | Self::Time => SchemaType::Int32,
        }
    }
}

impl Precision {
    /// Milliseconds of a number, as `TimeUnit.toMillis`: what is finer is cut off, what is too large is as large as can be.
    fn to_millis(self, number: i64) -> i64 {
        match self {
            Self::Seconds => number.saturating_mul(1_000),
            Self::Milliseconds => number,
            Self::Microseconds => number / 1_000,
            Self::Nanoseconds => number / 1_000_000,
        }
    }

    /// The number of milliseconds. As [`Precision::to_millis`].
    fn of_millis(self, millis: i64) -> i64 {
        match self {
            Self::Seconds => millis / 1_000,
            Self::Milliseconds => millis,
            Self::Microseconds => millis.saturating_mul(1_000),
            Self::Nanoseconds => millis.saturating_mul(1_000_000),
        }
    }
}

impl Timestamps {
    /// Appends a timestamp, which is not null, as what it becomes. `form`: what its schema says it is. Without a schema, Java tells times no further apart, so
    /// that each is a `Timestamp`.
    ///
    /// Errors: a value of another form; text that does not fit the pattern, or no pattern.
    pub(crate) fn convert(
        &self,
        value: &[u8],
        form: Option<Form>,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let value = Cursor::new(value).token()?;
        let millis = match form {
            Some(form) => self.moment(&value, form)?,
            None => self.moment(&value, infer(&value)?)?,
        };
        match self.target {
            Form::Text => {
                let start = out.len();
                if let Some(format) = &self.format {
                    format.write(out, millis);
                }
                end_text(out, start);
            }
            Form::Unix => write::int(out, self.precision.of_millis(millis)),
            Form::Date if form.is_none() => write::timestamp(out, millis - millis.rem_euclid(DAY)),
            Form::Date => write::date(out, millis.div_euclid(DAY)),
            Form::Time if form.is_none() => write::timestamp(out, millis.rem_euclid(DAY)),
            Form::Time => write::time(out, millis.rem_euclid(DAY)),
            Form::Timestamp => write::timestamp(out, millis),
        }
        Ok(())
    }

    /// Milliseconds since the epoch.
    fn moment(&self, value: &Token<'_>, form: Form) -> Result<i64, Problem> {
        let (expected, class) = match (form, value) {
            (Form::Text, Token::Text(text)) => return self.read(text),
            (Form::Unix, Token::Int(number)) => return Ok(self.precision.to_millis(*number)),
            (Form::Date | Form::Time | Form::Timestamp, Token::Date(days)) => {
                return Ok(days.saturating_mul(DAY));
            }
            (
                Form::Date | Form::Time | Form::Timestamp,
                Token::Time(millis) | Token::Timestamp(millis),
            ) => return Ok(*millis),
            (Form::Text, _) => ("string timestamp", "String"),
            (Form::Unix, _) => ("Unix timestamp", "Long"),
            (Form::Date, _) => ("Date", "java.util.Date"),
            (Form::Time, _) => ("Time", "java.util.Date"),
            (Form::Timestamp, _) => ("Timestamp", "java.util.Date"),
        };
        let found = java::class_name(value, None);
        Err(Problem::data(format!("Expected {expected} to be a {class}, but found class {found}")))
    }

    fn read(&self, text: &str) -> Result<i64, Problem> {
        let Some(format) = &self.format else { return Err(no_format()) };
        let unread = || {
            let pattern = format.pattern();
            Problem::data(format!(
                "Could not parse timestamp: value ({text}) does not match pattern ({pattern})"
            ))
        };
        format.read(text).ok_or_else(unread)
    }
}

/// The form of a value without a schema.
///
/// Errors: there is none.
fn infer(value: &Token<'_>) -> Result<Form, Problem> {
    match value {
        Token::Date(_) | Token::Time(_) | Token::Timestamp(_) => Ok(Form::Timestamp),
        Token::Int(_) => Ok(Form::Unix),
        Token::Text(_) => Ok(Form::Text),
        other => {
            let found = java::class_name(other, None);
            Err(Problem::data(format!(
                "TimestampConverter does not support class {found} objects as timestamps"
            )))
        }
    }
}

/// What Java says of text without a pattern.
#[cold]
fn no_format() -> Problem {
    Problem::of(
        "java.lang.NullPointerException",
        "Cannot invoke \"java.text.SimpleDateFormat.parse(String)\" because \"config.format\" is null",
    )
}

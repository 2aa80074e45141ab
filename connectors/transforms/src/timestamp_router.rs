//! `TimestampRouter`: sends records to a topic made of the one they have and their timestamp.

use tombolo_sdk::columns::Columns;
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::java::date_format::{BadPattern, DateFormat};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::row::Row;
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};
use tombolo_sdk::transformation::{Next, Transformation};

use crate::clock;

const TOPIC: &str = "${topic}";
const TIMESTAMP: &str = "${timestamp}";

const TOPIC_FORMAT: Key<String> = Key::new("topic.format")
    .doc("The new topic, with ${topic} for the one that the record has and ${timestamp} for its timestamp.")
    .default("${topic}-${timestamp}")
    .importance(Importance::High);
const TIMESTAMP_FORMAT: Key<String> = Key::new("timestamp.format")
    .doc("How the timestamp is written, as java.text.SimpleDateFormat has it; in UTC.")
    .default("yyyyMMdd")
    .importance(Importance::High);

/// What the settings say.
pub(crate) struct RouterSettings {
    topic_format: String,
    timestamp_format: String,
}

impl Configuration for RouterSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&TOPIC_FORMAT, &TIMESTAMP_FORMAT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let topic_format = TOPIC_FORMAT.get(settings)?;
        Ok(Self { topic_format, timestamp_format: TIMESTAMP_FORMAT.get(settings)? })
    }
}

/// The step.
pub(crate) struct TimestampRouter {
    topic_format: String,
    /// A pattern that cannot be read is found with the first record, as in Kafka Connect.
    timestamp_format: Result<DateFormat, BadPattern>,
    /// The timestamp of the row at hand, as text.
    text: Vec<u8>,
    last: Last,
}

/// The last row's topic and timestamp, and its new topic. Rows that have both alike mostly come together.
#[derive(Default)]
struct Last {
    topic: String,
    text: Vec<u8>,
    new: Option<String>,
}

impl Plugin for TimestampRouter {
    type Settings = RouterSettings;
    const CLASS: &'static str = "org.apache.kafka.connect.transforms.TimestampRouter";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str =
        "Sends records to a topic made of the one they have and their timestamp.";
    const READS: Columns = Columns::TOPIC.union(Columns::TIMESTAMP);
}

impl Transformation for TimestampRouter {
    fn create(settings: RouterSettings) -> Result<Self, Fault> {
        Ok(Self {
            topic_format: settings.topic_format,
            timestamp_format: DateFormat::new(&settings.timestamp_format, clock::now()),
            text: Vec::new(),
            last: Last::default(),
        })
    }

    fn apply(&mut self, row: &mut Row<'_>) -> Result<Next, Failure> {
        let Some(millis) = row.timestamp() else { return Err(no_timestamp(row.topic()).into()) };
        let Self { topic_format, timestamp_format, text, last } = self;
        let format = timestamp_format
            .as_ref()
            .map_err(|bad| Problem::of("java.lang.IllegalArgumentException", bad))?;
        text.clear();
        format.write(text, millis);
        let known = last.new.as_deref();
        let known = known.filter(|_| last.text == *text && last.topic == row.topic());
        if let Some(new) = known {
            row.set_topic(new);
            return Ok(Next::Keep);
        }
        let written = String::from_utf8_lossy(text);
        let new = topic_format.replace(TOPIC, row.topic()).replace(TIMESTAMP, &written);
        row.topic().clone_into(&mut last.topic);
        last.text.clone_from(text);
        row.set_topic(&new);
        last.new = Some(new);
        Ok(Next::Keep)
    }
}

/// Kafka Connect prints the whole record here; its data has no place in messages.
#[cold]
fn no_timestamp(topic: &str) -> Problem {
    Problem::data(format!("Timestamp missing on record: topic {topic}"))
}

//! `RegexRouter`: sends records to a topic made of the one they have.

use std::collections::HashMap;

use tombolo_java_regex::{Error, Pattern};
use tombolo_sdk::columns::Columns;
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::row::Row;
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};
use tombolo_sdk::transformation::{Next, Transformation};

/// Topics whose new name is remembered. A task sees few; one that sees more pays for matching again.
const TOPICS_MAX: usize = 1_000;

const REGEX: Key<String> = Key::new("regex")
    .doc("A Java regular expression. Records whose whole topic matches it are rerouted.")
    .check(check_pattern)
    .importance(Importance::High);
const REPLACEMENT: Key<String> = Key::new("replacement")
    .doc("The new topic, with $1 or ${name} for what the expression's groups matched.")
    .importance(Importance::High);

/// Whether a text is a pattern; else what Kafka says of it.
pub(crate) fn check_pattern(text: &str) -> Result<(), String> {
    Pattern::new(text).map(drop).map_err(|error| format!("Invalid regex: {}", error.message))
}

/// What the settings say.
pub(crate) struct RouterSettings {
    regex: Pattern,
    replacement: String,
}

impl Configuration for RouterSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&REGEX, &REPLACEMENT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let regex = REGEX.get(settings)?;
        let invalid = |error: Error| ConfigError::invalid(REGEX.name(), &regex, error.message);
        let regex = Pattern::new(&regex).map_err(invalid)?;
        Ok(Self { regex, replacement: REPLACEMENT.get(settings)? })
    }
}

/// The step.
pub(crate) struct RegexRouter {
    settings: RouterSettings,
    /// The topic of the last row, and its new name; none if it does not match. Rows of one topic mostly come together.
    last: Option<(String, Option<String>)>,
    /// Topics that were met before.
    topics: HashMap<String, Option<String>>,
}

impl Plugin for RegexRouter {
    type Settings = RouterSettings;
    const CLASS: &'static str = "org.apache.kafka.connect.transforms.RegexRouter";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Sends records to a topic made of the one they have.";
    const READS: Columns = Columns::TOPIC;
}

impl Transformation for RegexRouter {
    fn create(settings: RouterSettings) -> Result<Self, Fault> {
        Ok(Self { settings, last: None, topics: HashMap::new() })
    }

    fn apply(&mut self, row: &mut Row<'_>) -> Result<Next, Failure> {
        if self.last.as_ref().is_none_or(|(topic, _)| topic != row.topic()) {
            let problem = |error: Error| Problem::of(error.class, error.message);
            let new = self.route(row.topic()).map_err(problem)?;
            self.last = Some((row.topic().to_owned(), new));
        }
        if let Some((_, Some(topic))) = &self.last {
            row.set_topic(topic);
        }
        Ok(Next::Keep)
    }
}

impl RegexRouter {
    fn route(&mut self, topic: &str) -> Result<Option<String>, Error> {
        if let Some(known) = self.topics.get(topic) {
            return Ok(known.clone());
        }
        let RouterSettings { regex, replacement } = &self.settings;
        let matches = regex.matches(topic)?;
        let new = matches.then(|| regex.replace_first(topic, replacement)).transpose()?;
        if self.topics.len() >= TOPICS_MAX {
            self.topics.clear();
        }
        self.topics.insert(topic.to_owned(), new.clone());
        Ok(new)
    }
}

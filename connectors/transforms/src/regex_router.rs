//! `RegexRouter`: sends records to a topic made of the one they have.

use std::collections::HashMap;

use tombolo_sdk::columns::Columns;
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::row::Row;
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};
use tombolo_sdk::transformation::{Next, Transformation};

use crate::regex::{Error, Pattern};

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
    /// Topics that were met, and their new names; none for those that do not match.
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
        Ok(Self { settings, topics: HashMap::new() })
    }

    fn apply(&mut self, row: &mut Row<'_>) -> Result<Next, Failure> {
        if !self.topics.contains_key(row.topic()) {
            self.route(row.topic()).map_err(|error| Problem::of(error.class, error.message))?;
        }
        if let Some(Some(topic)) = self.topics.get(row.topic()) {
            row.set_topic(topic);
        }
        Ok(Next::Keep)
    }
}

impl RegexRouter {
    fn route(&mut self, topic: &str) -> Result<(), Error> {
        let RouterSettings { regex, replacement } = &self.settings;
        let matches = regex.matches(topic)?;
        let new = matches.then(|| regex.replace_first(topic, replacement)).transpose()?;
        if self.topics.len() >= TOPICS_MAX {
            self.topics.clear();
        }
        self.topics.insert(topic.to_owned(), new);
        Ok(())
    }
}

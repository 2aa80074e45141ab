//! `HasHeaderKey`, `RecordIsTombstone` and `TopicNameMatches`: the rows to which a transformation applies.

use std::collections::HashMap;

use tombolo_java_regex::{Error, Pattern};
use tombolo_sdk::columns::Columns;
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::predicate::Predicate;
use tombolo_sdk::row::Row;
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Key, Settings};

use crate::regex_router::check_pattern;

/// Topics whose answer is remembered, as `RegexRouter` does.
const TOPICS_MAX: usize = 1_000;

const NAME: Key<String> = Key::new("name").doc("The header's name.").non_empty();
const PATTERN: Key<String> =
    Key::new("pattern").doc("A Java regular expression for the whole topic.").check(|text| {
        if text.is_empty() {
            Err("String must be non-empty".to_owned())
        } else {
            check_pattern(text)
        }
    });

/// The name of a header.
pub(crate) struct HeaderName(String);

impl Configuration for HeaderName {
    const KEYS: &'static [&'static dyn Definition] = &[&NAME];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        NAME.get(settings).map(Self)
    }
}

/// Rows with a header of a name.
pub(crate) struct HasHeaderKey(String);

impl Plugin for HasHeaderKey {
    type Settings = HeaderName;
    const CLASS: &'static str = "org.apache.kafka.connect.transforms.predicates.HasHeaderKey";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Records with at least one header of the given name.";
    const READS: Columns = Columns::HEADERS;
}

impl Predicate for HasHeaderKey {
    fn create(HeaderName(name): HeaderName) -> Result<Self, Fault> {
        Ok(Self(name))
    }

    fn test(&mut self, row: &Row<'_>) -> Result<bool, Failure> {
        Ok(row.headers().any(|(name, ..)| name == self.0))
    }
}

/// Rows without a value.
pub(crate) struct RecordIsTombstone;

impl Plugin for RecordIsTombstone {
    type Settings = ();
    const CLASS: &'static str = "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Records whose value is null.";
    const READS: Columns = Columns::VALUE;
}

impl Predicate for RecordIsTombstone {
    fn create((): ()) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn test(&mut self, row: &Row<'_>) -> Result<bool, Failure> {
        Ok(row.value().is_none())
    }
}

/// A pattern of topics.
pub(crate) struct TopicPattern(Pattern);

impl Configuration for TopicPattern {
    const KEYS: &'static [&'static dyn Definition] = &[&PATTERN];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let text = PATTERN.get(settings)?;
        let invalid = |error: Error| ConfigError::invalid(PATTERN.name(), &text, error.message);
        Pattern::new(&text).map(Self).map_err(invalid)
    }
}

/// Rows whose topic matches.
pub(crate) struct TopicNameMatches {
    pattern: Pattern,
    /// The topic of the last row, and whether it matches.
    last: Option<(String, bool)>,
    /// Topics that were met before.
    topics: HashMap<String, bool>,
}

impl Plugin for TopicNameMatches {
    type Settings = TopicPattern;
    const CLASS: &'static str = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Records whose whole topic matches a Java regular expression.";
    const READS: Columns = Columns::TOPIC;
}

impl Predicate for TopicNameMatches {
    fn create(TopicPattern(pattern): TopicPattern) -> Result<Self, Fault> {
        Ok(Self { pattern, last: None, topics: HashMap::new() })
    }

    fn test(&mut self, row: &Row<'_>) -> Result<bool, Failure> {
        if let Some((topic, matches)) = &self.last
            && topic == row.topic()
        {
            return Ok(*matches);
        }
        let problem = |error: Error| Problem::of(error.class, error.message);
        let matches = match self.topics.get(row.topic()) {
            Some(&matches) => matches,
            None => self.pattern.matches(row.topic()).map_err(problem)?,
        };
        if self.topics.len() >= TOPICS_MAX {
            self.topics.clear();
        }
        self.topics.insert(row.topic().to_owned(), matches);
        self.last = Some((row.topic().to_owned(), matches));
        Ok(matches)
    }
}

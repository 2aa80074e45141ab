//! Metrics as they are read: names as in Kafka Connect's MBeans, tags, values.
//!
//! Not here: measuring, and how readings are printed.

use std::borrow::Cow;
use std::sync::Arc;

/// Something that measures.
pub trait Metered: Send + Sync + 'static {
    /// What it measures, as of now.
    ///
    /// Cost: linear in what is [wanted](Readings::wants); whoever asks pays, not what is measured.
    fn read(&self, readings: &mut Readings);
}

/// A group of metrics with the same tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Where its names come from, as `kafka.connect`, or our own.
    pub domain: &'static str,
    /// Its name, as `source-task-metrics`; may be empty.
    pub name: &'static str,
}

/// Whose metrics they are: names and values of tags, as `connector` and `task`.
pub type Tags = Arc<[(&'static str, String)]>;

/// One metric of one owner.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Its group.
    pub group: Group,
    /// Its name in the group, in Kafka's spelling, as `source-record-poll-total`.
    pub name: Cow<'static, str>,
    /// What it measures; a sentence.
    pub help: &'static str,
    /// Whose it is.
    pub tags: Tags,
    /// Its value.
    pub value: Value,
}

/// What a metric says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Counts up from zero, and starts again when its owner does.
    Counter(f64),
    /// Has a value, which may be `NaN` where nothing was measured.
    Gauge(f64),
    /// Is a text.
    Text(String),
    /// How often each range of values occurred.
    Histogram(Histogram),
}

/// How often each range of values occurred.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The upper bound of each range, ascending. Values above the last have a range of their own.
    pub bounds: &'static [f64],
    /// How many values fell in each range: one more than there are bounds.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: f64,
}

/// Readings, as they are taken.
#[derive(Debug, Default)]
pub struct Readings {
    taken: Vec<Reading>,
    /// Whose alone are taken.
    connector: Option<String>,
}

/// Where the readings of one group and one owner go.
pub struct Of<'a> {
    /// None where they are not wanted.
    readings: Option<&'a mut Vec<Reading>>,
    group: Group,
    tags: &'a Tags,
}

impl Readings {
    /// Readings of one connector and its tasks; all others are let go.
    pub fn of_connector(name: &str) -> Self {
        Self { taken: Vec::new(), connector: Some(name.to_owned()) }
    }

    /// Whether readings of this connector and its tasks are wanted; they cost something even where they are let go.
    pub fn wants(&self, connector: &str) -> bool {
        self.connector.as_ref().is_none_or(|wanted| wanted == connector)
    }

    /// Whether readings are wanted that are no connector's.
    pub fn wants_worker(&self) -> bool {
        self.connector.is_none()
    }

    /// Takes those of a group and an owner.
    pub fn of<'a>(&'a mut self, group: Group, tags: &'a Tags) -> Of<'a> {
        let is_wanted = match connector_of(tags) {
            Some(connector) => self.wants(connector),
            None => self.wants_worker(),
        };
        Of { readings: is_wanted.then_some(&mut self.taken), group, tags }
    }

    /// All that were taken, in order.
    pub fn into_vec(self) -> Vec<Reading> {
        self.taken
    }
}

impl Of<'_> {
    /// Adds what counts up.
    pub fn counter(&mut self, name: &'static str, help: &'static str, value: f64) -> &mut Self {
        self.add(name, help, Value::Counter(value))
    }

    /// Adds what has a value.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, value: f64) -> &mut Self {
        self.add(name, help, Value::Gauge(value))
    }

    /// Adds what is a text.
    pub fn text(
        &mut self,
        name: &'static str,
        help: &'static str,
        value: impl Into<String>,
    ) -> &mut Self {
        self.add(name, help, Value::Text(value.into()))
    }

    /// Adds a value under a name that may be made up at run time.
    pub fn add(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        help: &'static str,
        value: Value,
    ) -> &mut Self {
        if let Some(readings) = &mut self.readings {
            let (group, tags) = (self.group, Arc::clone(self.tags));
            readings.push(Reading { group, name: name.into(), help, tags, value });
        }
        self
    }
}

/// The connector whose tags these are.
pub fn connector_of(tags: &Tags) -> Option<&str> {
    tags.iter().find(|(tag, _)| *tag == "connector").map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_of_one_connector_are_all_that_is_taken_where_others_are_not_wanted() {
        let group = Group { domain: "d", name: "n" };
        let mut readings = Readings::of_connector("b");
        assert!(readings.wants("b") && !readings.wants("a") && !readings.wants_worker());
        assert!(Readings::default().wants("a") && Readings::default().wants_worker());
        for tags in [&[("connector", "a")][..], &[("connector", "b")], &[("task", "b")], &[]] {
            let tags = tags.iter().map(|(tag, value)| (*tag, (*value).to_owned())).collect();
            readings.of(group, &tags).counter("count", "", 1.0).text("text", "", "of b");
        }
        let taken = readings.into_vec();
        assert_eq!(taken.len(), 2);
        assert!(taken.iter().all(|reading| *reading.tags == [("connector", "b".to_owned())]));
    }
}

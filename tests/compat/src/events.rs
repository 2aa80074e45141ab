//! What plugins of the kit tell of themselves, read back from the file that they tell it to. Not here: the plugins (`kit/`).

use std::collections::BTreeMap;
use std::path::Path;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `connector`, or the id of a task, as `orders-0`.
    pub who: String,
    /// As `start`, `open`, `put`, `row`, `commit`, `close`, `stop`, `blocks`.
    pub what: String,
    /// What belongs to it.
    pub details: Vec<String>,
}

/// A record that a sink got.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Its topic, as transformations left it.
    pub topic: String,
    /// Its partition.
    pub partition: String,
    /// Its offset.
    pub offset: i64,
    /// Its key as text.
    pub key: String,
    /// Its value as text.
    pub value: String,
}

/// What happened so far, in order. None where the file is not there yet.
pub fn read(file: &Path) -> Vec<Event> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().filter_map(event).collect()
}

fn event(line: &str) -> Option<Event> {
    let mut parts = line.split('\t').map(str::to_owned);
    Some(Event { who: parts.next()?, what: parts.next()?, details: parts.collect() })
}

/// How often each did this.
pub fn count(events: &[Event], what: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in events.iter().filter(|event| event.what == what) {
        *counts.entry(event.who.clone()).or_default() += 1;
    }
    counts
}

/// The records that sinks got, in order.
pub fn rows(events: &[Event]) -> Vec<Row> {
    let rows = events.iter().filter(|event| event.what == "row").filter_map(|event| {
        let mut details = event.details.iter().cloned();
        Some(Row {
            topic: details.next()?,
            partition: details.next()?,
            offset: details.next()?.parse().ok()?,
            key: details.next()?,
            value: details.next()?,
        })
    });
    rows.collect()
}

/// The partitions that a task holds, after all that was opened and closed.
pub fn held(events: &[Event], who: &str) -> Vec<String> {
    let mut held: Vec<String> = Vec::new();
    for event in events.iter().filter(|event| event.who == who) {
        let partitions = event.details.first().map_or("", String::as_str);
        let named = partitions.split(',').filter(|name| !name.is_empty()).map(str::to_owned);
        match event.what.as_str() {
            "open" => held.extend(named),
            "close" => {
                let closed: Vec<String> = named.collect();
                held.retain(|one| !closed.contains(one));
            }
            _ => {}
        }
    }
    held.sort();
    held
}

/// How often a partition is named by events of this kind.
pub fn times(events: &[Event], what: &str, partition: &str) -> usize {
    let names = |event: &&Event| {
        let partitions = event.details.first().map_or("", String::as_str);
        partitions.split(',').any(|one| one.split('=').next() == Some(partition))
    };
    events.iter().filter(|event| event.what == what).filter(names).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_events_and_a_line_in_the_making_waits() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events");
        assert_eq!(read(&file), []);
        let text = "connector\tstart\nx-0\topen\tt-0,t-1\nx-0\tcommit\tt-1=5\nx-0\tclose\tt-0\nx-0\trow\tt\t0\t4\tk\tv\nx-0\tst";
        std::fs::write(&file, text).unwrap();
        let events = read(&file);
        assert_eq!(events.len(), 5);
        assert_eq!(count(&events, "start"), [("connector".to_owned(), 1)].into());
        assert_eq!(held(&events, "x-0"), ["t-1"]);
        assert_eq!(times(&events, "open", "t-0"), 1);
        assert_eq!(times(&events, "commit", "t-1"), 1);
        let row = &rows(&events)[0];
        assert_eq!((row.offset, row.value.as_str()), (4, "v"));
    }
}

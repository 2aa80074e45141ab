//! The topics that a task reads or writes, each told once.
//!
//! Not here: keeping them (the status store does).

use std::collections::{BTreeMap, HashMap};

use tombolo_model::{Batch, Fault, Stage};
use tombolo_store::TopicsForgotten;

/// Topics that a task was seen to use.
#[derive(Debug)]
pub(crate) struct UsedTopics {
    /// Whether each was told; one that was not has a row on its way.
    known: HashMap<String, bool>,
    forgotten: TopicsForgotten,
    /// How many topics were forgotten when `known` was empty last.
    seen: u64,
    /// Topics that were written to, by the row whose delivery will tell.
    waiting: BTreeMap<u64, String>,
    /// Most topics that may be written to.
    max: usize,
}

impl UsedTopics {
    /// None yet, and none that may be written to. All are told again once any topic is taken out of use.
    pub(crate) fn new(forgotten: TopicsForgotten) -> Self {
        let (known, waiting) = (HashMap::new(), BTreeMap::new());
        Self { known, seen: forgotten.count(), forgotten, waiting, max: 0 }
    }

    /// The same, of which so many may be written to.
    pub(crate) fn writing_to(self, max: usize) -> Self {
        Self { max, ..self }
    }

    /// Takes in that a batch begins: what was forgotten meanwhile is told anew.
    ///
    /// Cost: one load.
    pub(crate) fn begin(&mut self) {
        let count = self.forgotten.count();
        if count != self.seen {
            self.seen = count;
            self.known.clear();
        }
    }

    /// Takes in a topic that was read from. Answers whether it is new.
    pub(crate) fn read(&mut self, topic: &str) -> bool {
        !self.known.contains_key(topic) && self.known.insert(topic.to_owned(), true).is_none()
    }

    /// Takes in rows that are to be sent, the first of them as number `first_seq`.
    ///
    /// Errors: `Fatal`, for a topic above the most that there may be; those before it are taken in.
    /// Cost: a look-up per name in `topics`; a walk over the rows only where one of them is new.
    pub(crate) fn sent(&mut self, batch: &Batch, first_seq: u64) -> Result<(), Fault> {
        self.begin();
        if batch.topics.iter().all(|name| self.known.contains_key(name)) {
            return Ok(());
        }
        for (name, row) in batch.topics.iter().zip(first_rows(batch)) {
            let Some(row) = row.filter(|_| !self.known.contains_key(name)) else { continue };
            if self.known.len() >= self.max {
                return Err(too_many(self.max, name));
            }
            self.known.insert(name.clone(), false);
            self.waiting.insert(first_seq + row, name.clone());
        }
        Ok(())
    }

    /// Takes in what became of a sent row. Answers with its topic where that is new.
    ///
    /// Cost: nothing while no topic is new.
    pub(crate) fn settled(&mut self, seq: u64, is_written: bool) -> Option<String> {
        if self.waiting.is_empty() {
            return None;
        }
        let topic = self.waiting.remove(&seq)?;
        let is_told = self.known.get(&topic).copied().unwrap_or(false);
        match is_written {
            true if is_told => None,
            true => {
                self.known.insert(topic.clone(), true);
                Some(topic)
            }
            // The next row to it is waited for.
            false => {
                if !is_told {
                    self.known.remove(&topic);
                }
                None
            }
        }
    }
}

/// The first row for each topic of a batch; none for one that has none.
///
/// Cost: a walk over the rows.
pub(crate) fn first_rows(batch: &Batch) -> Vec<Option<u64>> {
    let mut first = vec![None; batch.topics.len()];
    // Without a column, all rows are for the first.
    let rows = if batch.topic.is_empty() { &[0][..] } else { &batch.topic };
    for (&topic, row) in rows.iter().zip(0..u64::from(batch.rows)) {
        if let Some(first) = first.get_mut(topic as usize).filter(|first| first.is_none()) {
            *first = Some(row);
        }
    }
    first
}

fn too_many(max: usize, topic: &str) -> Fault {
    let message = format!(
        "the task writes to {max} topics already, as many as it may (sandbox.topics.max), and a record is for one more, {topic}"
    );
    Fault::fatal(Stage::KafkaProduce, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_told_once_and_only_when_a_row_of_it_was_written() {
        let batch = Batch {
            rows: 3,
            topics: vec!["a".into(), "b".into(), "unused".into()],
            topic: vec![0, 1, 1],
            ..Batch::default()
        };
        let mut topics = UsedTopics::new(TopicsForgotten::default()).writing_to(10);
        topics.sent(&batch, 10).unwrap();
        assert_eq!(topics.settled(10, true).as_deref(), Some("a"));
        assert_eq!(topics.settled(11, false), None);
        topics.sent(&batch, 13).unwrap();
        assert_eq!(topics.settled(13, true), None, "told before");
        assert_eq!(topics.settled(14, true).as_deref(), Some("b"));
        assert!(topics.read("c") && !topics.read("c") && !topics.read("a"));
    }

    #[test]
    fn topics_are_told_again_once_one_of_them_was_taken_out_of_use() {
        let forgotten = TopicsForgotten::default();
        let mut topics = UsedTopics::new(forgotten.clone()).writing_to(10);
        let mut told = || {
            topics.begin();
            topics.read("a")
        };
        assert!(told() && !told());
        forgotten.add();
        assert!(told() && !told());
    }

    #[test]
    fn a_topic_that_is_forgotten_while_a_row_is_on_its_way_is_told_once() {
        let forgotten = TopicsForgotten::default();
        let mut topics = UsedTopics::new(forgotten.clone()).writing_to(10);
        let batch = Batch { rows: 1, topics: vec!["a".into()], ..Batch::default() };
        topics.sent(&batch, 1).unwrap();
        forgotten.add();
        topics.sent(&batch, 2).unwrap();
        assert_eq!(topics.settled(1, true).as_deref(), Some("a"));
        assert_eq!(topics.settled(2, true), None);
    }

    /// As a hostile source would, which names a new topic for each record.
    #[test]
    fn more_topics_than_there_may_be_are_refused_by_the_setting_and_cost_no_more_than_their_number()
    {
        let max = 100_000_u32;
        let mut topics = UsedTopics::new(TopicsForgotten::default()).writing_to(max as usize);
        let batch = |first: u32, rows: u32| Batch {
            rows,
            topics: (first..first + rows).map(|topic| topic.to_string()).collect(),
            topic: (0..rows).collect(),
            ..Batch::default()
        };
        topics.sent(&batch(0, max), 0).unwrap();
        topics.sent(&batch(0, 10), u64::from(max)).unwrap();
        let refused = topics.sent(&batch(max, 1), u64::from(max) + 10).unwrap_err();
        assert_eq!(
            refused.message,
            "the task writes to 100000 topics already, as many as it may (sandbox.topics.max), and a record is for one more, 100000"
        );
        assert!((0..u64::from(max)).all(|seq| topics.settled(seq, true).is_some()));
        assert!(topics.waiting.is_empty());
    }
}

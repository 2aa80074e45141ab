//! The topics that a task reads or writes, each told once.
//!
//! Not here: keeping them (the status store does).

use std::collections::HashSet;

use tombolo_model::Batch;
use tombolo_store::TopicsForgotten;

/// Topics that a task was seen to use.
#[derive(Debug, Default)]
pub(crate) struct UsedTopics {
    known: HashSet<String>,
    forgotten: TopicsForgotten,
    /// How many topics were forgotten when `known` was empty last.
    seen: u64,
    /// Topics that were written to, each with the row whose delivery will tell.
    waiting: Vec<(u64, String)>,
}

impl UsedTopics {
    /// None yet. All are told again once any topic is taken out of use.
    pub(crate) fn new(forgotten: TopicsForgotten) -> Self {
        Self { seen: forgotten.count(), forgotten, ..Self::default() }
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
        !self.known.contains(topic) && self.known.insert(topic.to_owned())
    }

    /// Takes in rows that are sent, the first of them as number `first_seq`.
    ///
    /// Cost: a look-up per name in `topics`; a walk over the rows only where one of them is new.
    pub(crate) fn sent(&mut self, batch: &Batch, first_seq: u64) {
        self.begin();
        for (name, index) in batch.topics.iter().zip(0_u32..) {
            let known = self.known.contains(name) || self.waiting.iter().any(|(_, t)| t == name);
            if known {
                continue;
            }
            let row = match batch.topic.as_slice() {
                [] => (index == 0 && batch.rows > 0).then_some(0),
                topic => topic.iter().position(|&topic| topic == index),
            };
            if let Some(seq) = row.and_then(|row| u64::try_from(row).ok()) {
                self.waiting.push((first_seq + seq, name.clone()));
            }
        }
    }

    /// Takes in what became of a sent row. Answers with its topic where that is new.
    ///
    /// Cost: nothing while no topic is new.
    pub(crate) fn settled(&mut self, seq: u64, is_written: bool) -> Option<String> {
        let index = self.waiting.iter().position(|(waiting, _)| *waiting == seq)?;
        let (_, topic) = self.waiting.swap_remove(index);
        (is_written && self.known.insert(topic.clone())).then_some(topic)
    }
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
        let mut topics = UsedTopics::default();
        topics.sent(&batch, 10);
        assert_eq!(topics.settled(10, true).as_deref(), Some("a"));
        assert_eq!(topics.settled(11, false), None);
        topics.sent(&batch, 13);
        assert_eq!(topics.settled(13, true), None, "told before");
        assert_eq!(topics.settled(14, true).as_deref(), Some("b"));
        assert!(topics.read("c") && !topics.read("c") && !topics.read("a"));
    }

    #[test]
    fn topics_are_told_again_once_one_of_them_was_taken_out_of_use() {
        let forgotten = TopicsForgotten::default();
        let mut topics = UsedTopics::new(forgotten.clone());
        let mut told = || {
            topics.begin();
            topics.read("a")
        };
        assert!(told() && !told());
        forgotten.add();
        assert!(told() && !told());
    }
}

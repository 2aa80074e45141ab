//! A subscription by pattern: which topics match now.
//!
//! Not here: the pattern language.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::TopicMatcher;
use crate::error::Error;
use crate::ffi::{Client, request};
use crate::job::Job;

/// Topics of Kafka's own, which no pattern matches, as Kafka's consumers have it (`exclude.internal.topics`).
const INTERNAL_TOPICS: [&str; 3] =
    ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// Longest wait for the names of all topics.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// Pause after an answer that did not come.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Looks for matching topics from time to time.
pub(super) struct TopicWatch {
    matches: TopicMatcher,
    every: Duration,
    due: Instant,
    found: Option<Vec<String>>,
    lookup: Option<Job<Result<Vec<String>, Error>>>,
}

impl TopicWatch {
    pub(super) fn new(matches: TopicMatcher, every: Duration) -> TopicWatch {
        TopicWatch { matches, every, due: Instant::now(), found: None, lookup: None }
    }

    /// When there is something to do, unless a lookup is under way.
    pub(super) fn due(&self) -> Option<Instant> {
        self.lookup.is_none().then_some(self.due)
    }

    /// The matching topics, when they are others than before.
    ///
    /// Errors: the names of topics are refused to us.
    pub(super) fn changed(
        &mut self,
        client: &Arc<Client>,
        waker: &Arc<Notify>,
    ) -> Result<Option<&[String]>, Error> {
        if self.lookup.is_none() && self.due <= Instant::now() {
            let client = Arc::clone(client);
            self.lookup =
                Some(Job::spawn_blocking(waker, move || request::topics(&client, ANSWER_WAIT)));
        }
        let Some(answer) = self.lookup.as_mut().and_then(Job::take) else { return Ok(None) };
        self.lookup = None;
        self.due = Instant::now() + self.every;
        let mut names = match answer {
            Ok(names) => names,
            Err(err) if err.is_retriable() => {
                self.due = Instant::now() + RETRY_PAUSE;
                return Ok(None);
            }
            Err(err) => return Err(err),
        };
        names.retain(|name| !INTERNAL_TOPICS.contains(&name.as_str()) && (self.matches)(name));
        names.sort_unstable();
        if self.found.as_ref() == Some(&names) {
            return Ok(None);
        }
        Ok(Some(self.found.insert(names)))
    }
}

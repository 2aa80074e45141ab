//! Producers shared by tasks with equal settings; each task has a session with a budget of its own.
//!
//! A record's number travels through librdkafka as an integer and comes back with its delivery: nothing is allocated, called or locked per
//! record on our side. Not here: what a task sends again after it restarts, and topics.

mod inbox;
mod line;
mod replace;
mod rows;
mod session;
#[cfg(test)]
mod tests;

pub use rows::{Delivery, DeliveryError, ProduceRows, Sent, Stopped};
pub use session::ProducerSession;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::error::Error;
use crate::settings::ClientSettings;
use line::Line;

/// The producers of this process. Cheap to clone.
#[derive(Clone)]
pub struct Producers {
    inner: Arc<Inner>,
}

struct Inner {
    client_id: String,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    by_settings: HashMap<ClientSettings, Vec<Weak<Line>>>,
    made: u64,
}

impl Producers {
    /// None yet. Client ids are `<client_id>-<number>`, unless settings name one.
    pub fn new(client_id: &str) -> Producers {
        let lines = Mutex::new(Lines::default());
        Producers { inner: Arc::new(Inner { client_id: client_id.to_owned(), lines }) }
    }

    /// A session on a producer with these settings, with at most `budget` bytes in flight.
    ///
    /// Sessions share a producer as long as their budgets together fit its queue: a session that cannot send then stops alone, because it
    /// cannot fill the queue of its neighbours. Must be called within a tokio runtime.
    pub fn session(
        &self,
        settings: &ClientSettings,
        budget: usize,
    ) -> Result<ProducerSession, Error> {
        let mut lines = self.inner.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Lines { by_settings, made } = &mut *lines;
        by_settings.retain(|_, lines| {
            lines.retain(|line| line.strong_count() > 0);
            !lines.is_empty()
        });
        let equal = by_settings.entry(settings.clone()).or_default();
        for line in equal.iter().filter_map(Weak::upgrade) {
            if let Some(session) = ProducerSession::join(&line, budget) {
                return Ok(session);
            }
        }
        *made += 1;
        let line = Line::start(settings, &format!("{}-{made}", self.inner.client_id), budget)?;
        equal.push(Arc::downgrade(&line));
        ProducerSession::join(&line, budget)
            .ok_or_else(|| Error::Client { reason: "a new producer has no room".to_owned() })
    }
}

//! One shared producer: its sessions, and the task that brings deliveries to them.
//!
//! Not here: sending (`session`), replacing a producer that died (`replace`).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::inbox::Inbox;
use super::rows::{Delivery, DeliveryError, cost};
use crate::error::Error;
use crate::ffi::{self, Client, Delivered, Event, Queue, Raised, Role, code};
use crate::outage::Outage;
use crate::settings::ClientSettings;

/// A record's number as librdkafka carries it: its session above, the lower bits of its number below.
///
/// 48 bits of number are nine years of a million rows a second; a session restores the rest.
pub(super) const SEQ_BITS: u32 = 48;
/// The lower bits.
pub(super) const SEQ_MASK: u64 = (1 << SEQ_BITS) - 1;

/// Which of a producer's sessions.
pub(super) type Slot = u16;

/// What takes rows now.
pub(super) enum Engine {
    /// This client. The number changes with the client.
    Running(u64, Arc<Client>),
    /// Nothing: the client died and is being replaced.
    Replacing(u64),
}

/// A shared producer. Ends with its last session.
pub(super) struct Line {
    pub(super) settings: ClientSettings,
    pub(super) client_id: String,
    /// Held shared while rows are sent, so that none reaches a client that is being replaced.
    engine: RwLock<Engine>,
    sessions: Mutex<Sessions>,
    /// What the sessions' budgets may be together.
    budgets_max: usize,
    /// Wakes the task that brings deliveries.
    pub(super) waker: Mutex<Arc<Notify>>,
    /// A session saw the client dead before the task did.
    died: AtomicBool,
}

#[derive(Default)]
struct Sessions {
    by_slot: HashMap<Slot, Arc<Inbox>>,
    last: Slot,
}

impl Line {
    /// Makes a producer. Does not wait for a broker.
    pub(super) fn start(
        settings: &ClientSettings,
        client_id: &str,
        budget: usize,
    ) -> Result<Arc<Line>, Error> {
        let queue_bytes = settings
            .get("queue.buffering.max.kbytes")
            .and_then(|kbytes| kbytes.parse::<usize>().ok())
            .map_or(budget, |kbytes| kbytes.saturating_mul(1024));
        let client = new_client(settings, client_id)?;
        let queue = Queue::main(&client);
        let line = Arc::new(Line {
            settings: settings.clone(),
            client_id: client_id.to_owned(),
            engine: RwLock::new(Engine::Running(0, client)),
            sessions: Mutex::default(),
            // One session always has room, however large its budget.
            budgets_max: queue_bytes.max(budget),
            waker: Mutex::new(Arc::clone(queue.waker())),
            died: AtomicBool::new(false),
        });
        tokio::spawn(bring_deliveries(Arc::downgrade(&line), queue));
        Ok(line)
    }

    pub(super) fn engine(&self) -> RwLockReadGuard<'_, Engine> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn engine_mut(&self) -> RwLockWriteGuard<'_, Engine> {
        self.engine.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a session, unless the budgets together would pass what the queue holds.
    pub(super) fn join(&self, budget: usize) -> Option<(Slot, Arc<Inbox>)> {
        let mut sessions = self.sessions();
        sessions.by_slot.retain(|_, inbox| !inbox.is_over());
        let reserved: usize = sessions.by_slot.values().map(|inbox| inbox.budget).sum();
        if reserved.saturating_add(budget) > self.budgets_max {
            return None;
        }
        let free = (0..=Slot::MAX)
            .map(|step| sessions.last.wrapping_add(step).wrapping_add(1))
            .find(|slot| !sessions.by_slot.contains_key(slot))?;
        sessions.last = free;
        let inbox = Arc::new(Inbox::new(budget));
        sessions.by_slot.insert(free, Arc::clone(&inbox));
        Some((free, inbox))
    }

    /// Says that the client is dead.
    pub(super) fn died(&self) {
        self.died.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner).notify_one();
    }

    /// Tells every session.
    pub(super) fn tell_all(&self, tell: impl Fn(&Inbox)) {
        self.sessions().by_slot.values().for_each(|inbox| tell(inbox));
    }

    /// Brings the rows of an event to their sessions, except those that `keep` takes.
    pub(super) fn distribute(
        &self,
        event: &Event,
        settled: &mut Vec<Delivery>,
        mut keep: impl FnMut(&Delivered<'_>) -> bool,
    ) {
        let sessions = self.sessions();
        let mut current: Option<(Slot, &Arc<Inbox>)> = None;
        let mut bytes = 0;
        event.deliveries(|row| {
            if keep(&row) {
                return;
            }
            let slot = slot_of(row.opaque());
            if current.is_none_or(|(now, _)| now != slot) {
                if let Some((_, inbox)) = current {
                    inbox.settle(settled, std::mem::take(&mut bytes));
                }
                current = sessions.by_slot.get(&slot).map(|inbox| (slot, inbox));
            }
            if current.is_some() {
                settled.push(outcome(&row));
                bytes += cost(row.len(), row.header_size());
            }
        });
        if let Some((_, inbox)) = current {
            inbox.settle(settled, bytes);
        }
    }

    /// Settles a row outside an event.
    pub(super) fn settle_one(&self, opaque: u64, delivery: Delivery, bytes: usize) {
        if let Some(inbox) = self.sessions().by_slot.get(&slot_of(opaque)) {
            inbox.settle(&mut vec![delivery], bytes);
        }
    }

    /// Acts on what the client as a whole was told. Answers whether it died.
    fn on_raised(&self, raised: Raised, outage: &mut Outage) -> bool {
        let Raised::Problem { code: failed, reason } = raised else { return false };
        if failed == code::FATAL {
            return true;
        }
        let client = self.client_id.as_str();
        if failed == code::ALL_BROKERS_DOWN && outage.is_new(Instant::now()) {
            tracing::warn!(client, reason, "no broker can be reached; records wait");
        } else if ffi::is_refusal(failed, &reason) {
            self.tell_all(|inbox| {
                inbox.fail(Error::Authentication { reason: reason.clone() });
            });
        } else {
            tracing::debug!(client, reason, "trying again");
        }
        false
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.wake();
    }
}

/// Whose row it is.
fn slot_of(opaque: u64) -> Slot {
    Slot::try_from(opaque >> SEQ_BITS).unwrap_or(Slot::MAX)
}

/// A client for a producer with these settings.
pub(super) fn new_client(settings: &ClientSettings, client_id: &str) -> Result<Arc<Client>, Error> {
    let own = [("client.id", client_id)];
    Client::new(Role::Producer, settings.properties_over(&own))
}

/// What became of a row, with the lower bits of its number.
fn outcome(row: &Delivered<'_>) -> Delivery {
    let outcome = match row.code() {
        code::NONE => Ok(row.position()),
        failed => Err(DeliveryError::new(failed)),
    };
    Delivery { seq: row.opaque() & SEQ_MASK, outcome }
}

/// Takes deliveries from the client and brings them to their sessions, until the last session is gone.
async fn bring_deliveries(line: Weak<Line>, mut queue: Queue) {
    let (mut settled, mut outage) = (Vec::new(), Outage::default());
    loop {
        {
            let Some(line) = line.upgrade() else { return };
            let mut dead = line.died.swap(false, Ordering::AcqRel);
            while let Some(event) = queue.poll() {
                // Rows that a dead client drops are sent again; `replace` takes them.
                if dead || queue.client().fatal_error().is_some() {
                    queue = line.replace(queue, Some(event)).await;
                    dead = false;
                } else {
                    line.distribute(&event, &mut settled, |_| false);
                }
            }
            while let Some(raised) = queue.client().take_raised() {
                dead |= line.on_raised(raised, &mut outage);
            }
            if dead && queue.client().fatal_error().is_some() {
                queue = line.replace(queue, None).await;
                continue;
            }
        }
        queue.ready().await;
    }
}

//! Connections that stay open between the requests of one store.
//!
//! One carries one request at a time. It belongs to the store that opened it: whatever another side answers on it reaches nobody else. Not here:
//! opening one, and whether a request may go where it leads (`send`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use tokio::time::Instant;
use wasmtime_wasi::runtime::{self, AbortOnDropJoinHandle};

use super::pipe::RequestBody;
use crate::egress::{Gate, Place};
use crate::limits::Held;

/// Most connections that one store keeps open: those of as many places, where its plugin asks one after the other.
const KEPT_MAX: usize = 4;

/// How long one waits for the next request that may come to the other side twice. Many servers end a connection after five seconds without one.
const KEPT_FOR: Duration = Duration::from_secs(4);

/// How long it waits for any other request: one that meets the end of its connection on the way is lost. Few servers end it within two seconds.
const SURE_FOR: Duration = Duration::from_secs(1);

/// Longest wait until the end of the last exchange has come to the connection: it is there already, or in microseconds.
const READY_MAX: Duration = Duration::from_millis(20);

/// A connection to a place.
pub(super) struct Line {
    pub(super) place: Place,
    pub(super) sender: SendRequest<RequestBody>,
    /// Moves its bytes.
    pub(super) _connection: AbortOnDropJoinHandle<()>,
    pub(super) _held: Held,
}

struct Idle {
    number: u64,
    since: Instant,
    line: Line,
    /// Ends it after a while.
    _ends: AbortOnDropJoinHandle<()>,
}

/// The connections that a store keeps. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<Idle>>>);

impl Kept {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection to this place on which a request can be sent, if there is one.
    pub(super) async fn take(&self, place: &Place, is_repeatable: bool) -> Option<Line> {
        loop {
            let Idle { since, mut line, .. } = {
                let mut idle = self.idle();
                let at = idle.iter().rposition(|idle| idle.line.place == *place)?;
                idle.remove(at)
            };
            let is_sure = is_repeatable || since.elapsed() <= SURE_FOR;
            // One that the other side ended, or may end just now, is let go.
            let ready = tokio::time::timeout(READY_MAX, line.sender.ready());
            if is_sure && matches!(ready.await, Ok(Ok(()))) {
                return Some(line);
            }
        }
    }

    /// Keeps a connection whose response came whole, until it is taken, or too old, or its place is wanted for another one.
    pub(super) fn give(&self, line: Line, gate: &Gate) {
        let (kept, wanted) = (Arc::downgrade(&self.0), gate.place_wanted());
        if line.sender.is_closed() || gate.is_place_wanted() {
            return;
        }
        let mut idle = self.idle();
        let number = idle.last().map_or(0, |last| last.number + 1);
        let ends = runtime::spawn(async move {
            tokio::select! {
                () = wanted => {}
                () = tokio::time::sleep(KEPT_FOR) => {}
            }
            forget(&kept, number);
        });
        if idle.len() >= KEPT_MAX {
            idle.remove(0);
        }
        idle.push(Idle { number, since: Instant::now(), line, _ends: ends });
    }

    /// Ends all of them.
    pub(crate) fn clear(&self) {
        self.idle().clear();
    }
}

fn forget(kept: &Weak<Mutex<Vec<Idle>>>, number: u64) {
    if let Some(kept) = kept.upgrade() {
        kept.lock().unwrap_or_else(PoisonError::into_inner).retain(|idle| idle.number != number);
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tombolo_model::egress::{Host, Scheme};

    use super::*;
    use crate::limits::Budget;

    /// A connection to this port, and its other side.
    async fn line(port: u16) -> (Line, tokio::io::DuplexStream) {
        let (here, there) = tokio::io::duplex(64);
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(here)).await.unwrap();
        let connection = runtime::spawn(async move { connection.await.unwrap_or_default() });
        let held = Budget::new(1, Arc::default(), Arc::default()).hold(1).unwrap();
        let place = Place { scheme: Scheme::Http, host: Host::parse("a.example").unwrap(), port };
        (Line { place, sender, _connection: connection, _held: held }, there)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_kept_for_its_place_alone_and_for_a_while() {
        let (kept, gate) = (Kept::default(), Gate::closed());
        let (first, _there) = line(1).await;
        let (place, mut other) = (first.place.clone(), first.place.clone());
        kept.give(first, &gate);
        other.port = 2;
        assert!(kept.take(&other, true).await.is_none());
        let first = kept.take(&place, false).await.unwrap();
        assert!(kept.take(&place, true).await.is_none(), "it is under way");
        kept.give(first, &gate);
        tokio::time::sleep(KEPT_FOR - Duration::from_millis(1)).await;
        let first = kept.take(&place, true).await.unwrap();
        kept.give(first, &gate);
        tokio::time::sleep(KEPT_FOR + Duration::from_millis(1)).await;
        assert!(kept.take(&place, true).await.is_none());
        let (second, _there) = line(1).await;
        kept.give(second, &gate);
        tokio::time::sleep(SURE_FOR + Duration::from_millis(1)).await;
        assert!(kept.take(&place, false).await.is_none(), "its end may be near");
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_goes_where_there_are_too_many_and_all_go_where_a_place_is_wanted() {
        let (kept, gate) = (Kept::default(), Gate::closed());
        let mut there = Vec::new();
        for port in 0..=4 {
            let (line, other_side) = line(port).await;
            there.push(other_side);
            kept.give(line, &gate);
        }
        let ports = || kept.idle().iter().map(|idle| idle.line.place.port).collect::<Vec<_>>();
        assert_eq!(ports(), [1, 2, 3, 4]);
        gate.want_place();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(ports().is_empty(), "{:?}", ports());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_the_other_side_ended_is_not_given_out() {
        let (kept, gate) = (Kept::default(), Gate::closed());
        let (line, there) = line(1).await;
        let place = line.place.clone();
        kept.give(line, &gate);
        drop(there);
        assert!(kept.take(&place, true).await.is_none());
    }
}

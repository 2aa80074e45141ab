//! Which places plugins connected to, and which they asked for in vain.
//!
//! Not here: who may connect where (the sandbox decides).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most places of one task that are told apart; what comes later counts as [`OTHER_PLACES`], so that names made from data cannot fill the host.
pub const PLACES_MAX: usize = 50;

/// What places beyond [`PLACES_MAX`] are called.
pub const OTHER_PLACES: &str = "others";

/// How often each place was connected to and refused, as `https://api.example.com:443`.
#[derive(Debug, Default)]
pub struct Places(Mutex<BTreeMap<String, PlaceUse>>);

/// How often a place was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaceUse {
    /// Connections that were made.
    pub connections: u64,
    /// Connections that were refused.
    pub refused: u64,
    /// Why the last of them was refused, in a word.
    pub reason: Option<&'static str>,
}

impl Places {
    /// A connection was made.
    pub(super) fn connected(&self, place: &str) {
        of(&mut self.lock(), place).connections += 1;
    }

    /// A connection was refused.
    pub(super) fn refused(&self, place: &str, reason: &'static str) {
        let mut places = self.lock();
        let asked = of(&mut places, place);
        asked.refused += 1;
        asked.reason = Some(reason);
    }

    /// All of them, by name.
    pub fn read(&self) -> BTreeMap<String, PlaceUse> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, PlaceUse>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of<'a>(places: &'a mut BTreeMap<String, PlaceUse>, place: &str) -> &'a mut PlaceUse {
    let is_told_apart = places.contains_key(place) || places.len() < PLACES_MAX;
    let place = if is_told_apart { place } else { OTHER_PLACES };
    places.entry(place.to_owned()).or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_up_to_their_most_and_counted_beyond() {
        let places = Places::default();
        places.connected("tcp://a:1");
        places.refused("tcp://a:1", "too-fast");
        for port in 0..PLACES_MAX as u64 * 2 {
            places.refused(&format!("tcp://b:{port}"), "not-allowed");
        }
        let all = places.read();
        assert_eq!(all.len(), PLACES_MAX + 1);
        let a = PlaceUse { connections: 1, refused: 1, reason: Some("too-fast") };
        assert_eq!(all["tcp://a:1"], a);
        assert_eq!(all[OTHER_PLACES].refused, PLACES_MAX as u64 + 1);
    }
}

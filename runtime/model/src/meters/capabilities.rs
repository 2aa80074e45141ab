//! Which capabilities plugins import, which of them are granted, and which they have used.
//!
//! Not here: what they are (`capability`), and granting them.

use std::sync::atomic::{AtomicU16, Ordering};

use crate::capability::Capability;

/// What reaches out of the sandbox through functions of ours, whose use is seen. Clocks and random numbers are WASI's own and everyone's.
const SEEN: [Capability; 5] = [
    Capability::Log,
    Capability::Metrics,
    Capability::Offsets,
    Capability::Files,
    Capability::Network,
];

/// Capabilities of the plugins of one task, or of a connector's own instance.
#[derive(Debug, Default)]
pub struct Capabilities {
    imported: AtomicU16,
    granted: AtomicU16,
    used: AtomicU16,
}

/// A capability that is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Which.
    pub capability: Capability,
    /// Whether it is granted: to all of the plugins that import it, as grants are not a plugin's.
    pub is_granted: bool,
    /// Whether it was used; none where that is not seen.
    pub is_used: Option<bool>,
}

impl Capabilities {
    /// A plugin imports one.
    pub fn imports(&self, capability: Capability, is_granted: bool) {
        self.imported.fetch_or(bit(capability), Ordering::Relaxed);
        if is_granted {
            self.granted.fetch_or(bit(capability), Ordering::Relaxed);
        }
    }

    /// A plugin uses one.
    ///
    /// Cost: a load, after the first time.
    pub fn uses(&self, capability: Capability) {
        if self.used.load(Ordering::Relaxed) & bit(capability) == 0 {
            self.used.fetch_or(bit(capability), Ordering::Relaxed);
        }
    }

    /// Those that are imported, in the order of [`Capability::ALL`].
    pub fn read(&self) -> Vec<Imported> {
        let has = |of: &AtomicU16, one| of.load(Ordering::Relaxed) & bit(one) != 0;
        let imported = Capability::ALL.into_iter().filter(|one| has(&self.imported, *one));
        let seen = imported.map(|capability| Imported {
            capability,
            is_granted: has(&self.granted, capability),
            is_used: SEEN.contains(&capability).then(|| has(&self.used, capability)),
        });
        seen.collect()
    }
}

fn bit(capability: Capability) -> u16 {
    1 << capability as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_granted_and_used_is_told_apart() {
        let all = Capabilities::default();
        for (capability, is_granted) in
            [(Capability::Network, false), (Capability::Log, true), (Capability::Clock, true)]
        {
            all.imports(capability, is_granted);
        }
        all.uses(Capability::Log);
        let told = all.read().into_iter().map(|Imported { capability, is_granted, is_used }| {
            (capability.name(), is_granted, is_used)
        });
        let expected =
            [("clock", true, None), ("log", true, Some(true)), ("network", false, Some(false))];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}

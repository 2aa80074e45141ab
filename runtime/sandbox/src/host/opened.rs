//! What one store has open of the file system: each file is a descriptor of the process, and those are for all connectors.
//!
//! Not here: opening (`files`), and handles of other kinds, of which there may be more.

use std::any::Any;
use std::sync::{Arc, Weak};

/// Most files and directories that one store has open, those among them that are listed. A plugin works on a few at a time; a thousand stores that take all
/// they may are within 65,536 descriptors.
const OPEN_MAX: usize = 64;

/// What is open: not the handles are counted but what they keep open, for a stream does so when the descriptor that it came from is dropped.
#[derive(Debug, Default)]
pub(super) struct Opened(Vec<Weak<dyn Any + Send + Sync>>);

impl Opened {
    /// Whether there may be one more.
    pub(super) fn has_room(&mut self) -> bool {
        self.0.retain(|open| open.strong_count() > 0);
        self.0.len() < OPEN_MAX
    }

    /// Counts this for as long as anybody has it.
    pub(super) fn add<T: Any + Send + Sync>(&mut self, open: &Arc<T>) {
        let open: Weak<T> = Arc::downgrade(open);
        self.0.push(open);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_any_more_makes_room() {
        let mut opened = Opened::default();
        let mut kept: Vec<Arc<usize>> = (0..OPEN_MAX).map(Arc::new).collect();
        for one in &kept {
            assert!(opened.has_room());
            opened.add(one);
        }
        let of_a_stream = Arc::clone(&kept[0]);
        drop(kept.remove(0));
        assert!(!opened.has_room(), "a stream has it still");
        drop(of_a_stream);
        assert!(opened.has_room());
    }
}

//! How much a directory that plugins write to may hold: an upper bound of what is in it, held against its limit.
//!
//! Whatever is written counts at once, as if all of it were new; where that comes to the limit, the directory is measured, which takes into account what
//! was overwritten, removed, or put there by others. So the limit holds always, and nothing is refused for long that would fit.
//! Not here: who writes (`files`).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that each file, directory and link counts beside its content: what a file system takes for one, about, so that empty ones are no way around.
pub(crate) const ENTRY_BYTES: u64 = 4 << 10;

/// How long a measure is believed: a full directory is not measured with every write that it refuses.
const FRESH: Duration = Duration::from_secs(1);

/// A directory's limit.
#[derive(Debug)]
pub(crate) struct Quota {
    directory: PathBuf,
    /// Bytes that it may hold.
    max: u64,
    state: Mutex<State>,
    /// Held by who measures it.
    measuring: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes in it at most; before it was measured, nothing is known.
    used: u64,
    /// Bytes that were ever taken.
    taken: u64,
    measured: Option<Instant>,
}

/// What came of asking for bytes without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// So many may be written.
    Bytes(u64),
    /// The directory must be measured first.
    Unknown,
    /// It is full.
    Full,
}

impl Quota {
    /// A limit of a directory, which is not looked at before something is written.
    pub(crate) fn new(directory: &Path, max: u64) -> Self {
        Self {
            directory: directory.to_owned(),
            max,
            state: Mutex::default(),
            measuring: tokio::sync::Mutex::default(),
        }
    }

    /// Takes bytes, at most `wanted`: fewer where fewer are left, but not fewer than `least`.
    pub(crate) fn try_take(&self, wanted: u64, least: u64) -> Taken {
        let mut state = self.state();
        let Some(measured) = state.measured else { return Taken::Unknown };
        let bytes = wanted.min(self.max.saturating_sub(state.used));
        if bytes >= least {
            state.used += bytes;
            state.taken += bytes;
            return Taken::Bytes(bytes);
        }
        if measured.elapsed() < FRESH { Taken::Full } else { Taken::Unknown }
    }

    /// As [`Self::try_take`], with a look at the directory where one is due. None where it is full.
    ///
    /// Cost: a walk through the directory at times, on a thread for it.
    pub(crate) async fn take(self: &Arc<Self>, wanted: u64, least: u64) -> Option<u64> {
        loop {
            match self.try_take(wanted, least) {
                Taken::Bytes(bytes) => return Some(bytes),
                Taken::Full => return None,
                Taken::Unknown => self.measure().await,
            }
        }
    }

    /// How many bytes may be written now, at most `wanted`; they are not taken yet.
    pub(crate) fn room(&self, wanted: u64) -> Taken {
        let state = self.state();
        let Some(measured) = state.measured else { return Taken::Unknown };
        match self.max.saturating_sub(state.used) {
            0 if measured.elapsed() < FRESH => Taken::Full,
            0 => Taken::Unknown,
            left => Taken::Bytes(wanted.min(left)),
        }
    }

    async fn measure(self: &Arc<Self>) {
        let _one = self.measuring.lock().await;
        let before = {
            let state = self.state();
            if state.measured.is_some_and(|at| at.elapsed() < FRESH) {
                return;
            }
            state.taken
        };
        let directory = self.directory.clone();
        let held = tokio::task::spawn_blocking(move || size(&directory)).await;
        // What cannot be measured is full: the limit holds.
        let held = held.unwrap_or(u64::MAX);
        let mut state = self.state();
        // What was taken meanwhile may or may not have been seen.
        state.used = held.saturating_add(state.taken - before);
        state.measured = Some(Instant::now());
        let (used, max, directory) = (state.used, self.max, self.directory.display());
        drop(state);
        if used >= max {
            tracing::warn!(%directory, used, max, "a directory of sandbox.fs.roots holds as many bytes as it may; plugins can write no more there");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of everything below a directory. Links are not followed; what cannot be looked at, or is gone meanwhile, does not count.
fn size(directory: &Path) -> u64 {
    let mut bytes: u64 = 0;
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let content = if metadata.is_file() { metadata.len() } else { 0 };
            bytes = bytes.saturating_add(ENTRY_BYTES).saturating_add(content);
            if metadata.is_dir() {
                directories.push(entry.path());
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_there_counts_and_what_is_removed_counts_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, [0; 1_000]).unwrap();
        let quota = Arc::new(Quota::new(folder.path(), ENTRY_BYTES + 5_000));
        assert_eq!(quota.try_take(1, 1), Taken::Unknown, "nobody has looked");
        assert_eq!(quota.take(3_000, 3_000).await, Some(3_000));
        assert_eq!(quota.take(3_000, 1).await, Some(1_000), "what is left");
        assert_eq!(quota.take(1, 1).await, None);
        assert_eq!(quota.room(1), Taken::Full);
        // Nothing of it was written, and the file is gone.
        std::fs::remove_file(&file).unwrap();
        quota.state().measured = Instant::now().checked_sub(FRESH);
        assert_eq!(quota.room(1), Taken::Unknown);
        assert_eq!(quota.take(20_000, 5_000).await, Some(ENTRY_BYTES + 5_000));
        assert_eq!(quota.take(1, 1).await, None);
    }

    #[test]
    fn entries_count_beside_what_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("below")).unwrap();
        std::fs::write(folder.path().join("below/file"), [0; 10]).unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        assert_eq!(size(folder.path()), 3 * ENTRY_BYTES + 10);
        assert_eq!(size(&folder.path().join("none")), 0);
    }
}

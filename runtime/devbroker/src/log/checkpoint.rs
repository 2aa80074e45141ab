//! What a partition remembers besides its records: where they begin for clients, and how far they are compacted.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

const FILE: &str = "checkpoint.json";

/// Kept in one small file, replaced whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// First offset that clients may read.
    pub start: i64,
    /// Records below this offset have been through compaction.
    pub compacted_to: i64,
}

impl Checkpoint {
    pub(crate) fn load(dir: &Path) -> io::Result<Self> {
        match std::fs::read(dir.join(FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn save(&self, dir: &Path) -> io::Result<()> {
        std::fs::create_dir_all(dir)?;
        let bytes = serde_json::to_vec(self).map_err(io::Error::other)?;
        replace_file(&dir.join(FILE), &bytes)
    }
}

/// Writes a file so that after a crash either the old or the new content is there.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    std::fs::write(&new, bytes)?;
    std::fs::rename(new, path)
}

//! The file in which committed offsets and transactions survive: a line of JSON for every change, rewritten as a
//! snapshot when it has grown. Not here: what the changes mean (`state`).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::offsets::OffsetChange;
use super::transaction::{PartitionKey, Transaction};
use crate::Error;

/// Below this size a rewrite is not worth it.
const REWRITE_BYTES_MIN: u64 = 1024 * 1024;

/// One change of what is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// A group's offsets were committed or removed.
    Offsets { group: String, changes: Vec<OffsetChange> },
    /// A transaction is now as said.
    Transaction { id: String, transaction: Box<Transaction> },
    /// An ongoing transaction took partitions in.
    Partitions { id: String, partitions: Vec<PartitionKey> },
    /// An ongoing transaction took a group's offsets in.
    Pending { id: String, group: String, changes: Vec<OffsetChange> },
    /// A transactional id was not used for so long that it is forgotten.
    Forgotten { id: String },
    /// Producer ids below this were given out.
    NextProducerId(i64),
}

/// The file, open for appending.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// Where the whole entries end.
    length: u64,
    /// Length after the last rewrite.
    snapshot_length: u64,
    /// A write failed and its remains could not be removed, so nothing may follow them.
    is_broken: bool,
}

impl Journal {
    /// Reads a journal, or begins one. A last line without an end was being written in a crash, and is dropped.
    pub(crate) fn open(path: PathBuf) -> Result<(Self, Vec<Entry>), Error> {
        let at = |source| Error::File { path: path.clone(), source };
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => text.map_err(at)?,
        };
        let mut entries = Vec::new();
        let mut length = 0;
        for (number, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if line.last() != Some(&b'\n') {
                break;
            }
            let entry = serde_json::from_slice(line).map_err(|error| Error::Damaged {
                path: path.clone(),
                what: format!("line {}: {error}", number + 1),
            })?;
            entries.push(entry);
            length += line.len() as u64;
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(at)?;
        file.set_len(length).map_err(at)?;
        let journal = Self { path, file, length, snapshot_length: 0, is_broken: false };
        Ok((journal, entries))
    }

    /// Appends changes: all of them, or on an error none.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        if self.is_broken {
            return Err(io::Error::other("an earlier write to the journal could not be undone"));
        }
        let text = lines(entries)?;
        if let Err(error) = self.file.write_all_at(&text, self.length) {
            self.is_broken = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length += text.len() as u64;
        Ok(())
    }

    /// Whether most of the file is out of date.
    pub(crate) fn wants_rewrite(&self) -> bool {
        self.is_broken || self.length > REWRITE_BYTES_MIN.max(2 * self.snapshot_length)
    }

    /// Replaces the file by a snapshot.
    pub(crate) fn rewrite(&mut self, snapshot: &[Entry]) -> io::Result<()> {
        let text = lines(snapshot)?;
        let new = self.path.with_extension("new");
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&new)?;
        file.write_all_at(&text, 0)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        self.file = file;
        self.length = text.len() as u64;
        self.snapshot_length = self.length;
        self.is_broken = false;
        Ok(())
    }

    /// A handle for syncing to the disk without holding up the journal.
    pub(crate) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn lines(entries: &[Entry]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut text, entry)?;
        text.push(b'\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(entries: &[Entry]) -> Vec<i64> {
        let id = |entry: &Entry| match entry {
            Entry::NextProducerId(id) => *id,
            other => panic!("{other:?}"),
        };
        entries.iter().map(id).collect()
    }

    #[test]
    fn entries_are_there_after_a_restart_but_for_a_torn_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, entries) = Journal::open(path.clone()).unwrap();
        assert!(entries.is_empty());
        journal.append(&[Entry::NextProducerId(1), Entry::NextProducerId(2)]).unwrap();
        journal.append(&[Entry::NextProducerId(3)]).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..10 {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let (mut journal, entries) = Journal::open(path.clone()).unwrap();
            assert_eq!(ids(&entries), [1, 2], "{cut} bytes missing");
            journal.append(&[Entry::NextProducerId(9)]).unwrap();
            let (_, entries) = Journal::open(path.clone()).unwrap();
            assert_eq!(ids(&entries), [1, 2, 9]);
        }
    }

    #[test]
    fn a_damaged_line_before_others_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        std::fs::write(&path, "{\"NextProducerId\":1}\nrubbish\n{\"NextProducerId\":2}\n").unwrap();
        let error = Journal::open(path).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn a_rewrite_leaves_the_snapshot_and_what_came_after() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, _) = Journal::open(path.clone()).unwrap();
        let many: Vec<_> = (0..60_000).map(Entry::NextProducerId).collect();
        assert!(!journal.wants_rewrite());
        journal.append(&many).unwrap();
        assert!(journal.wants_rewrite());
        journal.rewrite(&[Entry::NextProducerId(7)]).unwrap();
        assert!(!journal.wants_rewrite());
        journal.append(&[Entry::NextProducerId(8)]).unwrap();
        assert_eq!(ids(&Journal::open(path).unwrap().1), [7, 8]);
    }

    #[test]
    fn a_failed_write_is_reported_and_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, _) = Journal::open(path.clone()).unwrap();
        journal.append(&[Entry::NextProducerId(1)]).unwrap();
        journal.file = File::open(&path).unwrap();
        assert!(journal.append(&[Entry::NextProducerId(2)]).is_err());
        assert!(journal.append(&[Entry::NextProducerId(3)]).is_err());
        assert!(journal.wants_rewrite());
        journal.rewrite(&[Entry::NextProducerId(1)]).unwrap();
        journal.append(&[Entry::NextProducerId(4)]).unwrap();
        assert_eq!(ids(&Journal::open(path).unwrap().1), [1, 4]);
    }
}

//! The directory of a broker: only one process at a time uses it, and it has an identity. Not here: its contents.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::Error;
use crate::log::checkpoint::replace_file;

/// The directory, as long as this is not dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Made when the directory was.
    pub cluster_id: String,
    /// The system frees it when the process ends, however it ends.
    _lock: File,
}

impl Directory {
    /// Creates the directory if need be, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { path, source }
        };
        std::fs::create_dir_all(path).map_err(at(path))?;
        let lock_path = path.join("lock");
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(at(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(at(&lock_path)(error)),
        }
        let id_path = path.join("cluster.id");
        let cluster_id = match std::fs::read_to_string(&id_path) {
            Ok(id) => id.trim().to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let id = Uuid::new_v4().simple().to_string();
                replace_file(&id_path, id.as_bytes()).map_err(at(&id_path))?;
                id
            }
            Err(error) => return Err(at(&id_path)(error)),
        };
        Ok(Self { path: path.to_owned(), cluster_id, _lock: lock })
    }

    pub(crate) fn topics(&self) -> PathBuf {
        self.path.join("topics")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join("coordinator.journal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_used_once_at_a_time_and_keeps_its_identity() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/one");
        let first = Directory::open(&path).unwrap();
        assert!(matches!(Directory::open(&path), Err(Error::InUse(used)) if used == path));
        let id = first.cluster_id.clone();
        drop(first);
        assert_eq!(Directory::open(&path).unwrap().cluster_id, id);
    }
}

//! The entries of a directory, read in portions as a guest asks for them: of one with a million entries the host keeps no more than of one with ten.
//!
//! Not here: which directories a guest has (`files`).

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, Dir, DirEntry, FileType, Mode, OFlags, openat, statat};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};
use wasmtime_wasi::runtime::spawn_blocking;

use crate::limits::Held;

/// Entries that are read at once.
const PORTION: usize = 128;

/// What a listing takes of the host, at most about: what the kernel fills (48 KiB), and a portion of entries with names as long as they may be (255 bytes).
pub(super) const LISTING_BYTES: u64 = 96 << 10;

type Entry = Result<DirectoryEntry, ErrorCode>;

/// A directory that is listed.
pub(super) struct Listing {
    directory: Arc<Mutex<Dir>>,
    /// What was read and not asked for yet.
    portion: VecDeque<Entry>,
    _held: Held,
}

impl Listing {
    /// Begins at the directory's first entry, wherever other listings of it are.
    pub(super) async fn open(directory: Arc<File>, held: Held) -> FsResult<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = move || openat(&directory, ".", flags, Mode::empty()).and_then(Dir::new);
        let opened = spawn_blocking(open).await.map_err(io::Error::from)?;
        let directory = Arc::new(Mutex::new(opened));
        Ok(Self { directory, portion: VecDeque::new(), _held: held })
    }

    /// What is open for as long as this is.
    pub(super) fn directory(&self) -> &Arc<Mutex<Dir>> {
        &self.directory
    }

    /// The next entry, but for the directory itself and the one above; none at the end.
    pub(super) async fn next(&mut self) -> FsResult<Option<DirectoryEntry>> {
        if self.portion.is_empty() {
            let directory = Arc::clone(&self.directory);
            let read =
                move || portion(&mut directory.lock().unwrap_or_else(PoisonError::into_inner));
            self.portion = spawn_blocking(read).await;
        }
        Ok(self.portion.pop_front().transpose()?)
    }
}

/// The next entries; none at the end.
fn portion(directory: &mut Dir) -> VecDeque<Entry> {
    let mut portion = VecDeque::new();
    while portion.len() < PORTION {
        match directory.read() {
            Some(Ok(entry)) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
            Some(Ok(entry)) => portion.push_back(described(directory, &entry)),
            Some(Err(error)) => portion.push_back(Err(io::Error::from(error).into())),
            None => break,
        }
    }
    portion
}

fn described(directory: &Dir, entry: &DirEntry) -> Entry {
    let file_type = match entry.file_type() {
        // Not every file system tells it in the list.
        FileType::Unknown => type_of(directory, entry).map_err(io::Error::from)?,
        known => known,
    };
    let name = entry.file_name().to_str().map_err(|_| ErrorCode::IllegalByteSequence)?;
    Ok(DirectoryEntry { type_: told(file_type), name: name.to_owned() })
}

fn type_of(directory: &Dir, entry: &DirEntry) -> rustix::io::Result<FileType> {
    let found = statat(directory.fd()?, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(found.st_mode))
}

fn told(file_type: FileType) -> DescriptorType {
    match file_type {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Unknown => DescriptorType::Unknown,
    }
}

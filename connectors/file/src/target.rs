//! The file that the sink appends to: in few calls, and with an eye on what becomes of its name. Not here: what is appended (`sink`).
//!
//! The standard library hands a component's bytes to the host 4 KiB at a time, and the host takes each piece to another thread and back; a component hands
//! over all it has at once, by WASI's own calls.

#[cfg(target_family = "wasm")]
pub(crate) use component::Target;
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::Target;

/// What has become of an open file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The path leads to the file.
    Same,
    /// The path leads elsewhere, or nowhere; the file has another name, as after a log rotation.
    Moved,
    /// It has no name left: nobody can open it any more.
    Deleted,
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::fs::{File, OpenOptions};
    use std::io::{ErrorKind, Result, Write};
    use std::os::unix::fs::MetadataExt;

    use super::Standing;

    /// A file to append to.
    #[derive(Debug)]
    pub(crate) struct Target {
        path: String,
        file: File,
    }

    impl Target {
        /// Opens a file, and creates it where it is not there.
        pub(crate) fn open(path: &str) -> Result<Self> {
            let file = OpenOptions::new().append(true).create(true).open(path)?;
            Ok(Self { path: path.to_owned(), file })
        }

        /// Appends all of this, or says why not; a part may be there then.
        pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
            self.file.write_all(bytes)
        }

        /// Bytes in it.
        pub(crate) fn len(&self) -> Result<u64> {
            self.file.metadata().map(|data| data.len())
        }

        /// Cuts it off behind this many bytes.
        pub(crate) fn cut(&self, len: u64) -> Result<()> {
            self.file.set_len(len)
        }

        /// Waits until what was appended is on the disk.
        pub(crate) fn sync(&self) -> Result<()> {
            match self.file.sync_data() {
                // A device or a pipe, which has nothing to wait for.
                Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
                synced => synced,
            }
        }

        /// What has become of its name.
        pub(crate) fn standing(&self) -> Result<Standing> {
            let own = self.file.metadata()?;
            if own.nlink() == 0 {
                return Ok(Standing::Deleted);
            }
            Ok(match std::fs::metadata(&self.path) {
                Ok(named) if (named.dev(), named.ino()) == (own.dev(), own.ino()) => Standing::Same,
                // Whatever keeps the path from leading to it, opening it anew tells.
                _ => Standing::Moved,
            })
        }
    }
}

#[cfg(target_family = "wasm")]
mod component {
    use std::io::{Error, ErrorKind, Result};

    use wasip2::filesystem::preopens::get_directories;
    use wasip2::filesystem::types::{
        Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags, filesystem_error_code,
    };
    use wasip2::io::streams::{OutputStream, StreamError};

    use super::Standing;
    use crate::access::LEADS_OUT;

    /// A file to append to.
    #[derive(Debug)]
    pub(crate) struct Target {
        /// A directory that the host offers.
        directory: Descriptor,
        /// The path below it.
        below: String,
        file: Descriptor,
    }

    impl Target {
        /// Opens a file, and creates it where it is not there.
        pub(crate) fn open(path: &str) -> Result<Self> {
            let (directory, below) = offered(path).ok_or(ErrorKind::NotFound)?;
            let (follow, flags) = (PathFlags::SYMLINK_FOLLOW, DescriptorFlags::WRITE);
            let file = directory.open_at(follow, &below, OpenFlags::CREATE, flags);
            Ok(Self { file: file.map_err(error)?, directory, below })
        }

        /// Appends all of this, or says why not; a part may be there then.
        pub(crate) fn append(&mut self, mut bytes: &[u8]) -> Result<()> {
            // A stream that failed once is of no more use, so each call has its own.
            let stream = self.file.append_via_stream().map_err(error)?;
            while !bytes.is_empty() {
                let room = usize::try_from(room(&stream)?).unwrap_or(usize::MAX);
                let (piece, rest) = bytes.split_at(room.min(bytes.len()));
                stream.write(piece).map_err(failed)?;
                bytes = rest;
            }
            stream.flush().map_err(failed)?;
            // Room again means that all before it is written, or says how it failed.
            room(&stream).map(drop)
        }

        /// Bytes in it.
        pub(crate) fn len(&self) -> Result<u64> {
            self.file.stat().map(|data| data.size).map_err(error)
        }

        /// Cuts it off behind this many bytes.
        pub(crate) fn cut(&self, len: u64) -> Result<()> {
            self.file.set_size(len).map_err(error)
        }

        /// Waits until what was appended is on the disk.
        pub(crate) fn sync(&self) -> Result<()> {
            match self.file.sync_data() {
                // A device or a pipe, which has nothing to wait for.
                Err(ErrorCode::Invalid) => Ok(()),
                synced => synced.map_err(error),
            }
        }

        /// What has become of its name.
        pub(crate) fn standing(&self) -> Result<Standing> {
            if self.file.stat().map_err(error)?.link_count == 0 {
                return Ok(Standing::Deleted);
            }
            let own = self.file.metadata_hash().map_err(error)?;
            let named = self.directory.metadata_hash_at(PathFlags::SYMLINK_FOLLOW, &self.below);
            Ok(match named {
                Ok(named) if (named.lower, named.upper) == (own.lower, own.upper) => Standing::Same,
                // Whatever keeps the path from leading to it, opening it anew tells.
                _ => Standing::Moved,
            })
        }
    }

    /// Waits until the stream takes bytes, and says how many.
    fn room(stream: &OutputStream) -> Result<u64> {
        loop {
            stream.subscribe().block();
            match stream.check_write().map_err(failed)? {
                0 => {}
                room => return Ok(room),
            }
        }
    }

    /// The innermost directory that the host offers above a path, and the path below it.
    fn offered(path: &str) -> Option<(Descriptor, String)> {
        let below = |name: &str| match path.strip_prefix(name) {
            Some(rest) if rest.starts_with('/') => Some(rest.trim_start_matches('/').to_owned()),
            _ if name == "." && !path.starts_with('/') => Some(path.to_owned()),
            _ => None,
        };
        let found = get_directories().into_iter().filter_map(|(directory, name)| {
            let below = below(name.trim_end_matches('/'))?;
            Some((directory, below))
        });
        found.min_by_key(|(_, below)| below.len())
    }

    fn failed(why: StreamError) -> Error {
        match why {
            StreamError::Closed => ErrorKind::BrokenPipe.into(),
            StreamError::LastOperationFailed(why) => match filesystem_error_code(&why) {
                Some(code) => error(code),
                None => Error::other(why.to_debug_string()),
            },
        }
    }

    fn error(code: ErrorCode) -> Error {
        let kind = match code {
            ErrorCode::NotPermitted => return Error::from_raw_os_error(LEADS_OUT),
            ErrorCode::InsufficientSpace => ErrorKind::StorageFull,
            ErrorCode::Quota => ErrorKind::QuotaExceeded,
            ErrorCode::FileTooLarge => ErrorKind::FileTooLarge,
            ErrorCode::Interrupted => ErrorKind::Interrupted,
            ErrorCode::NoEntry => ErrorKind::NotFound,
            ErrorCode::NotDirectory => ErrorKind::NotADirectory,
            ErrorCode::IsDirectory => ErrorKind::IsADirectory,
            ErrorCode::Access => ErrorKind::PermissionDenied,
            ErrorCode::ReadOnly => ErrorKind::ReadOnlyFilesystem,
            _ => return Error::other(code.message()),
        };
        kind.into()
    }
}

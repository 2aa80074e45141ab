//! Appends to a file in few calls. Not here: what is appended (`sink`).
//!
//! The standard library hands a component's bytes to the host 4 KiB at a time, and the host takes each piece to another thread and back; this hands over
//! all it has at once.

#[cfg(target_family = "wasm")]
pub(crate) use component::Appender;
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::Appender;

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::fs::File;
    use std::io::{Result, Write};

    /// A file that was opened to append to.
    #[derive(Debug)]
    pub(crate) struct Appender(File);

    impl Appender {
        pub(crate) fn new(_path: &str, file: &File) -> Result<Self> {
            file.try_clone().map(Self)
        }

        /// Appends all of this, or says why not; a part may be there then.
        pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
            self.0.write_all(bytes)
        }
    }
}

#[cfg(target_family = "wasm")]
mod component {
    use std::fs::File;
    use std::io::{Error, ErrorKind, Result};

    use wasip2::filesystem::preopens::get_directories;
    use wasip2::filesystem::types::{
        Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags, filesystem_error_code,
    };
    use wasip2::io::streams::{OutputStream, StreamError};

    /// A file to append to.
    #[derive(Debug)]
    pub(crate) struct Appender(Descriptor);

    impl Appender {
        pub(crate) fn new(path: &str, _file: &File) -> Result<Self> {
            let (directory, below) = offered(path).ok_or(ErrorKind::NotFound)?;
            let (follow, flags) = (PathFlags::SYMLINK_FOLLOW, DescriptorFlags::WRITE);
            let file = directory.open_at(follow, &below, OpenFlags::empty(), flags);
            file.map(Self).map_err(error)
        }

        /// Appends all of this, or says why not; a part may be there then.
        pub(crate) fn append(&mut self, mut bytes: &[u8]) -> Result<()> {
            // A stream that failed once is of no more use, so each call has its own.
            let stream = self.0.append_via_stream().map_err(error)?;
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
            ErrorCode::InsufficientSpace => ErrorKind::StorageFull,
            ErrorCode::Quota => ErrorKind::QuotaExceeded,
            ErrorCode::FileTooLarge => ErrorKind::FileTooLarge,
            ErrorCode::Interrupted => ErrorKind::Interrupted,
            ErrorCode::NoEntry => ErrorKind::NotFound,
            ErrorCode::Access | ErrorCode::NotPermitted => ErrorKind::PermissionDenied,
            ErrorCode::ReadOnly => ErrorKind::ReadOnlyFilesystem,
            _ => return Error::other(code.message()),
        };
        kind.into()
    }
}

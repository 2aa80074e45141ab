//! Which files a provider may read.
//!
//! Not here: what it reads of them.

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::FILE_BYTES_MAX;

/// Paths that lie at or below some, or all where none are named.
///
/// Follows `AllowedPaths` of Kafka. Beyond it, a symbolic link does not lead out: a plugin may be able to make one.
pub(super) struct AllowedPaths(Vec<PathBuf>);

impl AllowedPaths {
    /// Reads paths with commas between.
    ///
    /// Errors: in Kafka's words, a path that is not absolute or not there.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut all = Vec::new();
        for path in text.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            let path = normalized(Path::new(path));
            if !path.is_absolute() {
                return Err(format!("Path {} is not absolute", path.display()));
            }
            if !path.exists() {
                return Err(format!("Path {} does not exist", path.display()));
            }
            all.push(path);
        }
        Ok(Self(all))
    }

    /// Whether the path may be read. It is looked at where it leads to, each time: links may be laid anew.
    pub(super) fn holds(&self, path: &Path) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let normal = normalized(path);
        let named = self.0.iter().any(|allowed| normal.starts_with(allowed));
        // What is not there leads nowhere.
        let Ok(real) = normal.canonicalize() else { return named };
        let real_allowed = self.0.iter().filter_map(|allowed| allowed.canonicalize().ok());
        named && real_allowed.into_iter().any(|allowed| real.starts_with(allowed))
    }
}

/// Without `.` and `..`, as they are written.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}

/// The content of a regular file of no more than [`FILE_BYTES_MAX`].
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    // Opening a pipe would wait for whoever writes to it.
    if !path.metadata()?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut content = Vec::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut content)?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::Error::other(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    Ok(content)
}

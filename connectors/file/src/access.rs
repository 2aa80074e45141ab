//! Opening files, and saying what to do when the host does not offer them. Not here: reading and writing.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};

use tombolo_sdk::fault::{Fault, Result};
use tombolo_sdk::settings::{ConfigError, SettingState};

use crate::settings::FILE;
use crate::target::Target;

/// WASI's error for a path that leads out of what is offered, by `..` or by a link.
pub(crate) const LEADS_OUT: i32 = 63;
/// Set by a host that grants standard input and output.
const STREAMS: &str = "TOMBOLO_STANDARD_STREAMS";

/// Opens a file to read; none when it is not there yet.
pub(crate) fn open_to_read(path: &str) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_outside(path, &error) => Err(outside(path).into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::fatal(format_args!("Couldn't open file '{path}': {error}"))),
    }
}

/// Opens a file to append to; creates it when it is not there.
pub(crate) fn open_to_append(path: &str) -> Result<Target> {
    Target::open(path).map_err(|error| {
        if is_outside(path, &error) {
            return outside(path).into();
        }
        let what = format!("Couldn't find or create file '{path}' for FileStreamSinkTask: {error}");
        if is_passing(&error) { Fault::retriable(what) } else { Fault::fatal(what) }
    })
}

/// Whether trying again can help: the disk may have room later.
pub(crate) fn is_passing(error: &Error) -> bool {
    use ErrorKind::{FileTooLarge, Interrupted, QuotaExceeded, StorageFull, TimedOut, WouldBlock};
    let kinds = [StorageFull, QuotaExceeded, FileTooLarge, Interrupted, TimedOut, WouldBlock];
    kinds.contains(&error.kind())
}

/// What is wrong with the setting `file`, if the host does not offer it.
pub(crate) fn check(file: Option<&str>) -> Vec<SettingState> {
    let refused = match file {
        None => standard_streams().err(),
        Some(path) => match std::fs::metadata(path) {
            Err(error) if is_outside(path, &error) => Some(outside(path)),
            _ => None,
        },
    };
    let state = |error: ConfigError| SettingState {
        name: FILE.to_owned(),
        errors: vec![error.to_string()],
        recommended: None,
        visible: None,
    };
    refused.map(state).into_iter().collect()
}

/// Errors: the host does not grant standard input and output.
pub(crate) fn standard_streams() -> std::result::Result<(), ConfigError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the host grants standard streams to a component by its environment"
    )]
    let granted = !cfg!(target_family = "wasm") || std::env::var(STREAMS).is_ok();
    if granted {
        return Ok(());
    }
    let why = "Missing configuration \"file\": standard input and output are only used under `tombolo dev`; \
               name a file below one of the directories of `sandbox.fs.roots` in the worker's properties";
    Err(ConfigError::of(FILE, why))
}

/// Whether the path, which could not be opened, is none that the host offers: nothing on the way to it is there.
fn is_outside(path: &str, error: &Error) -> bool {
    if cfg!(target_family = "wasm") && error.raw_os_error() == Some(LEADS_OUT) {
        return true;
    }
    let above = Path::new(path).ancestors().skip(1);
    let on_the_way =
        above.map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    error.kind() == ErrorKind::NotFound
        && !on_the_way.into_iter().any(|directory| std::fs::metadata(directory).is_ok())
}

fn outside(path: &str) -> ConfigError {
    let directory = directory_of(path);
    let why = format!(
        "The file is not below a directory that this worker offers to plugins. \
         Offer it by the line `sandbox.fs.roots={directory}` in the worker's properties \
         (several directories with commas between)"
    );
    ConfigError::invalid(FILE, path, why)
}

/// The directory that would have to be offered. A relative path counts from the worker's working directory, which only the operator knows.
fn directory_of(path: &str) -> String {
    let mut directory = PathBuf::new();
    for part in Path::new(path).parent().into_iter().flat_map(Path::components) {
        match part {
            Component::ParentDir => _ = directory.pop(),
            Component::CurDir => {}
            part => directory.push(part),
        }
    }
    match directory.is_absolute() {
        true => directory.to_string_lossy().into_owned(),
        false => format!("$PWD/{}", directory.to_string_lossy()).trim_end_matches('/').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_add_names_the_files_directory() {
        for (path, expected) in [
            ("/data/in.txt", "/data"),
            ("/data/../etc/passwd", "/etc"),
            ("/in.txt", "/"),
            ("in.txt", "$PWD"),
            ("./logs/in.txt", "$PWD/logs"),
        ] {
            let message = outside(path).to_string();
            assert!(message.contains(&format!("`sandbox.fs.roots={expected}`")), "{message}");
            assert!(message.contains(&format!("Invalid value {path} for configuration file")));
        }
    }

    #[test]
    fn only_what_can_pass_is_tried_again() {
        assert!(is_passing(&ErrorKind::StorageFull.into()));
        assert!(is_passing(&ErrorKind::QuotaExceeded.into()));
        assert!(!is_passing(&ErrorKind::PermissionDenied.into()));
    }
}

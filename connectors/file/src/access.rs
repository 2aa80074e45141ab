//! Opening files, and saying what to do when the host does not offer them. Not here: reading and writing.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::path::Path;

use tombolo_sdk::fault::{Fault, Result};
use tombolo_sdk::settings::{ConfigError, SettingState};

use crate::settings::FILE;

/// WASI's error for a path that leads out of what is offered, by `..` or by a link.
const LEADS_OUT: i32 = 63;
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

/// Opens a file to append to, and to look at its end; creates it when it is not there.
pub(crate) fn open_to_append(path: &str) -> Result<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path).map_err(|error| {
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
    let directory = Path::new(path).parent().filter(|parent| parent.is_absolute());
    let directory = directory.map_or("DIRECTORY".into(), |parent| parent.to_string_lossy());
    let why = format!(
        "The file is not below a directory that this worker offers to plugins. \
         Offer it by the line `sandbox.fs.roots={directory}` in the worker's properties \
         (several directories with commas between)"
    );
    ConfigError::invalid(FILE, path, why)
}

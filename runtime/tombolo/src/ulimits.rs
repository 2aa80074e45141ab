//! Limits that the kernel holds this process to: as many open files as it may have, and no dump of its memory, which holds secrets.
//!
//! Not here: those of the process that compiles, which are `sandbox`'s, and showing them (`process`).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Says that a dump of the worker's memory is wanted where it crashes.
const CORE_DUMPS: &str = "TOMBOLO_CORE_DUMPS";

/// Sets them. What cannot be set is told and left as it is.
pub(crate) fn set() {
    open_files();
    #[expect(clippy::disallowed_methods, reason = "the program reads its environment here")]
    let wanted = std::env::var(CORE_DUMPS).ok();
    match wanted.as_deref() {
        Some("true") => {}
        None | Some("" | "false") => no_core_dumps(),
        Some(wanted) => {
            tracing::warn!("{CORE_DUMPS}={wanted} is not understood; expected `true` or `false`");
            no_core_dumps();
        }
    }
}

/// Each connector has sockets, and each plugin may have files: what most systems give at first, for programs of another age, is little for many of them.
fn open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => {
            tracing::debug!(from = ?current, to = ?maximum, "the limit of open files is raised")
        }
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
    }
}

/// With one byte rather than none, the kernel hands no dump to a program either (`kernel.core_pattern` with `|`), as it does with none.
const NO_DUMP: u64 = 1;

/// The upper limit stays: whoever needs a dump of a process that runs can still ask for it (`prlimit --core=unlimited:`).
fn no_core_dumps() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    if let Err(error) = setrlimit(
        Resource::Core,
        Rlimit { current: Some(maximum.unwrap_or(NO_DUMP).min(NO_DUMP)), maximum },
    ) {
        tracing::warn!(%error, "dumps of the worker's memory cannot be turned off");
    }
}

//! Signals: those that ask to stop, SIGTERM and Ctrl-C, and the one that would end the process for a file of a plugin's.
//!
//! Not here: stopping.

use tokio::signal::unix::{SignalKind, signal};

/// The system's number for a write beyond the process's limit of file sizes, SIGXFSZ; the same on Linux, macOS and the BSDs.
const FILE_SIZE: i32 = 25;

/// From now on, a write beyond the process's limit of file sizes is an error of that write, and no longer the end of the process: the file is one plugin's.
/// The JVM does the same.
pub(crate) fn outlive_large_files() -> std::io::Result<()> {
    // A handler stays when its stream is dropped.
    signal(SignalKind::from_raw(FILE_SIZE)).map(drop)
}

/// Waits until the process is asked to stop, and says how.
pub(crate) async fn asked_to_stop() -> anyhow::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

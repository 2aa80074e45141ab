//! Asks to stop: SIGTERM and Ctrl-C.
//!
//! Not here: stopping.

use tokio::signal::unix::{SignalKind, signal};

/// Waits until the process is asked to stop, and says how.
pub(crate) async fn asked_to_stop() -> anyhow::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

//! Logs to standard error.
//!
//! Not here: what is logged.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is logged where `TOMBOLO_LOG` does not say: our own progress, and warnings of everything else.
const DEFAULT: &str = "warn,tombolo=info,tombolo_worker=info,tombolo_herder=info,tombolo_rest=info,\
                       tombolo_store=info,tombolo_kafka=info,tombolo_sandbox=info,plugin=info";

/// Starts logging.
pub(crate) fn start(default: Option<&str>) {
    #[expect(clippy::disallowed_methods, reason = "the program reads its environment here")]
    let wanted = std::env::var("TOMBOLO_LOG").ok();
    let filter = wanted.as_deref().or(default).unwrap_or(DEFAULT);
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

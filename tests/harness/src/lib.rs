//! What tests share: a real Apache Kafka, a real PostgreSQL, guarded child processes, waiting for a condition.
//!
//! Not here: Kafka clients, and anything of Tombolo's own.

pub mod certificate;
pub mod guarded;
pub mod jars;
pub mod kafka;
pub mod postgres;
pub mod wait;
pub mod worker;

pub use guarded::{Guarded, Signal};
pub use kafka::Kafka;
pub use postgres::Postgres;
pub use wait::{wait_for, wait_for_some, wait_until};
pub use worker::{Worker, complete_lines};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Cargo's target folder of this workspace: what tests fetch and build stands there.
pub fn target_folder() -> PathBuf {
    // The test or program that runs lies in `target/<profile>` or `target/<profile>/deps`.
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.map_or_else(|| root().join("target"), Path::to_path_buf)
}

/// The project's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// A TCP port of the loopback address that nobody listens on, and that this process has not been given before.
///
/// Another process may take it before it is used; the programs under test report that, and tests do not.
pub fn free_port() -> std::io::Result<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        if GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
            return Ok(port);
        }
    }
}

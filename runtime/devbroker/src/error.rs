//! Why a broker cannot start, go on or stop cleanly. Not here: errors that clients are answered with, which are
//! Kafka's own (`kafka_protocol::ResponseError`).

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the owner of a broker can run into.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address would let other machines in.
    #[error(
        "the embedded broker has no security and listens on loopback addresses only, not on {0}"
    )]
    NotLoopback(SocketAddr),
    /// The address is taken, or not one of this machine.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Another broker, perhaps in another process, uses the directory.
    #[error("another broker uses the directory {0}")]
    InUse(PathBuf),
    /// A file or directory cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds what this broker never wrote.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where in the file.
        what: String,
    },
    /// The system gives no threads.
    #[error("cannot start the broker's threads")]
    Threads(#[source] io::Error),
}

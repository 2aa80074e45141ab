//! What can keep the sandbox itself from working.
//!
//! Not here: what plugins do wrong (`model::Fault`), and why a component is refused (`model::role::InstallRefused`).

use std::path::PathBuf;

/// The sandbox cannot work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// wasmtime cannot be set up on this machine.
    #[error("the WebAssembly engine cannot start")]
    Engine(#[source] wasmtime::Error),
    /// A directory that the operator offers to plugins is not there.
    #[error("the directory {path} of sandbox.fs.roots cannot be used")]
    Root {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// One directory lies in another, and the two are offered on different terms, or with a limit of bytes that would count twice.
    #[error(
        "{path} and {other} of sandbox.fs.roots lie one in the other; only directories that are offered alike and without a limit of bytes may"
    )]
    RootsOverlap {
        /// The one.
        path: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// The artifact cache lies where plugins may write: what they write there would be run.
    #[error(
        "the artifact cache at {path} lies below {root}, which sandbox.fs.roots offers to plugins; set sandbox.cache.dir to another place"
    )]
    CacheOffered {
        /// The cache.
        path: PathBuf,
        /// The directory that is offered.
        root: PathBuf,
    },
    /// The artifact cache cannot be read or written.
    #[error("the artifact cache at {path} cannot be used")]
    Cache {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A component that ships with the program is not a good one.
    #[error("the component {component} cannot be loaded")]
    Component {
        /// Its digest.
        component: String,
        /// Why.
        #[source]
        source: tombolo_model::role::InstallRefused,
    },
}

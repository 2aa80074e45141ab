//! The components that ship inside the program: the build script compiles them from `connectors` and takes their digests.
//!
//! Not here: making them known to a worker, which reads no more than their digests once they were compiled.

/// A component inside the program.
pub(crate) struct Component {
    /// The name of its folder in `connectors`.
    pub(crate) name: &'static str,
    /// SHA-256 in lower-case hex.
    pub(crate) digest: &'static str,
    /// The component itself.
    pub(crate) bytes: &'static [u8],
}

/// All of them, by name.
pub(crate) const COMPONENTS: &[Component] = include!(concat!(env!("OUT_DIR"), "/components.rs"));

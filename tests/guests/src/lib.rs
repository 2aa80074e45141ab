//! Components for tests: an echo, and one for each way to misbehave.
//!
//! Their sources are in `programs`, a file each; the build script compiles them. Not here: what the tests expect of them.

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

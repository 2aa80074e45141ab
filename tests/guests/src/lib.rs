//! Components for tests: an echo, one for each way to misbehave, some that are hard to compile ([`bombs`]), and broken ones without end ([`mutations`]).
//!
//! Sources of the first are in `programs`, a file each; the build script compiles them. Not here: what the tests expect of them.

pub mod bombs;
pub mod mutations;

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

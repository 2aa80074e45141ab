//! Components for tests: an echo, one for each way to misbehave, some that are hard to compile ([`bombs`]), broken ones without end ([`mutations`]), and
//! those that look for what others left ([`remains`]).
//!
//! Sources of the first are in `programs`, a file each; the build script compiles them. Not here: what the tests expect of them.

pub mod bombs;
pub mod modules;
pub mod mutations;
pub mod remains;

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

//! The sandbox with real components: the echo in every role, and each way to misbehave.
//!
//! A module for each guest; one that no module tests does not compile. Not here: tests of the sandbox's own parts, which stand beside them.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

mod asks;
mod attacks;
mod catalog_lies;
mod echo;
mod exits;
mod files;
mod floods;
mod foreign_import;
mod grows;
mod hangs;
mod leaks;
mod lies;
mod loops;
mod pipe;
mod pulse;
mod reaches;
mod residue;
mod sleeps;
mod tells;
mod traps;

mod cache;
mod chain;
mod meters;
mod mutated;
mod processor;
mod servers;
mod uploads;

/// Fails to compile where a guest has no module.
macro_rules! assert_tested {
    ($guest:ident) => {
        #[allow(unused_imports, reason = "only that it is there matters")]
        use self::$guest as _;
    };
}
tombolo_guests::each_guest!(assert_tested);

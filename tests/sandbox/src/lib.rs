//! Shows that the sandbox holds: attacks through a real worker, and what they cost its host and their neighbours.
//!
//! Each subject has a module: [`corpus`], [`hangs`], [`neighbours`], [`amplifiers`]; [`elsewhere`] runs those that other crates have. Not here: the guests
//! that attack (`tests/guests`), and tests of the sandbox's own parts (`runtime/sandbox`).

#![forbid(unsafe_code)]

pub mod field;
pub mod memory;
mod open;

pub mod attack;
pub mod attacks;
pub mod component;

pub mod amplifiers;
pub mod corpus;
pub mod hangs;
pub mod neighbours;

pub mod elsewhere;
pub mod figure;

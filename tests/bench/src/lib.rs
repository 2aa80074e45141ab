//! Runs the same configurations on Tombolo and on Apache Kafka Connect, side by side, and measures both.
//!
//! Not here: what is measured, which are the programs themselves.

#![forbid(unsafe_code)]

pub mod api;
pub mod case;
pub mod peer;
pub mod records;

pub mod broker;
pub mod process;
pub mod samples;

pub mod creation;
pub mod reads;
pub mod run;
pub mod start;
pub mod verify;

pub mod floor;
pub mod postgres;
pub mod stages;

pub mod report;

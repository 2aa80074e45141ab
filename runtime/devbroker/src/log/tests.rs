//! Tests of a log: appending, reading, opening again.

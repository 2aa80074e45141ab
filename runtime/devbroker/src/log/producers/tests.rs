//! Tests of what a partition knows of its producers.

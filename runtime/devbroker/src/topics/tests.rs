//! Tests of the table of topics.

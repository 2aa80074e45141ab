//! Tests of the coordinator without a network.

//! Tests of a group as a state machine.

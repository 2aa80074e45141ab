//! JAAS configurations.
//!
//! Not here: their meaning.

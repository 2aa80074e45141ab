//! Tables of events and effects.

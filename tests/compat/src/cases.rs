//! The cases, a file for each subject. Not here: how they are played (`play`).

mod restart;

use crate::case::Case;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [restart::CASES].into_iter().flatten()
}

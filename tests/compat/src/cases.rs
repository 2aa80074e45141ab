//! The cases, a file for each subject. Not here: how they are played (`play`).

mod bad_input;
mod blocking;
mod bounce;
mod errors;
mod file;
mod internal_topics;
mod lifecycle;
mod offsets;
mod offsets_sink;
mod offsets_source;
mod outages;
mod policy;
mod rest;
mod rest_life;
mod rest_plugins;
mod restart;
mod several;
mod sinks;
mod sources;
mod standalone;
mod topics;
mod transformations;
mod validation;

use crate::case::Case;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [
        rest::CASES,
        rest_life::CASES,
        rest_plugins::CASES,
        bad_input::CASES,
        validation::CASES,
        policy::CASES,
        restart::CASES,
        lifecycle::CASES,
        offsets::CASES,
        topics::CASES,
        sinks::CASES,
        sources::CASES,
        transformations::CASES,
        errors::CASES,
        file::CASES,
        blocking::CASES,
        internal_topics::CASES,
        several::CASES,
        standalone::CASES,
        bounce::CASES,
        outages::CASES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::verdict::{KNOWN, NOT_YET};

    #[test]
    fn names_are_distinct_and_lists_name_cases() {
        let names: Vec<&str> = all().map(|case| case.name).collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), distinct.len());
        for (name, _) in KNOWN.iter().chain(NOT_YET) {
            assert!(distinct.contains(name), "{name} is listed, and is no case");
        }
    }
}

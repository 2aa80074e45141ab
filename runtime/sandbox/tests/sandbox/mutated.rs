//! Broken components by the thousand: the check refuses them, and never fails itself.

use tombolo_guests::mutations::Mutations;
use tombolo_model::policy::MEMORY_MAX;
use tombolo_sandbox::check;

/// Enough for every kind of mutation to come more than a thousand times; the example `mutated_uploads` does as many as one wants.
const CHECKED: usize = 20_000;
const SEED: u64 = 20_000;

#[test]
fn twenty_thousand_mutated_uploads_are_refused_with_a_reason_or_are_components() {
    let (mut refused, mut taken) = (0, 0);
    for component in Mutations::new(SEED).take(CHECKED) {
        match check(&component, MEMORY_MAX) {
            Ok(checked) => {
                assert!(!checked.kinds.is_empty());
                let known = |import: &String| {
                    import.starts_with("wasi:") || import.starts_with("tombolo:connect/")
                };
                assert!(checked.imports.iter().all(known), "{:?}", checked.imports);
                taken += 1;
            }
            Err(why) => {
                assert!(!why.is_empty());
                refused += 1;
            }
        }
    }
    println!("mutated: {CHECKED} uploads, {refused} refused, {taken} are still components");
    assert!(refused > CHECKED / 2 && taken > 0, "{refused} refused, {taken} taken");
}

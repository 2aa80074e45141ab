//! Every attack of the corpus against this program, and a hang in every function of a plugin. Not here: the attacks (`tests/sandbox`).

use std::sync::{Mutex, PoisonError};

use tombolo_sandbox_tests::field::Field;
use tombolo_sandbox_tests::{attacks, corpus, hangs};

/// Attacks take both processors of a small machine: one test at a time, or each would measure the other.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn every_attack_of_the_corpus_is_contained_and_leaves_no_memory_behind() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let field = Field::start(env!("CARGO_BIN_EXE_tombolo")).unwrap();
    let attacks = attacks::all();
    assert!(attacks.len() >= 80, "{}", attacks.len());
    let outcomes = corpus::run(&field, &attacks, &mut |_| ()).unwrap();
    assert!(outcomes.wrong().is_empty(), "{:#?}", outcomes.wrong());
    let (before, after) = (outcomes.before, outcomes.after);
    println!("{} attacks; memory of the worker {before} before, {after} after", attacks.len());
    assert!(after <= before + corpus::MEMORY_KEPT_MAX, "{before} before, {after} after");
}

#[test]
fn a_hang_in_any_function_shows_in_the_status_soon_after_its_deadline() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let field = Field::start(env!("CARGO_BIN_EXE_tombolo")).unwrap();
    let shown = hangs::run(&field, &hangs::WAYS).unwrap();
    let wrong: Vec<_> = shown.iter().filter(|one| one.wrong.is_some()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

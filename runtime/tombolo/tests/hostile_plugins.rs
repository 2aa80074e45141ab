//! Every attack of the corpus against this program, a hang in every function of a plugin, neighbours beside attackers, and what amplifiers take.
//!
//! Not here: the attacks (`tests/sandbox`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tombolo_sandbox_tests::field::Field;
use tombolo_sandbox_tests::{amplifiers, attacks, corpus, hangs, neighbours};

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
    let (first, before, after) = (outcomes.first, outcomes.before, outcomes.after);
    println!(
        "{} attacks; memory of the worker {first} before the first, {before} before the last, {after} after",
        attacks.len()
    );
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

/// How long neighbours are beside each attacker, and beside a well-behaved connector in its place.
const BESIDE: Duration = Duration::from_secs(10);

#[test]
fn neighbours_of_an_attacker_have_nearly_what_those_of_a_good_connector_have() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let field = Field::start(env!("CARGO_BIN_EXE_tombolo")).unwrap();
    neighbours::start(&field).unwrap();
    let mut lost = Vec::new();
    for (name, attacker) in neighbours::ATTACKERS {
        let (pair, taken) = neighbours::short_pair(&field, attacker, BESIDE).unwrap();
        println!("{name:20}{pair} ({taken} pairs)");
        if pair.loss() > neighbours::SHORT_LOSS_MAX {
            lost.push((name, pair.to_string()));
        }
    }
    field.holds().unwrap();
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn the_worst_amplifiers_take_little_more_of_the_host_than_their_quota() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let field = Field::start(env!("CARGO_BIN_EXE_tombolo")).unwrap();
    let taken = amplifiers::run(&field).unwrap();
    for one in &taken {
        println!("{:45}{:6.1} MiB", one.name, one.bytes as f64 / f64::from(1 << 20));
    }
    assert!(taken.len() >= 12, "{}", taken.len());
    assert!(taken.iter().all(|one| one.bytes <= amplifiers::TAKEN_MAX), "{taken:#?}");
}

//! The conformance suite on this program, and a slice of it on Apache Kafka Connect beside it. Not here: its cases (`tests/compat`).

use std::thread;

use tombolo_compat::case::{Case, Needs};
use tombolo_compat::stage::{Stage, Surroundings};
use tombolo_compat::verdict::{KNOWN, NOT_YET, Verdict};
use tombolo_compat::{broker, cases, peer::Peer, play::play, report};
use tombolo_harness::Kafka;

/// Subjects whose cases are quick and share a worker: Connect plays them too, which shows that what is stored of it is true.
const LIVE: [&str; 3] = ["rest/", "validation/", "restart/"];

#[test]
fn every_case_passes_that_is_not_listed() {
    let kafka = Kafka::start(&broker::SETTINGS).unwrap();
    let stage = |peer| {
        let around = Surroundings {
            bootstrap: kafka.bootstrap(),
            tombolo: env!("CARGO_BIN_EXE_tombolo").into(),
            folder: kafka.folder().to_owned(),
            records: false,
        };
        Stage::new(peer, around).unwrap()
    };
    // What is listed waits in vain for what does not come. The suite's command plays it, and says when it passes.
    let is_listed = |case: &&Case| KNOWN.iter().chain(NOT_YET).any(|(name, _)| *name == case.name);
    let ours: Vec<_> = cases::all().filter(|case| !is_listed(case)).collect();
    let is_live = |case: &&&Case| {
        case.needs == Needs::Worker && LIVE.iter().any(|subject| case.name.starts_with(subject))
    };
    let theirs: Vec<_> = ours.iter().filter(is_live).copied().collect();
    let tell = |verdict: &Verdict| {
        println!("{:8} {:12} {}", verdict.peer.name(), report::word(verdict), verdict.case.name);
    };
    let (connect, tombolo) = (stage(Peer::Connect), stage(Peer::Tombolo));
    let verdicts: Vec<Verdict> = thread::scope(|scope| {
        let live = scope.spawn(|| play(&connect, &theirs, &tell));
        let own = play(&tombolo, &ours, &tell);
        own.into_iter().chain(live.join().unwrap()).collect()
    });
    assert!(!verdicts.iter().any(Verdict::is_wrong), "{}", report::table(&verdicts));
}

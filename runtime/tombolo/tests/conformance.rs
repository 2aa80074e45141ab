//! The conformance suite on this program. Not here: its cases (`tests/compat`), which Apache Kafka Connect passes.

use tombolo_compat::stage::{Stage, Surroundings};
use tombolo_compat::{broker, cases, peer::Peer, play::play, report, verdict::Verdict};
use tombolo_harness::Kafka;

#[test]
fn every_case_passes_or_is_listed() {
    let kafka = Kafka::start(&broker::SETTINGS).unwrap();
    let around = Surroundings {
        bootstrap: kafka.bootstrap(),
        tombolo: env!("CARGO_BIN_EXE_tombolo").into(),
        folder: kafka.folder().to_owned(),
    };
    let stage = Stage::new(Peer::Tombolo, around).unwrap();
    let cases: Vec<_> = cases::all().collect();
    let verdicts = play(&stage, &cases, &|verdict| {
        println!("{:16} {}", report::word(verdict), verdict.case.name);
    });
    assert!(!verdicts.iter().any(Verdict::is_wrong), "{}", report::table(&verdicts));
}

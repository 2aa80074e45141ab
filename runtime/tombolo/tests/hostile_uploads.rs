//! Uploads that an attacker sends, through sockets: each is answered with what is wrong, and the worker goes on.

use tombolo_guests::bombs;
use tombolo_guests::mutations::Mutations;
use tombolo_harness::{Kafka, Worker};
use tombolo_model::policy::MEMORY_MAX;
use tombolo_sandbox::COMPONENT_BYTES_MAX;

/// How many broken components are sent.
const SENT: usize = 500;
/// How many of those are compiled that look like good ones: as many as take a few seconds.
const COMPILED: usize = 20;
const SEED: u64 = 1;

#[test]
fn bombs_and_broken_components_are_refused_and_the_worker_goes_on() {
    let kafka = Kafka::shared().unwrap();
    let limit = [("sandbox.compile.cpu.max.ms", "1000")];
    let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &limit).unwrap();
    let (status, answer) = worker.upload(&bombs::slow()).unwrap();
    let why = "compiling the component takes more than 1000 ms of processor time (sandbox.compile.cpu.max.ms)";
    assert_eq!((status, answer), (400, serde_json::json!({"error_code": 400, "message": why})));

    let (mut refused, mut compiled) = (0, 0);
    let mut good_ones = 0;
    let sent = Mutations::new(SEED).filter_map(|component| {
        let is_good = tombolo_sandbox::check(&component, MEMORY_MAX).is_ok();
        good_ones += usize::from(is_good);
        (!is_good || good_ones <= COMPILED).then_some((component, is_good))
    });
    for (number, (component, is_good)) in sent.take(SENT).enumerate() {
        let (status, answer) = worker.upload(&component).unwrap();
        match is_good {
            // A change where it does no harm leaves a good component.
            true => assert!([200, 201, 400].contains(&status), "{number}: {status} {answer}"),
            false => assert_eq!(status, 400, "{number}: {answer}"),
        }
        compiled += usize::from(is_good);
        refused += usize::from(status == 400);
    }
    println!("through sockets: {SENT} uploads, {refused} refused, {compiled} compiled");
    assert!(refused > SENT / 2, "{refused}");
    assert!(!worker.has_ended());
    assert!(!worker.log().contains("panicked"), "{}", worker.log());
    let (status, answer) = worker.upload(tombolo_guests::PIPE).unwrap();
    assert!([200, 201].contains(&status), "{status} {answer}");
}

#[test]
fn one_that_is_too_large_or_imports_what_nobody_offers_is_told_so() {
    let kafka = Kafka::shared().unwrap();
    let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &[]).unwrap();
    let check = |component: &[u8], expected: &str| {
        let (status, answer) = worker.upload(component).unwrap();
        let expected = serde_json::json!({"error_code": 400, "message": expected});
        assert_eq!((status, answer), (400, expected));
    };
    let mut zeros = vec![0; COMPONENT_BYTES_MAX];
    // As large as may be: it is looked at.
    check(&zeros, "a component was expected, this is not WebAssembly");
    zeros.push(0);
    check(&zeros, "the component is larger than 67108864 bytes, the most that is taken");
    check(
        tombolo_guests::FOREIGN_IMPORT,
        "the component imports guest:foreign/door, which plugins cannot have; WASI 0.2 without HTTP servers, and tombolo:connect 0.1 are offered",
    );
    let (status, answer) = worker.upload(tombolo_guests::PIPE).unwrap();
    assert_eq!(status, 201, "{answer}");
}

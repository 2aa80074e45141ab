//! Hangs in the exported function that the setting `hang.at` names, in the way that `hang.how` names.
//!
//! A catalog has no settings: a test writes both into the component.

use tombolo_guest_programs::host::log;
use tombolo_guest_programs::host::types::Fault;
use tombolo_guest_programs::interfaces::source;
use tombolo_guest_programs::rows::{self, problem};
use tombolo_guest_programs::{Behaviour, Component, bindings, state};

struct Guest;

/// How a test says that the catalog hangs.
#[used]
static CATALOG: [u8; 32] = *b"catalog hangs by: nothing       ";

/// Longer than any answer may be.
const HUGE: usize = 64 << 20;

fn setting(given: &[(String, String)], name: &str) -> Option<String> {
    let given = given.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    given.or_else(|| {
        state(|state| {
            let created = || state.created.values().find_map(|settings| settings.get(name));
            state.settings.get(name).or_else(created).cloned()
        })
    })
}

/// How to hang at a place, if at all.
fn how(place: &str, given: &[(String, String)]) -> Option<String> {
    if place == "catalog.plugins" {
        let told = std::hint::black_box(CATALOG);
        let how = String::from_utf8_lossy(told.get(18..)?).trim().to_owned();
        return Some(how);
    }
    (setting(given, "hang.at")? == place).then(|| setting(given, "hang.how"))?
}

impl Behaviour for Guest {
    const NAME: &str = "Hangs";

    /// A row with a header, for the topic that the setting `topic` names, if it does.
    fn poll(_rows_max: u32, _bytes_max: u32) -> Result<source::SourceBatch, Fault> {
        let mut records = rows::empty();
        if let Some(topic) = setting(&[], "topic") {
            records.rows = 1;
            records.topics = vec![topic];
            // A text as CBOR; names of headers are bytes.
            records.value.bytes.data = b"\x63row".to_vec();
            records.value.bytes.ends = vec![4];
            records.headers.ends = vec![1];
            records.headers.names = records.value.bytes.clone();
            records.headers.values.bytes = records.value.bytes.clone();
        }
        Ok(rows::source_batch(records))
    }

    #[expect(clippy::panic, clippy::disallowed_methods, reason = "what it is for")]
    fn at(place: &str, given: &[(String, String)]) -> Result<(), Fault> {
        let Some(how) = how(place, given) else { return Ok(()) };
        if how == "nothing" {
            return Ok(());
        }
        log::log(log::Level::Warn, &format!("hangs at {place} by {how}"));
        match how.as_str() {
            "loop" => loop {
                std::hint::black_box(place);
            },
            "recursion" => Err(Fault::Fatal(problem(&recurse(1).to_string()))),
            "sleep" => {
                std::thread::sleep(std::time::Duration::from_secs(3_600));
                Ok(())
            }
            "trap" => panic!("hangs at {place}"),
            "huge return" => Err(Fault::Fatal(problem(&"x".repeat(HUGE)))),
            _ => std::process::exit(3),
        }
    }
}

#[expect(unconditional_recursion, reason = "what it is for")]
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    std::hint::black_box(recurse(std::hint::black_box(depth + 1))) + depth
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);

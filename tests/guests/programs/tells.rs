//! Tells its settings wherever it can: in logs, in its tasks' settings, in validation, in faults and of rows.

use tombolo_guest_programs::host::log;
use tombolo_guest_programs::host::types::{Batch, Fault, Problem, RowFault, Settings};
use tombolo_guest_programs::interfaces::{catalog, sink, source};
use tombolo_guest_programs::{Behaviour, Component, bindings, rows, state};

struct Guest;

/// What only the settings of its tasks have: all that the connector was given.
const TOLD: &str = "told";

fn told(settings: &Settings) -> String {
    let pairs: Vec<String> =
        settings.iter().map(|(name, value)| format!("{name} is {value}")).collect();
    pairs.join(", ")
}

fn problem(told: &str) -> Problem {
    Problem {
        message: format!("message: {told}"),
        class: Some(format!("class: {told}")),
        trace: Some(format!("trace: {told}")),
    }
}

/// All that it was given last.
fn known() -> String {
    state(|state| told(&state.settings.clone().into_iter().collect()))
}

impl Behaviour for Guest {
    const NAME: &str = "Tells";

    /// Refuses the setting `refused`, and offers everything for it; fails with `broken`.
    fn validate(settings: Settings) -> Result<Vec<catalog::SettingState>, Fault> {
        let told = told(&settings);
        log::log(log::Level::Info, &told);
        let has = |wanted: &str| settings.iter().any(|(name, _)| name == wanted);
        if has("broken") {
            return Err(Fault::Fatal(problem(&told)));
        }
        if !has("refused") {
            return Ok(vec![]);
        }
        let state = |name: &str| catalog::SettingState {
            name: name.into(),
            errors: vec![told.clone()],
            recommended: Some(vec![told.clone()]),
            visible: None,
        };
        Ok(settings.iter().map(|(name, _)| state(name)).chain([state("made up")]).collect())
    }

    /// A task whose setting `fail` is `start` fails.
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "what goes there is the host's to log"
    )]
    fn start(settings: Settings) -> Result<(), Fault> {
        let told = told(&settings);
        log::log(log::Level::Info, &told);
        println!("{told}");
        eprintln!("{told}");
        let is_task = settings.iter().any(|(name, _)| name == TOLD);
        let fails = settings.iter().any(|(name, value)| name == "fail" && value == "start");
        if is_task && fails {
            return Err(Fault::Fatal(problem(&told)));
        }
        state(|state| {
            state.settings = settings.into_iter().collect();
            state.settings.insert(TOLD.into(), told);
        });
        Ok(())
    }

    fn poll(_rows_max: u32, _bytes_max: u32) -> Result<source::SourceBatch, Fault> {
        Ok(rows::source_batch(rows::empty()))
    }

    /// Every row is bad.
    fn put(records: Batch) -> Result<sink::PutResult, Fault> {
        let fault = |row| RowFault { row, problem: problem(&known()) };
        Ok(sink::PutResult { faults: (0..records.rows).map(fault).collect(), requests: None })
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);

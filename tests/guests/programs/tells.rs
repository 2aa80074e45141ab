//! Tells its settings wherever it can: in logs, in its tasks' settings, in validation, in faults and of rows, as they are and in other forms.

use std::fmt::Write as _;

use tombolo_guest_programs::host::types::{Batch, Fault, Problem, RowFault, Settings};
use tombolo_guest_programs::host::{log, metrics};
use tombolo_guest_programs::interfaces::{catalog, sink, source};
use tombolo_guest_programs::{Behaviour, Component, bindings, plugin, rows, state};

struct Guest;

/// What only the settings of its tasks have: all that the connector was given.
const TOLD: &str = "told";

fn told(settings: &Settings) -> String {
    let pairs: Vec<String> =
        settings.iter().map(|(name, value)| format!("{name} is {value}")).collect();
    pairs.join(", ")
}

/// Tells each value in a line of its own, in the forms in which programs write bytes, and as a metric's name.
fn tell_each(settings: &Settings) {
    use log::Level::{Debug, Error, Info, Trace, Warn};
    let levels = [Trace, Debug, Info, Warn, Error].into_iter().cycle();
    for ((name, value), level) in settings.iter().zip(levels) {
        for form in [value, &hexadecimal(value), &url(value), &base64(&format!("me:{value}"))] {
            log::log(level, &format!("each {name} is {form}"));
        }
        metrics::count(value, 1);
    }
}

fn hexadecimal(value: &str) -> String {
    value.bytes().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn url(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        match byte {
            kept if kept.is_ascii_alphanumeric() || b"-._~".contains(&kept) => {
                text.push(char::from(kept));
            }
            byte => drop(write!(text, "%{byte:02X}").ok()),
        }
    }
    text
}

fn base64(value: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in value.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * place) & 63) as usize);
            let letter = letter.map_or('A', |letter| char::from(*letter));
            text.push(if place <= group.len() { letter } else { '=' });
        }
    }
    text
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

    /// Each class has a password, `typed`.
    fn plugins() -> Vec<catalog::Plugin> {
        use catalog::PluginKind::{Converter, Sink, Source, Transformation};
        let kinds = [
            ("Source", Source),
            ("Sink", Sink),
            ("Converter", Converter),
            ("Transformation", Transformation),
        ];
        let mut all = kinds.map(|(noun, kind)| plugin(&format!("guest.Tells{noun}"), kind));
        for plugin in &mut all {
            for setting in &mut plugin.settings {
                setting.name = "typed".into();
                setting.type_ = catalog::SettingType::Password;
                setting.default = None;
            }
        }
        all.into()
    }

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

    /// A task whose setting `fail` is `start` fails, and one of which it is `panic` panics.
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
        tell_each(&settings);
        let is_task = settings.iter().any(|(name, _)| name == TOLD);
        let fails = |how: &str| settings.iter().any(|(name, value)| name == "fail" && value == how);
        if is_task && fails("start") {
            return Err(Fault::Fatal(problem(&told)));
        }
        assert!(!(is_task && fails("panic")), "{told}");
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

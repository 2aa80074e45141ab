//! Writes to the file that the setting `path` names, or reads it; a fault says what went wrong.

use std::fs;
use std::io;

use tombolo_guest_programs::host::types::{Fault, Settings};
use tombolo_guest_programs::rows::{self, problem};
use tombolo_guest_programs::{Behaviour, Component, bindings, state};

struct Guest;

impl Behaviour for Guest {
    const NAME: &str = "Files";

    /// `write` is written, if it is set; the environment and the file's content make two rows to be polled.
    fn start(settings: Settings) -> Result<(), Fault> {
        let get = |name: &str| settings.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        let path = get("path").unwrap_or_default();
        let failed = |error: io::Error| Fault::Config(problem(&format!("{path}: {error}")));
        if let Some(text) = get("write") {
            fs::write(&path, text).map_err(failed)?;
        }
        let content = fs::read_to_string(&path).map_err(failed)?;
        let environment: Vec<_> =
            std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
        let mut batch = rows::empty();
        batch.rows = 2;
        batch.topics = vec!["t".into()];
        for row in [content, environment.join(" ")] {
            batch.value.bytes.data.extend_from_slice(row.as_bytes());
            batch.value.bytes.ends.push(batch.value.bytes.data.len() as u32);
        }
        state(|state| state.put.push_back(batch));
        Ok(())
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);

//! What happens, as lines of the file that the setting `events` names: who, what, and details, with tabs between. Not here: who reads them.

use std::fs::{File, OpenOptions};
use std::io::Write;

use tombolo_sdk::prelude::*;

use crate::settings::Undefined;

/// Setting for the file.
pub(crate) const EVENTS: &str = "events";

/// Tells what one connector or one task does.
pub(crate) struct Events {
    /// None where nobody wants to know.
    file: Option<File>,
    who: String,
}

impl Events {
    /// Errors: the file cannot be opened.
    pub(crate) fn of(settings: &Undefined, who: &str) -> Result<Self> {
        let open = |path: &str| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.map_err(|error| Fault::fatal(format_args!("{path}: {error}")))
        };
        Ok(Self { file: settings.text(EVENTS).map(open).transpose()?, who: who.to_owned() })
    }

    /// Appends a line in one piece: others append to the same file.
    pub(crate) fn tell(&mut self, what: &str, details: &[&str]) {
        let Some(file) = &mut self.file else { return };
        let mut line = format!("{}\t{what}", self.who);
        for detail in details {
            line.push('\t');
            line.push_str(detail);
        }
        line.push('\n');
        if let Err(error) = file.write_all(line.as_bytes()) {
            host::error(format_args!("an event is lost: {error}"));
        }
    }
}

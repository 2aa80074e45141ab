//! A plugin that hangs: at the place that the setting `block` names, until a file appears. Not here: what the host does about it.

use std::path::Path;
use std::time::Duration;

use tombolo_sdk::prelude::*;

use crate::events::{EVENTS, Events};
use crate::settings::Undefined;

/// Setting for the place.
const BLOCK: &str = "block";

/// Time between two looks for the file.
const PAUSE: Duration = Duration::from_millis(20);

/// Hangs, if this is the place, until the events' file has a neighbour with the ending `.go`.
pub(crate) fn here(settings: &Undefined, events: &mut Events, place: &str) {
    if settings.text(BLOCK) != Some(place) {
        return;
    }
    events.tell("blocks", &[place]);
    let go = settings.text(EVENTS).map(|file| format!("{file}.go"));
    while !go.as_deref().is_some_and(|go| Path::new(go).exists()) {
        host::wait(PAUSE);
    }
}

//! The smallest useful sink: writes each order to the connector's log as a line.

use serde::Deserialize;
use tombolo_sdk::prelude::*;

const PREFIX: Key<String> = Key::new("prefix").default("order").doc("Stands before each line.");

pub(crate) struct LinesSettings {
    prefix: String,
}

impl Configuration for LinesSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&PREFIX];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self { prefix: PREFIX.get(settings)? })
    }
}

#[derive(Deserialize)]
struct Order<'a> {
    id: i64,
    item: &'a str,
}

pub(crate) struct LinesSink {
    prefix: String,
}

impl Plugin for LinesSink {
    type Settings = LinesSettings;
    const CLASS: &'static str = "example.LinesSink";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Writes orders to the log.";
}

impl Sink for LinesSink {
    type Connector = EveryTask<LinesSettings>;

    fn start(settings: LinesSettings) -> Result<Self> {
        Ok(Self { prefix: settings.prefix })
    }

    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()> {
        for record in records.iter() {
            match record.value::<Order<'_>>() {
                Ok(Order { id, item }) => host::info(format_args!("{} {id}: {item}", self.prefix)),
                Err(problem) => context.report(&record, problem),
            }
        }
        Ok(())
    }
}

tombolo_sdk::export! { sink: [LinesSink] }

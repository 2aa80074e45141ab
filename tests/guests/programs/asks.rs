//! Asks the host for everything that it offers, and answers with what it got.

use tombolo_guest_programs::host::types::{Column, Fault, Schema, SchemaType, Settings, Values};
use tombolo_guest_programs::host::{log, metrics, offsets, schemas};
use tombolo_guest_programs::interfaces::{converter, source};
use tombolo_guest_programs::rows::{self, problem, row};
use tombolo_guest_programs::{Behaviour, Component, bindings, state};

struct Guest;

fn schema(name: &str) -> Schema {
    Schema {
        type_: SchemaType::Text,
        optional: true,
        name: Some(name.into()),
        version: Some(1),
        doc: None,
        parameters: vec![],
        default: None,
        fields: vec![],
        key: None,
        value: None,
    }
}

/// Reads the offset of the partition `{"p": 1}` so many times in one call.
fn often(times: usize) -> Result<(), Fault> {
    let found = offsets::read(&vec![b"\xa1\x61p\x01".to_vec(); times]);
    match found.len() == times && found.iter().all(Option::is_some) {
        true => Ok(()),
        false => Err(Fault::Fatal(problem("not every time"))),
    }
}

impl Behaviour for Guest {
    const NAME: &str = "Asks";

    /// Reads the offsets of partitions `{"p": 0}` and `{"p": 1}`, and keeps a row for each; says so, and counts it.
    #[expect(clippy::print_stdout, reason = "what goes there is the host's to log")]
    fn start(settings: Settings) -> Result<(), Fault> {
        if let Some((_, times)) = settings.iter().find(|(name, _)| name == "often") {
            return often(times.parse().unwrap_or_default());
        }
        log::log(log::Level::Info, "started\nwith a second line");
        println!("on standard output");
        metrics::count("starts", 1);
        metrics::gauge("warmth", 0.5);
        let found = offsets::read(&[b"\xa1\x61p\x00".to_vec(), b"\xa1\x61p\x01".to_vec()]);
        let mut batch = rows::empty();
        batch.rows = 2;
        batch.topics = vec!["t".into()];
        for (at, offset) in found.into_iter().enumerate() {
            match offset {
                Some(offset) => batch.value.bytes.data.extend_from_slice(&offset),
                None => batch.value.bytes.nulls.push(at as u32),
            }
            batch.value.bytes.ends.push(batch.value.bytes.data.len() as u32);
        }
        state(|state| state.put.push_back(batch));
        Ok(())
    }

    fn poll(_rows_max: u32, _bytes_max: u32) -> Result<source::SourceBatch, Fault> {
        let records = state(|state| state.put.pop_front()).unwrap_or_else(rows::empty);
        Ok(rows::source_batch(records))
    }

    /// Each row names a schema; its number is looked up again.
    fn to_connect_data(bytes: Column) -> Result<converter::ConnectData, Fault> {
        let mut numbers = Vec::new();
        for at in 0..bytes.ends.len() {
            let name = String::from_utf8_lossy(row(&bytes, at).unwrap_or_default()).into_owned();
            let number = schemas::define(&schema(&name))
                .map_err(|refusal| Fault::Fatal(problem(&format!("{refusal:?}"))))?;
            let found = schemas::lookup(number).and_then(|schema| schema.name);
            if found.as_deref() != Some(name.as_str()) {
                return Err(Fault::Fatal(problem(&format!("{name} became {found:?}"))));
            }
            numbers.push(number);
        }
        Ok(converter::ConnectData { values: Values { bytes, schemas: numbers }, faults: vec![] })
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);

//! The host's functions, natively: a table of schemas, offsets and meters per thread, so that tests do not meet. Not here: running a plugin.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::bindings::log::Level;
use crate::bindings::types::Schema;

#[derive(Default)]
pub(super) struct Host {
    pub(super) lines: Vec<(Level, String)>,
    pub(super) schemas: Vec<Schema>,
    pub(super) offsets: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) counters: BTreeMap<String, u64>,
    pub(super) gauges: BTreeMap<String, f64>,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::default();
}

pub(super) fn with<T>(use_it: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with_borrow_mut(use_it)
}

pub(crate) mod log {
    use super::{Level, with};

    pub(crate) fn log(level: Level, message: &str) {
        with(|host| host.lines.push((level, message.to_owned())));
    }
}

pub(crate) mod metrics {
    use super::with;

    pub(crate) fn count(name: &str, by: u64) {
        with(|host| *host.counters.entry(name.to_owned()).or_default() += by);
    }

    pub(crate) fn gauge(name: &str, value: f64) {
        with(|host| host.gauges.insert(name.to_owned(), value));
    }
}

pub(crate) mod offsets {
    use super::with;

    pub(crate) fn read(partitions: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
        with(|host| {
            let find = |partition: &Vec<u8>| {
                host.offsets
                    .iter()
                    .find(|(key, _)| key == partition)
                    .map(|(_, offset)| offset.clone())
            };
            partitions.iter().map(find).collect()
        })
    }
}

pub(crate) mod schemas {
    use super::{Schema, with};
    use crate::bindings::schemas::Refusal;

    pub(crate) fn define(schema: &Schema) -> Result<u32, Refusal> {
        with(|host| {
            let known = host.schemas.len();
            let unknown = |&number: &u32| number == 0 || number as usize > known;
            let parts = schema.fields.iter().map(|field| field.schema);
            let mut parts = parts.chain(schema.key).chain(schema.value);
            if let Some(number) = parts.find(unknown) {
                return Err(Refusal::Invalid(format!("schema {number} is not known")));
            }
            let place = host.schemas.iter().position(|known| known == schema);
            let place = place.unwrap_or_else(|| {
                host.schemas.push(schema.clone());
                known
            });
            u32::try_from(place + 1).map_err(|_| Refusal::Full)
        })
    }

    pub(crate) fn lookup(number: u32) -> Option<Schema> {
        with(|host| host.schemas.get((number as usize).checked_sub(1)?).cloned())
    }
}

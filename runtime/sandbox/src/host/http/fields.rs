//! Headers and trailers.
//!
//! Not here: which of them the host sets itself (`send`).

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use wasmtime::component::Resource;

use super::types::{self, HeaderError};
use crate::host::{Host, NoMemory};
use crate::limits::Held;

/// Most bytes of the headers of one message, names and values and their places.
pub(super) const FIELDS_BYTES_MAX: usize = 128 << 10;

/// Most headers of one message.
pub(super) const FIELDS_MAX: usize = 1_000;

/// What the place of a header takes of the host, about.
const FIELD_BYTES: usize = 96;

/// Headers about the connection, which the host alone has to do with, and about who is asked.
const FORBIDDEN: [&str; 12] = [
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A guest's headers.
pub struct Fields {
    pub(super) map: HeaderMap,
    /// Of a message: a guest may look at them.
    is_fixed: bool,
    _held: Held,
}

pub(super) fn is_forbidden(name: &HeaderName) -> bool {
    FORBIDDEN.contains(&name.as_str())
}

/// What headers take of the host, about.
pub(super) fn bytes(map: &HeaderMap) -> usize {
    map.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD_BYTES).sum()
}

fn name_of(name: &str) -> Result<HeaderName, HeaderError> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::InvalidSyntax)?;
    if is_forbidden(&name) { Err(HeaderError::Forbidden) } else { Ok(name) }
}

fn value_of(value: &[u8]) -> Result<HeaderValue, HeaderError> {
    HeaderValue::from_bytes(value).map_err(|_| HeaderError::InvalidSyntax)
}

type Answer<T> = wasmtime::Result<Result<T, HeaderError>>;

impl Host {
    /// Makes headers known to the guest.
    ///
    /// Errors: a trap, where they do not fit its memory.
    pub(super) fn push_fields(
        &mut self,
        map: HeaderMap,
        is_fixed: bool,
    ) -> wasmtime::Result<Resource<Fields>> {
        let held = self.hold(bytes(&map) as u64)?;
        Ok(self.table.push(Fields { map, is_fixed, _held: held })?)
    }

    fn change(
        &mut self,
        fields: &Resource<Fields>,
        change: impl FnOnce(&mut HeaderMap) -> Result<(), HeaderError>,
    ) -> Answer<()> {
        let Self { table, budget, .. } = self;
        let fields = table.get_mut(fields)?;
        if fields.is_fixed {
            return Ok(Err(HeaderError::Immutable));
        }
        let mut map = fields.map.clone();
        if let Err(error) = change(&mut map) {
            return Ok(Err(error));
        }
        let bytes = bytes(&map);
        if map.len() > FIELDS_MAX || bytes > FIELDS_BYTES_MAX {
            return Err(wasmtime::Error::msg("a message has more than 128 KiB or 1,000 headers"));
        }
        fields._held = budget.hold(bytes as u64).ok_or(NoMemory)?;
        fields.map = map;
        Ok(Ok(()))
    }
}

impl types::HostFields for Host {
    fn new(&mut self) -> wasmtime::Result<Resource<Fields>> {
        self.push_fields(HeaderMap::new(), false)
    }

    fn from_list(&mut self, entries: Vec<(String, Vec<u8>)>) -> Answer<Resource<Fields>> {
        if entries.len() > FIELDS_MAX {
            return Err(wasmtime::Error::msg("a message has more than 1,000 headers"));
        }
        let mut map = HeaderMap::new();
        for (name, value) in entries {
            match (name_of(&name), value_of(&value)) {
                (Ok(name), Ok(value)) => map.append(name, value),
                (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
            };
        }
        if bytes(&map) > FIELDS_BYTES_MAX {
            return Err(wasmtime::Error::msg("a message has more than 128 KiB of headers"));
        }
        self.push_fields(map, false).map(Ok)
    }

    fn get(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<Vec<Vec<u8>>> {
        let map = &self.table.get(&fields)?.map;
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return Ok(Vec::new()) };
        Ok(map.get_all(name).iter().map(|value| value.as_bytes().to_vec()).collect())
    }

    fn has(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<bool> {
        let map = &self.table.get(&fields)?.map;
        Ok(HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| map.contains_key(name)))
    }

    fn set(&mut self, fields: Resource<Fields>, name: String, values: Vec<Vec<u8>>) -> Answer<()> {
        self.change(&fields, |map| {
            let name = name_of(&name)?;
            map.remove(&name);
            for value in values.iter().take(FIELDS_MAX + 1) {
                map.append(&name, value_of(value)?);
            }
            Ok(())
        })
    }

    fn delete(&mut self, fields: Resource<Fields>, name: String) -> Answer<()> {
        self.change(&fields, |map| {
            map.remove(name_of(&name)?);
            Ok(())
        })
    }

    fn append(&mut self, fields: Resource<Fields>, name: String, value: Vec<u8>) -> Answer<()> {
        self.change(&fields, |map| {
            map.append(name_of(&name)?, value_of(&value)?);
            Ok(())
        })
    }

    fn entries(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Vec<(String, Vec<u8>)>> {
        let map = &self.table.get(&fields)?.map;
        let entry = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), value.as_bytes().to_vec())
        };
        Ok(map.iter().map(entry).collect())
    }

    fn clone(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Resource<Fields>> {
        let map = self.table.get(&fields)?.map.clone();
        self.push_fields(map, false)
    }

    fn drop(&mut self, fields: Resource<Fields>) -> wasmtime::Result<()> {
        self.table.delete(fields)?;
        Ok(())
    }
}

//! One answer: its records, and where the next page is. Not here: asking for it, and how far its records are handed out.

use std::collections::BTreeMap;
use std::ops::Range;

use tombolo_sdk::fault::{Fault, Result};
use tombolo_sdk::host;
use tombolo_sdk::http::{Response, Url};
use tombolo_sdk::json::{Error, Reader};

use super::position::Named;
use super::settings::{Order, Paging, SourceSettings};
use super::{link, order};
use crate::pointer::{Pointer, elements, scalar};

/// A page of records.
#[derive(Debug)]
pub(crate) struct Page {
    /// Which it is; none for the first.
    pub(crate) at: Option<String>,
    /// Which follows; none for the last, and where only asking for it can tell.
    pub(crate) next: Option<String>,
    body: Vec<u8>,
    /// Where each record is; the oldest comes first.
    rows: Vec<Range<usize>>,
    /// For each record, how many up to it have the same at the offset's pointers, and 0 where it has nothing there. Empty without pointers.
    same: Vec<usize>,
}

impl Page {
    /// Reads what the page `at` answered at a URL.
    ///
    /// Errors: it is no JSON, or has no records where they should be.
    pub(crate) fn read(
        settings: &SourceSettings,
        at: Option<String>,
        url: &Url,
        response: Response,
    ) -> Result<Self> {
        let body = response.body.as_slice();
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::empty(at));
        }
        let rows = rows(settings, body)?;
        let text = |pointer: &Pointer| -> Result<Option<String>> {
            let found = pointer.find(body).map_err(no_json)?.and_then(scalar);
            Ok(found.filter(|text| !text.is_empty()))
        };
        // A page that follows itself is the last.
        let next = match &settings.paging {
            Paging::None | Paging::Number { .. } => None,
            Paging::Cursor { at: pointer, .. } => {
                text(pointer)?.filter(|next| at.as_ref() != Some(next))
            }
            Paging::Link { at: pointer } => {
                let found = match pointer {
                    Some(pointer) => text(pointer)?,
                    None => link::next(&response),
                };
                let next = found.map(|next| url.join(&next)).transpose();
                let next = next.map_err(|why| {
                    Fault::fatal(format_args!("the link to the next page is no URL: {why}"))
                })?;
                next.filter(|next| next != url).map(|next| next.as_str().to_owned())
            }
        };
        let mut page = Self { at, next, rows, body: response.body, same: Vec::new() };
        if page.is_newest_first(settings)? {
            page.rows.reverse();
        }
        page.count_same(settings)?;
        Ok(page)
    }

    /// A page without records.
    pub(crate) fn empty(at: Option<String>) -> Self {
        Self { at, next: None, body: Vec::new(), rows: Vec::new(), same: Vec::new() }
    }

    fn is_newest_first(&self, settings: &SourceSettings) -> Result<bool> {
        let Some(last) = self.len().checked_sub(1) else { return Ok(false) };
        Ok(match settings.order {
            Order::Ascending => false,
            Order::Descending => true,
            Order::Implicit => {
                order::is_newest_first(&self.named(settings, 0)?, &self.named(settings, last)?)
            }
        })
    }

    fn count_same(&mut self, settings: &SourceSettings) -> Result<()> {
        if settings.offset.is_empty() {
            return Ok(());
        }
        let mut counts: BTreeMap<Named, usize> = BTreeMap::new();
        for row in 0..self.len() {
            let named = self.named(settings, row)?;
            if named.is_empty() {
                self.same.push(0);
                continue;
            }
            let count = counts.entry(named).or_default();
            *count += 1;
            self.same.push(*count);
        }
        Ok(())
    }

    /// Number of records.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The JSON of a record.
    pub(crate) fn row(&self, row: usize) -> &[u8] {
        let range = self.rows.get(row).cloned().unwrap_or_default();
        self.body.get(range).unwrap_or_default()
    }

    /// What a record has at the offset's pointers.
    pub(crate) fn named(&self, settings: &SourceSettings, row: usize) -> Result<Named> {
        let mut named = Named::new();
        for (name, pointer) in &settings.offset {
            if let Some(value) = pointer.find(self.row(row)).map_err(no_json)?.and_then(scalar) {
                named.insert(name.clone(), value);
            }
        }
        Ok(named)
    }

    /// How many records up to this one have the same there; 0 where it has nothing.
    pub(crate) fn same(&self, row: usize) -> usize {
        self.same.get(row).copied().unwrap_or(0)
    }
}

pub(super) fn no_json(error: Error) -> Fault {
    Fault::fatal(format_args!("the answer is no JSON: {error}"))
}

fn rows(settings: &SourceSettings, body: &[u8]) -> Result<Vec<Range<usize>>> {
    let Some(list) = settings.list.find(body).map_err(no_json)? else {
        host::debug("the answer has nothing at http.response.list.pointer, and counts as empty");
        return Ok(Vec::new());
    };
    let place = |row: &[u8]| {
        let start = (row.as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
        start..start + row.len()
    };
    match (elements(list).map_err(no_json)?, Reader::new(list).peek()) {
        (Some(rows), _) => Ok(rows.into_iter().map(place).collect()),
        (None, Some(b'{')) => Ok(vec![place(list)]),
        _ => Err(Fault::fatal(
            "the answer has neither an array nor an object at http.response.list.pointer",
        )),
    }
}

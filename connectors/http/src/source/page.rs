//! One answer: its records, and where the next page is. Not here: asking for it, and how far its records are handed out.

use std::ops::Range;

use tombolo_sdk::fault::{Fault, Result};
use tombolo_sdk::host;
use tombolo_sdk::http::{Response, Url};
use tombolo_sdk::json::{Error, Reader};

use super::link;
use super::settings::{Paging, SourceSettings};
use crate::pointer::{Pointer, elements, scalar};

/// A page of records.
#[derive(Debug)]
pub(crate) struct Page {
    /// Which it is; none for the first.
    pub(crate) at: Option<String>,
    /// Which follows; none for the last, and where only asking for it can tell.
    pub(crate) next: Option<String>,
    body: Vec<u8>,
    /// Where each record is.
    rows: Vec<Range<usize>>,
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
            return Ok(Self { at, next: None, body: Vec::new(), rows: Vec::new() });
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
        Ok(Self { at, next, rows, body: response.body })
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

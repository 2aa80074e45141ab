//! What goes into one request: the next rows that share it. Not here: sending it, and what its answer means.

use std::ops::Range;

use tombolo_sdk::cbor::{Cursor, Error, Token};
use tombolo_sdk::fault::Problem;
use tombolo_sdk::host;
use tombolo_sdk::http::{Method, Request, Url, is_header_value};
use tombolo_sdk::json;
use tombolo_sdk::record::{Record, Records};

use super::settings::{Body, OnNull, SinkSettings};

/// Rows that one request takes, with their bodies.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) to: Address,
    /// Their places in the batch, ascending. Rows in between need no request.
    pub(crate) rows: Vec<usize>,
    /// The first row that is not looked at yet.
    pub(crate) next: usize,
    /// The bodies, one behind the other, and where each is.
    bytes: Vec<u8>,
    bodies: Vec<Range<usize>>,
}

/// Where a row goes, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) method: Method,
    url: Url,
    headers: Vec<(String, String)>,
}

/// What a row needs.
enum Need {
    /// No request.
    None,
    Request(Address),
}

impl Letter {
    /// The rows from `from` on that share a request; none when no row is left that needs one, or the first is bad.
    ///
    /// Errors: a bad row, before which there is none that needs a request.
    pub(crate) fn next(
        settings: &SinkSettings,
        records: Records<'_>,
        from: usize,
    ) -> Result<Option<Self>, (usize, Problem)> {
        let mut letter: Option<Self> = None;
        for row in from..records.len() {
            let Some(record) = records.get(row) else { break };
            let need = match need(settings, &record) {
                Ok(Need::None) => continue,
                Ok(Need::Request(to)) => Ok(to),
                Err(problem) => Err(problem),
            };
            match (need, &mut letter) {
                (Err(problem), None) => return Err((row, problem)),
                (Ok(to), None) => {
                    let mut first = Self::to(to);
                    first.add(&settings.body, &record).map_err(|problem| (row, problem))?;
                    letter = Some(first);
                }
                (Ok(to), Some(letter)) if letter.may_take(&settings.body, &to) => {
                    if !letter.takes(&settings.body, &record) {
                        break;
                    }
                }
                _ => break,
            }
        }
        Ok(letter)
    }

    fn to(to: Address) -> Self {
        Self { to, rows: Vec::new(), next: 0, bytes: Vec::new(), bodies: Vec::new() }
    }

    fn may_take(&self, body: &Body, to: &Address) -> bool {
        let most = body.batch.as_ref().map_or(1, |batch| batch.rows_max);
        self.rows.len() < most && self.to.method != Method::Delete && self.to == *to
    }

    /// Adds another row, if it is good and there is room for it. One that is not comes first in the next request, and is looked at there.
    fn takes(&mut self, body: &Body, record: &Record<'_>) -> bool {
        let len = self.bytes.len();
        let added = self.add(body, record).is_ok();
        let Some(batch) = &body.batch else { return false };
        let marks = batch.prefix.len() + batch.suffix.len();
        let separators = self.rows.len().saturating_sub(1) * batch.separator.len();
        if added && self.bytes.len() + separators + marks <= batch.bytes_max {
            return true;
        }
        if added {
            self.rows.pop();
            self.bodies.pop();
            self.next = self.rows.last().map_or(0, |row| row + 1);
        }
        self.bytes.truncate(len);
        false
    }

    fn add(&mut self, body: &Body, record: &Record<'_>) -> Result<(), Problem> {
        let start = self.bytes.len();
        if let Some(value) = record.value_bytes() {
            write(body, value, &mut self.bytes)?;
        }
        self.rows.push(record.row());
        self.bodies.push(start..self.bytes.len());
        self.next = record.row() + 1;
        Ok(())
    }

    /// The request for some of its rows, by their number in it.
    pub(crate) fn request(&self, settings: &SinkSettings, rows: Range<usize>) -> Request {
        let Address { method, url, headers } = self.to.clone();
        let mut request = settings.authorization.add_to(Request::new(method, url));
        request.headers.extend(headers);
        if method == Method::Delete {
            return request;
        }
        let bodies = self.bodies.get(rows).unwrap_or_default();
        let parts = bodies.iter().map(|body| self.bytes.get(body.clone()).unwrap_or_default());
        let body = match &settings.body.batch {
            None => parts.collect::<Vec<_>>().concat(),
            Some(batch) => {
                let joined = parts.collect::<Vec<_>>().join(batch.separator.as_bytes());
                [batch.prefix.as_bytes(), &joined, batch.suffix.as_bytes()].concat()
            }
        };
        request.header_with("content-type", &settings.content_type).body(body)
    }
}

fn need(settings: &SinkSettings, record: &Record<'_>) -> Result<Need, Problem> {
    let method = match (record.value_bytes(), settings.on_null) {
        (Some(_), _) => settings.method,
        (None, OnNull::Delete) => Method::Delete,
        (None, OnNull::Fail) => return Err(Problem::data("the record has no value")),
        (None, OnNull::Ignore) => return Ok(Need::None),
        (None, OnNull::Log) => {
            let at = record.origin();
            host::warn(format_args!(
                "passed over a record without a value: topic {}, partition {}, offset {}",
                at.at.topic, at.at.partition, at.offset
            ));
            return Ok(Need::None);
        }
    };
    let url = settings.url.url(record)?;
    let url = Url::parse(&url).map_err(|why| Problem::data(format_args!("no URL: {why}")))?;
    let mut headers = Vec::with_capacity(settings.headers.len());
    for (name, template) in &settings.headers {
        let value = template.text(record)?;
        if !is_header_value(&value) {
            return Err(Problem::data(format_args!(
                "what the record has for the header {name} has control characters"
            )));
        }
        headers.push((name.clone(), value));
    }
    Ok(Need::Request(Address { method, url, headers }))
}

/// Appends the value of a row.
fn write(body: &Body, value: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    if !body.all_json {
        match Cursor::new(value).token()? {
            Token::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                return Ok(());
            }
            Token::Bytes(bytes) => {
                out.extend_from_slice(bytes);
                return Ok(());
            }
            _ => {}
        }
    }
    json::from_cbor(value, body.decimals, out)
}

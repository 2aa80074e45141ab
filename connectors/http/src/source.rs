//! The source: asks an API again and again, page by page, and makes a record of each entry.
//!
//! Each record carries where to go on behind it, so that a restart asks for the page again that it ended in, and passes over what was handed out. Not
//! here: what an answer holds (`page`).

mod link;
mod order;
mod page;
mod position;
mod settings;

use std::hash::{DefaultHasher, Hasher};
use std::time::Instant;

use tombolo_sdk::cbor::write;
use tombolo_sdk::connector::OneTask;
use tombolo_sdk::fault::{Fault, Result};
use tombolo_sdk::host;
use tombolo_sdk::http::{Client, Method, Request, Url, percent_encode};
use tombolo_sdk::json::{Numbers, Transcoder};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::source::{Poll, Source, SourceOffset};
use tombolo_sdk::source_batch::SourceBatch;

use crate::pointer::{Pointer, scalar};
use crate::settings::{Retries, told};
use crate::template::Template;
use page::{Page, no_json};
use position::Position;
use settings::{Paging, SourceSettings};

/// What APIs answer where a number is beyond that of their last page, instead of an empty page.
const BEYOND_THE_LAST: [u16; 2] = [400, 404];

/// Reads records from an API.
#[derive(Debug)]
pub struct HttpSource {
    settings: SourceSettings,
    client: Client,
    retries: Retries,
    /// Behind the last record that was handed out.
    position: Position,
    /// Whether the page after that of the position is asked for, of which only the answer tells whether there is one.
    is_ahead: bool,
    /// Whether the page of the position is known to have one after it.
    is_followed: bool,
    /// How many records a numbered page has that is whole.
    full: Option<usize>,
    repeats: Repeats,
    /// The page whose records are being handed out, and the first that is not.
    page: Option<(Page, usize)>,
    /// When the last request was sent, and when the next is due.
    asked: Instant,
    due: Instant,
    numbers: Transcoder,
}

/// What tells a numbered page from the one before it.
#[derive(Debug, Default)]
struct Repeats {
    /// A number for the answer with the last page that had records.
    last: Option<u64>,
    /// Whether a page that was the one before it was told of.
    is_told: bool,
}

impl Plugin for HttpSource {
    type Settings = SourceSettings;
    const CLASS: &'static str = "io.tombolo.http.HttpSourceConnector";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Asks an HTTP API for records, again and again, page by page.";
}

impl Source for HttpSource {
    type Connector = OneTask<SourceSettings>;

    fn start(settings: SourceSettings) -> Result<Self> {
        let position = committed(&settings)?;
        let client = Client::new().timeout(settings.timeout).body_max(settings.bytes_max);
        let (retries, now) = (settings.retries.clone(), Instant::now());
        let numbers = Transcoder::new(Numbers::Connect);
        Ok(Self {
            settings,
            client,
            retries,
            position,
            is_ahead: false,
            is_followed: false,
            full: None,
            repeats: Repeats::default(),
            page: None,
            asked: now,
            due: now,
            numbers,
        })
    }

    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()> {
        if self.page.is_none() {
            let wait = self.due.saturating_duration_since(Instant::now());
            if wait > request.wait {
                host::wait(request.wait);
                return Ok(());
            }
            host::wait(wait);
            self.fetch()?;
        }
        self.hand_out(request, batch)
    }

    fn alter_offsets(settings: &SourceSettings, offsets: &[SourceOffset]) -> Result<bool> {
        for offset in offsets.iter().filter_map(|altered| altered.offset.as_deref()) {
            let position = Position::read(offset).map_err(Fault::fatal)?;
            check(settings, &position).map_err(Fault::fatal)?;
        }
        Ok(true)
    }
}

/// Appends the source partition: the URL without the query, which may hold a secret.
fn write_partition(settings: &SourceSettings, out: &mut Vec<u8>) {
    let url = settings.url.beginning();
    write::map(out, 1);
    write::text(out, "url");
    write::text(out, url.split('?').next().unwrap_or_default());
}

/// Where the last run ended. What it says of the names of `http.offset.initial` takes their place.
fn committed(settings: &SourceSettings) -> Result<Position> {
    let mut partition = Vec::new();
    write_partition(settings, &mut partition);
    let found = host::committed_offsets(&[partition]).into_iter().flatten().next();
    let stored = found.as_deref().map(Position::read).transpose().map_err(Fault::fatal)?;
    let mut position = stored.unwrap_or_default();
    check(settings, &position).map_err(Fault::config)?;
    if !settings.offset.is_empty() && position.named.is_empty() {
        // It was written while nothing of records was kept, and counts others.
        position.rows = 0;
    }
    for (name, value) in &settings.initial {
        position.named.entry(name.clone()).or_insert_with(|| value.clone());
    }
    Ok(position)
}

/// Whether a position is one of the paging that is set.
fn check(settings: &SourceSettings, position: &Position) -> std::result::Result<(), String> {
    let Some(page) = &position.page else { return Ok(()) };
    let other = |what| {
        Err(format!(
            "the offset's page \"{page}\" is {what}; reset the connector's offsets after a change of http.paging.mode"
        ))
    };
    match &settings.paging {
        Paging::None => other("there although there are no pages"),
        Paging::Number { .. } if page.parse::<u64>().is_err() => other("no number"),
        Paging::Link { .. } if Url::parse(page).is_err() => other("no URL"),
        _ => Ok(()),
    }
}

impl HttpSource {
    /// Asks for the next page.
    ///
    /// Errors: retriable, where it is to be asked for again later.
    fn fetch(&mut self) -> Result<()> {
        let at = self.asks_for();
        let request = self.request(at.as_deref())?;
        self.asked = Instant::now();
        let response = self.client.send(&request).map_err(|error| self.retries.failed(error))?;
        host::count("http_requests", 1);
        if self.retries.are_for(&response) {
            return Err(self.retries.again(&told(&request, &response), response.retry_after()));
        }
        let is_beyond = self.is_ahead && BEYOND_THE_LAST.contains(&response.status);
        if !response.is_success() && response.status != 304 && !is_beyond {
            return Err(Fault::fatal(told(&request, &response)));
        }
        self.retries.succeeded();
        let is_numbered = matches!(self.settings.paging, Paging::Number { .. });
        let answer = is_numbered.then(|| digest(&response.body));
        let page = if is_beyond || self.is_repeated(answer, &request) {
            Page::empty(at)
        } else {
            Page::read(&self.settings, at, &request.url, response).map_err(|fault| {
                let Request { method, url, .. } = &request;
                Fault::fatal(format_args!("{method} {url}: {}", fault.problem()))
            })?
        };
        if self.is_ahead && page.len() > 0 && self.full.is_none_or(|full| self.position.rows < full)
        {
            // The page before it may have grown since it was read. Read now, when there is one after it, it is whole.
            self.is_ahead = false;
            self.is_followed = true;
            return Ok(());
        }
        let behind = self.behind(&page)?;
        if page.len() > 0 {
            self.repeats.last = answer;
        }
        self.page = Some((page, behind));
        Ok(())
    }

    /// Whether the answer about a numbered page is that about the one before it: there is none, or the API takes no number, which would go on for ever.
    fn is_repeated(&mut self, answer: Option<u64>, request: &Request) -> bool {
        let is_repeated = self.is_ahead && answer.is_some() && answer == self.repeats.last;
        if is_repeated && !std::mem::replace(&mut self.repeats.is_told, true) {
            let Request { method, url, .. } = request;
            host::warn(format_args!(
                "{method} {url}: the next page is the one before it once more, and counts as empty; if there are more, the API may not know the parameter of http.paging.param"
            ));
        }
        is_repeated
    }

    /// The page to ask for.
    fn asks_for(&self) -> Option<String> {
        let Paging::Number { first, .. } = self.settings.paging else {
            return self.position.page.clone();
        };
        let here = self.position.page.as_ref().and_then(|page| page.parse().ok()).unwrap_or(first);
        Some((here + u64::from(self.is_ahead)).to_string())
    }

    /// How many records of a page are behind.
    fn behind(&self, page: &Page) -> Result<usize> {
        if !self.settings.offset.is_empty() {
            return self.behind_named(page);
        }
        Ok(if self.is_ahead { 0 } else { self.position.rows.min(page.len()) })
    }

    /// Those up to as many as were handed out with what the last record had: the API may give them again, and behind them new ones with the same.
    fn behind_named(&self, page: &Page) -> Result<usize> {
        // Without a number the position is of http.offset.initial or of an older version, and stands for one record.
        let known = 1..=self.position.rows.max(1);
        for row in (0..page.len()).rev().filter(|&row| known.contains(&page.same(row))) {
            let named = page.named(&self.settings, row)?;
            if named.iter().all(|(name, value)| self.position.named.get(name) == Some(value)) {
                return Ok(row + 1);
            }
        }
        Ok(0)
    }

    fn request(&self, page: Option<&str>) -> Result<Request> {
        let settings = &self.settings;
        let named = |template: &Template, encoded: bool| {
            template.fill(|slot, out| {
                let name = slot.strip_prefix("offset.").unwrap_or(slot);
                let value = self.position.named.get(name).map(String::as_str).unwrap_or_default();
                if encoded {
                    percent_encode(out, value)
                } else {
                    out.push_str(value)
                }
                Ok::<(), Fault>(())
            })
        };
        let mut url = named(&settings.url, true)?;
        let mut add = |name: &str, value: &str| {
            url.push(if url.contains('?') { '&' } else { '?' });
            percent_encode(&mut url, name);
            url.push('=');
            percent_encode(&mut url, value);
        };
        for (name, value) in &settings.params {
            add(name, &named(value, false)?);
        }
        if let (Paging::Cursor { param, .. } | Paging::Number { param, .. }, Some(page)) =
            (&settings.paging, page)
        {
            add(param, page);
        }
        let is_no_url =
            |why| Fault::config(format_args!("what is to be asked for is no URL: {why}"));
        let mut url = Url::parse(&url).map_err(is_no_url)?;
        if let (Paging::Link { .. }, Some(page)) = (&settings.paging, page) {
            let next = url.join(page).map_err(is_no_url)?;
            // Headers and credentials are for the API alone.
            if !next.has_origin_of(&url) {
                let why = format!("the next page, {next}, is not at the host of http.request.url");
                return Err(Fault::fatal(why));
            }
            url = next;
        }
        let mut request = settings.authorization.add_to(Request::new(settings.method, url));
        for (name, value) in &settings.headers {
            request = request.header_with(name, named(value, false)?);
        }
        let body = named(&settings.body, false)?;
        Ok(if settings.method == Method::Get { request } else { request.body(body) })
    }

    /// Adds records of the page to the batch, as far as it goes.
    fn hand_out(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()> {
        let Some((page, mut row)) = self.page.take() else { return Ok(()) };
        let mut partition = Vec::new();
        write_partition(&self.settings, &mut partition);
        let partition = batch.partition_bytes(partition);
        let before = self.position.clone();
        while row < page.len()
            && batch.len() < request.rows_max
            && batch.byte_count() < request.bytes_max
        {
            let json = page.row(row);
            let value = self.value(json, row)?;
            let key = self.key(json)?;
            self.position = self.position_behind(&page, row)?;
            let position = &self.position;
            let to = batch.record_with(&self.settings.topic, partition, |out| position.write(out));
            let to = to.value_with(0, |out| out.extend_from_slice(&value));
            if let Some(key) = key {
                to.key(&key)?;
            }
            row += 1;
        }
        if row < page.len() {
            self.page = Some((page, row));
        } else {
            self.finish(&page, &before);
        }
        Ok(())
    }

    /// Where to go on behind a record.
    fn position_behind(&self, page: &Page, row: usize) -> Result<Position> {
        let is_last = row + 1 == page.len();
        let here = Position { page: page.at.clone(), rows: row + 1, ..self.position.clone() };
        Ok(match &self.settings.paging {
            Paging::None if !self.settings.offset.is_empty() => {
                let found = page.named(&self.settings, row)?;
                if found.is_empty() {
                    return Ok(self.position.clone());
                }
                // What it lacks stays as it was.
                let mut named = self.position.named.clone();
                named.extend(found);
                Position { page: None, rows: page.same(row), named }
            }
            Paging::Number { .. } => here,
            _ if !is_last => here,
            _ => self.position_after(page),
        })
    }

    /// Whether the first page follows the last.
    fn begins_anew(&self) -> bool {
        self.settings.restart || self.settings.paging == Paging::None
    }

    /// Where to go on behind the last record of a page that says itself what follows.
    fn position_after(&self, page: &Page) -> Position {
        let named = self.position.named.clone();
        match &page.next {
            Some(next) => Position { page: Some(next.clone()), rows: 0, named },
            None if self.begins_anew() => Position { page: None, rows: 0, named },
            None => Position { page: page.at.clone(), rows: page.len(), named },
        }
    }

    /// Decides what to ask for next, and when. `before` is where the source stood before the last records of the page.
    fn finish(&mut self, page: &Page, before: &Position) {
        let is_numbered = matches!(self.settings.paging, Paging::Number { .. });
        let has_more = match (&self.settings.paging, page.len()) {
            (_, 0) => false,
            (Paging::None, _) => self.position.named != before.named,
            (Paging::Number { .. }, _) => true,
            _ => page.next.is_some(),
        };
        if is_numbered {
            if page.len() == 0 && self.settings.restart {
                self.position = Position { named: before.named.clone(), ..Position::default() };
            }
            if std::mem::take(&mut self.is_followed) {
                self.full = Some(page.len());
            }
            self.is_ahead = has_more;
        } else if self.settings.offset.is_empty() {
            if page.len() > 0 || page.next.is_some() {
                self.position = self.position_after(page);
            } else if self.begins_anew() {
                self.position.page = None;
                self.position.rows = 0;
            }
        }
        let pause = if has_more { self.settings.catch_up } else { self.settings.interval };
        self.due = self.asked + pause;
    }

    /// The value of a record, as CBOR.
    fn value(&mut self, json: &[u8], row: usize) -> Result<Vec<u8>> {
        let Some(json) = self.settings.record.find(json).map_err(no_json)? else {
            let why =
                format!("record {row} of the answer has nothing at http.response.record.pointer");
            return Err(Fault::fatal(why));
        };
        let mut out = Vec::with_capacity(json.len());
        if self.settings.as_text {
            write::text(&mut out, &String::from_utf8_lossy(json));
        } else {
            self.numbers.transcode(json, &mut out).map_err(no_json)?;
        }
        Ok(out)
    }

    /// The key of a record, as text.
    fn key(&self, json: &[u8]) -> Result<Option<String>> {
        let found = self.settings.key.as_ref().map(|at: &Pointer| at.find(json)).transpose();
        Ok(found.map_err(no_json)?.flatten().and_then(scalar))
    }
}

/// A number that only the same answer has, but for a chance that counts for nothing.
fn digest(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    hasher.finish()
}

#[cfg(test)]
mod tests;

//! The sink: sends records in requests, sends them again where the API asks for it, and names the records that it does not take.
//!
//! A row is settled when `put` returns: nothing is kept for later. Not here: which rows share a request (`letter`).

mod letter;
mod settings;

use std::ops::Range;
use std::time::Duration;

use tombolo_sdk::connector::EveryTask;
use tombolo_sdk::fault::{Fault, Problem, Result};
use tombolo_sdk::host;
use tombolo_sdk::http::{Client, Method, Request, Response};
use tombolo_sdk::json;
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::record::Records;
use tombolo_sdk::sink::{PartitionOffset, Sink, SinkContext};

use crate::call::Call;
use crate::pointer::{elements, scalar};
use crate::settings::{EXCERPT, Retries, of_no_record, told};
use letter::Letter;
use settings::{RowAnswers, SinkSettings};

/// Sends records to an API.
#[derive(Debug)]
pub struct HttpSink {
    settings: SinkSettings,
    retries: Retries,
    /// How far the call came that is to be repeated.
    unfinished: Option<Progress>,
}

/// How far the rows of a call are settled.
#[derive(Debug)]
struct Progress {
    /// Which rows they are: where the first and the last were read, and how many there are.
    of: (PartitionOffset, PartitionOffset, usize),
    /// All rows before this one are settled.
    done: usize,
    /// Those of them that are bad.
    faults: Vec<(usize, Problem)>,
    /// How many rows each of the next requests has, the first one last, where more were refused together. Behind them there are as many as may be.
    parts: Vec<usize>,
}

/// What an answer means.
enum Verdict {
    Good,
    /// Send it again.
    Again,
    /// The records are bad, or one of them is.
    Rows,
    /// No record is to blame.
    Target,
}

impl Plugin for HttpSink {
    type Settings = SinkSettings;
    const CLASS: &'static str = "io.tombolo.http.HttpSinkConnector";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Sends records to an HTTP API, one by one or in batches.";
}

impl Sink for HttpSink {
    type Connector = EveryTask<SinkSettings>;

    fn start(settings: SinkSettings) -> Result<Self> {
        let retries = settings.retries.clone();
        Ok(Self { settings, retries, unfinished: None })
    }

    fn open(&mut self, _partitions: &[PartitionOffset], _context: &mut SinkContext) -> Result<()> {
        self.unfinished = None;
        self.retries.succeeded();
        Ok(())
    }

    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()> {
        let Some(of) = identity(records) else { return Ok(()) };
        let unfinished = self.unfinished.take().filter(|unfinished| unfinished.of == of);
        let mut progress = unfinished.unwrap_or_else(|| Progress::of(of));
        match self.deliver(records, &mut progress) {
            Ok(()) => {
                for (row, problem) in progress.faults {
                    if let Some(record) = records.get(row) {
                        context.report(&record, problem);
                    }
                }
                Ok(())
            }
            // The same rows come again: those that are settled are not sent twice.
            Err(fault) => {
                self.unfinished = Some(progress);
                Err(fault)
            }
        }
    }
}

fn identity(records: Records<'_>) -> Option<(PartitionOffset, PartitionOffset, usize)> {
    let last = records.len().checked_sub(1)?;
    Some((records.get(0)?.origin(), records.get(last)?.origin(), records.len()))
}

impl HttpSink {
    /// Settles all rows that are not.
    ///
    /// Errors: retriable, where it is to go on in another call.
    fn deliver(&mut self, records: Records<'_>, progress: &mut Progress) -> Result<()> {
        let mut call = Call::begin(self.settings.call_time);
        while progress.done < records.len() {
            match Letter::next(&self.settings, records, progress.done) {
                Ok(Some(letter)) => {
                    self.send_all(&letter, &mut call, progress)?;
                    progress.done = letter.next;
                }
                Ok(None) => progress.done = records.len(),
                Err((row, problem)) => progress.is_bad(row, problem),
            }
        }
        Ok(())
    }

    /// Sends the rows of a letter. Those that are refused are sent again in halves, down to those that are refused alone.
    fn send_all(
        &mut self,
        letter: &Letter,
        call: &mut Call,
        progress: &mut Progress,
    ) -> Result<()> {
        let (mut from, all) = (0, letter.rows.len());
        while from < all {
            let most = progress.parts.last().copied().unwrap_or(all);
            let to = from.saturating_add(most).min(all);
            from = self.send(letter, from..to, call, progress)?;
        }
        Ok(())
    }

    /// Sends some rows of a letter. Answers from which of its rows on it is to go on.
    ///
    /// Errors: also where there is no time left for them in this call.
    fn send(
        &mut self,
        letter: &Letter,
        rows: Range<usize>,
        call: &mut Call,
        progress: &mut Progress,
    ) -> Result<usize> {
        let Some(time) = call.request(self.settings.timeout) else {
            let why = "the records take long, and are sent on in the next call";
            return Err(Fault::retry_after(Duration::ZERO, why));
        };
        let request = letter.request(&self.settings, rows.clone());
        let response = match Client::new().timeout(time).send(&request) {
            Ok(response) => response,
            Err(error) => return Err(self.retries.failed(error)),
        };
        host::count("http_requests", 1);
        match self.verdict(&request, &response) {
            Verdict::Again => {
                Err(self.retries.again(&told(&request, &response), response.retry_after()))
            }
            Verdict::Target => Err(of_no_record(told(&request, &response))),
            Verdict::Good => {
                self.retries.succeeded();
                let next = rows.end;
                self.settle(letter, rows, &request, &response, progress)?;
                progress.parts.pop();
                Ok(next)
            }
            Verdict::Rows => {
                self.retries.succeeded();
                progress.parts.pop();
                if rows.len() > 1 {
                    let half = rows.len() / 2;
                    progress.parts.extend([rows.len() - half, half]);
                    return Ok(rows.start);
                }
                if let Some(&row) = letter.rows.get(rows.start) {
                    progress.is_bad(row, Problem::data(told(&request, &response)));
                }
                Ok(rows.end)
            }
        }
    }

    fn verdict(&self, request: &Request, response: &Response) -> Verdict {
        let is_constant = self.settings.url.constant().is_some();
        match response.status {
            200..300 => Verdict::Good,
            _ if self.retries.are_for(response) => Verdict::Again,
            404 | 410 if request.method == Method::Delete => Verdict::Good,
            404 | 405 | 410 if is_constant => Verdict::Target,
            401 | 403 | 407 => Verdict::Target,
            400..500 => Verdict::Rows,
            _ => Verdict::Target,
        }
    }

    /// Takes rows as settled; the answer may say that some are bad.
    fn settle(
        &self,
        letter: &Letter,
        rows: Range<usize>,
        request: &Request,
        response: &Response,
        progress: &mut Progress,
    ) -> Result<()> {
        let rows = letter.rows.get(rows).unwrap_or_default();
        if let (Some(answers), false) = (&self.settings.answers, request.method == Method::Delete) {
            let errors = row_errors(answers, &response.body, rows.len());
            let errors = errors
                .map_err(|why| of_no_record(format_args!("{}: {why}", told(request, response))))?;
            for (&row, error) in rows.iter().zip(errors) {
                if let Some(error) = error {
                    let Request { method, url, .. } = request;
                    progress.is_bad(row, Problem::data(format_args!("{method} {url}: {error}")));
                }
            }
        }
        if let Some(last) = rows.last() {
            progress.done = last + 1;
        }
        Ok(())
    }
}

impl Progress {
    /// Nothing is settled of these rows.
    fn of(rows: (PartitionOffset, PartitionOffset, usize)) -> Self {
        Self { of: rows, done: 0, faults: Vec::new(), parts: Vec::new() }
    }

    /// Takes a row, and all before it, as settled, and this one as bad.
    fn is_bad(&mut self, row: usize, problem: Problem) {
        self.faults.push((row, problem));
        self.done = row + 1;
    }
}

/// What the answer says is wrong with each of the rows.
///
/// Errors: it does not say so of each.
fn row_errors(
    answers: &RowAnswers,
    body: &[u8],
    rows: usize,
) -> std::result::Result<Vec<Option<String>>, String> {
    let no_json = |error: json::Error| format!("the answer is no JSON: {error}");
    let found = answers.rows.find(body).map_err(no_json)?.unwrap_or_default();
    let entries = match found {
        [] => None,
        found => elements(found).map_err(no_json)?,
    };
    let entries = entries.ok_or("the answer has no array at batch.response.rows.pointer")?;
    if entries.len() != rows {
        return Err(format!("the answer is about {} records instead of {rows}", entries.len()));
    }
    let error = |entry: &[u8]| -> std::result::Result<Option<String>, String> {
        let error = answers.error.find(entry).map_err(no_json)?;
        let error = error.filter(|error| *error != b"false");
        Ok(error.map(|error| {
            let text = scalar(error).unwrap_or_else(|| String::from_utf8_lossy(error).into_owned());
            Response::new(0).body(text).excerpt(EXCERPT)
        }))
    };
    entries.into_iter().map(error).collect()
}

#[cfg(test)]
mod tests;

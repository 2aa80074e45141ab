//! A session: statements out in one go, answers in. Not here: which statements.

use std::io::Write as _;
use std::time::{Duration, Instant};

use tombolo_sdk::host;

use crate::settings::{Access, Address};
use crate::trouble::Trouble;
use crate::url::listed;
use crate::wire::backend::{Incoming, malformed};
use crate::wire::line::Line;
use crate::wire::refusal::Refusal;
use crate::wire::{frontend, login};

/// How much is sent at once: large enough that the call costs little per row, small against a sandbox's memory.
const CHUNK: usize = 256 * 1024;

/// Sets what can be set, in a server of whatever version: a session whose client is gone must not hold rows of others for long.
///
/// A statement that waits looks after its client, and a transaction that lost its client ends.
const SET_UP: &str = "SELECT pg_catalog.set_config(s.name, v.value, false) FROM pg_catalog.pg_settings s JOIN (VALUES \
    ('client_connection_check_interval', '2000'), ('idle_in_transaction_session_timeout', '60000')) v (name, value) USING (name)";

/// Whether nothing can be written in a session: a standby, or a server that was set to it.
const IS_READ_ONLY: &str = "SELECT pg_catalog.pg_is_in_recovery() OR \
    pg_catalog.current_setting('transaction_read_only') = 'on'";

/// Longest time to take leave: a few bytes, which a connection that is there takes at once.
const FAREWELL: Duration = Duration::from_millis(100);

/// A connection that is logged in. Ends when it is dropped.
pub(crate) struct Session {
    line: Line,
    incoming: Incoming,
    out: Vec<u8>,
    /// Answers that are still to come: one `ReadyForQuery` each.
    awaited: usize,
}

/// What the server answered.
#[derive(Debug, Default)]
struct Answer {
    rows: Vec<Vec<Option<String>>>,
    /// What the last statement says it did, as `INSERT 0 3`.
    tag: String,
}

impl Session {
    /// Connects to the first of the addresses where somebody answers who takes writes, and logs in. A single address is taken as it is.
    pub(crate) fn open(access: &Access, until: Instant) -> Result<Self, Trouble> {
        let mut failed = Trouble::Broken("there is no address".to_owned());
        let mut rest = access.addresses.as_slice();
        while let [address, others @ ..] = rest {
            rest = others;
            // Each gets its share of the time that is left, so that the last gets some whatever the others do.
            let now = Instant::now();
            let left = until.saturating_duration_since(now);
            let sharing = u32::try_from(others.len() + 1).unwrap_or(u32::MAX);
            match Self::open_at(access, address, now + left / sharing) {
                Ok(mut session) => {
                    session.end_by(until);
                    return Ok(session);
                }
                Err(trouble) if trouble.is_passing() => failed = trouble,
                Err(trouble) => return Err(trouble),
            }
        }
        Err(match failed {
            Trouble::Broken(why) => {
                Trouble::Broken(format!("no connection to {}: {why}", listed(&access.addresses)))
            }
            other => other,
        })
    }

    fn open_at(access: &Access, address: &Address, until: Instant) -> Result<Self, Trouble> {
        let (line, incoming) = login::login(access, address, until)?;
        let mut session = Self { line, incoming, out: Vec::new(), awaited: 0 };
        session.rows(SET_UP, &[])?;
        if access.addresses.len() > 1 || access.wants_primary {
            session.check_writable(address)?;
        }
        if let Some(schema) = &access.schema {
            let set = "SELECT pg_catalog.set_config('search_path', $1, false)";
            session.rows(set, &[schema.as_str()])?;
        }
        Ok(session)
    }

    /// Errors, which pass: this is not the server to write to.
    fn check_writable(&mut self, address: &Address) -> Result<(), Trouble> {
        let answer = self.rows(IS_READ_ONLY, &[])?.concat();
        if answer == [Some("f".to_owned())] {
            return Ok(());
        }
        Err(Trouble::Broken(format!("{address} takes no writes: it is a standby, or read only")))
    }

    /// Has all of its waits end by then.
    pub(crate) fn end_by(&mut self, until: Instant) {
        self.line.patience.until = until;
    }

    /// Queues statements without parameters.
    pub(crate) fn query(&mut self, sql: &str) {
        frontend::query(&mut self.out, sql);
        self.awaited += 1;
    }

    /// Queues a `COPY … FROM STDIN (FORMAT binary)` of these rows. Sends what grew large.
    ///
    /// The rows follow at once: a server that refuses the statement passes over them.
    pub(crate) fn copy<'a>(
        &mut self,
        sql: &str,
        rows: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), Trouble> {
        self.query(sql);
        frontend::copy_data(&mut self.out, &[frontend::COPY_HEAD]);
        for rows in rows {
            for chunk in rows.chunks(CHUNK) {
                frontend::copy_data(&mut self.out, &[chunk]);
                if self.out.len() >= CHUNK {
                    self.send()?;
                }
            }
        }
        frontend::copy_data(&mut self.out, &[frontend::COPY_TAIL]);
        frontend::copy_done(&mut self.out);
        Ok(())
    }

    /// Sends what is queued, and waits for all answers.
    ///
    /// Errors: the first refusal; what came after it in the same transaction was refused for its sake.
    pub(crate) fn run(&mut self) -> Result<(), Trouble> {
        self.answer().map(drop)
    }

    /// Runs one statement, and returns its rows.
    pub(crate) fn rows(
        &mut self,
        sql: &str,
        parameters: &[&str],
    ) -> Result<Vec<Vec<Option<String>>>, Trouble> {
        frontend::statement(&mut self.out, sql, parameters);
        self.awaited += 1;
        Ok(self.answer()?.rows)
    }

    /// Makes a transaction durable.
    ///
    /// Errors: also where the server undid it instead.
    pub(crate) fn commit(&mut self) -> Result<(), Trouble> {
        self.query("COMMIT");
        let tag = self.answer()?.tag;
        if tag == "COMMIT" {
            return Ok(());
        }
        Err(Trouble::Broken(format!("the transaction ended by {tag}")))
    }

    fn send(&mut self) -> Result<(), Trouble> {
        let sent = self.line.write_all(&self.out);
        self.out.clear();
        Ok(sent?)
    }

    fn answer(&mut self) -> Result<Answer, Trouble> {
        self.send()?;
        let (mut answer, mut refused) = (Answer::default(), None);
        while self.awaited > 0 {
            let message = match (self.incoming.next(&mut self.line), &refused) {
                (Ok(message), _) => message,
                // A server that ends a session says why, and then closes.
                (Err(_), Some(refusal)) => return Err(Refusal::clone(refusal).into()),
                (Err(error), None) => return Err(error.into()),
            };
            match message.kind {
                b'D' => answer.rows.push(message.body.row()?),
                b'C' => answer.tag = { message.body }.text()?,
                b'E' => {
                    let refusal = Refusal::read(message.body)?;
                    refused.get_or_insert(refusal);
                }
                b'N' => {
                    let notice = Refusal::read(message.body)?;
                    host::debug(format_args!("the server says: {notice}"));
                }
                b'Z' => self.awaited -= 1,
                // What precedes rows, ends a COPY, or tells of a setting.
                b'1' | b'2' | b'3' | b'T' | b'n' | b'G' | b'I' | b'S' | b's' | b'A' => {}
                _ => return Err(malformed("a message that does not belong there").into()),
            }
        }
        match refused {
            Some(refusal) => Err(refusal.into()),
            None => Ok(answer),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.awaited == 0 {
            self.out.clear();
            frontend::terminate(&mut self.out);
            // Also where the call that it was there for has no time left. A connection that is gone needs no word.
            self.end_by(Instant::now() + FAREWELL);
            self.line.write_all(&self.out).ok();
        }
    }
}

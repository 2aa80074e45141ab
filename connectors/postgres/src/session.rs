//! A session: statements out in one go, answers in. Not here: which statements.

use std::io::Write as _;

use tombolo_sdk::host;
use tombolo_sdk::network::Connection;

use crate::settings::Access;
use crate::trouble::Trouble;
use crate::url::listed;
use crate::wire::backend::{Incoming, malformed};
use crate::wire::refusal::Refusal;
use crate::wire::{frontend, login};

/// How much is sent at once: large enough that the call costs little per row, small against a sandbox's memory.
const CHUNK: usize = 256 * 1024;

/// Sets what can be set, in a server of whatever version: a session whose client is gone must not hold rows of others for long.
///
/// A statement that waits looks after its client, and a transaction that lost its client ends.
const SET_UP: &str = "SELECT pg_catalog.set_config(s.name, v.value, false) FROM pg_catalog.pg_settings s JOIN (VALUES \
    ('client_connection_check_interval', '2000'), ('idle_in_transaction_session_timeout', '60000')) v (name, value) USING (name)";

/// A connection that is logged in. Ends when it is dropped.
pub(crate) struct Session {
    connection: Connection,
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
    /// Connects to the first of the addresses where somebody answers, and logs in.
    pub(crate) fn open(access: &Access) -> Result<Self, Trouble> {
        let mut failed = Trouble::Broken("there is no address".to_owned());
        for address in &access.addresses {
            match Self::open_at(access, address) {
                Ok(session) => return Ok(session),
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

    fn open_at(access: &Access, address: &crate::settings::Address) -> Result<Self, Trouble> {
        let (connection, incoming) = login::login(access, address)?;
        let mut session = Self { connection, incoming, out: Vec::new(), awaited: 0 };
        session.rows(SET_UP, &[])?;
        if let Some(schema) = &access.schema {
            let set = "SELECT pg_catalog.set_config('search_path', $1, false)";
            session.rows(set, &[schema.as_str()])?;
        }
        Ok(session)
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
        let sent = self.connection.write_all(&self.out);
        self.out.clear();
        Ok(sent?)
    }

    fn answer(&mut self) -> Result<Answer, Trouble> {
        self.send()?;
        let (mut answer, mut refused) = (Answer::default(), None);
        while self.awaited > 0 {
            let message = match (self.incoming.next(&mut self.connection), &refused) {
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
            // A connection that is gone needs no word.
            self.connection.write_all(&self.out).ok();
        }
    }
}

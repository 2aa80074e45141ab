//! A client for tests' own questions: simple queries, answered as text.
//!
//! Not here: passwords and TLS; the superuser of a test's database is trusted.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Longest wait for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// Version 3.0 of the protocol.
const PROTOCOL: i32 = 196_608;

/// The columns of a row as text, none for null.
pub type Row = Vec<Option<String>>;

/// A connection of the superuser.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
}

impl Client {
    /// Connects to a database on a port of the loopback address.
    pub fn connect(port: u16, database: &str) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.set_nodelay(true)?;
        let mut client = Self { stream };
        let parameters = format!("user\0postgres\0database\0{database}\0\0");
        client.send(None, &[&PROTOCOL.to_be_bytes(), parameters.as_bytes()])?;
        client.answer()?;
        Ok(client)
    }

    /// Runs statements, and returns the rows of all of them.
    ///
    /// Errors: the first that the server reports.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Row>> {
        self.send(Some(b'Q'), &[sql.as_bytes(), b"\0"])?;
        self.answer().with_context(|| sql.to_owned())
    }

    /// Runs `COPY … FROM STDIN` with these bytes.
    pub fn copy(&mut self, sql: &str, data: &[u8]) -> Result<()> {
        self.send(Some(b'Q'), &[sql.as_bytes(), b"\0"])?;
        for chunk in data.chunks(64 * 1024) {
            self.send(Some(b'd'), &[chunk])?;
        }
        self.send(Some(b'c'), &[])?;
        self.answer().with_context(|| sql.to_owned()).map(drop)
    }

    fn send(&mut self, kind: Option<u8>, parts: &[&[u8]]) -> Result<()> {
        let len = 4 + parts.iter().map(|part| part.len()).sum::<usize>();
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend_from_slice(&i32::try_from(len)?.to_be_bytes());
        parts.iter().for_each(|part| message.extend_from_slice(part));
        Ok(self.stream.write_all(&message)?)
    }

    /// Reads until the server is ready for the next query.
    fn answer(&mut self) -> Result<Vec<Row>> {
        let (mut rows, mut problem) = (Vec::new(), None);
        loop {
            let mut head = [0; 5];
            self.stream.read_exact(&mut head)?;
            let [kind, len @ ..] = head;
            let mut body = vec![0; (u32::from_be_bytes(len) as usize).saturating_sub(4)];
            self.stream.read_exact(&mut body)?;
            match kind {
                b'D' => rows.push(row(&body).context("a row is whole")?),
                b'E' => {
                    let words = String::from_utf8_lossy(&body).replace('\0', " ");
                    // Nothing follows what is said before the first query.
                    if words.contains("FATAL") {
                        bail!(words);
                    }
                    problem.get_or_insert(words);
                }
                b'Z' => break,
                _ => {}
            }
        }
        match problem {
            Some(problem) => bail!(problem),
            None => Ok(rows),
        }
    }
}

fn row(body: &[u8]) -> Option<Row> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut row = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (len, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        let Ok(len) = usize::try_from(i32::from_be_bytes(*len)) else {
            row.push(None);
            continue;
        };
        let (value, after) = rest.split_at_checked(len)?;
        rest = after;
        row.push(Some(String::from_utf8_lossy(value).into_owned()));
    }
    Some(row)
}

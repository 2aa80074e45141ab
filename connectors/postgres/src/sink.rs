//! The sink: takes records, writes them in one transaction, and says which of them could not be. Not here: how they are written.

use std::collections::HashSet;
use std::time::Instant;

use tombolo_sdk::columns::Columns;
use tombolo_sdk::connector::EveryTask;
use tombolo_sdk::fault::{Fault, Problem, Result};
use tombolo_sdk::host;
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::record::{Record, Records};
use tombolo_sdk::sink::{Altered, Sink, SinkContext};

use crate::book::Book;
use crate::plan::{Plan, Planner};
use crate::session::Session;
use crate::settings::{SinkSettings, denied};
use crate::transaction::Writer;
use crate::trouble::Trouble;
use crate::wire::refusal::Remedy;

/// The Java class of what is wrong with no setting in particular.
const CONNECT_EXCEPTION: &str = "org.apache.kafka.connect.errors.ConnectException";

/// Writes records into tables of PostgreSQL.
pub struct PostgresSink {
    settings: SinkSettings,
    /// None before the first records, and after any failure.
    writer: Option<Writer>,
    book: Book,
    /// Failures in a row that can pass.
    failures: u32,
    /// When the present `put` gives up: before the host ends it.
    until: Instant,
}

/// Records that cannot be written, by their row.
type Faults = Vec<(usize, Problem)>;

impl Plugin for PostgresSink {
    type Settings = SinkSettings;
    const CLASS: &'static str = "io.tombolo.postgres.PostgresSinkConnector";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Writes records into tables of PostgreSQL: adds rows, replaces or changes them by their primary key, and deletes them.";
    const READS: Columns = Columns::TOPIC
        .union(Columns::PARTITION)
        .union(Columns::OFFSET)
        .union(Columns::KEY)
        .union(Columns::VALUE);
}

impl Sink for PostgresSink {
    type Connector = EveryTask<SinkSettings>;

    /// Connects with the first records: a database that is away then is one that comes back.
    fn start(settings: SinkSettings) -> Result<Self> {
        let (book, until) = (Book::default(), Instant::now());
        Ok(Self { settings, writer: None, book, failures: 0, until })
    }

    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        self.until = Instant::now() + self.settings.access.put_timeout;
        if let Some(writer) = &mut self.writer {
            writer.session.end_by(self.until);
        }
        let faults = self.deliver(records).map_err(|trouble| self.failed(&trouble))?;
        self.failures = 0;
        for (row, problem) in faults {
            if let Some(record) = records.get(row) {
                context.report(&record, problem);
            }
        }
        Ok(())
    }

    fn alter_offsets(_settings: &SinkSettings, _offsets: &[Altered]) -> Result<bool> {
        Ok(true)
    }
}

impl PostgresSink {
    /// Writes records, and returns those that cannot be written.
    ///
    /// A table that is not what it was is looked at once more.
    fn deliver(&mut self, records: Records<'_>) -> std::result::Result<Faults, Trouble> {
        match self.attempt(records) {
            Err(trouble) if trouble.remedy() == Remedy::Look => {
                self.writer = None;
                self.book = Book::default();
                self.attempt(records)
            }
            done => done,
        }
    }

    fn attempt(&mut self, records: Records<'_>) -> std::result::Result<Faults, Trouble> {
        let plan = self.plan(records.iter())?;
        if plan.loads.is_empty() {
            return Ok(plan.faults);
        }
        let mode = self.settings.writing.mode;
        match self.writer()?.write(&plan, mode) {
            Ok(()) => Ok(plan.faults),
            Err(trouble) if trouble.remedy() == Remedy::Row => {
                self.search(records, plan.faults, &trouble)
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Writes what can be written, in parts that are halved until the rows are found that cannot be. Still one transaction.
    fn search(
        &mut self,
        records: Records<'_>,
        mut faults: Faults,
        why: &Trouble,
    ) -> std::result::Result<Faults, Trouble> {
        host::debug(format_args!("looking for the rows that are refused: {why}"));
        let known: HashSet<usize> = faults.iter().map(|(row, _)| *row).collect();
        let rows: Vec<usize> = (0..records.len()).filter(|row| !known.contains(row)).collect();
        self.rollback()?;
        let writer = self.writer()?;
        writer.begin();
        // Whatever waits for the commit would be found too late.
        writer.session.query("SET CONSTRAINTS ALL IMMEDIATE");
        writer.session.run()?;
        let mut parts: Vec<&[usize]> = vec![&rows];
        while let Some(part) = parts.pop() {
            match self.write_part(records, part) {
                Ok(()) => {}
                Err(trouble) if trouble.remedy() != Remedy::Row => return Err(trouble),
                Err(trouble) => match part {
                    [row] => faults.push((*row, trouble.problem())),
                    rows => {
                        let (first, second) = rows.split_at(rows.len() / 2);
                        parts.extend([second, first]);
                    }
                },
            }
        }
        self.writer()?.session.commit()?;
        Ok(faults)
    }

    /// Writes these rows within a transaction, or none of them.
    fn write_part(
        &mut self,
        records: Records<'_>,
        rows: &[usize],
    ) -> std::result::Result<(), Trouble> {
        let plan = self.plan(rows.iter().filter_map(|&row| records.get(row)))?;
        let mode = self.settings.writing.mode;
        let writer = self.writer()?;
        // In here, so that a part that is split differently has its table.
        writer.prepare(&plan, mode)?;
        writer.session.query("SAVEPOINT part");
        for load in &plan.loads {
            writer.queue(load, mode)?;
        }
        writer.session.query("RELEASE part");
        match writer.session.run() {
            Err(trouble) if trouble.remedy() == Remedy::Row => {
                writer.session.query("ROLLBACK TO part");
                writer.session.run()?;
                Err(trouble)
            }
            done => done,
        }
    }

    fn plan<'a>(
        &mut self,
        records: impl Iterator<Item = Record<'a>>,
    ) -> std::result::Result<Plan, Trouble> {
        self.writer()?;
        let Some(writer) = self.writer.as_mut() else { return Ok(Plan::default()) };
        let (book, writing) = (&mut self.book, &self.settings.writing);
        Planner { book, writing, session: &mut writer.session }.plan(records)
    }

    /// The session, which is begun where there is none.
    fn writer(&mut self) -> std::result::Result<&mut Writer, Trouble> {
        if self.writer.is_none() {
            self.book = Book::default();
            let session = Session::open(&self.settings.access, self.until)?;
            self.writer = Some(Writer::new(session));
        }
        let lost = || Trouble::Broken("there is no session".to_owned());
        self.writer.as_mut().ok_or_else(lost)
    }

    fn rollback(&mut self) -> std::result::Result<(), Trouble> {
        let writer = self.writer()?;
        writer.session.query("ROLLBACK");
        writer.session.run()
    }

    /// Ends the session, whatever state it is in, and says what the worker has to do.
    ///
    /// After a fatal fault the worker looks for a record that is to blame, and takes records for bad that are not: where none can be, it is told of the
    /// configuration.
    fn failed(&mut self, trouble: &Trouble) -> Fault {
        self.writer = None;
        if trouble.is_passing() {
            self.failures += 1;
            let SinkSettings { retries_max, retry_pause, .. } = self.settings;
            if self.failures <= retries_max {
                return Fault::retry_after(retry_pause, trouble);
            }
            let why = format!("gave up after {retries_max} retries (max.retries): {trouble}");
            return Fault::Config(Problem::of(CONNECT_EXCEPTION, why));
        }
        match trouble {
            Trouble::Denied(why) => denied(&self.settings.access.addresses, why).into(),
            Trouble::Refused(refusal) if refusal.may_be_of_row() => Fault::fatal(trouble),
            _ => Fault::config(trouble),
        }
    }
}

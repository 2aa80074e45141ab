//! What is known of the tables: what they look like, and the shapes of records that went there. Not here: rows.

use std::rc::Rc;

use tombolo_sdk::fault::Problem;
use tombolo_sdk::host;
use tombolo_sdk::record::Record;

use crate::name::TableName;
use crate::schema_change;
use crate::session::Session;
use crate::settings::Writing;
use crate::shape::Shape;
use crate::table::Table;
use crate::trouble::Trouble;
use crate::wanted::{Change, Wants};

/// Most shapes of a table that are kept: records without a schema may have as many as there are records.
const SHAPES_MAX: usize = 64;

/// The table of a topic, and the shapes of its records, the latest last.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) topic: String,
    pub(crate) table: Rc<Table>,
    pub(crate) shapes: Vec<Rc<Shape>>,
}

/// All pages. Whatever goes wrong with a table, it is forgotten and read again.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) pages: Vec<Page>,
    /// Topics of the present plan whose table was found missing, and is not made for deletions.
    pub(crate) absent: Vec<String>,
}

/// Why there is no shape for a record.
#[derive(Debug)]
pub(crate) enum Unknown {
    /// The record is bad.
    Row(Problem),
    /// The database has trouble.
    Call(Trouble),
}

impl From<Trouble> for Unknown {
    fn from(trouble: Trouble) -> Self {
        Self::Call(trouble)
    }
}

impl From<Problem> for Unknown {
    fn from(problem: Problem) -> Self {
        Self::Row(problem)
    }
}

impl Book {
    /// Finds the page of a record's topic, or begins it, which may make the table. None where the record deletes from a table that is not there yet.
    pub(crate) fn page(
        &mut self,
        record: &Record<'_>,
        writing: &Writing,
        session: &mut Session,
    ) -> Result<Option<usize>, Unknown> {
        let topic = record.topic();
        if let Some(found) = self.pages.iter().position(|page| page.topic == topic) {
            return Ok(Some(found));
        }
        let is_absent = self.absent.iter().any(|absent| absent == topic);
        if is_absent && Wants::of(record, writing)?.change == Change::Delete {
            return Ok(None);
        }
        let name = TableName::of_topic(&writing.table_format, topic, writing.names);
        let name = name.map_err(Trouble::Table)?;
        let table = match Table::load(session, &name)? {
            Some(table) => table,
            None if writing.schema_changes.create => {
                let wants = Wants::of(record, writing)?;
                if wants.change == Change::Delete {
                    // There is nothing to delete, and no value that says what columns the table has.
                    self.absent.push(topic.to_owned());
                    return Ok(None);
                }
                make(&wants, session, &name)?
            }
            None => {
                let why = format!("Table {} is missing and auto-creation is disabled", name.sql());
                return Err(Trouble::Table(why).into());
            }
        };
        let page = Page { topic: topic.to_owned(), table: Rc::new(table), shapes: Vec::new() };
        self.pages.push(page);
        Ok(Some(self.pages.len() - 1))
    }
}

/// Makes the table of a record that wants this.
fn make(wants: &Wants<'_>, session: &mut Session, name: &TableName) -> Result<Table, Trouble> {
    let sql = schema_change::create(name, wants);
    host::info(&sql);
    apply(session, &sql)?;
    let gone = || Trouble::Table(format!("Table {} was created, and is not there", name.sql()));
    Table::load(session, name)?.ok_or_else(gone)
}

/// Changes the schema. Another task that does the same at the same moment may be faster: what counts is what is there then.
fn apply(session: &mut Session, sql: &str) -> Result<(), Trouble> {
    session.query(sql);
    match session.run() {
        Err(Trouble::Refused(refusal))
            if ["23505", "42P07", "42701"].contains(&refusal.code.as_str()) =>
        {
            Ok(())
        }
        done => done,
    }
}

impl Page {
    /// Adds the shape of a record that has none of the known ones, which may add columns to the table.
    pub(crate) fn learn(
        &mut self,
        record: &Record<'_>,
        writing: &Writing,
        session: &mut Session,
    ) -> Result<Rc<Shape>, Unknown> {
        let wants = Wants::of(record, writing)?;
        let shape = match Shape::of(&wants, &self.table, writing) {
            Ok(shape) => shape,
            Err(missing) if !writing.schema_changes.evolve => {
                return Err(Problem::data(format_args!(
                    "Table {} is missing fields ({}) and auto-evolution is disabled",
                    self.table.name.sql(),
                    missing.join(", ")
                ))
                .into());
            }
            Err(missing) => {
                self.evolve(&wants, &missing, session)?;
                Shape::of(&wants, &self.table, writing).map_err(|missing| {
                    let names = missing.join(", ");
                    Trouble::Table(format!("columns were added, and are not there: {names}"))
                })?
            }
        };
        let shape = Rc::new(shape);
        if self.shapes.len() >= SHAPES_MAX {
            self.shapes.remove(0);
        }
        self.shapes.push(Rc::clone(&shape));
        Ok(shape)
    }

    fn evolve(
        &mut self,
        wants: &Wants<'_>,
        missing: &[String],
        session: &mut Session,
    ) -> Result<(), Unknown> {
        let name = self.table.name.clone();
        let sql = schema_change::evolve(&name, wants, missing).map_err(Problem::data)?;
        if let Some(sql) = sql {
            host::info(&sql);
            apply(session, &sql)?;
            let gone = || Trouble::Table(format!("Table {} is gone", name.sql()));
            self.table = Rc::new(Table::load(session, &name)?.ok_or_else(gone)?);
        }
        Ok(())
    }
}

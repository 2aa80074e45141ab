//! Records into loads: rows of one shape, for one statement each. Not here: the statements.
//!
//! Rows with the same primary key end as if they were written one after the other: of those in one load the last stays, and where one load cannot hold the
//! order, another follows it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use tombolo_sdk::fault::Problem;
use tombolo_sdk::record::Record;

use crate::book::{Book, Unknown};
use crate::session::Session;
use crate::settings::{Mode, PrimaryKey, Writing};
use crate::shape::{Shape, Unfit};
use crate::table::Table;
use crate::trouble::Trouble;
use crate::wanted::Change;

/// Rows of one statement.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) table: Rc<Table>,
    pub(crate) shape: Rc<Shape>,
    rows: Vec<u8>,
    /// Where each row ends in `rows`.
    ends: Vec<usize>,
    /// Rows that a later one takes the place of, in any order.
    replaced: Vec<usize>,
}

impl Load {
    /// The rows that are to be sent, in stretches as long as possible.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = &[u8]> {
        let mut replaced = self.replaced.clone();
        replaced.sort_unstable();
        let start = |row: usize| {
            row.checked_sub(1).and_then(|row| self.ends.get(row)).map_or(0, |&end| end)
        };
        let mut from = 0;
        let gaps: Vec<(usize, usize)> = replaced
            .into_iter()
            .map(|row| (start(row), start(row + 1)))
            .chain([(self.rows.len(), self.rows.len())])
            .map(|(until, next)| (std::mem::replace(&mut from, next), until))
            .collect();
        let stretch = |(from, until)| self.rows.get(from..until).unwrap_or_default();
        gaps.into_iter().map(stretch).filter(|stretch| !stretch.is_empty())
    }

    /// Whether nothing is to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.ends.len() == self.replaced.len()
    }
}

/// What was made of records.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// In the order in which they have to be written.
    pub(crate) loads: Vec<Load>,
    /// Records that cannot be written, by their row.
    pub(crate) faults: Vec<(usize, Problem)>,
}

/// The load that a record was appended to, and what tells the record's primary key from others.
type Appended<'a> = (usize, Cow<'a, [u8]>);

/// The table of a topic while a plan is made.
#[derive(Default)]
struct Lane<'a> {
    /// Loads that take more rows, the one of the last row last.
    open: Vec<usize>,
    /// The last row of each primary key.
    keys: HashMap<Cow<'a, [u8]>, Last>,
}

/// Where the last row of a primary key is.
#[derive(Clone, Copy)]
struct Last {
    load: usize,
    /// Its place in the load.
    row: usize,
    /// The load of the last row before it that is written all the same, where there is one: not behind its own.
    before: Option<usize>,
}

/// Makes a plan.
pub(crate) struct Planner<'p> {
    pub(crate) book: &'p mut Book,
    pub(crate) writing: &'p Writing,
    pub(crate) session: &'p mut Session,
}

impl Planner<'_> {
    /// Errors: the database has trouble. What is wrong with one record alone is in the plan.
    pub(crate) fn plan<'a>(
        &mut self,
        records: impl Iterator<Item = Record<'a>>,
    ) -> Result<Plan, Trouble> {
        let mut plan = Plan::default();
        let mut lanes: Vec<Lane<'a>> = Vec::new();
        self.book.absent.clear();
        for record in records {
            match self.add(&mut plan, &mut lanes, &record) {
                Ok(()) => {}
                Err(Unknown::Row(problem)) => plan.faults.push((record.row(), problem)),
                Err(Unknown::Call(trouble)) => return Err(trouble),
            }
        }
        plan.loads.retain(|load| !load.is_empty());
        Ok(plan)
    }

    fn add<'a>(
        &mut self,
        plan: &mut Plan,
        lanes: &mut Vec<Lane<'a>>,
        record: &Record<'a>,
    ) -> Result<(), Unknown> {
        let Some(page) = self.book.page(record, self.writing, self.session)? else {
            return Ok(());
        };
        if lanes.len() <= page {
            lanes.resize_with(page + 1, Lane::default);
        }
        let Some(lane) = lanes.get_mut(page) else { return Ok(()) };
        let (load, key) = match self.write_to_open(plan, lane, record)? {
            Some(written) => written,
            None => self.write_to_new(plan, lane, (page, record))?,
        };
        if self.settle(plan, lane, (load, key)) {
            return Ok(());
        }
        // The order of keys cannot be kept: all that follows comes after all that is there.
        if let Some(load) = plan.loads.get_mut(load) {
            load.rows.truncate(load.ends.last().copied().unwrap_or(0));
        }
        *lane = Lane::default();
        let (load, key) = self.write_to_new(plan, lane, (page, record))?;
        self.settle(plan, lane, (load, key));
        Ok(())
    }

    /// Appends the record to a load that takes it, the last one first.
    fn write_to_open<'a>(
        &self,
        plan: &mut Plan,
        lane: &mut Lane<'a>,
        record: &Record<'a>,
    ) -> Result<Option<Appended<'a>>, Unknown> {
        for place in (0..lane.open.len()).rev() {
            let Some(&number) = lane.open.get(place) else { continue };
            let Some(load) = plan.loads.get_mut(number) else { continue };
            if load.ends.len() >= self.writing.batch_size {
                lane.open.remove(place);
                continue;
            }
            match load.shape.write(record, &mut load.rows) {
                Ok(key) => {
                    // The next record is probably alike.
                    let last = lane.open.len() - 1;
                    lane.open.swap(place, last);
                    return Ok(Some((number, key)));
                }
                Err(Unfit::Shape) => {}
                Err(Unfit::Row(problem)) => return Err(problem.into()),
            }
        }
        Ok(None)
    }

    /// Appends the record to a new load: of a known shape, or of a new one.
    fn write_to_new<'a>(
        &mut self,
        plan: &mut Plan,
        lane: &mut Lane<'a>,
        (page, record): (usize, &Record<'a>),
    ) -> Result<Appended<'a>, Unknown> {
        let lost = || Trouble::Table("the page of a topic is gone".to_owned());
        let page = self.book.pages.get_mut(page).ok_or_else(lost)?;
        let mut rows = Vec::new();
        let mut found = None;
        for shape in page.shapes.iter().rev() {
            match shape.write(record, &mut rows) {
                Ok(key) => {
                    found = Some((Rc::clone(shape), key));
                    break;
                }
                Err(Unfit::Shape) => {}
                Err(Unfit::Row(problem)) => return Err(problem.into()),
            }
        }
        let (shape, key) = match found {
            Some(found) => found,
            None => {
                let shape = page.learn(record, self.writing, self.session)?;
                let key = shape.write(record, &mut rows).map_err(|unfit| match unfit {
                    Unfit::Row(problem) => problem,
                    Unfit::Shape => Problem::data("the record changes while it is read"),
                })?;
                (shape, key)
            }
        };
        let differs = |&number: &usize| {
            plan.loads.get(number).is_some_and(|load| !load.shape.has_keys_as(&shape))
        };
        if lane.open.iter().any(differs) {
            // Its keys cannot be compared with those before.
            *lane = Lane::default();
        }
        let table = Rc::clone(&page.table);
        plan.loads.push(Load { table, shape, rows, ends: Vec::new(), replaced: Vec::new() });
        lane.open.push(plan.loads.len() - 1);
        Ok((plan.loads.len() - 1, key))
    }

    /// Ends the row that was appended to a load. False when an earlier row of the same key would come after it.
    fn settle<'a>(
        &self,
        plan: &mut Plan,
        lane: &mut Lane<'a>,
        (number, key): Appended<'a>,
    ) -> bool {
        let Some(load) = plan.loads.get_mut(number) else { return true };
        let place = load.ends.len();
        let is_deletion = load.shape.change == Change::Delete;
        if !self.has_order() || key.is_empty() {
            load.ends.push(load.rows.len());
            return true;
        }
        let replaces = self.writing.mode != Mode::Insert;
        let mut before = None;
        if let Some(last) = lane.keys.get(&key).copied() {
            let is_replaced = replaces && (last.load == number || is_deletion);
            before = if is_replaced { last.before } else { Some(last.load) };
            if before.is_some_and(|load| load > number) {
                return false;
            }
            if is_replaced && let Some(load) = plan.loads.get_mut(last.load) {
                load.replaced.push(last.row);
            }
        }
        lane.keys.insert(key, Last { load: number, row: place, before });
        if let Some(load) = plan.loads.get_mut(number) {
            load.ends.push(load.rows.len());
        }
        true
    }

    /// Whether it matters which row of a primary key comes last: not where each record has a key of its own, or keys are only added.
    fn has_order(&self) -> bool {
        let Writing { primary_key, mode, delete, .. } = self.writing;
        let has_keys = !matches!(primary_key, PrimaryKey::None | PrimaryKey::Kafka);
        has_keys && (*mode != Mode::Insert || *delete)
    }
}

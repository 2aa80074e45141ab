//! Loads into the database, in one transaction. Not here: which rows are in which load.

use std::collections::{BTreeSet, HashMap};

use crate::plan::{Load, Plan};
use crate::session::Session;
use crate::settings::Mode;
use crate::statement::{self, Way};
use crate::trouble::Trouble;

/// Most staging tables that a session keeps; they are forgotten with it.
const STAGING_MAX: usize = 256;

/// The staging table of rows that have none of those.
const PASSING: &str = "pg_temp.tombolo_passing";

/// A session, and the staging tables in it, by the types of their columns.
pub(crate) struct Writer {
    pub(crate) session: Session,
    staging: HashMap<Vec<&'static str>, Staging>,
}

struct Staging {
    name: String,
    /// Whether rows of this transaction are in it.
    is_used: bool,
}

impl Writer {
    pub(crate) fn new(session: Session) -> Self {
        Self { session, staging: HashMap::new() }
    }

    /// Writes a plan, all of it or nothing.
    ///
    /// The commit is asked for only after everything else is done: a session that lost its client then holds all rows of its commit, or ends without one,
    /// and can never write an old row over a newer one.
    pub(crate) fn write(&mut self, plan: &Plan, mode: Mode) -> Result<(), Trouble> {
        self.prepare(plan, mode)?;
        self.begin();
        for load in &plan.loads {
            self.queue(load, mode)?;
        }
        self.session.run()?;
        self.session.commit()
    }

    /// Makes the staging tables that a plan needs and that are not there, outside of any transaction where there is none.
    ///
    /// Where they would be too many, those of other plans go. What is still too many is made where it is used.
    pub(crate) fn prepare(&mut self, plan: &Plan, mode: Mode) -> Result<(), Trouble> {
        let types = |load: &Load| match statement::way(load, mode) {
            Way::Staged(types) => Some(types),
            Way::Direct(_) => None,
        };
        let needed: BTreeSet<Vec<&'static str>> = plan.loads.iter().filter_map(types).collect();
        let missing = needed.iter().filter(|types| !self.staging.contains_key(*types)).count();
        if missing == 0 {
            return Ok(());
        }
        let are_others = self.staging.len() > needed.len() - missing;
        if are_others && self.staging.len() + missing > STAGING_MAX {
            self.session.query("DISCARD TEMP");
            self.staging.clear();
        }
        for types in needed {
            if self.staging.len() >= STAGING_MAX {
                break;
            }
            if self.staging.contains_key(&types) {
                continue;
            }
            let name = format!("pg_temp.tombolo_{}", self.staging.len());
            self.session.query(&create(&name, &types, "DELETE ROWS"));
            self.staging.insert(types, Staging { name, is_used: false });
        }
        self.session.run()
    }

    /// Queues the start of a transaction.
    pub(crate) fn begin(&mut self) {
        self.session.query("BEGIN");
        self.staging.values_mut().for_each(|staging| staging.is_used = false);
    }

    /// Queues what writes a load.
    pub(crate) fn queue(&mut self, load: &Load, mode: Mode) -> Result<(), Trouble> {
        let types = match statement::way(load, mode) {
            Way::Direct(sql) => return self.session.copy(&sql, load.stretches()),
            Way::Staged(types) => types,
        };
        let name = match self.staging.get_mut(&types) {
            Some(staging) => {
                if std::mem::replace(&mut staging.is_used, true) {
                    self.session.query(&format!("TRUNCATE {}", staging.name));
                }
                staging.name.as_str()
            }
            None => {
                self.session.query(&create(PASSING, &types, "DROP"));
                PASSING
            }
        };
        let copy = format!("COPY {name} FROM STDIN (FORMAT binary)");
        self.session.copy(&copy, load.stretches())?;
        self.session.query(&statement::from_staging(load, mode, name));
        if name == PASSING {
            self.session.query(&format!("DROP TABLE {PASSING}"));
        }
        Ok(())
    }
}

/// The statement that makes a staging table, and what becomes of it with the commit.
fn create(name: &str, types: &[&str], on_commit: &str) -> String {
    let column = |(place, type_name): (usize, &&str)| format!("c{place} {type_name}");
    let columns: Vec<String> = types.iter().enumerate().map(column).collect();
    format!("CREATE TEMP TABLE {name} ({}) ON COMMIT {on_commit}", columns.join(", "))
}

//! Loads into the database, in one transaction. Not here: which rows are in which load.

use std::collections::HashMap;

use crate::plan::{Load, Plan};
use crate::session::Session;
use crate::settings::Mode;
use crate::statement::{self, Way};
use crate::trouble::Trouble;

/// Most staging tables of a session; they are forgotten with it.
const STAGING_MAX: usize = 256;

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

    /// Makes the staging tables that a plan needs and that are not there, outside of any transaction.
    pub(crate) fn prepare(&mut self, plan: &Plan, mode: Mode) -> Result<(), Trouble> {
        let mut made = false;
        for load in &plan.loads {
            let Way::Staged(types) = statement::way(load, mode) else { continue };
            if self.staging.contains_key(&types) {
                continue;
            }
            if self.staging.len() >= STAGING_MAX {
                return Err(Trouble::Broken("a session of its own for other shapes".to_owned()));
            }
            let name = format!("pg_temp.tombolo_{}", self.staging.len());
            let column = |(place, type_name): (usize, &&str)| format!("c{place} {type_name}");
            let columns: Vec<String> = types.iter().enumerate().map(column).collect();
            let columns = columns.join(", ");
            self.session
                .query(&format!("CREATE TEMP TABLE {name} ({columns}) ON COMMIT DELETE ROWS"));
            self.staging.insert(types, Staging { name, is_used: false });
            made = true;
        }
        if made { self.session.run() } else { Ok(()) }
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
        let lost = || Trouble::Broken("a staging table is gone".to_owned());
        let staging = self.staging.get_mut(&types).ok_or_else(lost)?;
        if std::mem::replace(&mut staging.is_used, true) {
            self.session.query(&format!("TRUNCATE {}", staging.name));
        }
        let copy = format!("COPY {} FROM STDIN (FORMAT binary)", staging.name);
        self.session.copy(&copy, load.stretches())?;
        self.session.query(&statement::from_staging(load, mode, &staging.name));
        Ok(())
    }
}

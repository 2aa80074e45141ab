//! The statements of a load. Not here: sending them.

use crate::kind::Form;
use crate::name::quoted;
use crate::plan::Load;
use crate::settings::Mode;
use crate::shape::{Shape, Target};
use crate::wanted::Change;

/// How rows get into a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `COPY` writes them there.
    Direct(String),
    /// `COPY` writes them into a staging table with columns of these types, and a statement takes them from there.
    Staged(Vec<&'static str>),
}

/// How the rows of a load get into their table.
pub(crate) fn way(load: &Load, mode: Mode) -> Way {
    let Shape { change, targets, .. } = load.shape.as_ref();
    let is_plain = |target: &Target| !target.is_cast && target.form == Form::Native;
    if mode == Mode::Insert
        && *change == Change::Write
        && load.table.takes_copy
        && targets.iter().all(is_plain)
    {
        let columns = listed(targets, |target| quoted(&target.column), ", ");
        let table = load.table.name.sql();
        return Way::Direct(format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)"));
    }
    let staged = |target: &Target| match target.form {
        Form::Native => target.kind.staged(),
        Form::Text => "text",
    };
    Way::Staged(targets.iter().map(staged).collect())
}

/// The statement that takes rows from a staging table, whose columns are `c0`, `c1` and so on.
pub(crate) fn from_staging(load: &Load, mode: Mode, staging: &str) -> String {
    let targets = &load.shape.targets;
    let table = load.table.name.sql();
    let value = |(place, target): (usize, &Target)| match target.is_cast {
        true => format!("CAST(s.c{place} AS {})", target.type_name),
        false => format!("s.c{place}"),
    };
    let pairs: Vec<(&Target, String)> =
        targets.iter().enumerate().map(|pair| (pair.1, value(pair))).collect();
    let equal = |key: bool, between: &str, left: &str| {
        let chosen = pairs.iter().filter(|(target, _)| target.is_key == key);
        let equal =
            chosen.map(|(target, value)| format!("{left}{} = {value}", quoted(&target.column)));
        equal.collect::<Vec<_>>().join(between)
    };
    if load.shape.change == Change::Delete {
        let keys = equal(true, " AND ", "t.");
        return format!("DELETE FROM {table} t USING {staging} s WHERE {keys}");
    }
    if mode == Mode::Update {
        let (set, keys) = (equal(false, ", ", ""), equal(true, " AND ", "t."));
        return format!("UPDATE {table} t SET {set} FROM {staging} s WHERE {keys}");
    }
    let columns = listed(targets, |target| quoted(&target.column), ", ");
    let values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
    // As COPY does, a value for an identity column counts.
    let insert = format!(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {} FROM {staging} s",
        values.join(", ")
    );
    if mode == Mode::Insert { insert } else { format!("{insert} {}", on_conflict(targets)) }
}

/// What becomes of a row that is there already.
fn on_conflict(targets: &[Target]) -> String {
    let (keys, others): (Vec<&Target>, Vec<&Target>) =
        targets.iter().partition(|target| target.is_key);
    let keys = listed(keys, |target| quoted(&target.column), ", ");
    if others.is_empty() {
        return format!("ON CONFLICT ({keys}) DO NOTHING");
    }
    let set = |target: &Target| {
        let column = quoted(&target.column);
        format!("{column} = EXCLUDED.{column}")
    };
    format!("ON CONFLICT ({keys}) DO UPDATE SET {}", listed(others, set, ", "))
}

fn listed<'t>(
    targets: impl IntoIterator<Item = &'t Target>,
    text: impl Fn(&Target) -> String,
    between: &str,
) -> String {
    targets.into_iter().map(text).collect::<Vec<_>>().join(between)
}

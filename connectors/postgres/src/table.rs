//! A table as the catalog describes it. Not here: making or changing it (`schema_change`).

use crate::kind::Kind;
use crate::name::TableName;
use crate::session::Session;
use crate::trouble::Trouble;
use crate::wire::backend::malformed;

/// All of a table in one statement: whether it is a table and who may see which row, then a line per column.
///
/// With -1 a type is named as one without a limit. Without, `bit(n)` is named `bit` and `char(n)` `character`, which mean `bit(1)` and `char(1)` in a cast, and cut.
const DESCRIBE: &str = "\
SELECT c.relkind, c.relrowsecurity, a.attname, \
  pg_catalog.format_type(a.atttypid, -1), \
  CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
WHERE c.oid = pg_catalog.to_regclass($1) ORDER BY a.attnum";

/// A table that is there.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: TableName,
    pub(crate) columns: Vec<Column>,
    /// Whether `COPY` may write to it: not to a view, and not where rows have their own rights.
    pub(crate) takes_copy: bool,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Its type's name, without a limit, for messages and casts.
    pub(crate) type_name: String,
}

impl Table {
    /// Asks the catalog; none when there is no such table.
    pub(crate) fn load(session: &mut Session, name: &TableName) -> Result<Option<Self>, Trouble> {
        let rows = session.rows(DESCRIBE, &[&name.sql()])?;
        let Some(first) = rows.first() else { return Ok(None) };
        let is = |text: &Option<String>, expected: &str| text.as_deref() == Some(expected);
        let takes_copy = match first.as_slice() {
            [kind, has_row_security, ..] => {
                (is(kind, "r") || is(kind, "p")) && is(has_row_security, "f")
            }
            _ => false,
        };
        let columns: Result<Vec<Column>, Trouble> = rows.into_iter().map(column).collect();
        Ok(Some(Self { name: name.clone(), columns: columns?, takes_copy }))
    }

    /// The place of a column.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The column at a place.
    pub(crate) fn column(&self, place: usize) -> Option<&Column> {
        self.columns.get(place)
    }
}

fn column(row: Vec<Option<String>>) -> Result<Column, Trouble> {
    let Ok([_, _, name, type_name, oid]) = <[Option<String>; 5]>::try_from(row) else {
        return Err(malformed("another number of columns than was asked for").into());
    };
    let oid = oid.and_then(|oid| oid.parse().ok()).unwrap_or_default();
    Ok(Column {
        name: name.unwrap_or_default(),
        kind: Kind::of(oid),
        type_name: type_name.unwrap_or_default(),
    })
}

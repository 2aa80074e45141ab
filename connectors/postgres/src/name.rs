//! Names of tables and columns, and how they stand in a statement. Not here: whether there are such.

use crate::settings::Names;

/// A name in quotes, whatever it holds.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table's name, perhaps with its schema's before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TableName {
    parts: Vec<String>,
}

impl TableName {
    /// The table of a topic. Of `database.schema.table` the last two count: a session has one database.
    ///
    /// Errors: a part is empty.
    pub(crate) fn of_topic(format: &str, topic: &str, names: Names) -> Result<Self, String> {
        let text = format.replace("${topic}", topic);
        let mut parts = split(&text);
        if names == Names::Folded {
            parts.iter_mut().for_each(|part| *part = part.to_lowercase());
        }
        if parts.len() > 3 || parts.iter().any(String::is_empty) {
            return Err(format!("{text} is no name of a table: expected table or schema.table"));
        }
        let first = parts.len().saturating_sub(2);
        Ok(Self { parts: parts.split_off(first) })
    }

    /// As it stands in a statement.
    pub(crate) fn sql(&self) -> String {
        let quoted: Vec<String> = self.parts.iter().map(|part| quoted(part)).collect();
        quoted.join(".")
    }
}

/// The parts between dots outside of double quotes, without the quotes.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut is_quoted) = (vec![String::new()], false);
    for letter in text.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(String::new()),
            letter => parts.iter_mut().last().into_iter().for_each(|part| part.push(letter)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, names: Names, expected: &str) {
        let name = TableName::of_topic(format, "Orders", names).unwrap();
        assert_eq!(name.sql(), expected, "{format}");
    }

    #[test]
    fn a_table_is_named_after_its_topic() {
        check("${topic}", Names::Kept, "\"Orders\"");
        check("kafka_${topic}", Names::Folded, "\"kafka_orders\"");
        check("shop.${topic}", Names::Kept, "\"shop\".\"Orders\"");
        check("db.shop.${topic}", Names::Kept, "\"shop\".\"Orders\"");
        check("\"a.b\".${topic}", Names::Kept, "\"a.b\".\"Orders\"");
        for format in [".t", "a..b", "a.b.c.d"] {
            assert!(TableName::of_topic(format, "t", Names::Kept).is_err(), "{format}");
        }
    }

    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(quoted("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    }
}

//! Where the source stands, as the source offset that each record carries.
//!
//! Shape: `{"page": cursor, number or URL of the page, null for the first; "rows": how many of its records are behind; NAME: what a record had}`.
//! Where something of records is kept there are no pages, and "rows" is how many records with just that are behind.

use std::collections::BTreeMap;

use tombolo_sdk::cbor::{Cursor, Token, write};

pub(crate) const PAGE: &str = "page";
pub(crate) const ROWS: &str = "rows";

/// What a record has at the pointers of `http.response.record.offset.pointer`, by their names.
pub(crate) type Named = BTreeMap<String, String>;

/// Where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// The page; none for the first.
    pub(crate) page: Option<String>,
    /// How many of its records are behind, or of those that have what is named here.
    pub(crate) rows: usize,
    /// What the last record had.
    pub(crate) named: Named,
}

impl Position {
    /// Appends it as CBOR.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write::map(out, 2 + self.named.len());
        write::text(out, PAGE);
        match &self.page {
            Some(page) => write::text(out, page),
            None => write::null(out),
        }
        write::text(out, ROWS);
        write::int(out, i64::try_from(self.rows).unwrap_or(i64::MAX));
        for (name, value) in &self.named {
            write::text(out, name);
            write::text(out, value);
        }
    }

    /// Reads it. A member that is not there has its first value.
    ///
    /// Errors: what is wrong with it, in a sentence.
    pub(crate) fn read(cbor: &[u8]) -> Result<Self, String> {
        let broken = |error| format!("the offset cannot be read: {error}");
        let mut cursor = Cursor::new(cbor);
        let pairs = cursor.map().map_err(broken)?.ok_or("the offset must be an object")?;
        let mut position = Self::default();
        for _ in 0..pairs {
            let Token::Text(name) = cursor.token().map_err(broken)? else {
                return Err("the offset must be an object".to_owned());
            };
            match (name, cursor.token().map_err(broken)?) {
                (_, Token::Null) => {}
                (ROWS, Token::Int(rows)) => {
                    let wrong = |_| format!("the offset's \"{ROWS}\" must not be negative");
                    position.rows = usize::try_from(rows).map_err(wrong)?;
                }
                (ROWS, _) => return Err(format!("the offset's \"{ROWS}\" must be a number")),
                (name, Token::Text(text)) => position.set(name, text.to_owned()),
                (name, Token::Int(number)) => position.set(name, number.to_string()),
                (name, _) => return Err(format!("the offset's \"{name}\" must be text")),
            }
        }
        Ok(position)
    }

    fn set(&mut self, name: &str, text: String) {
        if name == PAGE {
            self.page = Some(text);
        } else {
            self.named.insert(name.to_owned(), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written_and_others_are_refused() {
        let named = [("ts".to_owned(), "5".to_owned())].into();
        for position in
            [Position::default(), Position { page: Some("abc".to_owned()), rows: 7, named }]
        {
            let mut out = Vec::new();
            position.write(&mut out);
            assert_eq!(Position::read(&out), Ok(position));
        }
        let refused = |write: fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            Position::read(&out).unwrap_err()
        };
        let negative = refused(|out| {
            write::map(out, 1);
            write::text(out, ROWS);
            write::int(out, -1);
        });
        assert_eq!(negative, "the offset's \"rows\" must not be negative");
        refused(|out| write::text(out, "x"));
        refused(|out| {
            write::map(out, 1);
            write::text(out, PAGE);
            write::array(out, 0);
        });
    }
}

//! What the server refuses, and what is to be done about it. Not here: faults of the connection itself.

use std::fmt::Display;

use super::backend::Body;

/// An error that the server reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Its SQLSTATE, five characters.
    pub(crate) code: String,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    column: Option<String>,
}

/// What is to be done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Try again: the server, or what others do in it, was in the way.
    Retry,
    /// A row of the statement is bad; others may be fine.
    Row,
    /// The table is not what it was, or not what is known of it: look again.
    Look,
    /// The settings are wrong, or the database is not what they take it for.
    Configure,
    /// Nothing.
    None,
}

/// SQLSTATEs beyond the classes that [`Refusal::remedy`] knows.
///
/// A session that is read only is one of a server that no longer is, or never was, the primary: with another session comes another address.
const RETRY: [&str; 9] =
    ["57P01", "57P02", "57P03", "57P05", "57014", "55P03", "25006", "25P03", "25P04"];
const ROW: [&str; 5] = ["21000", "42804", "44000", "54000", "P0001"];
/// Binary values of the wrong type among them: a column has another type than it had.
const LOOK: [&str; 4] = ["42P01", "42703", "08P01", "22P03"];

impl Refusal {
    /// Reads the body of an error or a notice.
    pub(crate) fn read(mut body: Body<'_>) -> std::io::Result<Self> {
        let mut refusal = Self::default();
        loop {
            let field = body.u8()?;
            if field == 0 {
                return Ok(refusal);
            }
            let text = body.text()?;
            match field {
                b'C' => refusal.code = text,
                b'M' => refusal.message = text,
                b'D' => refusal.detail = Some(text),
                b'H' => refusal.hint = Some(text),
                b'c' => refusal.column = Some(text),
                _ => {}
            }
        }
    }

    /// What is to be done about it.
    pub(crate) fn remedy(&self) -> Remedy {
        let code = self.code.as_str();
        match code.get(..2).unwrap_or_default() {
            _ if RETRY.contains(&code) => Remedy::Retry,
            _ if ROW.contains(&code) => Remedy::Row,
            _ if LOOK.contains(&code) => Remedy::Look,
            // Connections, serialization and deadlocks, resources, the system below.
            "08" | "40" | "53" | "58" => Remedy::Retry,
            // Data, constraints.
            "22" | "23" => Remedy::Row,
            // Not there, not allowed or not possible: a user, a database, a schema, what a statement names or does.
            "0A" | "28" | "3D" | "3F" | "42" | "55" => Remedy::Configure,
            _ => Remedy::None,
        }
    }

    /// Whether a row of the statement may be the reason, as far as one can tell.
    pub(crate) fn may_be_of_row(&self) -> bool {
        match self.remedy() {
            // A trigger may have states of its own.
            Remedy::Row | Remedy::None => true,
            // A table or a column that is missing concerns all rows; a binary value that is not taken may be one row's.
            Remedy::Look => !self.code.starts_with("42"),
            Remedy::Retry | Remedy::Configure => false,
        }
    }
}

/// Without the detail, which shows data: see [`Refusal::in_full`].
impl Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (SQLSTATE {}", self.message, self.code)?;
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        f.write_str(")")?;
        self.hint.iter().try_for_each(|hint| write!(f, ". {hint}"))
    }
}

impl Refusal {
    /// With the detail: for the fault of a single row, which is about that row's data.
    pub(crate) fn in_full(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{self}: {detail}"),
            None => self.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_say_what_is_to_be_done() {
        for (code, expected) in [
            ("08006", Remedy::Retry),
            ("40001", Remedy::Retry),
            ("40P01", Remedy::Retry),
            ("53300", Remedy::Retry),
            ("57P01", Remedy::Retry),
            ("25006", Remedy::Retry),
            ("25P03", Remedy::Retry),
            ("25P04", Remedy::Retry),
            ("55P03", Remedy::Retry),
            ("22003", Remedy::Row),
            ("23505", Remedy::Row),
            ("21000", Remedy::Row),
            ("42P01", Remedy::Look),
            ("28P01", Remedy::Configure),
            ("3D000", Remedy::Configure),
            ("42501", Remedy::Configure),
            ("42P10", Remedy::Configure),
            ("42804", Remedy::Row),
            ("XX000", Remedy::None),
            ("", Remedy::None),
        ] {
            let refusal = Refusal { code: code.to_owned(), ..Refusal::default() };
            assert_eq!(refusal.remedy(), expected, "{code}");
        }
    }

    #[test]
    fn no_row_is_to_blame_for_what_concerns_all_of_them() {
        let refusal = |code: &str| Refusal { code: code.to_owned(), ..Refusal::default() };
        for code in ["22003", "23505", "P0001", "22P03", "XX000", "45000"] {
            assert!(refusal(code).may_be_of_row(), "{code}");
        }
        for code in ["28P01", "42501", "42P01", "42703", "3F000", "0A000", "57P01", "25006"] {
            assert!(!refusal(code).may_be_of_row(), "{code}");
        }
    }

    #[test]
    fn an_error_reads_as_one_sentence() {
        let body = Body(b"SERROR\0C23502\0Mnull value\0DFailing row contains (1).\0cid\0\0");
        let refusal = Refusal::read(body).unwrap();
        assert_eq!(refusal.to_string(), "null value (SQLSTATE 23502, column id)");
        let full = "null value (SQLSTATE 23502, column id): Failing row contains (1).";
        assert_eq!(refusal.in_full(), full);
        assert!(Refusal::read(Body(b"SERROR\0")).is_err());
    }
}

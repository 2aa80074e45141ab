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
    /// The settings are wrong.
    Configure,
    /// Nothing.
    None,
}

/// SQLSTATEs beyond the classes that [`Refusal::remedy`] knows.
const RETRY: [&str; 7] = ["57P01", "57P02", "57P03", "57P05", "57014", "55P03", "25006"];
const ROW: [&str; 5] = ["21000", "42804", "44000", "54000", "P0001"];
/// Binary values of the wrong type among them: a column has another type than it had.
const LOOK: [&str; 4] = ["42P01", "42703", "08P01", "22P03"];
const CONFIGURE: [&str; 3] = ["3D000", "28000", "28P01"];

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
            _ if CONFIGURE.contains(&code) => Remedy::Configure,
            // Connections, serialization and deadlocks, resources, the system below.
            "08" | "40" | "53" | "58" => Remedy::Retry,
            // Data, constraints.
            "22" | "23" => Remedy::Row,
            _ => Remedy::None,
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
            ("22003", Remedy::Row),
            ("23505", Remedy::Row),
            ("21000", Remedy::Row),
            ("42P01", Remedy::Look),
            ("28P01", Remedy::Configure),
            ("42501", Remedy::None),
            ("42P10", Remedy::None),
            ("", Remedy::None),
        ] {
            let refusal = Refusal { code: code.to_owned(), ..Refusal::default() };
            assert_eq!(refusal.remedy(), expected, "{code}");
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

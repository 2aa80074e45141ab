//! `java.text.SimpleDateFormat`, as Kafka Connect uses it: in English, in the United States' weeks, in UTC, and lenient.
//!
//! A pattern is read once; `write` prints a moment by it, `read` reads one from text, whose fields `fields` resolves as `GregorianCalendar` does.
//! Not here: names of time zones beyond UTC and GMT; digits of other scripts; numbers with an exponent.

mod fields;
mod names;
mod read;
mod write;

use std::fmt;

/// The letters that mean fields.
const LETTERS: &[u8] = b"GyMdkHmsSEDFwWahKzZYuXL";

/// Most letters of a field of a time zone by ISO 8601.
const ISO_ZONE_MAX: usize = 3;

/// A pattern.
#[derive(Clone, Debug)]
pub struct DateFormat {
    pattern: String,
    parts: Vec<Part>,
    /// The century of years in two digits begins here, in milliseconds since the epoch.
    century_start: i64,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Text as it is.
    Literal(String),
    /// A field: its letter, and how often it is there.
    Field(u8, usize),
}

/// What is wrong with a pattern, in Java's words: an `IllegalArgumentException`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPattern(String);

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadPattern {}

impl DateFormat {
    /// Reads a pattern. `now`, in milliseconds since the epoch, decides on the century of years in two digits: they are in the 100 years from 80 years ago.
    ///
    /// Errors: a letter without a meaning, a quote that is not closed, an ISO time zone of more than three letters.
    pub fn new(pattern: &str, now: i64) -> Result<Self, BadPattern> {
        let parts = parts(pattern)?;
        Ok(Self { pattern: pattern.to_owned(), parts, century_start: fields::years_before(now) })
    }

    /// The pattern.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }
}

/// Follows `SimpleDateFormat.compile`.
fn parts(pattern: &str) -> Result<Vec<Part>, BadPattern> {
    let mut parts = Parts(Vec::new());
    let mut quoted = false;
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        // Two quotes are one, wherever they stand.
        if c == '\'' && rest.next_if_eq(&'\'').is_some() {
            parts.literal('\'')?;
        } else if c == '\'' {
            quoted = !quoted;
            parts.end_field()?;
        } else if quoted || !c.is_ascii_alphabetic() {
            parts.literal(c)?;
        } else {
            let letter = u8::try_from(c).ok().filter(|letter| LETTERS.contains(letter));
            let illegal = || BadPattern(format!("Illegal pattern character '{c}'"));
            parts.field(letter.ok_or_else(illegal)?)?;
        }
    }
    if quoted {
        return Err(BadPattern("Unterminated quote".to_owned()));
    }
    parts.check_last()?;
    parts.0.retain(|part| *part != Part::Literal(String::new()));
    Ok(parts.0)
}

/// Parts in the making.
struct Parts(Vec<Part>);

impl Parts {
    fn literal(&mut self, c: char) -> Result<(), BadPattern> {
        self.end_field()?;
        if let Some(Part::Literal(text)) = self.0.last_mut() {
            text.push(c);
        }
        Ok(())
    }

    /// What follows is another field, even if it has the same letter.
    fn end_field(&mut self) -> Result<(), BadPattern> {
        self.check_last()?;
        if !matches!(self.0.last(), Some(Part::Literal(_))) {
            self.0.push(Part::Literal(String::new()));
        }
        Ok(())
    }

    fn field(&mut self, letter: u8) -> Result<(), BadPattern> {
        match self.0.last_mut() {
            Some(Part::Field(last, count)) if *last == letter => *count += 1,
            _ => {
                self.check_last()?;
                self.0.push(Part::Field(letter, 1));
            }
        }
        Ok(())
    }

    /// Checks a field that has ended.
    fn check_last(&self) -> Result<(), BadPattern> {
        match self.0.last() {
            Some(Part::Field(b'X', count)) if *count > ISO_ZONE_MAX => {
                Err(BadPattern(format!("invalid ISO 8601 format: length={count}")))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;

//! A moment from text, by a pattern. What follows the last field is not looked at. Not here: what the fields mean together.
//!
//! Follows `SimpleDateFormat.parse` and `subParse`.

use super::fields::{Field, Fields};
use super::names::{ERAS, GMT, HALVES, MONTHS, UTC, WEEKDAYS};
use super::{DateFormat, Part};
use crate::java::DAY;
use crate::java::calendar::date_of;

/// Milliseconds in a minute.
const MINUTE: i64 = 60_000;

impl DateFormat {
    /// The moment that a text says, in milliseconds since the epoch; none when it does not fit the pattern.
    pub fn read(&self, text: &str) -> Option<i64> {
        let (century_year, ..) = date_of(self.century_start.div_euclid(DAY));
        let mut reader =
            Reader { text, at: 0, fields: Fields::default(), century_year, is_ambiguous: false };
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Literal(literal) => reader.literal(literal)?,
                Part::Field(letter, count) => {
                    // A number ends after its letters' count where another number follows at once.
                    let ends = matches!(parts.peek(), Some(Part::Field(letter, count)) if is_number(*letter, *count));
                    reader.field(*letter, *count, ends)?;
                }
            }
        }
        if reader.at == 0 {
            return None;
        }
        let moment = reader.fields.moment();
        if reader.is_ambiguous && moment < self.century_start {
            return Some(reader.fields.moment_later(100));
        }
        Some(moment)
    }
}

/// Whether a field is read as a number.
fn is_number(letter: u8, count: usize) -> bool {
    match letter {
        b'M' | b'L' => count <= 2,
        b'G' | b'E' | b'a' | b'z' | b'Z' | b'X' => false,
        _ => true,
    }
}

/// A text, how much of it was read, and the fields that were in it.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    fields: Fields,
    /// The year in which the century of years in two digits begins.
    century_year: i64,
    /// Whether the last year in two digits may be at either end of that century.
    is_ambiguous: bool,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn literal(&mut self, expected: &str) -> Option<()> {
        self.rest().strip_prefix(expected)?;
        self.at += expected.len();
        Some(())
    }

    /// Reads a field. `ends`: a number has no more digits than the pattern has letters.
    fn field(&mut self, letter: u8, count: usize, ends: bool) -> Option<()> {
        let start = self.at;
        let blanks = self.rest().bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.at += blanks;
        if self.rest().is_empty() {
            return None;
        }
        if !is_number(letter, count) {
            // Names may not have blanks in front, but zones may.
            return match letter {
                b'z' | b'Z' => self.zone(blanks == 0),
                b'X' => self.iso_zone(count),
                _ if blanks > 0 => None,
                b'G' => self.name(Field::Era, &ERAS, 0),
                b'E' => self.name(Field::DayOfWeek, &WEEKDAYS, 1),
                b'a' => self.name(Field::Half, &HALVES, 0),
                _ => self.name(Field::Month, &MONTHS, 0),
            };
        }
        let from = self.at;
        let value = self.number(if ends { Some((start, count)) } else { None })?;
        let (field, value) = match letter {
            b'y' => (Field::Year, self.year(value, from, count)),
            b'Y' => (Field::WeekYear, self.year(value, from, count)),
            b'M' | b'L' => (Field::Month, value - 1),
            b'd' => (Field::DayOfMonth, value),
            b'k' => (Field::HourOfDay, if value == 24 { 0 } else { value }),
            b'H' => (Field::HourOfDay, value),
            b'h' => (Field::Hour, if value == 12 { 0 } else { value }),
            b'K' => (Field::Hour, value),
            b'm' => (Field::Minute, value),
            b's' => (Field::Second, value),
            b'S' => (Field::Millisecond, value),
            b'D' => (Field::DayOfYear, value),
            b'F' => (Field::DayOfWeekInMonth, value),
            b'w' => (Field::WeekOfYear, value),
            b'W' => (Field::WeekOfMonth, value),
            // 'u', from Monday.
            _ => (Field::DayOfWeek, if (1..=7).contains(&value) { value % 7 + 1 } else { value }),
        };
        self.fields.set(field, value);
        Some(())
    }

    /// A sign and digits, up to some characters from a place on; as `Number.intValue` of what `DecimalFormat` makes of them.
    fn number(&mut self, limit: Option<(usize, usize)>) -> Option<i64> {
        let mut text = self.rest();
        if let Some((start, count)) = limit {
            let all = self.text.get(start..)?;
            let end = all.char_indices().nth(count).map_or(all.len(), |(end, _)| end);
            if all.chars().take(count).count() < count {
                return None;
            }
            text = self.text.get(self.at..start + end)?;
        }
        let is_negative = text.starts_with('-');
        let digits = text.get(usize::from(is_negative)..)?;
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return None;
        }
        self.at += usize::from(is_negative) + count;
        let value = digits.get(..count)?.bytes().try_fold(0_i64, |value, digit| {
            value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
        });
        // An integer of 64 bits loses its high half, as a Java cast does; a longer one has become a double, and is as large as can be.
        let value = value.map_or(i32::MAX, |value| value as i32);
        Some(i64::from(if is_negative { value.wrapping_neg() } else { value }))
    }

    /// A year; one in two digits is in the century that began 80 years ago.
    fn year(&mut self, value: i64, from: usize, count: usize) -> i64 {
        let read = self.text.get(from..self.at).unwrap_or_default();
        if count > 2 || read.len() != 2 || !read.bytes().all(|byte| byte.is_ascii_digit()) {
            return value;
        }
        let first = self.century_year % 100;
        self.is_ambiguous = value == first;
        self.century_year - first + value + if value < first { 100 } else { 0 }
    }

    /// The longest of these names, in any case.
    fn name(&mut self, field: Field, names: &[(&str, &str)], first: i64) -> Option<()> {
        let all = names
            .iter()
            .zip(first..)
            .flat_map(|(&(short, long), value)| [(long, value), (short, value)]);
        let rest = self.rest();
        let found =
            all.filter(|(name, _)| starts_with(rest, name)).max_by_key(|(name, _)| name.len());
        let (name, value) = found?;
        self.at += name.len();
        self.fields.set(field, value);
        Some(())
    }

    /// `GMT`, `UTC`, `+0100` or `GMT+1:00`.
    fn zone(&mut self, may_be_gmt: bool) -> Option<()> {
        let rest = self.rest();
        if let Some(sign) = sign(rest) {
            self.at += 1;
            return self.offset(sign, false, false);
        }
        if may_be_gmt && starts_with(rest, "GMT") {
            self.at += 3;
            let Some(sign) = sign(self.rest()) else {
                self.fields.set(Field::Zone, 0);
                return Some(());
            };
            self.at += 1;
            return self.offset(sign, true, false);
        }
        let names = [UTC.1, UTC.0, GMT.1, GMT.0];
        let name = names.into_iter().find(|name| starts_with(rest, name))?;
        self.at += name.len();
        Some(())
    }

    /// `Z`, `+01`, `+0100` or `+01:00`, by the number of letters.
    fn iso_zone(&mut self, count: usize) -> Option<()> {
        if self.rest().starts_with('Z') {
            self.at += 1;
            self.fields.set(Field::Zone, 0);
            return Some(());
        }
        let sign = sign(self.rest())?;
        self.at += 1;
        match count {
            1 => {
                let hours = self.two_digits(23)?;
                self.fields.set(Field::Zone, sign * 60 * hours * MINUTE);
                Some(())
            }
            _ => self.offset(sign, count == 3, true),
        }
    }

    /// Hours and minutes, perhaps with a colon between. Hours may have one digit before a colon, but not where `two_digits` are asked for.
    fn offset(&mut self, sign: i64, colon: bool, two_digits: bool) -> Option<()> {
        let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let bytes = self.rest().as_bytes();
        let hours = if colon && !two_digits && is_digit(bytes.first()) && !is_digit(bytes.get(1)) {
            self.at += 1;
            bytes.first().map(|digit| i64::from(digit - b'0'))?
        } else {
            self.two_digits(23)?
        };
        if colon {
            self.literal(":")?;
        }
        let minutes = self.two_digits(59)?;
        self.fields.set(Field::Zone, sign * (60 * hours + minutes) * MINUTE);
        Some(())
    }

    fn two_digits(&mut self, most: i64) -> Option<i64> {
        let digits = self.rest().get(..2)?;
        let value: i64 =
            digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?.parse().ok()?;
        self.at += 2;
        (value <= most).then_some(value)
    }
}

/// 1 or -1 by a sign.
fn sign(text: &str) -> Option<i64> {
    match text.bytes().next()? {
        b'+' => Some(1),
        b'-' => Some(-1),
        _ => None,
    }
}

/// Whether a text begins with a name, in any case.
fn starts_with(text: &str, name: &str) -> bool {
    text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

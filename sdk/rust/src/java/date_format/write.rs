//! A moment by a pattern. Not here: reading.

use super::fields::{week_of, week_year};
use super::names::{ERAS, HALVES, MONTHS, UTC, WEEKDAYS, name};
use super::{DateFormat, Part};
use crate::java::DAY;
use crate::java::calendar::{date_of, days};

/// Milliseconds in an hour, a minute and a second.
const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;
const SECOND: i64 = 1_000;

/// A moment, in the fields that most patterns ask for.
struct Moment {
    /// Days since the epoch.
    day: i64,
    /// The year before 1 is 0.
    year: i64,
    month: i64,
    day_of_month: i64,
    /// Milliseconds since midnight.
    within: i64,
}

impl DateFormat {
    /// Appends a moment, in milliseconds since the epoch.
    ///
    /// Follows `SimpleDateFormat.format`.
    pub fn write(&self, out: &mut Vec<u8>, millis: i64) {
        let day = millis.div_euclid(DAY);
        let (year, month, day_of_month) = date_of(day);
        let moment = Moment { day, year, month, day_of_month, within: millis.rem_euclid(DAY) };
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Part::Field(letter, count) => moment.write(*letter, *count, out),
            }
        }
    }

    /// A moment, in milliseconds since the epoch.
    pub fn format(&self, millis: i64) -> String {
        let mut out = Vec::new();
        self.write(&mut out, millis);
        String::from_utf8(out).unwrap_or_default()
    }
}

impl Moment {
    /// Appends a field.
    fn write(&self, letter: u8, count: usize, out: &mut Vec<u8>) {
        let text = match letter {
            b'G' => name(&ERAS, i64::from(self.year > 0), 1),
            b'M' | b'L' if count >= 3 => name(&MONTHS, self.month - 1, count),
            b'E' => name(&WEEKDAYS, self.day_of_week(), count),
            b'a' => name(&HALVES, self.within / (12 * HOUR), count),
            b'z' => name(&[UTC], 0, count),
            b'Z' => "+0000",
            b'X' => "Z",
            _ => return number(self.number(letter, count), count, out),
        };
        out.extend_from_slice(text.as_bytes());
    }

    fn number(&self, letter: u8, count: usize) -> i64 {
        let hour = self.within / HOUR;
        match letter {
            b'y' | b'Y' => {
                let year = match letter {
                    b'Y' => week_year(self.day, self.year),
                    // There is no year 0: the year before 1 is the first before Christ.
                    _ if self.year < 1 => 1 - self.year,
                    _ => self.year,
                };
                if count == 2 { year % 100 } else { year }
            }
            b'M' | b'L' => self.month,
            b'd' => self.day_of_month,
            b'k' => (hour + 23) % 24 + 1,
            b'H' => hour,
            b'h' => (hour + 11) % 12 + 1,
            b'K' => hour % 12,
            b'm' => self.within / MINUTE % 60,
            b's' => self.within / SECOND % 60,
            b'S' => self.within % SECOND,
            b'D' => self.day - days(self.year, 0, 1) + 1,
            b'F' => (self.day_of_month - 1) / 7 + 1,
            b'w' if week_year(self.day, self.year) > self.year => 1,
            b'w' => week_of(self.day, days(self.year, 0, 1)),
            b'W' => week_of(self.day, days(self.year, self.month - 1, 1)),
            // 'u': Monday is 1, Sunday is 7.
            _ => (self.day_of_week() + 6) % 7 + 1,
        }
    }

    /// From Sunday, which is 0. The epoch was a Thursday.
    fn day_of_week(&self) -> i64 {
        (self.day + 4).rem_euclid(7)
    }
}

/// Appends a number with zeros in front.
fn number(value: i64, digits: usize, out: &mut Vec<u8>) {
    let mut buffer = [b'0'; 20];
    let mut start = buffer.len();
    let mut left = value.unsigned_abs();
    while left > 0 || start == buffer.len() {
        start -= 1;
        if let Some(digit) = buffer.get_mut(start) {
            *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
        }
        left /= 10;
    }
    if value < 0 {
        out.push(b'-');
    }
    let found = buffer.get(start..).unwrap_or_default();
    out.extend(std::iter::repeat_n(b'0', digits.saturating_sub(found.len())));
    out.extend_from_slice(found);
}

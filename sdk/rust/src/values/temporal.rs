//! Dates and times in text, as leniently as Java reads them.
//!
//! Follows `SimpleDateFormat.parse` with the three patterns of `Values`, in UTC: blanks before a number, a sign, and numbers beyond their field (a month 13,
//! an hour 74) are fine, and what follows the last field is not looked at. Not here: other patterns; digits of other scripts.

use super::Typed;
use super::data::{Shape, Value};
use crate::java::DAY;
use crate::java::calendar::days;

/// Lengths of `yyyy-MM-dd`, `HH:mm:ss.SSS'Z'` and `yyyy-MM-dd'T'HH:mm:ss.SSS'Z'`, in UTF-16 units: what decides which of them is tried.
const DATE_LENGTH: usize = 10;
const TIME_LENGTH: usize = 13;
const TIMESTAMP_LENGTH: usize = 24;

/// The date or time that this text is; none when it is none. Colons may be escaped.
pub(super) fn parse(text: &str) -> Option<Typed> {
    let unescaped;
    let text = if text.contains("\\:") {
        unescaped = text.replace("\\:", ":");
        &unescaped
    } else {
        text
    };
    let (shape, millis) = match text.encode_utf16().count() {
        DATE_LENGTH => (Shape::Date, Reader::new(text).date()? * DAY),
        TIME_LENGTH => (Shape::Time, Reader::new(text).time()?),
        TIMESTAMP_LENGTH => {
            let mut reader = Reader::new(text);
            let days = reader.date()?;
            reader.literal(b'T')?;
            (Shape::Timestamp, days * DAY + reader.time()?)
        }
        _ => return None,
    };
    Some(Typed::new(Value::Date(millis), shape))
}

/// Whether text can be one of the three: a cheap look before the work.
pub(super) fn may_be(text: &str) -> bool {
    text.len() >= DATE_LENGTH
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes() }
    }

    fn literal(&mut self, expected: u8) -> Option<()> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        (first == expected).then_some(())
    }

    /// Blanks, a sign, digits; as `Number.intValue` of what `DecimalFormat` makes of them.
    fn number(&mut self) -> Option<i64> {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
        let negative = self.rest.first() == Some(&b'-');
        let digits = self.rest.get(usize::from(negative)..)?;
        let count = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        let (digits, rest) = digits.split_at(count);
        self.rest = rest;
        let value = digits.iter().try_fold(0_i64, |value, digit| {
            value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
        });
        // An integer of 64 bits loses its high half, as a Java cast does; a longer one has become a double, and is as large as can be.
        let value = value.map_or(i32::MAX, |value| value as i32);
        Some(i64::from(if negative { value.wrapping_neg() } else { value }))
    }

    /// `yyyy-MM-dd`, as days since the epoch.
    fn date(&mut self) -> Option<i64> {
        let year = self.number()?;
        self.literal(b'-')?;
        let month = self.number()?;
        self.literal(b'-')?;
        let day = self.number()?;
        Some(days(year, month - 1, day))
    }

    /// `HH:mm:ss.SSS'Z'`, in milliseconds.
    fn time(&mut self) -> Option<i64> {
        let hours = self.number()?;
        self.literal(b':')?;
        let minutes = self.number()?;
        self.literal(b':')?;
        let seconds = self.number()?;
        self.literal(b'.')?;
        let millis = self.number()?;
        self.literal(b'Z')?;
        Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
    }
}

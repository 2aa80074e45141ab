//! Dates and times as text that PostgreSQL reads. Not here: other values.

use tombolo_sdk::itoa;
use tombolo_sdk::java::DAY;

/// `2026-11-28`; years before the first as PostgreSQL has them, with `BC`.
pub(crate) fn date(out: &mut Vec<u8>, days: i64) {
    if write_date(out, days) {
        out.extend_from_slice(b" BC");
    }
}

/// `12:34:56.789`.
pub(crate) fn time(out: &mut Vec<u8>, millis: i64) {
    let millis = millis.rem_euclid(DAY).unsigned_abs();
    itoa::write_padded(out, millis / 3_600_000, 2);
    out.push(b':');
    itoa::write_padded(out, millis / 60_000 % 60, 2);
    out.push(b':');
    itoa::write_padded(out, millis / 1000 % 60, 2);
    if !millis.is_multiple_of(1000) {
        out.push(b'.');
        itoa::write_padded(out, millis % 1000, 3);
    }
}

/// `2026-11-28T12:34:56.789Z`.
pub(crate) fn timestamp(out: &mut Vec<u8>, millis: i64) {
    let is_before_christ = write_date(out, millis.div_euclid(DAY));
    out.push(b'T');
    time(out, millis.rem_euclid(DAY));
    out.push(b'Z');
    if is_before_christ {
        out.extend_from_slice(b" BC");
    }
}

/// Whether the year is before Christ.
fn write_date(out: &mut Vec<u8>, days: i64) -> bool {
    let (year, month, day) = civil(days);
    let is_before_christ = year <= 0;
    let year = if is_before_christ { 1 - year } else { year };
    itoa::write_padded(out, year.unsigned_abs(), 4);
    for part in [month, day] {
        out.push(b'-');
        itoa::write_padded(out, part.unsigned_abs(), 2);
    }
    is_before_christ
}

/// Year, month and day in the Gregorian calendar, which PostgreSQL uses for all times. Years begin in March here, so that the odd day is the last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: fn(&mut Vec<u8>, i64), value: i64, expected: &str) {
        let mut out = Vec::new();
        write(&mut out, value);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn dates_and_times_read_as_iso_has_them() {
        check(date, 0, "1970-01-01");
        check(date, 20_785, "2026-11-28");
        check(date, -719_162, "0001-01-01");
        check(date, -719_163, "0001-12-31 BC");
        check(time, 45_296_789, "12:34:56.789");
        check(time, 0, "00:00:00");
        check(timestamp, 1_764_333_296_000, "2025-11-28T12:34:56Z");
        check(timestamp, -1, "1969-12-31T23:59:59.999Z");
    }
}

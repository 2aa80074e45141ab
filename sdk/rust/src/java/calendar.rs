//! Java's calendar, Julian up to 1582 and Gregorian from then on, and `java.util.Date.toString`. Not here: time zones other than UTC, which is the worker's.

/// Milliseconds in a day.
pub const DAY: i64 = 86_400_000;

/// Days from the epoch to the first day of the Gregorian calendar, 15 October 1582.
const GREGORIAN_START: i64 = -141_427;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment, in milliseconds since the epoch, as `Date.toString` prints it in UTC: `Thu Jan 01 00:00:00 UTC 1970`.
pub fn date_to_string(millis: i64) -> String {
    let mut out = Vec::with_capacity(28);
    write_date(&mut out, millis);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends what [`date_to_string`] gives.
pub fn write_date(out: &mut Vec<u8>, millis: i64) {
    let (days, within) = (millis.div_euclid(DAY), millis.rem_euclid(DAY) / 1000);
    let (year, month, day) = date_of(days);
    // There is no year 0: the year before 1 is the first before Christ, which Java prints as 1.
    let year = if year > 0 { year } else { 1 - year };
    let name = |names: &'static [&'static str], index: i64| {
        usize::try_from(index).ok().and_then(|index| names.get(index).copied()).unwrap_or_default()
    };
    let text = format!(
        "{} {} {day:02} {:02}:{:02}:{:02} UTC {year:04}",
        name(&WEEKDAYS, days.rem_euclid(7)),
        name(&MONTHS, month - 1),
        within / 3600,
        within / 60 % 60,
        within % 60,
    );
    out.extend_from_slice(text.as_bytes());
}

/// Year, month and day of a day since the epoch. The year before 1 is 0.
pub(crate) fn date_of(days: i64) -> (i64, i64, i64) {
    if days >= GREGORIAN_START { gregorian(days) } else { julian(days) }
}

/// Days since the epoch of a day in a month (from 0) of a year, in the Gregorian calendar from its first day on, before in the Julian one; all may be out of
/// their range.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March, so that the odd day is the last.
    let months = year * 12 + month - 2;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let within = (153 * month + 2) / 5 + day - 1;
    let gregorian = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let gregorian = gregorian + within - 719_468;
    if gregorian >= GREGORIAN_START {
        return gregorian;
    }
    365 * year + year.div_euclid(4) + within - 719_470
}

/// Year, month and day in the Gregorian calendar. Years begin in March here, so that the odd day is the last.
fn gregorian(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    of_march_year(era * 400 + year, day)
}

/// Year, month and day in the Julian calendar.
fn julian(days: i64) -> (i64, i64, i64) {
    let days = days + 719_470;
    let (era, day) = (days.div_euclid(1461), days.rem_euclid(1461));
    let year = (day - day / 1460) / 365;
    of_march_year(era * 4 + year, day - 365 * year)
}

/// A day counted from 1 March.
fn of_march_year(year: i64, day: i64) -> (i64, i64, i64) {
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

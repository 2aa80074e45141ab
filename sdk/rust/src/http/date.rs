//! The date of HTTP headers. Not here: the two forms that RFC 9110 calls obsolete.

use std::time::Duration;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Time since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`; none when it is no such date.
pub(super) fn since_epoch(text: &str) -> Option<Duration> {
    let (_, date) = text.split_once(", ")?;
    let mut parts = date.split(' ');
    let day: u64 = parts.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|&name| name == month)? as u64 + 1;
    let year: u64 = parts.next()?.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    let mut time = parts.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let is_time = hour < 24 && minute < 60 && second < 61;
    if !is_time || time.next().is_some() || parts.next()? != "GMT" || parts.next().is_some() {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Duration::from_secs(seconds))
}

/// Days since 1970. The year begins in March here, so that the day that leap years add is its last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    /// Days from 1 March of the year 0 to 1 January 1970.
    const TO_EPOCH: u64 = 719_468;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    before + (153 * month + 2) / 5 + day - 1 - TO_EPOCH
}

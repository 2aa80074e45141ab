//! Times of clocks as dates, in UTC.
//!
//! Not here: clocks.

use std::time::{SystemTime, UNIX_EPOCH};

/// A time as `2026-01-31T23:59:59`, and the nanoseconds beyond that. Times before 1970 are its beginning.
pub fn utc(at: SystemTime) -> (String, u32) {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    (text, since.subsec_nanos())
}

/// Year, month and day of a day since 1970. Years begin in March within, so that a leap day ends one.
fn date(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn leap_days_and_ends_of_years_and_centuries_are_where_they_belong() {
        let check = |seconds: u64, nanos: u32, expected: &str| {
            let at = UNIX_EPOCH + Duration::new(seconds, nanos);
            assert_eq!(utc(at), (expected.to_owned(), nanos));
        };
        check(0, 0, "1970-01-01T00:00:00");
        check(951_782_399, 999_999_999, "2000-02-28T23:59:59");
        check(951_782_400, 1, "2000-02-29T00:00:00");
        check(1_709_251_199, 7, "2024-02-29T23:59:59");
        check(1_767_225_599, 0, "2025-12-31T23:59:59");
        check(4_107_542_400, 0, "2100-03-01T00:00:00");
        assert_eq!(utc(UNIX_EPOCH - Duration::from_secs(1)).0, "1970-01-01T00:00:00");
    }
}

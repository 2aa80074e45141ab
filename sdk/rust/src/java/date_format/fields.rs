//! Fields of a moment as they were read, and the moment that they mean together.
//!
//! Follows `CalendarBuilder.establish`, `Calendar.selectFields` and `GregorianCalendar.computeTime`, lenient. Not here: text.

use crate::java::DAY;
use crate::java::calendar::{date_of, days};

/// Years before now at which the century of years in two digits begins.
const CENTURY_YEARS: i64 = 80;

/// Sunday, on which weeks begin.
const SUNDAY: i64 = 1;

/// What a calendar has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    Year,
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfMonth,
    DayOfYear,
    DayOfWeek,
    DayOfWeekInMonth,
    Half,
    Hour,
    HourOfDay,
    Minute,
    Second,
    Millisecond,
    Zone,
    WeekYear,
}

/// How many fields there are.
const FIELDS: usize = Field::WeekYear as usize + 1;

/// Fields as they were read: values, and which of them came later.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    values: [i64; FIELDS],
    /// 0 for a field that was not read.
    stamps: [u32; FIELDS],
    next: u32,
}

impl Fields {
    /// Sets a field.
    pub(super) fn set(&mut self, field: Field, value: i64) {
        self.next += 1;
        let place = field as usize;
        if let (Some(old), Some(stamp)) = (self.values.get_mut(place), self.stamps.get_mut(place)) {
            (*old, *stamp) = (value, self.next);
        }
    }

    fn get(&self, field: Field) -> i64 {
        self.values.get(field as usize).copied().unwrap_or(0)
    }

    fn stamp(&self, field: Field) -> u32 {
        self.stamps.get(field as usize).copied().unwrap_or(0)
    }

    fn has(&self, field: Field) -> bool {
        self.stamp(field) > 0
    }

    /// A value, or another where it was not read.
    fn get_or(&self, field: Field, other: i64) -> i64 {
        if self.has(field) { self.get(field) } else { other }
    }

    /// The later of two that must both have been read.
    fn both(&self, one: Field, other: Field) -> u32 {
        match (self.stamp(one), self.stamp(other)) {
            (0, _) | (_, 0) => 0,
            (one, other) => one.max(other),
        }
    }

    /// The moment, in milliseconds since the epoch.
    pub(super) fn moment(&self) -> i64 {
        self.moment_later(0)
    }

    /// The moment, this many years later.
    pub(super) fn moment_later(&self, years: i64) -> i64 {
        let time = self.time_of_day();
        let weeks = self.stamp(Field::WeekYear) > self.stamp(Field::Year);
        let day = if weeks { self.day_by_week(years) } else { self.day(years) };
        // Beyond some hundred million years it overflows, in Java as here.
        let millis = (day + time.div_euclid(DAY)).wrapping_mul(DAY);
        millis.wrapping_add(time.rem_euclid(DAY)).wrapping_sub(self.get(Field::Zone))
    }

    /// Milliseconds since midnight; any number, as every field may be beyond its range.
    fn time_of_day(&self) -> i64 {
        let by_half = self.both(Field::Hour, Field::Half);
        let of_day = self.stamp(Field::HourOfDay);
        let hours = if of_day > 0 && of_day >= by_half {
            self.get(Field::HourOfDay)
        } else {
            self.get(Field::Hour) + 12 * self.get(Field::Half)
        };
        let minutes = hours * 60 + self.get(Field::Minute);
        let seconds = minutes * 60 + self.get(Field::Second);
        seconds * 1000 + self.get(Field::Millisecond)
    }

    /// The day by a year of whole weeks.
    fn day_by_week(&self, years: i64) -> i64 {
        let mut week = self.get_or(Field::WeekOfYear, 1);
        let mut day = self.get_or(Field::DayOfWeek, SUNDAY);
        if !(1..=7).contains(&day) {
            // Such a day is counted from Monday, as ISO 8601 counts.
            week += (day - 1).div_euclid(7);
            day = (day - 1).rem_euclid(7) + 2;
        }
        let first = on_or_before(days(self.get(Field::WeekYear) + years, 0, 1), SUNDAY);
        first + (day - SUNDAY).rem_euclid(7) + 7 * (week - 1)
    }

    /// The day by the fields that were read last.
    fn day(&self, years: i64) -> i64 {
        let year = self.get_or(Field::Year, 1970) + years;
        let year = if self.get_or(Field::Era, 1) == 0 { 1 - year } else { year };
        let week_of_year = self.both(Field::WeekOfYear, Field::DayOfWeek);
        let day_of_year = self.stamp(Field::DayOfYear);
        let mut candidates = [
            (self.stamp(Field::DayOfMonth), Group::DayOfMonth),
            (self.both(Field::WeekOfMonth, Field::DayOfWeek), Group::WeekOfMonth),
            (self.both(Field::DayOfWeekInMonth, Field::DayOfWeek), Group::DayOfWeekInMonth),
            (day_of_year, Group::DayOfYear),
            (week_of_year, Group::WeekOfYear),
        ];
        if candidates.iter().all(|(stamp, _)| *stamp == 0) {
            // No group is whole: a week's number alone will do, and a day of the week alone is the first one in the month.
            let day_of_week = self.stamp(Field::DayOfWeek);
            candidates = [
                (0, Group::DayOfMonth),
                (self.stamp(Field::WeekOfMonth), Group::WeekOfMonth),
                (self.stamp(Field::DayOfWeekInMonth).max(day_of_week), Group::DayOfWeekInMonth),
                (0, Group::DayOfYear),
                (self.stamp(Field::WeekOfYear), Group::WeekOfYear),
            ];
        }
        self.day_of(year, self.best(candidates))
    }

    /// The group that was read last. Groups share the day of the week, so that two can be the last: a week or a place in the month wins over a week of the
    /// year that is not later.
    fn best(&self, candidates: [(u32, Group); 5]) -> Group {
        let best = candidates.iter().map(|(stamp, _)| *stamp).max().unwrap_or(0);
        let week_of_year = self.stamp(Field::WeekOfYear);
        let wins = |(stamp, group): &(u32, Group)| {
            *stamp == best
                && match group {
                    Group::WeekOfMonth => {
                        let week = self.stamp(Field::WeekOfMonth);
                        week >= week_of_year && week >= self.stamp(Field::DayOfWeekInMonth)
                    }
                    Group::DayOfWeekInMonth => self.stamp(Field::DayOfWeekInMonth) >= week_of_year,
                    _ => true,
                }
        };
        candidates.into_iter().find(wins).map_or(Group::DayOfMonth, |(_, group)| group)
    }

    fn day_of(&self, year: i64, group: Group) -> i64 {
        let month = self.get(Field::Month);
        let first = match group {
            Group::DayOfYear | Group::WeekOfYear => days(year, 0, 1),
            _ => days(year, month, 1),
        };
        let week_start = on_or_before(first, SUNDAY);
        let day_of_week = self.get_or(Field::DayOfWeek, SUNDAY);
        match group {
            Group::DayOfMonth => days(year, month, self.get_or(Field::DayOfMonth, 1)),
            Group::DayOfYear => first + self.get(Field::DayOfYear) - 1,
            Group::WeekOfMonth => {
                on_or_before(week_start + 6, day_of_week) + 7 * (self.get(Field::WeekOfMonth) - 1)
            }
            Group::WeekOfYear => {
                on_or_before(week_start + 6, day_of_week) + 7 * (self.get(Field::WeekOfYear) - 1)
            }
            Group::DayOfWeekInMonth => match self.get_or(Field::DayOfWeekInMonth, 1) {
                place @ 0.. => on_or_before(first + 7 * place - 1, day_of_week),
                // From the month's end.
                place => on_or_before(days(year, month + 1, 1) + 7 * (place + 1) - 1, day_of_week),
            },
        }
    }
}

/// Fields that together say a day in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    DayOfMonth,
    WeekOfMonth,
    DayOfWeekInMonth,
    DayOfYear,
    WeekOfYear,
}

/// The last day up to this one that is this day of the week, of which Sunday is 1. The epoch was a Thursday.
fn on_or_before(day: i64, day_of_week: i64) -> i64 {
    day - (day + 5 - day_of_week).rem_euclid(7)
}

/// Which week a day is in, counted from the one in which the first day of the period is.
pub(super) fn week_of(day: i64, first: i64) -> i64 {
    (day - on_or_before(first, SUNDAY)) / 7 + 1
}

/// The year of a day's week: the week in which the new year begins is the new year's.
pub(super) fn week_year(day: i64, year: i64) -> i64 {
    if day >= on_or_before(days(year + 1, 0, 1), SUNDAY) { year + 1 } else { year }
}

/// The moment at which the century of years in two digits begins.
pub(super) fn years_before(now: i64) -> i64 {
    let (year, month, day) = date_of(now.div_euclid(DAY));
    // A 29 February becomes the 28th, as `Calendar.add` has it, where there is none.
    let start = days(year - CENTURY_YEARS, month - 1, day);
    let next_month = days(year - CENTURY_YEARS, month, 1);
    start.min(next_month - 1) * DAY + now.rem_euclid(DAY)
}

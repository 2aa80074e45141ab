//! English names of months, days of the week, eras and halves of the day. Not here: numbers.

/// Months: short, long.
pub(super) const MONTHS: [(&str, &str); 12] = [
    ("Jan", "January"),
    ("Feb", "February"),
    ("Mar", "March"),
    ("Apr", "April"),
    ("May", "May"),
    ("Jun", "June"),
    ("Jul", "July"),
    ("Aug", "August"),
    ("Sep", "September"),
    ("Oct", "October"),
    ("Nov", "November"),
    ("Dec", "December"),
];

/// Days of the week from Sunday: short, long.
pub(super) const WEEKDAYS: [(&str, &str); 7] = [
    ("Sun", "Sunday"),
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
];

/// Before and after Christ: short, long. Java reads the long names, and writes the short ones only.
pub(super) const ERAS: [(&str, &str); 2] = [("BC", "Before Christ"), ("AD", "Anno Domini")];

/// Halves of the day, short and long alike.
pub(super) const HALVES: [(&str, &str); 2] = [("AM", "AM"), ("PM", "PM")];

/// UTC: short, long.
pub(super) const UTC: (&str, &str) = ("UTC", "Coordinated Universal Time");

/// GMT: short, long. It is read, but not written.
pub(super) const GMT: (&str, &str) = ("GMT", "Greenwich Mean Time");

/// A name by its place: the long one of a field of four letters and more.
pub(super) fn name(
    names: &[(&'static str, &'static str)],
    place: i64,
    count: usize,
) -> &'static str {
    let found = usize::try_from(place).ok().and_then(|place| names.get(place));
    found.map_or("", |&(short, long)| if count >= 4 { long } else { short })
}

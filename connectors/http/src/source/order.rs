//! Whether a list has its newest record first, by what its first and its last record have. Not here: turning it round.

use std::cmp::Ordering;

use super::position::Named;

/// Length of the date in a time as ISO 8601 writes it.
const DATE: usize = "2026-01-31".len();

/// Whether the last record is older than the first. Times say so before numbers, and those that castorm calls `timestamp` before others.
///
/// False where nothing of both can be compared.
pub(super) fn is_newest_first(first: &Named, last: &Named) -> bool {
    let mut names: Vec<&String> = first.keys().collect();
    names.sort_by_key(|name| match name.as_str() {
        "timestamp" => 0,
        "key" => 2,
        _ => 1,
    });
    let by = |compare: fn(&str, &str) -> Option<Ordering>| {
        names.iter().find_map(|&name| compare(first.get(name)?, last.get(name)?))
    };
    by(times).or_else(|| by(numbers)) == Some(Ordering::Greater)
}

/// Times with the same zone, as text: what is earlier comes before.
fn times(a: &str, b: &str) -> Option<Ordering> {
    let ((a, zone), (b, other)) = (time(a)?, time(b)?);
    (zone == other).then(|| a.cmp(b))
}

/// A time without its zone, and the zone; none where it does not begin with a date.
fn time(text: &str) -> Option<(&str, &str)> {
    let date = text.get(..DATE)?;
    let is_date = date.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let behind = text.get(DATE..).filter(|_| is_date)?;
    let zone = behind.find(['Z', 'z', '+', '-']).map_or(text.len(), |at| DATE + at);
    Some((text.get(..zone)?, text.get(zone..)?))
}

fn numbers(a: &str, b: &str) -> Option<Ordering> {
    // As floats, large numbers that are close would be equal.
    if let (Ok(a), Ok(b)) = (a.parse::<i128>(), b.parse::<i128>()) {
        return Some(a.cmp(&b));
    }
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    number(a)?.partial_cmp(&number(b)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(pairs: &[(&str, &str)]) -> Named {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn what_can_be_compared_says_the_order() {
        for (first, last, expected) in [
            ("9", "10", false),
            ("10", "9", true),
            ("9007199254740993", "9007199254740992", true),
            ("1.5", "-2", true),
            ("7", "7", false),
            ("2026-01-02", "2026-01-01", true),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", false),
            ("2026-01-01T00:00:01.5Z", "2026-01-01T00:00:01Z", true),
            ("2026-01-02T00:00:00+01:00", "2026-01-01T00:00:00+01:00", true),
            ("2026-01-02T00:00:00+01:00", "2026-01-01T00:00:00+02:00", false),
            ("b", "a", false),
            ("nan", "1", false),
            ("2026-01-0ä", "1", false),
        ] {
            let of = |value| named(&[("t", value)]);
            assert_eq!(is_newest_first(&of(first), &of(last)), expected, "{first} {last}");
        }
        assert!(!is_newest_first(&named(&[]), &named(&[("t", "1")])));
    }

    #[test]
    fn times_say_it_before_numbers_and_keys() {
        let first = named(&[("key", "9"), ("at", "2026-01-01"), ("n", "5")]);
        let last = named(&[("key", "1"), ("at", "2026-01-02"), ("n", "1")]);
        assert!(!is_newest_first(&first, &last));
        let first = named(&[("key", "1"), ("timestamp", "5"), ("n", "1")]);
        let last = named(&[("key", "9"), ("timestamp", "4"), ("n", "3")]);
        assert!(is_newest_first(&first, &last));
    }
}

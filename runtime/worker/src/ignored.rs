//! What a plugin names in an answer without effect: counted, so that one line tells of it, however much there is.
//!
//! Not here: what has no effect, and the line.

use std::fmt;

/// Most names in a line: enough to find a mistake by. How many there are is the plugin's choice.
const NAMES_MAX: usize = 5;
/// Longest name in a line, in bytes: a topic's, of 249 at most, and what stands behind it. A plugin may name what can be no topic.
const NAME_BYTES_MAX: usize = 320;

/// Names that have no effect. Prints the first few, and how many more there are.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    names: Vec<String>,
    count: usize,
}

impl Ignored {
    /// Notes one more.
    pub(crate) fn add(&mut self, name: impl fmt::Display) {
        self.count += 1;
        if self.names.len() < NAMES_MAX {
            let mut name = name.to_string();
            let end = name.floor_char_boundary(NAME_BYTES_MAX);
            if end < name.len() {
                name.truncate(end);
                name.push('…');
            }
            self.names.push(name);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))?;
        match self.count - self.names.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_first_few_names_and_how_many_more_there_are() {
        let check = |count: usize, expected: &str| {
            let mut ignored = Ignored::default();
            (0..count).for_each(|number| ignored.add(format_args!("t-{number}")));
            assert_eq!((ignored.to_string().as_str(), ignored.count()), (expected, count));
            assert_eq!(ignored.is_empty(), count == 0);
        };
        check(0, "");
        check(1, "t-0");
        check(5, "t-0, t-1, t-2, t-3, t-4");
        check(500_000, "t-0, t-1, t-2, t-3, t-4 and 499995 more");
    }

    #[test]
    fn a_long_name_is_cut() {
        let mut ignored = Ignored::default();
        ignored.add("ä".repeat(NAME_BYTES_MAX));
        assert_eq!(ignored.to_string(), format!("{}…", "ä".repeat(NAME_BYTES_MAX / 2)));
    }
}

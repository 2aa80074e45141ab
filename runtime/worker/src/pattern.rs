//! Java's regular expressions, matched against whole topic names.
//!
//! Not here: replacing, which transformations do in their own sandbox.

use std::fmt;

/// A pattern that matches whole names, in the syntax of `java.util.regex.Pattern` as far as `fancy-regex` reads it.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    regex: fancy_regex::Regex,
}

/// Most steps back in one match: a pattern that needs more is not worth a worker's time, and is treated as not matching.
const BACKTRACK_MAX: usize = 100_000;

impl Pattern {
    /// Reads a pattern.
    ///
    /// Errors: what is wrong with it, and where.
    pub fn new(text: &str) -> Result<Self, String> {
        let whole = format!(r"\A(?:{text})\z");
        // The pattern is read once alone, so that an unbalanced bracket cannot pair with ours.
        fancy_regex::Regex::new(text).map_err(|err| format!("Invalid regex: {err}"))?;
        let regex = fancy_regex::RegexBuilder::new(&whole)
            .backtrack_limit(BACKTRACK_MAX)
            .build()
            .map_err(|err| format!("Invalid regex: {err}"))?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// Whether it matches all of `name`.
    pub fn is_match(&self, name: &str) -> bool {
        self.regex.is_match(name).unwrap_or(false)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_names() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(Pattern::new(pattern).unwrap().is_match(name), expected, "{pattern} {name}");
        };
        check("a|ab", "ab", true);
        check("orders-.*", "orders-eu", true);
        check("orders", "orders-eu", false);
        check("(?!secret).*", "secret-1", false);
        check("(?i)ORDERS", "orders", true);
        assert!(Pattern::new("a)(b").is_err());
        assert!(Pattern::new("(").is_err());
    }
}

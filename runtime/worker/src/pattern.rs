//! Java's regular expressions, matched against whole topic names.
//!
//! Not here: replacing, which transformations do in their own sandbox.

use std::fmt;
use std::sync::Arc;

/// A pattern that matches whole names, as `java.util.regex.Pattern` does.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    java: Arc<tombolo_java_regex::Pattern>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// Errors: what is wrong with it, and where.
    pub fn new(text: &str) -> Result<Self, String> {
        let java = tombolo_java_regex::Pattern::new(text);
        let java = java.map_err(|error| format!("Invalid regex: {error}"))?;
        Ok(Self { text: text.to_owned(), java: Arc::new(java) })
    }

    /// Whether it matches all of `name`. A pattern that runs away is not worth a worker's time, and does not match.
    pub fn is_match(&self, name: &str) -> bool {
        self.java.matches(name).unwrap_or(false)
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
        // As Java reads them: digits are ASCII, a possessive quantifier gives nothing back, a class intersects.
        check(r"orders-\d", "orders-\u{0663}", false);
        check("a++a", "aaa", false);
        check("[a-z&&[^o]]rders", "orders", false);
        check(r"(?:(a)\1?)+b", &"a".repeat(64), false);
    }

    #[test]
    fn what_is_no_pattern_is_refused_in_javas_words() {
        let check = |pattern: &str, expected: &str| {
            assert_eq!(Pattern::new(pattern).unwrap_err(), expected, "{pattern}");
        };
        check("(", "Invalid regex: Unclosed group near index 1\n(");
        check("a)(b", "Invalid regex: Unmatched closing ')' near index 0\na)(b\n^");
        let dangling = "Invalid regex: Dangling meta character '*' near index 0\n*.orders\n^";
        check("*.orders", dangling);
    }
}

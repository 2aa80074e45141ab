//! Java's replacement syntax: `$1`, `${name}`, `\` before a character that stands for itself.
//!
//! Not here: finding what to replace.

use std::iter::Peekable;
use std::str::Chars;

use fancy_regex::{Captures, Regex};

use super::Error;

/// A replacement in the making. Errors come when it is made, as in Java, not when it is configured.
///
/// Follows `Matcher.appendExpandedReplacement`.
pub(super) struct Replacement<'a> {
    rest: Peekable<Chars<'a>>,
}

impl<'a> Replacement<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.chars().peekable() }
    }

    /// Appends the replacement for what was found.
    pub(super) fn append(
        mut self,
        out: &mut String,
        found: &Captures<'_, str>,
        regex: &Regex,
    ) -> Result<(), Error> {
        while let Some(next) = self.rest.next() {
            match next {
                '\\' => match self.rest.next() {
                    Some(literal) => out.push(literal),
                    None => return Err(Error::argument("character to be escaped is missing")),
                },
                '$' => {
                    let group = self.group(found, regex)?;
                    out.push_str(found.get(group).map_or("", |found| found.as_str()));
                }
                literal => out.push(literal),
            }
        }
        Ok(())
    }

    /// The number of the group that is meant, after `$`.
    fn group(&mut self, found: &Captures<'_, str>, regex: &Regex) -> Result<usize, Error> {
        let Some(&next) = self.rest.peek() else {
            return Err(Error::argument("Illegal group reference: group index is missing"));
        };
        if next == '{' {
            self.rest.next();
            return self.named(regex);
        }
        let Some(first) = digit(next) else {
            return Err(Error::argument("Illegal group reference"));
        };
        self.rest.next();
        let mut group = first;
        if group >= found.len() {
            let message = format!("No group {group}");
            return Err(Error { class: "java.lang.IndexOutOfBoundsException", message });
        }
        // As many digits as there are groups for.
        while let Some(longer) =
            self.rest.peek().copied().and_then(digit).map(|digit| 10 * group + digit)
        {
            if longer >= found.len() {
                break;
            }
            group = longer;
            self.rest.next();
        }
        Ok(group)
    }

    /// The number of a named group, after `${`.
    fn named(&mut self, regex: &Regex) -> Result<usize, Error> {
        let mut name = String::new();
        while let Some(letter) = self.rest.next_if(char::is_ascii_alphanumeric) {
            name.push(letter);
        }
        if name.is_empty() {
            return Err(Error::argument("named capturing group is missing trailing '}'"));
        }
        if self.rest.next() != Some('}') {
            return Err(Error::argument("named capturing group is missing trailing '}'"));
        }
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            let message = format!("capturing group name {{{name}}} starts with digit character");
            return Err(Error::argument(message));
        }
        let place = regex.capture_names().position(|group| group == Some(name.as_str()));
        place.ok_or_else(|| Error::argument(format!("No group with name {{{name}}}")))
    }
}

fn digit(of: char) -> Option<usize> {
    of.to_digit(10).map(|digit| digit as usize)
}

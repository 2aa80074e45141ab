//! Paths to fields, in both versions of their syntax. Not here: what is at the end of one.
//!
//! Follows `SingleFieldPath` and `FieldSyntaxVersion` of Kafka Connect.

use tombolo_sdk::settings::{ConfigError, Importance, Key, Settings};

/// Which syntax a path has.
pub(crate) const SYNTAX: Key<String> = Key::new("field.syntax.version")
    .doc(
        "Version of the syntax of field paths. V1: the name of a field of the whole. V2: names with dots between lead into nested structs and maps; \
         a name that has dots itself stands in backticks, as in `foo.bar`.baz.",
    )
    .default("V1")
    .one_of_ignoring_case(&["V1", "V2"])
    .importance(Importance::High);

/// The names that the path in a setting leads through, in order.
///
/// Errors: a backtick that is not closed.
pub(crate) fn steps(key: &Key<String>, settings: &Settings) -> Result<Vec<String>, ConfigError> {
    let path = key.get(settings)?;
    if SYNTAX.get(settings)?.eq_ignore_ascii_case("V1") {
        return Ok(vec![path]);
    }
    split(&path).map_err(|at| {
        let message = format!(
            "Incomplete backtick pair in path: [{path}], consider adding a backslash before \
             backtick at position {at} to escape it"
        );
        ConfigError::of(key.name(), message)
    })
}

/// The names of a path in the second syntax; else where the backtick stands that is not closed, in UTF-16 units.
fn split(path: &str) -> Result<Vec<String>, usize> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let Some(quoted) = rest.strip_prefix('`') else {
            let (step, after) = rest.split_once('.').unwrap_or((rest, ""));
            steps.push(step.to_owned());
            rest = after;
            continue;
        };
        let start = path.len() - rest.len();
        let unclosed = || path.get(..start).unwrap_or_default().encode_utf16().count();
        let (step, after) = closed(quoted).ok_or_else(unclosed)?;
        steps.push(step);
        rest = after;
    }
    // What follows a dot at the end is a name too: an empty one.
    if path.ends_with('.') {
        steps.push(String::new());
    }
    Ok(steps)
}

/// A name up to its closing backtick, which a dot or the end follows, and what comes after the dot. A backslash keeps such a backtick from closing.
fn closed(quoted: &str) -> Option<(String, &str)> {
    let mut step = String::new();
    let mut start = 0;
    for (at, _) in quoted.match_indices('`') {
        let (before, after) = (quoted.get(start..at)?, quoted.get(at + 1..)?);
        let escaped = quoted.get(..at)?.ends_with('\\');
        match after.strip_prefix('.') {
            None if !after.is_empty() => {}
            None if escaped => return None,
            Some(_) if escaped => {
                step.push_str(before.get(..before.len().checked_sub(1)?)?);
                step.push('`');
                start = at + 1;
            }
            None => return Some((step + before, "")),
            Some(rest) => return Some((step + before, rest)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &[&str]) {
        assert_eq!(split(path).unwrap(), expected, "{path}");
    }

    #[test]
    fn dots_part_names_and_backticks_hold_them_together() {
        check("foo.bar.baz", &["foo", "bar", "baz"]);
        check("`foo`.`bar`.`baz`", &["foo", "bar", "baz"]);
        check("`foo.bar.baz`", &["foo.bar.baz"]);
        check("foo.`bar.baz`", &["foo", "bar.baz"]);
        check("`foo.bar`.baz", &["foo.bar", "baz"]);
        check("foo.`bar`.baz", &["foo", "bar", "baz"]);
    }

    #[test]
    fn a_backtick_within_a_name_is_a_part_of_it() {
        check("foo`.bar.baz", &["foo`", "bar", "baz"]);
        check("foo.ba`r.baz", &["foo", "ba`r", "baz"]);
        check("foo`.`bar.baz`", &["foo`", "bar.baz"]);
        check("`foo.bar`ni.ng`.baz", &["foo.bar`ni.ng", "baz"]);
        check("`foo\\`.bar`.baz", &["foo`.bar", "baz"]);
        check("``foo`.bar.baz``", &["`foo", "bar", "baz``"]);
        check("foo.\\`bar.baz", &["foo", "\\`bar", "baz"]);
    }

    #[test]
    fn names_may_be_empty() {
        check("", &[]);
        check(".", &["", ""]);
        check("..", &["", "", ""]);
        check("foo..bar", &["foo", "", "bar"]);
        check("foo.", &["foo", ""]);
        check(".foo", &["", "foo"]);
        check("``.foo", &["", "foo"]);
    }

    #[test]
    fn a_backtick_that_is_not_closed_is_told_by_its_place() {
        for (path, at) in [("`foo.bar.baz", 0), ("foo.`bar.baz", 4), ("ö.`b\\`", 2), ("`", 0)] {
            assert_eq!(split(path).unwrap_err(), at, "{path}");
        }
    }
}

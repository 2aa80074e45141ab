//! Values that must not be seen, and how text is made safe that may hold them.
//!
//! Not here: where they come from (`references`).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::fault::{Fault, Problem};
use crate::settings::HIDDEN;

/// Shortest value that is looked for in text: hiding every `1` or `no` would hide nothing but the text.
pub const SECRET_BYTES_MIN: usize = 4;

/// Values that must not be seen. Cheap to clone; `Debug` says how many they are.
///
/// A value is found as it is, without the space around it, line by line, and as a Rust or JSON text would escape it: what a plugin encodes
/// otherwise is not.
#[derive(Clone, Default)]
pub struct Secrets(Arc<[String]>);

impl Secrets {
    /// Keeps these values; what is shorter than [`SECRET_BYTES_MIN`] is not kept.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all: Vec<String> = Vec::new();
        for value in values {
            let escaped = format!("{:?}", value.trim());
            let escaped = escaped.trim_matches('"');
            all.extend([value, value.trim(), escaped].map(str::to_owned));
            all.extend(value.lines().map(|line| line.trim().to_owned()));
        }
        all.retain(|value| value.len() >= SECRET_BYTES_MIN && !value.trim().is_empty());
        // The longest first: a value may hold another.
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        Self(all.into())
    }

    /// These and those.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        match (self.0.is_empty(), others.0.is_empty()) {
            (_, true) => self.clone(),
            (true, false) => others.clone(),
            (false, false) => Self::new(self.0.iter().chain(&*others.0).map(String::as_str)),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of the longest: a cut through a text may split a value that begins this far before it.
    pub fn longest(&self) -> usize {
        self.0.first().map_or(0, String::len)
    }

    /// The text with `[hidden]` in place of each value.
    ///
    /// Cost: a search for each value.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        replace(text, self.0.iter().map(|secret| (secret.as_str(), HIDDEN)))
    }

    /// The fault with `[hidden]` in place of each value, in its causes too.
    #[must_use]
    pub fn hide_in(&self, mut fault: Fault) -> Fault {
        if self.is_empty() {
            return fault;
        }
        let text = |text: &String| self.hide(text).into_owned();
        fault.message = self.hide(&fault.message).into_owned();
        fault.class = fault.class.as_ref().map(text);
        fault.trace = fault.trace.as_ref().map(text);
        let causes = fault.source.take().map(|source| causes(&*source));
        fault.source = causes.map(|causes| self.hide(&causes).into_owned().into());
        fault
    }

    /// The problem with `[hidden]` in place of each value.
    pub fn hide_in_problem<'a>(&self, problem: &'a Problem) -> Cow<'a, Problem> {
        if self.is_empty() {
            return Cow::Borrowed(problem);
        }
        let text = |text: &String| self.hide(text).into_owned();
        Cow::Owned(Problem {
            message: text(&problem.message),
            class: problem.class.as_ref().map(text),
            trace: problem.trace.as_ref().map(text),
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Replaces every pattern, from left to right, the earlier in the list first; what was put in is not looked at again.
pub(crate) fn replace<'a, 'p>(
    text: &'a str,
    patterns: impl Iterator<Item = (&'p str, &'p str)> + Clone,
) -> Cow<'a, str> {
    let mut replaced = String::new();
    let mut rest = text;
    loop {
        let mut next: Option<(usize, &str, &str)> = None;
        for (pattern, by) in patterns.clone() {
            let at = rest.find(pattern);
            next = match (at, next) {
                (Some(at), Some((first, ..))) if at >= first => next,
                (Some(at), _) => Some((at, pattern, by)),
                (None, _) => next,
            };
        }
        let Some((at, pattern, by)) = next else { break };
        let (before, after) = rest.split_at(at);
        replaced.push_str(before);
        replaced.push_str(by);
        rest = after.strip_prefix(pattern).unwrap_or_default();
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    replaced.push_str(rest);
    Cow::Owned(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Stage;

    #[test]
    fn values_are_hidden_wherever_they_stand() {
        let secrets =
            Secrets::new(["hunter2", "hunter2-and-more", "abc", " padded \n", "a\"quote"]);
        let check = |text: &str, expected: &str| assert_eq!(secrets.hide(text), expected);
        check("nothing", "nothing");
        check("jdbc:x?p=hunter2&q=hunter2", "jdbc:x?p=[hidden]&q=[hidden]");
        check("hunter2-and-more", "[hidden]");
        check("abc is too short", "abc is too short");
        check("<padded>", "<[hidden]>");
        check(r#""a\"quote""#, r#""[hidden]""#);
        assert_eq!(format!("{:?}", Secrets::new(["hunter2"])), "1 secrets");
    }

    #[test]
    fn each_line_of_a_value_is_one() {
        let secrets = Secrets::new(["-----BEGIN KEY-----\nMIIE\n"]);
        assert_eq!(secrets.hide("line MIIE of -----BEGIN KEY-----"), "line [hidden] of [hidden]");
    }

    #[test]
    fn a_fault_is_hidden_with_its_causes() {
        let mut fault = Fault::fatal(Stage::Lifecycle, "login as hunter2 failed")
            .with_source(std::io::Error::other("hunter2 refused"));
        fault.trace = Some("at hunter2".to_owned());
        let hidden = Secrets::new(["hunter2"]).hide_in(fault);
        assert_eq!(hidden.status_trace(), "login as [hidden] failed\nat [hidden]");
        assert_eq!(hidden.source.unwrap().to_string(), "[hidden] refused");
    }
}

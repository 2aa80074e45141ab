//! Values that must not be seen, and how text is made safe that may hold them.
//!
//! Not here: where they come from (`references`), and the forms in which they are looked for (`forms`).

mod forms;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::fault::{Fault, Problem};
use crate::settings::HIDDEN;

/// Shortest value that is looked for in text: hiding every `1` or `no` would hide nothing but the text.
pub const SECRET_BYTES_MIN: usize = 4;

/// Shortest password that is looked for where nothing refers to it: weak ones are words, without which messages could not be read, and whoever
/// reads the message reads the configuration with the password in it.
pub const PASSWORD_BYTES_MIN: usize = 8;

/// Fewest bytes at the end of a line that are taken for the beginning of a value: fewer are the end of many lines that were not cut.
const END_BYTES_MIN: usize = 8;

/// Values that must not be seen. Cheap to clone; `Debug` says how many they are. They are wiped out of memory with the last clone.
///
/// A value is found as it is, without the space around it, line by line, and as JSON, Rust, XML, a URL, lists of bytes and base64 have it, also
/// amid a longer text in base64. What a plugin encodes otherwise, or takes apart, is not.
#[derive(Clone, Default)]
pub struct Secrets(Option<Arc<Known>>);

struct Known {
    values: Vec<Zeroizing<String>>,
    /// What to look for, in order, each with the place of the longest other one with which it begins.
    forms: Vec<(Zeroizing<String>, Option<usize>)>,
    /// A bit for each two bytes with which any begins: most places of a text are passed over with one look.
    starts: Box<[u64; 1024]>,
}

impl Secrets {
    /// Keeps these values; what is shorter than [`SECRET_BYTES_MIN`] is not kept.
    ///
    /// Cost: makes some thirty forms of each value.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let values = values.into_iter().filter(|value| value.trim().len() >= SECRET_BYTES_MIN);
        Self::of(values.map(|value| Zeroizing::new(value.to_owned())).collect())
    }

    /// Keeps passwords that stand in a configuration as they are; what is shorter than [`PASSWORD_BYTES_MIN`] is not kept.
    pub fn of_passwords<'a>(passwords: impl IntoIterator<Item = &'a str>) -> Self {
        let strong = |password: &&str| password.trim().len() >= PASSWORD_BYTES_MIN;
        Self::new(passwords.into_iter().filter(strong))
    }

    fn of(mut values: Vec<Zeroizing<String>>) -> Self {
        if values.is_empty() {
            return Self(None);
        }
        values.sort_by(|a, b| a.as_str().cmp(b));
        values.dedup();
        let mut all: Vec<_> = values.iter().flat_map(|value| forms::of(value)).collect();
        all.retain(|form| form.trim().len() >= SECRET_BYTES_MIN);
        all.sort_by(|a, b| a.as_str().cmp(b));
        all.dedup();
        let mut starts = Box::new([0; 1024]);
        for start in all.iter().filter_map(|form| form.as_bytes().first_chunk()) {
            let (word, bit) = place(*start);
            starts.get_mut(word).into_iter().for_each(|word| *word |= bit);
        }
        let begins_with = beginnings(&all);
        let forms = all.into_iter().zip(begins_with).collect();
        Self(Some(Arc::new(Known { values, forms, starts })))
    }

    /// These and those.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        match (&self.0, &others.0) {
            (_, None) => self.clone(),
            (None, Some(_)) => others.clone(),
            (Some(own), Some(more)) => {
                if more.values.iter().all(|value| own.values.contains(value)) {
                    return self.clone();
                }
                Self::of([own.values.as_slice(), &more.values].concat())
            }
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The text with `[hidden]` in place of each value. A line may have been cut within a value: so many bytes of its beginning are hidden too.
    ///
    /// Cost: one pass over the text.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.hide_with(text, END_BYTES_MIN)
    }

    /// The same of a text that was cut for certain: at its end every beginning of a value is hidden.
    pub fn hide_cut<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.hide_with(text, 1)
    }

    fn hide_with<'a>(&self, text: &'a str, end_bytes_min: usize) -> Cow<'a, str> {
        let Some(known) = &self.0 else { return Cow::Borrowed(text) };
        let bytes = text.as_bytes();
        let mut hidden = String::new();
        let (mut done, mut at, mut line_end) = (0, 0, 0);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if at >= line_end {
                let length = rest.iter().position(|byte| *byte == b'\n');
                line_end = length.map_or(bytes.len(), |length| at + length);
            }
            let line = bytes.get(at..line_end).unwrap_or_default();
            let bytes_min = if line_end == bytes.len() { end_bytes_min } else { END_BYTES_MIN };
            match known.form_at(rest).or_else(|| known.begun_at(line, bytes_min)) {
                None => at += 1,
                Some(length) => {
                    hidden.push_str(text.get(done..at).unwrap_or_default());
                    hidden.push_str(HIDDEN);
                    at += length;
                    done = at;
                }
            }
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        hidden.push_str(text.get(done..).unwrap_or_default());
        Cow::Owned(hidden)
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
        write!(f, "{} secrets", self.0.as_ref().map_or(0, |known| known.values.len()))
    }
}

impl Known {
    /// Length of the longest form with which these bytes begin.
    fn form_at(&self, rest: &[u8]) -> Option<usize> {
        if !self.may_start(rest) {
            return None;
        }
        let after = self.forms.partition_point(|(form, _)| form.as_bytes() <= rest);
        let mut nearest = after.checked_sub(1);
        // Whatever these bytes begin with, what stands between the two in order begins with it as well.
        while let Some((form, begins_with)) = nearest.and_then(|index| self.forms.get(index)) {
            if rest.starts_with(form.as_bytes()) {
                return Some(form.len());
            }
            nearest = *begins_with;
        }
        None
    }

    /// Length of these bytes, which are the last of their line, where a form begins with all of them.
    fn begun_at(&self, line: &[u8], bytes_min: usize) -> Option<usize> {
        if line.len() < bytes_min || !self.may_start(line) {
            return None;
        }
        let at = self.forms.partition_point(|(form, _)| form.as_bytes() < line);
        let (form, _) = self.forms.get(at)?;
        form.as_bytes().starts_with(line).then_some(line.len())
    }

    /// Whether any form may begin with these bytes, or they with it.
    fn may_start(&self, bytes: &[u8]) -> bool {
        bytes.first_chunk().is_none_or(|start| {
            let (word, bit) = place(*start);
            self.starts.get(word).is_some_and(|word| word & bit != 0)
        })
    }
}

/// For each of these texts, which are in order, the place of the longest other one with which it begins.
fn beginnings(texts: &[Zeroizing<String>]) -> Vec<Option<usize>> {
    let mut open: Vec<(usize, &str)> = Vec::new();
    let found = texts.iter().enumerate().map(|(index, text)| {
        while open.pop_if(|(_, beginning)| !text.starts_with(&**beginning)).is_some() {}
        let longest = open.last().map(|(index, _)| *index);
        open.push((index, text));
        longest
    });
    found.collect()
}

/// The word and the bit of two bytes.
fn place(start: [u8; 2]) -> (usize, u64) {
    let number = u16::from_le_bytes(start);
    (usize::from(number >> 6), 1 << (number & 63))
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
    fn a_value_is_hidden_in_other_forms() {
        let secrets = Secrets::new(["p@ss word/1?"]);
        let check = |text: &str, expected: &str| assert_eq!(secrets.hide(text), expected);
        check("?p=p%40ss%20word%2F1%3F&q", "?p=[hidden]&q");
        check("70407373 7040737320776f72642f313f", "70407373 [hidden]");
        check("Basic bWU6cEBzcyB3b3JkLzE/", "Basic bWU6[hidden]");
        check("[112, 64, 115, 115, 32, 119, 111, 114, 100, 47, 49, 63, 10]", "[[hidden], 10]");
    }

    #[test]
    fn a_value_that_a_cut_goes_through_is_hidden_as_far_as_it_is_there() {
        let secrets = Secrets::new(["correct-horse-é"]);
        assert_eq!(secrets.hide("as correct-h"), "as [hidden]");
        assert_eq!(secrets.hide("as correct"), "as correct");
        for cut in ["c", "co", "correct", "correct-horse-"] {
            assert_eq!(secrets.hide_cut(&format!("as {cut}")), "as [hidden]");
        }
        assert_eq!(secrets.hide_cut("as correct horse"), "as correct horse");
        assert_eq!(secrets.hide_cut("é correct-horse-é é"), "é [hidden] é");
        assert_eq!(secrets.hide("as correct-h\nas correct\n"), "as [hidden]\nas correct\n");
    }

    #[test]
    fn weak_passwords_do_not_blank_out_messages() {
        let secrets = Secrets::of_passwords(["a", "admin", "postgres1"]);
        assert_eq!(secrets.hide("admin at a is no postgres1"), "admin at a is no [hidden]");
    }

    /// Among many values that begin alike, in a text that is made of their beginnings, too.
    #[test]
    fn the_longest_value_at_a_place_is_found_among_those_that_it_begins_with() {
        let values: Vec<String> = (4..400).map(|length| "a".repeat(length)).collect();
        let secrets = Secrets::new(values.iter().map(String::as_str).chain(["aaaab!", "aaaac"]));
        let check = |text: &str, expected: &str| assert_eq!(secrets.hide(text), expected, "{text}");
        check(&format!("{}b!", "a".repeat(399)), "[hidden]b!");
        check("aaaab!c aaaab? aaac", "[hidden]c [hidden]b? aaac");
        check(&format!("{}c", "a".repeat(10)), "[hidden]c");
        check(&"aaa!".repeat(1_000), &"aaa!".repeat(1_000));
    }

    #[test]
    fn of_two_values_at_one_place_the_longer_is_hidden() {
        let both = Secrets::new(["hunter2"]).and(&Secrets::new(["hunter2-and-more", "hunter2"]));
        assert_eq!(both.hide("hunter2-and-more hunter2-an."), "[hidden] [hidden]-an.");
        assert_eq!(format!("{both:?}"), "2 secrets");
        assert!(Secrets::default().and(&Secrets::new(["no"])).is_empty());
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

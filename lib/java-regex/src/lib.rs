//! Java's regular expressions: whole matches and `replaceFirst`, as `java.util.regex` gives them.
//!
//! A pattern is rewritten into the dialect of `fancy-regex` ([`translate`]), which then has the meaning that Java gives it: `\w`, `\d` and `\s` are ASCII, `.`
//! stops at Java's line ends, `(?i)` folds ASCII only, `\h` is a blank, `\Q…\E` quotes. What the dialect lacks is an error when the pattern is read:
//! Unicode blocks (`\p{InGreek}`) and characters by name (`\N{…}`).
//!
//! The worker and the components that ship with it use it as they use a crate of strangers: it knows neither side, and no value crosses the wall in a type of
//! its own. Not here: settings, and which of them hold patterns.

#![forbid(unsafe_code)]

mod class;
mod escape;
mod property;
mod replacement;
mod translate;

use fancy_regex::RegexBuilder;

use self::replacement::Replacement;

/// Most steps back in one match: some milliseconds. No name of a topic needs so many, unless its pattern runs away.
const BACKTRACK_MAX: usize = 100_000;

/// Why a pattern cannot be read, a replacement not be made, or a match not be found: in words, with the Java class that would be thrown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// As `java.lang.IndexOutOfBoundsException`.
    pub class: &'static str,
    /// As Java's message, where there is one.
    pub message: String,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl Error {
    /// A pattern that cannot be read.
    fn syntax(message: impl Into<String>) -> Self {
        Self { class: "java.util.regex.PatternSyntaxException", message: message.into() }
    }

    /// A replacement that cannot be made.
    fn argument(message: impl Into<String>) -> Self {
        Self { class: "java.lang.IllegalArgumentException", message: message.into() }
    }
}

/// A pattern, as `java.util.regex.Pattern`.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Matches whole texts.
    whole: fancy_regex::Regex,
    /// Finds the first match.
    first: fancy_regex::Regex,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// Errors: what is wrong with it, in Java's words where the fault is one of Java's; also one whose automaton would be too large.
    pub fn new(java: &str) -> Result<Self, Error> {
        let translated = translate::translate(java)?;
        let build = |text: &str| {
            RegexBuilder::new(text)
                .backtrack_limit(BACKTRACK_MAX)
                .build()
                .map_err(|error| Error::syntax(error.to_string()))
        };
        Ok(Self { whole: build(&format!(r"\A(?:{translated})\z"))?, first: build(&translated)? })
    }

    /// Whether it matches all of this text: `Matcher.matches`.
    ///
    /// Errors: more steps back than a match is worth.
    pub fn matches(&self, text: &str) -> Result<bool, Error> {
        self.whole.is_match(text).map_err(too_long)
    }

    /// The text with its first match replaced: `Matcher.replaceFirst`. That match need not be the whole one that [`Pattern::matches`] found.
    ///
    /// Errors: as [`Pattern::matches`], and a replacement that names a group which is not there.
    pub fn replace_first(&self, text: &str, replacement: &str) -> Result<String, Error> {
        let Some(found) = self.first.captures(text).map_err(too_long)? else {
            return Ok(text.to_owned());
        };
        let Some(whole) = found.get(0) else { return Ok(text.to_owned()) };
        let mut out = text.get(..whole.start()).unwrap_or_default().to_owned();
        Replacement::new(replacement).append(&mut out, &found, &self.first)?;
        out.push_str(text.get(whole.end()..).unwrap_or_default());
        Ok(out)
    }
}

fn too_long(error: fancy_regex::Error) -> Error {
    Error { class: "java.lang.StackOverflowError", message: error.to_string() }
}

#[cfg(test)]
mod tests;

//! Rewrites a Java pattern into the dialect of `fancy-regex`, so that it keeps Java's meaning.
//!
//! One pass from left to right that writes as it reads; flags are resolved here, so that none reaches the other side. Not here: classes (`class`),
//! escapes (`escape`).

use super::{Error, class, escape};

/// Deepest nesting of groups and classes; far beyond any pattern a person writes, and far from the end of a component's stack.
pub(super) const DEPTH_MAX: usize = 100;

/// Java's line ends, for inside a class.
pub(super) const LINE_ENDS: &str = r"\n\r\x{85}\x{2028}\x{2029}";

/// Flags that change what a pattern means, as `(?is)` sets them.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "Java's set of flags, one letter each")]
pub(super) struct Flags {
    /// `i`: ASCII letters match in either case; with `u`, all letters do.
    pub(super) fold: bool,
    /// `u`.
    pub(super) fold_unicode: bool,
    /// `s`: a dot matches line ends.
    pub(super) dot_all: bool,
    /// `m`: `^` and `$` match at line ends.
    pub(super) multi_line: bool,
    /// `d`: only `\n` ends a line.
    pub(super) unix_lines: bool,
    /// `x`: blanks and comments do not count.
    pub(super) comments: bool,
    /// `U`: `\w`, `\d`, `\s`, `\b` mean Unicode's.
    pub(super) unicode: bool,
}

/// The reader and writer.
pub(super) struct Translation {
    pub(super) pattern: Vec<char>,
    pub(super) at: usize,
    pub(super) flags: Flags,
    pub(super) out: String,
    pub(super) depth: usize,
    names: Vec<String>,
    /// Number of groups that capture, so far.
    pub(super) groups: usize,
}

/// The pattern in the other dialect.
pub(super) fn translate(java: &str) -> Result<String, Error> {
    let mut translation = Translation {
        pattern: java.chars().collect(),
        at: 0,
        flags: Flags::default(),
        out: String::with_capacity(2 * java.len()),
        depth: 0,
        names: Vec::new(),
        groups: 0,
    };
    translation.sequence()?;
    if translation.peek().is_some() {
        return Err(translation.error("Unmatched closing ')'"));
    }
    Ok(translation.out)
}

impl Translation {
    pub(super) fn peek(&self) -> Option<char> {
        self.pattern.get(self.at).copied()
    }

    pub(super) fn peek_after(&self, skip: usize) -> Option<char> {
        self.pattern.get(self.at + skip).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    pub(super) fn take(&mut self, expected: &str) -> bool {
        let matches = expected
            .chars()
            .enumerate()
            .all(|(place, letter)| self.peek_after(place) == Some(letter));
        if matches {
            self.at += expected.chars().count();
        }
        matches
    }

    /// An error in what was read last, as `PatternSyntaxException` words it: with the pattern, and a mark below the place.
    pub(super) fn error(&self, what: &str) -> Error {
        self.error_at(self.at.saturating_sub(1), what)
    }

    /// An error in what stands here.
    pub(super) fn error_here(&self, what: &str) -> Error {
        self.error_at(self.at, what)
    }

    fn error_at(&self, place: usize, what: &str) -> Error {
        let pattern: String = self.pattern.iter().collect();
        let mark = match place < self.pattern.len() {
            true => format!("\n{}^", " ".repeat(place)),
            false => String::new(),
        };
        Error::syntax(format!("{what} near index {place}\n{pattern}{mark}"))
    }

    /// One level deeper; the caller comes up again.
    pub(super) fn descend(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("Groups nested too deep"));
        }
        Ok(())
    }

    /// Whether a group of this name was opened already.
    pub(super) fn knows_group(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Skips blanks and comments where they do not count.
    pub(super) fn skip_blanks(&mut self) {
        while self.flags.comments {
            match self.peek() {
                Some(' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r') => self.at += 1,
                Some('#') => {
                    while self.next().is_some_and(|letter| !matches!(letter, '\n' | '\r')) {}
                }
                _ => return,
            }
        }
    }

    /// Alternatives and what follows one another in them, up to a closing bracket or the end.
    fn sequence(&mut self) -> Result<(), Error> {
        loop {
            self.skip_blanks();
            let start = self.out.len();
            let Some(next) = self.peek() else { return Ok(()) };
            match next {
                ')' => return Ok(()),
                '|' => {
                    self.at += 1;
                    self.out.push('|');
                    continue;
                }
                '*' | '+' | '?' => {
                    return Err(self.error_here(&format!("Dangling meta character '{next}'")));
                }
                '{' => {
                    self.repeat_nothing()?;
                    continue;
                }
                '(' => self.group()?,
                '[' => {
                    self.at += 1;
                    class::class(self)?;
                }
                '\\' => {
                    self.at += 1;
                    escape::escape(self)?;
                }
                '.' => self.dot(),
                '^' => self.line_start(),
                '$' => self.line_end(),
                literal => {
                    self.at += 1;
                    self.literal(literal);
                }
            }
            self.quantifier(start)?;
        }
    }

    /// A character that stands for itself.
    pub(super) fn literal(&mut self, literal: char) {
        if self.flags.fold && literal.is_ascii_alphabetic() {
            self.out.push('[');
            self.out.push(literal.to_ascii_lowercase());
            self.out.push(literal.to_ascii_uppercase());
            self.out.push(']');
        } else if self.flags.fold && self.flags.fold_unicode && literal.is_alphabetic() {
            self.out.push_str("(?i:");
            self.out.push(literal);
            self.out.push(')');
        } else {
            push_escaped(&mut self.out, literal);
        }
    }

    fn dot(&mut self) {
        self.at += 1;
        self.out.push_str(match (self.flags.dot_all, self.flags.unix_lines) {
            (true, _) => "(?s:.)",
            (false, true) => r"[^\n]",
            (false, false) => r"[^\n\r\x{85}\x{2028}\x{2029}]",
        });
    }

    fn line_start(&mut self) {
        self.at += 1;
        self.out.push_str(match (self.flags.multi_line, self.flags.unix_lines) {
            (false, _) => r"\A",
            (true, true) => r"(?:\A|(?<=\n)(?!\z))",
            (true, false) => r"(?:\A|(?<=[\n\x{85}\x{2028}\x{2029}])(?!\z)|(?<=\r)(?!\n|\z))",
        });
    }

    pub(super) fn line_end(&mut self) {
        self.at += 1;
        self.out.push_str(match (self.flags.multi_line, self.flags.unix_lines) {
            (false, true) => r"(?=\n?\z)",
            (false, false) => r"(?=(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z)",
            (true, true) => r"(?=\n|\z)",
            (true, false) => r"(?=[\n\r\x{85}\x{2028}\x{2029}]|\z)",
        });
    }

    /// A repetition of what was written from `start` on, if one follows. A possessive one becomes an atomic group.
    fn quantifier(&mut self, start: usize) -> Result<(), Error> {
        self.skip_blanks();
        let written = self.out.len();
        match self.peek() {
            Some(simple) if matches!(simple, '*' | '+' | '?') => {
                self.at += 1;
                self.out.push(simple);
            }
            Some('{') => self.counted()?,
            _ => return Ok(()),
        }
        if written == start {
            // Only flags or an empty quotation stand before it.
            return Err(self.error("Dangling meta character"));
        }
        match self.peek() {
            Some('?') => {
                self.at += 1;
                self.out.push('?');
            }
            Some('+') => {
                self.at += 1;
                self.out.insert_str(start, "(?>");
                self.out.push(')');
            }
            _ => {}
        }
        Ok(())
    }

    /// A count with nothing to repeat before it, which Java reads and which matches nothing.
    fn repeat_nothing(&mut self) -> Result<(), Error> {
        let start = self.out.len();
        self.counted()?;
        self.out.truncate(start);
        if matches!(self.peek(), Some('?' | '+')) {
            self.at += 1;
        }
        Ok(())
    }

    /// `{2}`, `{2,}`, `{2,3}`.
    fn counted(&mut self) -> Result<(), Error> {
        self.at += 1;
        let Some(least) = self.count()? else {
            return Err(self.error_here("Illegal repetition"));
        };
        let most = if self.take(",") { self.count()? } else { Some(least) };
        if most.is_some_and(|most| most < least) {
            return Err(self.error_here("Illegal repetition range"));
        }
        if !self.take("}") {
            return Err(self.error_here("Unclosed counted closure"));
        }
        let most = most.map_or(String::new(), |most| most.to_string());
        self.out.push_str(&format!("{{{least},{most}}}"));
        Ok(())
    }

    /// An integer of Java's; none where no digit stands.
    fn count(&mut self) -> Result<Option<i32>, Error> {
        let mut count: Option<i32> = None;
        while let Some(digit) = self.peek().and_then(|digit| digit.to_digit(10)) {
            let longer = count.unwrap_or(0).checked_mul(10);
            let longer = longer.and_then(|count| count.checked_add_unsigned(digit));
            count = Some(longer.ok_or_else(|| self.error_here("Illegal repetition range"))?);
            self.at += 1;
        }
        Ok(count)
    }

    /// A group of any kind, from its opening bracket to its closing one.
    fn group(&mut self) -> Result<(), Error> {
        self.at += 1;
        self.descend()?;
        let before = self.flags;
        if !self.take("?") {
            self.groups += 1;
            self.out.push('(');
        } else if self.take("<=") {
            self.out.push_str("(?<=");
        } else if self.take("<!") {
            self.out.push_str("(?<!");
        } else if self.take("<") {
            self.open_named()?;
        } else if let Some(kind) = self.peek().filter(|kind| matches!(kind, ':' | '=' | '!' | '>'))
        {
            self.at += 1;
            self.out.push_str("(?");
            self.out.push(kind);
        } else {
            self.read_flags()?;
            if self.take(")") {
                // They hold up to the end of the group around.
                self.depth -= 1;
                return Ok(());
            }
            if !self.take(":") {
                return Err(self.error_here("Unknown inline modifier"));
            }
            self.out.push_str("(?:");
        }
        self.sequence()?;
        if !self.take(")") {
            return Err(self.error_here("Unclosed group"));
        }
        self.out.push(')');
        self.flags = before;
        self.depth -= 1;
        Ok(())
    }

    fn open_named(&mut self) -> Result<(), Error> {
        if !self.peek().is_some_and(|first| first.is_ascii_alphabetic()) {
            return Err(self.error_here("capturing group name does not start with a Latin letter"));
        }
        let name = self.name();
        if !self.take(">") {
            return Err(self.error_here("named capturing group is missing trailing '>'"));
        }
        if self.knows_group(&name) {
            return Err(self.error(&format!("Named capturing group <{name}> is already defined")));
        }
        self.groups += 1;
        self.out.push_str(&format!("(?<{name}>"));
        self.names.push(name);
        Ok(())
    }

    /// Letters and digits.
    pub(super) fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(letter) = self.peek().filter(char::is_ascii_alphanumeric) {
            name.push(letter);
            self.at += 1;
        }
        name
    }

    fn read_flags(&mut self) -> Result<(), Error> {
        let mut on = true;
        loop {
            let flag = match self.peek() {
                Some('-') if on => {
                    on = false;
                    self.at += 1;
                    continue;
                }
                Some('i') => &mut self.flags.fold,
                Some('u') => &mut self.flags.fold_unicode,
                Some('s') => &mut self.flags.dot_all,
                Some('m') => &mut self.flags.multi_line,
                Some('d') => &mut self.flags.unix_lines,
                Some('x') => &mut self.flags.comments,
                Some('U') => &mut self.flags.unicode,
                Some(')' | ':') => return Ok(()),
                _ => return Err(self.error_here("Unknown inline modifier")),
            };
            *flag = on;
            self.at += 1;
        }
    }
}

/// Writes a character so that it stands for itself, in a class too.
pub(super) fn push_escaped(out: &mut String, literal: char) {
    if literal.is_ascii_punctuation() {
        out.push('\\');
        out.push(literal);
    } else if literal.is_ascii() && !literal.is_ascii_alphanumeric() {
        out.push_str(&format!(r"\x{{{:x}}}", u32::from(literal)));
    } else {
        out.push(literal);
    }
}

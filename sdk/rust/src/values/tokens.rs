//! Header text in tokens: delimiters one by one, and what stands between them.
//!
//! Follows `Values.Parser`, with its habit of passing blank tokens when it looks for something. Not here: what the tokens mean.

/// A reader of tokens. Positions count bytes; every delimiter is one.
pub(super) struct Tokens<'a> {
    original: &'a str,
    at: usize,
    next: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(original: &'a str) -> Self {
        Self { original, at: 0, next: None }
    }

    /// The whole text.
    pub(super) fn original(&self) -> &'a str {
        self.original
    }

    /// A place to come back to.
    pub(super) fn mark(&self) -> usize {
        self.at - self.next.map_or(0, str::len)
    }

    /// Goes back to a mark.
    pub(super) fn rewind_to(&mut self, mark: usize) {
        self.at = mark;
        self.next = None;
    }

    pub(super) fn has_next(&self) -> bool {
        self.next.is_some() || self.has_more()
    }

    fn has_more(&self) -> bool {
        self.at < self.original.len()
    }

    /// The next token; empty at the end.
    pub(super) fn next(&mut self) -> &'a str {
        match self.next.take() {
            Some(token) => token,
            None => self.consume(),
        }
    }

    /// The text of the next `count` tokens; none, and nothing passed, when there are fewer.
    pub(super) fn next_tokens(&mut self, count: usize) -> Option<&'a str> {
        let start = self.mark();
        for _ in 0..count {
            if !self.has_next() {
                self.rewind_to(start);
                return None;
            }
            self.next();
        }
        self.original.get(start..self.at)
    }

    /// Passes the next token if it is this one, blanks around it aside.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        let mut token = match self.next {
            Some(token) => token,
            None if self.has_more() => self.consume(),
            None => return false,
        };
        while trim(token).is_empty() && self.has_more() {
            token = self.consume();
        }
        let is_next = trim(token) == expected;
        self.next = (!is_next).then_some(token);
        is_next
    }

    /// Reads a token: one delimiter that is not escaped, or everything up to one.
    fn consume(&mut self) -> &'a str {
        let start = self.at;
        let mut escaped = false;
        for (place, byte) in self.original.bytes().enumerate().skip(start) {
            match byte {
                b'\\' => escaped = !escaped,
                b':' | b',' | b'{' | b'}' | b'[' | b']' | b'"' if !escaped => {
                    self.at = if place == start { start + 1 } else { place };
                    return self.original.get(start..self.at).unwrap_or_default();
                }
                _ => escaped = false,
            }
        }
        self.at = self.original.len();
        self.original.get(start..).unwrap_or_default()
    }
}

/// As Java's `trim`: without control characters and spaces at both ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|letter| letter <= ' ')
}

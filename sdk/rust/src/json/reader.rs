//! A reader that pulls JSON token by token and lends what stands in the text. It allocates nothing.
//!
//! The caller keeps the structure: after [`Token::Object`] it asks for [`Reader::member`] until there is none, after [`Token::Array`] for
//! [`Reader::element`]. Not here: CBOR.

use super::digits::{self, Digits};
use super::number::Number;
use super::scan::{self, Plain};
use super::{Error, Why};
use crate::short;

/// A scalar, or the start of an object or an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(Number<'a>),
    /// A string.
    Text(Text<'a>),
    /// `[`.
    Array,
    /// `{`.
    Object,
}

/// A string as it stands in the text, between its quotes. Held to JSON and UTF-8 already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The bytes between the quotes.
    pub raw: &'a str,
    /// Whether there is a backslash in it.
    pub escaped: bool,
}

impl Text<'_> {
    /// Appends the string that it means. Half a surrogate pair becomes U+FFFD.
    pub fn decode(&self, out: &mut Vec<u8>) {
        if !self.escaped {
            return out.extend_from_slice(self.raw.as_bytes());
        }
        let mut rest = self.raw;
        while let Some((plain, after)) = rest.split_once('\\') {
            out.extend_from_slice(plain.as_bytes());
            rest = decode_escape(after, out);
        }
        out.extend_from_slice(rest.as_bytes());
    }

    /// Whether it means this string.
    pub fn is(&self, text: &str) -> bool {
        if !self.escaped {
            return self.raw == text;
        }
        let mut decoded = Vec::with_capacity(self.raw.len());
        self.decode(&mut decoded);
        decoded == text.as_bytes()
    }
}

/// Appends what an escape means and gives what follows it.
fn decode_escape<'a>(after: &'a str, out: &mut Vec<u8>) -> &'a str {
    let mut chars = after.chars();
    let plain = match chars.next() {
        Some('u') => return decode_unicode(chars.as_str(), out),
        Some('b') => 8,
        Some('f') => 12,
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('t') => b'\t',
        Some(other) => other as u8,
        None => return "",
    };
    out.push(plain);
    chars.as_str()
}

fn decode_unicode<'a>(digits: &'a str, out: &mut Vec<u8>) -> &'a str {
    let unit = |digits: &str| digits.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let first = unit(digits).unwrap_or(0);
    let rest = digits.get(4..).unwrap_or_default();
    let second = rest.strip_prefix("\\u").and_then(unit);
    if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (first, second) {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00);
        push(out, char::from_u32(code));
        return rest.get(6..).unwrap_or_default();
    }
    push(out, char::from_u32(first));
    rest
}

fn push(out: &mut Vec<u8>, code: Option<char>) {
    let code = code.unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
}

/// A place in JSON text.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the start of this text, behind a byte order mark.
    pub fn new(text: &'a [u8]) -> Self {
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { text, at }
    }

    /// How many bytes are behind it.
    #[inline]
    pub fn position(&self) -> usize {
        self.at
    }

    /// The whole text.
    pub(super) fn whole(&self) -> &'a [u8] {
        self.text
    }

    /// The text from a position to here.
    pub fn since(&self, start: usize) -> &'a [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Passes these bytes, if they stand right here: for text that is known to look the same from row to row.
    #[inline]
    pub fn take(&mut self, expected: &[u8]) -> bool {
        let here = self.text.get(self.at..).is_some_and(|rest| short::starts_with(rest, expected));
        if here {
            self.at += expected.len();
        }
        here
    }

    /// The next byte that is not white space, which is not passed; none at the end.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        // Most texts have no blanks, and each turn of a loop is looked at by whoever holds plugins to their time.
        match self.text.get(self.at) {
            Some(&byte) if byte > b' ' => Some(byte),
            _ => self.peek_behind_blanks(),
        }
    }

    fn peek_behind_blanks(&mut self) -> Option<u8> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// The byte right here.
    pub(super) fn here(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[cold]
    pub(super) fn unexpected(&self) -> Error {
        match self.here() {
            Some(byte) => Error::new(Why::Unexpected(byte), self.at),
            None => Error::new(Why::EndOfInput, self.at),
        }
    }

    /// Reads a token: a scalar wholly, of an object or an array the start.
    #[inline]
    pub fn token(&mut self) -> Result<Token<'a>, Error> {
        match self.peek() {
            Some(b'"') => self.text().map(Token::Text),
            Some(b'{') => {
                self.at += 1;
                Ok(Token::Object)
            }
            Some(b'[') => {
                self.at += 1;
                Ok(Token::Array)
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(Token::Number),
            Some(b't') => self.word(b"true", Token::Boolean(true)),
            Some(b'f') => self.word(b"false", Token::Boolean(false)),
            Some(b'n') => self.word(b"null", Token::Null),
            _ => Err(self.unexpected()),
        }
    }

    #[inline]
    fn word(&mut self, word: &[u8], token: Token<'a>) -> Result<Token<'a>, Error> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(token);
        }
        self.at += rest.iter().zip(word).take_while(|(found, wanted)| found == wanted).count();
        Err(self.unexpected())
    }

    /// The name of an object's next member, behind its colon; none behind the object's end. `first` on the first call.
    #[inline]
    pub fn member(&mut self, first: bool) -> Result<Option<Text<'a>>, Error> {
        if !self.has_member(first)? {
            return Ok(None);
        }
        let name = self.text()?;
        self.colon()?;
        Ok(Some(name))
    }

    /// Goes to the name of an object's next member; false behind the object's end.
    #[inline]
    pub(super) fn has_member(&mut self, first: bool) -> Result<bool, Error> {
        if self.closes(b'}', first)? {
            return Ok(false);
        }
        if self.peek() == Some(b'"') { Ok(true) } else { Err(self.unexpected()) }
    }

    /// Passes the colon behind a member's name.
    #[inline]
    pub(super) fn colon(&mut self) -> Result<(), Error> {
        if self.peek() != Some(b':') {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    /// Whether an array has a next element, which the caller reads then; false behind the array's end. `first` on the first call.
    #[inline]
    pub fn element(&mut self, first: bool) -> Result<bool, Error> {
        Ok(!self.closes(b']', first)?)
    }

    /// Passes the closing bracket, or the comma before another element.
    #[inline]
    pub(super) fn closes(&mut self, bracket: u8, first: bool) -> Result<bool, Error> {
        match self.peek() {
            Some(byte) if byte == bracket => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if first => Ok(false),
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Steps over one value, holding it to JSON, and hands out its text.
    pub fn skip(&mut self) -> Result<&'a [u8], Error> {
        self.peek();
        let start = self.at;
        self.skip_value(0)?;
        Ok(self.since(start))
    }

    fn skip_value(&mut self, depth: usize) -> Result<(), Error> {
        if depth > super::DEPTH_MAX {
            return Err(Error::new(Why::Depth, self.at));
        }
        let mut first = true;
        match self.token()? {
            Token::Object => {
                while self.member(std::mem::take(&mut first))?.is_some() {
                    self.skip_value(depth + 1)?;
                }
            }
            Token::Array => {
                while self.element(std::mem::take(&mut first))? {
                    self.skip_value(depth + 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads a string, from its first quote.
    #[inline]
    fn text(&mut self) -> Result<Text<'a>, Error> {
        let (bytes, Plain { len, .. }) = self.plain_text();
        if bytes.get(len) != Some(&b'"') {
            return self.escaped_text();
        }
        let raw = bytes.get(..len).unwrap_or_default();
        // Names are short: telling ASCII apart would not pay.
        let raw = utf8(raw).map_err(|why| Error::new(why, self.at))?;
        self.at += len + 2;
        Ok(Text { raw, escaped: false })
    }

    /// What stands behind a string's first quote, and how far it is plain.
    #[inline]
    pub(super) fn plain_text(&self) -> (&'a [u8], Plain) {
        let bytes = self.text.get(self.at + 1..).unwrap_or_default();
        (bytes, scan::plain(bytes))
    }

    /// Steps over this many bytes.
    #[inline]
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    #[cold]
    pub(super) fn escaped_text(&mut self) -> Result<Text<'a>, Error> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            at += scan::plain(rest).len;
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += self.escape_len(at)?,
                Some(&control) => return Err(Error::new(Why::Control(control), at)),
                None => return Err(Error::new(Why::EndOfInput, at)),
            }
        }
        let raw = self.text.get(start..at).unwrap_or_default();
        let raw = utf8(raw).map_err(|why| Error::new(why, start))?;
        self.at = at + 1;
        Ok(Text { raw, escaped: true })
    }

    fn escape_len(&self, at: usize) -> Result<usize, Error> {
        match self.text.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(b'u') => {
                let digits = self.text.get(at + 2..at + 6);
                match digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    true => Ok(6),
                    false => Err(Error::new(Why::Escape, at)),
                }
            }
            Some(_) => Err(Error::new(Why::Escape, at)),
            None => Err(Error::new(Why::EndOfInput, at)),
        }
    }

    /// Reads a number, from its sign or first digit.
    #[inline]
    pub(super) fn number(&mut self) -> Result<Number<'a>, Error> {
        let start = self.at;
        if self.here() == Some(b'-') {
            self.at += 1;
        }
        let mut value = 0_u64;
        let mut digits = self.digits(&mut value)?;
        let mut places = 0;
        if self.here() == Some(b'.') {
            self.at += 1;
            places = self.digits(&mut value)?;
            digits += places;
        }
        let mut exponent = false;
        if let Some(b'e' | b'E') = self.here() {
            self.at += 1;
            exponent = true;
            if let Some(b'+' | b'-') = self.here() {
                self.at += 1;
            }
            self.digits(&mut 0)?;
        }
        // 19 digits always fit 64 bits.
        let small = (digits <= 19).then_some(value);
        Ok(Number {
            text: self.since(start),
            small,
            integral: places == 0 && !exponent,
            places,
            exponent,
        })
    }

    /// Passes digits, at least one, and gives their number.
    #[inline(always)]
    fn digits(&mut self, value: &mut u64) -> Result<usize, Error> {
        let start = self.at;
        // Most numbers end in the first eight bytes: the loop is for the others.
        if !self.some_digits(value) {
            self.more_digits(value);
        }
        self.digits_since(start)
    }

    fn more_digits(&mut self, value: &mut u64) {
        while !self.some_digits(value) {}
    }

    /// Passes up to eight digits; whether they were the last.
    #[inline(always)]
    fn some_digits(&mut self, value: &mut u64) -> bool {
        let Some(chunk) = self.text.get(self.at..).and_then(|rest| rest.first_chunk()) else {
            self.last_digits(value);
            return true;
        };
        let Digits { count, number } = digits::at_start(chunk);
        *value = value.wrapping_mul(digits::power(count)).wrapping_add(number);
        self.at += count;
        count < chunk.len()
    }

    /// Passes digits among the last bytes of the text.
    fn last_digits(&mut self, value: &mut u64) {
        while let Some(&byte) = self.text.get(self.at) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
    }

    #[inline]
    fn digits_since(&self, start: usize) -> Result<usize, Error> {
        if self.at == start { Err(self.unexpected()) } else { Ok(self.at - start) }
    }
}

#[inline]
fn utf8(bytes: &[u8]) -> Result<&str, Why> {
    std::str::from_utf8(bytes).map_err(|_| Why::Utf8)
}

//! Splits what is read into lines: at `\n`, `\r\n` or a `\r` before anything else. Not here: files.

use std::io::Read;

/// How much is read at once: large enough that the call costs little per line, small enough for a cache.
const CHUNK: usize = 256 * 1024;

/// Bytes that were read and not yet handed out as lines. A line longer than the buffer makes it grow.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// What is not yet handed out lies between these.
    start: usize,
    end: usize,
    /// Up to where no line end was found.
    searched: usize,
}

/// A line without its end, and how many bytes it took with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) taken: usize,
}

impl Lines {
    /// The next whole line. A line whose end may still be on its way is not handed out.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Line<'_>> {
        let unread = self.buffer.get(self.searched..self.end).unwrap_or_default();
        let Some(found) = memchr::memchr2(b'\n', b'\r', unread) else {
            self.searched = self.end;
            return None;
        };
        let (start, until) = (self.start, self.searched + found);
        let taken = match (self.buffer.get(until), self.buffer.get(until + 1)) {
            (Some(b'\r'), _) if until + 1 >= self.end => {
                // Whether `\n` follows, the next bytes tell.
                self.searched = until;
                return None;
            }
            (Some(b'\r'), Some(b'\n')) => until + 2 - start,
            _ => until + 1 - start,
        };
        self.start += taken;
        self.searched = self.start;
        let text = self.buffer.get(start..until).unwrap_or_default();
        Some(Line { text, taken })
    }

    /// Reads more, and says how much; 0 at the end of what is there.
    pub(crate) fn fill(&mut self, from: &mut impl Read) -> std::io::Result<usize> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < self.end + CHUNK {
            self.buffer.resize((2 * self.buffer.len()).max(self.end + CHUNK), 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = from.read(room)?;
        self.end += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out the text in pieces of this size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let piece = self.0.len().min(self.1).min(out.len());
            out[..piece].copy_from_slice(&self.0[..piece]);
            self.0 = &self.0[piece..];
            Ok(piece)
        }
    }

    fn check(text: &str, expected: &[(&str, usize)]) {
        for size in 1..=text.len().max(1) {
            let (mut lines, mut pieces) = (Lines::default(), Pieces(text.as_bytes(), size));
            let mut found = Vec::new();
            loop {
                while let Some(line) = lines.next() {
                    found.push((String::from_utf8(line.text.to_vec()).unwrap(), line.taken));
                }
                if lines.fill(&mut pieces).unwrap() == 0 {
                    break;
                }
            }
            let found: Vec<_> = found.iter().map(|(text, taken)| (text.as_str(), *taken)).collect();
            assert_eq!(found, expected, "{text:?} in pieces of {size}");
        }
    }

    #[test]
    fn lines_end_at_line_feed_carriage_return_or_both_whatever_the_pieces() {
        check("", &[]);
        check("a", &[]);
        check("a\n", &[("a", 2)]);
        check("a\nb", &[("a", 2)]);
        check("\n\n", &[("", 1), ("", 1)]);
        check("a\r\nb\r\n", &[("a", 3), ("b", 3)]);
        check("a\rb\r\rc\n", &[("a", 2), ("b", 2), ("", 1), ("c", 2)]);
        check("naïve\n", &[("naïve", 7)]);
    }

    #[test]
    fn a_carriage_return_at_the_end_waits_for_what_follows() {
        check("a\r", &[]);
        check("a\nb\r", &[("a", 2)]);
    }

    #[test]
    fn a_line_longer_than_a_chunk_is_whole() {
        let long = "x".repeat(3 * CHUNK + 7);
        let mut text = long.clone().into_bytes();
        text.extend_from_slice(b"\nshort\n");
        let (mut lines, mut from) = (Lines::default(), text.as_slice());
        let mut found = Vec::new();
        loop {
            while let Some(line) = lines.next() {
                found.push(line.text.len());
            }
            if lines.fill(&mut from).unwrap() == 0 {
                break;
            }
        }
        assert_eq!(found, [long.len(), 5]);
    }
}

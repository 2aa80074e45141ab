//! Dead letters that the producer does not have yet, and how much memory they take.
//!
//! Not here: sending them.

use std::collections::VecDeque;

use super::Letter;

/// Memory of waiting letters, in bytes, from which on they are sent before more come: each is a copy of its record, and all records of a batch
/// may be bad. As much as may be on its way at a time.
const BYTES_MAX: usize = 1 << 20;

/// Letters that wait, in order.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    letters: VecDeque<Letter>,
    /// What these take.
    bytes: usize,
}

impl Waiting {
    pub(super) fn push(&mut self, letter: Letter) {
        self.bytes += letter.memory();
        self.letters.push_back(letter);
    }

    /// Takes the letter that has waited longest.
    pub(super) fn pop(&mut self) -> Option<Letter> {
        let letter = self.letters.pop_front()?;
        self.bytes -= letter.memory();
        Some(letter)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Letter> {
        self.letters.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Whether they should be sent before more come.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use tombolo_kafka::ConsumedBatch;
    use tombolo_model::Column;

    use super::*;

    fn letter(header: &[u8], value: &[u8]) -> Letter {
        let column = |row: &[u8]| {
            let mut column = Column::default();
            column.push(row);
            column
        };
        let consumed = ConsumedBatch {
            rows: 1,
            topics: vec!["t".into()],
            topic: vec![0],
            partition: vec![0],
            offset: vec![7],
            value: column(value),
            header_ends: vec![1],
            header_names: column(header),
            header_values: column(b""),
            ..ConsumedBatch::default()
        };
        Letter::of_consumed(&consumed, 0).unwrap()
    }

    #[test]
    fn it_is_full_by_what_the_letters_take_also_when_they_say_nothing() {
        let full = |letter: &Letter| {
            let mut waiting = Waiting::default();
            let mut count = 0;
            while !waiting.is_full() {
                waiting.push(letter.clone());
                count += 1;
            }
            assert_eq!(waiting.iter().count(), count);
            for _ in 0..count {
                assert_eq!(waiting.pop().as_ref(), Some(letter));
            }
            assert_eq!((waiting.pop(), waiting.is_empty(), waiting.bytes), (None, true, 0));
            count
        };
        assert_eq!(full(&letter(b"h", &[b'v'; BYTES_MAX])), 1);
        assert_eq!(full(&letter(&[b'h'; BYTES_MAX / 4], b"")), 4);
        let count = full(&letter(b"", b""));
        assert!((100..20_000).contains(&count), "{count}");
    }
}

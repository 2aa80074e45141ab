//! Keys that are pressed.
//!
//! Not here: what they do (`table`).

use std::io::Read as _;

use tokio::sync::mpsc;

/// Keys that may wait; who presses more at once can press them again.
const KEYS_MAX: usize = 64;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Refresh,
    Up,
    Down,
    PageUp,
    PageDown,
    Letter(char),
}

/// Reads keys from the terminal, on a thread that ends with the process.
pub(super) fn read() -> mpsc::Receiver<Key> {
    let (sender, keys) = mpsc::channel(KEYS_MAX);
    std::thread::spawn(move || {
        let mut bytes = [0; 64];
        while let Ok(count) = std::io::stdin().read(&mut bytes) {
            let pressed = bytes.get(..count).unwrap_or_default();
            if count == 0
                || parse(pressed).into_iter().any(|key| sender.blocking_send(key).is_err())
            {
                return;
            }
        }
    });
    keys
}

/// Keys in what the terminal sent at once.
fn parse(mut bytes: &[u8]) -> Vec<Key> {
    const SEQUENCES: [(&[u8], Key); 6] = [
        (b"\x1b[A", Key::Up),
        (b"\x1b[B", Key::Down),
        (b"\x1bOA", Key::Up),
        (b"\x1bOB", Key::Down),
        (b"\x1b[5~", Key::PageUp),
        (b"\x1b[6~", Key::PageDown),
    ];
    let mut keys = Vec::new();
    while let [first, rest @ ..] = bytes {
        if let Some((sequence, key)) =
            SEQUENCES.iter().find(|(sequence, _)| bytes.starts_with(sequence))
        {
            keys.push(*key);
            bytes = bytes.get(sequence.len()..).unwrap_or_default();
            continue;
        }
        match first {
            // Ctrl-C, and `q` as in `top`.
            0x03 | b'q' => keys.push(Key::Quit),
            b' ' | b'\r' | b'\n' => keys.push(Key::Refresh),
            // Another key's sequence: nothing in it means what it says.
            0x1b => return keys,
            letter if letter.is_ascii_graphic() => keys.push(Key::Letter(char::from(*letter))),
            _ => {}
        }
        bytes = rest;
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_are_sequences_and_everything_else_a_letter() {
        let arrows = [Key::Up, Key::Down, Key::PageDown, Key::Letter('m')];
        assert_eq!(parse(b"\x1b[A\x1bOB\x1b[6~m"), arrows);
        assert_eq!(parse(b"c\x03"), [Key::Letter('c'), Key::Quit]);
        assert_eq!(parse(b" q\xff"), [Key::Refresh, Key::Quit]);
        assert_eq!(parse(b"\x1b[24~q"), [], "a function key quits nothing");
    }
}

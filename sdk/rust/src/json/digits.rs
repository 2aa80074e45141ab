//! Decimal digits, eight at a time. Not here: numbers (`number`).

/// Digits at the start of eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digits {
    /// How many there are.
    pub(super) count: usize,
    /// What they stand for.
    pub(super) number: u64,
}

/// Ten to the power of up to eight.
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Ten to the power of a count of digits.
#[inline]
pub(super) fn power(count: usize) -> u64 {
    POWERS.get(count).copied().unwrap_or(0)
}

/// Reads the digits that eight bytes begin with: all in one word, the first in its lowest byte.
#[inline]
pub(super) fn at_start(chunk: &[u8; 8]) -> Digits {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let digits = u64::from_le_bytes(*chunk) ^ (EACH * 0x30);
    // The highest bit of a byte is set where it is above 9, up to the first such byte; what is carried over it does not matter.
    let others = (digits.wrapping_add(EACH * 0x76) | digits) & (EACH * 0x80);
    let bits = others.trailing_zeros() & !7;
    if bits == 0 {
        return Digits { count: 0, number: 0 };
    }
    // Zeros before the first digit, to make eight; then pairs, then fours, then all are put together.
    let eight = digits << (64 - bits);
    let pairs = (eight.wrapping_mul(10 * 256 + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 * 65_536 + 1) >> 16) & 0x0000_ffff_0000_ffff;
    let number = fours.wrapping_mul((10_000 << 32) + 1) >> 32;
    Digits { count: (bits / 8) as usize, number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_end_at_any_byte_that_is_none() {
        for end in 0..=u8::MAX {
            for count in 0..=8 {
                let mut chunk = *b"90817263";
                if let Some(byte) = chunk.get_mut(count) {
                    *byte = end;
                }
                let text: String = chunk
                    .iter()
                    .map(|&byte| byte as char)
                    .take_while(char::is_ascii_digit)
                    .collect();
                let number = text.parse().unwrap_or(0);
                assert_eq!(at_start(&chunk), Digits { count: text.len(), number }, "{chunk:?}");
            }
        }
    }

    #[test]
    fn every_digit_counts_at_every_place() {
        for place in 0..8 {
            for digit in 0..=9 {
                let mut chunk = [b'0'; 8];
                chunk[place] = b'0' + digit;
                let number = u64::from(digit) * power(7 - place);
                assert_eq!(at_start(&chunk), Digits { count: 8, number });
            }
        }
    }
}

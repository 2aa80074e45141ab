//! Numbers in JSON text. Not here: what a converter makes of them.

/// A number as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a> {
    /// Its text: sign, digits, point, exponent, and no other byte.
    pub(super) text: &'a [u8],
    /// The digits without sign and point, where they are few enough to be exact.
    pub(super) small: Option<u64>,
    /// Whether it has neither point nor exponent.
    pub integral: bool,
    /// Digits after the point.
    pub(super) places: usize,
    /// Whether it has an exponent.
    pub(super) exponent: bool,
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

impl<'a> Number<'a> {
    /// Its text: sign, digits, point, exponent.
    pub fn text(&self) -> &'a str {
        std::str::from_utf8(self.text).unwrap_or_default()
    }

    /// Whether it has a minus.
    #[inline]
    pub fn is_negative(&self) -> bool {
        self.text.first() == Some(&b'-')
    }

    /// An integer's low 64 bits, as Java's `BigInteger.longValue` gives them; 0 for a number with a point or an exponent.
    #[inline]
    pub fn to_i64(&self) -> i64 {
        let magnitude = match self.small {
            Some(small) => small,
            None => {
                self.text.iter().filter(|byte| byte.is_ascii_digit()).fold(0_u64, |value, digit| {
                    value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
                })
            }
        };
        let value = magnitude.cast_signed();
        if self.is_negative() { value.wrapping_neg() } else { value }
    }

    /// The nearest double, as Java's `BigDecimal.doubleValue` gives it: zero has no sign.
    #[inline]
    pub fn to_f64(&self) -> f64 {
        let value = match (self.small, POWERS.get(self.places)) {
            // Exact operands, so that one correctly rounded division is the nearest double.
            (Some(small), Some(power)) if !self.exponent && small <= 1 << 53 => {
                let value = small as f64 / power;
                if self.is_negative() { -value } else { value }
            }
            _ => self.text().parse().unwrap_or(f64::NAN),
        };
        if value == 0.0 { 0.0 } else { value }
    }
}

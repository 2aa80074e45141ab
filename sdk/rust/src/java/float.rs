//! `Double.toString` and `Float.toString` as OpenJDK 17 has them.
//!
//! JDK 17 generates digits until they tell the number from its neighbours, which is not always the shortest text. Most numbers have few digits, for
//! which both agree: those take a short way. Follows `jdk.internal.math.FloatingDecimal` in what it prints.

use crate::itoa;

/// Largest number of digits for which the short way is exact: such a number is never on the border between two doubles.
const SHORT_DIGITS_BELOW: f64 = 1e15;

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// As `Double.toString`.
pub fn double_to_string(value: f64) -> String {
    let mut out = Vec::with_capacity(24);
    write_double(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}

/// As `Float.toString`.
pub fn float_to_string(value: f32) -> String {
    let mut out = Vec::with_capacity(16);
    write_float(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends what `Double.toString` gives.
///
/// Cost: some multiplications for a number of few digits; long division for one of many.
pub fn write_double(out: &mut Vec<u8>, value: f64) {
    if special(out, value) {
        return;
    }
    let value = value.abs();
    if let Some((digits, power, places)) = short(value) {
        return write_short(out, digits, power, places);
    }
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    write_long(out, Binary::of(exponent, fraction, 52, 1023));
}

/// Appends what `Float.toString` gives. Cost: as [`write_double`].
pub fn write_float(out: &mut Vec<u8>, value: f32) {
    if special(out, value.into()) {
        return;
    }
    let bits = value.abs().to_bits();
    let (exponent, fraction) = ((bits >> 23) as i32, u64::from(bits & ((1 << 23) - 1)));
    write_long(out, Binary::of(exponent, fraction, 23, 127));
}

/// Writes the sign, and all of what is no finite number or zero.
fn special(out: &mut Vec<u8>, value: f64) -> bool {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return true;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let text: &[u8] = match value.abs() {
        0.0 => b"0.0",
        f64::INFINITY => b"Infinity",
        _ => return false,
    };
    out.extend_from_slice(text);
    true
}

/// The number as `digits / power` with few digits, when it has a form of that kind between 0.001 and 10,000,000; the power of ten also as its number
/// of zeros.
fn short(value: f64) -> Option<(u64, u64, usize)> {
    if !(1e-3..1e7).contains(&value) {
        return None;
    }
    for (places, power) in POWERS.iter().enumerate() {
        let scaled = value * power;
        if scaled >= SHORT_DIGITS_BELOW {
            return None;
        }
        let digits = scaled.round_ties_even();
        if digits / power == value {
            return Some((digits as u64, *power as u64, places));
        }
    }
    None
}

fn write_short(out: &mut Vec<u8>, digits: u64, power: u64, places: usize) {
    itoa::write(out, digits / power);
    out.push(b'.');
    itoa::write_padded(out, digits % power, places.max(1));
}

/// A number as its significant bits and the power of two of the first of them.
#[derive(Clone, Copy)]
struct Binary {
    /// The bits, without zeros at the end.
    bits: u64,
    /// How many they are.
    len: i32,
    /// Power of two of the first bit.
    exponent: i32,
    /// How many bits the format gives this number.
    precision: i32,
    /// The number as a double's significand, for the estimate.
    fraction: f64,
}

impl Binary {
    fn of(biased: i32, fraction: u64, width: i32, bias: i32) -> Self {
        let (bits, exponent, precision) = if biased == 0 {
            let len = 64 - fraction.leading_zeros() as i32;
            (fraction, len - width - bias, len)
        } else {
            (fraction | 1 << width, biased - bias, width + 1)
        };
        let first = bits.leading_zeros();
        let fraction = f64::from_bits(0x3ff0_0000_0000_0000 | (bits << first << 1) >> 12);
        let bits = bits >> bits.trailing_zeros();
        let len = 64 - bits.leading_zeros() as i32;
        Self { bits, len, exponent, precision, fraction }
    }

    /// Bits after the binary point.
    fn places(self) -> i32 {
        (self.len - self.exponent - 1).max(0)
    }

    /// The power of ten of the first digit, or one more. Java's straight line under the logarithm, with its numbers.
    #[expect(clippy::approx_constant, reason = "Java's constant, with its digits")]
    fn estimate(self) -> i32 {
        let log = (self.fraction - 1.5) * 0.289_529_654
            + 0.176_091_259
            + f64::from(self.exponent) * 0.301_029_995_663_981;
        log.floor() as i32
    }
}

fn write_long(out: &mut Vec<u8>, number: Binary) {
    let (digits, exponent) = if number.places() == 0 && number.exponent <= 62 {
        integer_digits(number)
    } else {
        let exact = generate(number);
        (exact.digits, exact.exponent)
    };
    layout(out, &digits, exponent);
}

/// Digits of a number without fraction, below 2^63: those that its precision does not reach are rounded away.
fn integer_digits(number: Binary) -> (Vec<u8>, i32) {
    let mut value = number.bits << (number.exponent + 1 - number.len);
    let mut exponent = 0;
    let unreached = number.exponent - number.precision;
    if unreached > 1 {
        // Decimal digits within a power of two.
        let insignificant = (f64::from(unreached - 1) * std::f64::consts::LOG10_2).floor() as u32;
        let power = 10_u64.pow(insignificant);
        let residue = value % power;
        value = value / power + u64::from(insignificant > 0 && residue >= power / 2);
        exponent = insignificant as i32;
    }
    let mut digits = Vec::with_capacity(20);
    itoa::write(&mut digits, value);
    let exponent = exponent + digits.len() as i32;
    let end = digits.iter().rposition(|&digit| digit != b'0').map_or(1, |last| last + 1);
    digits.truncate(end);
    (digits, exponent)
}

struct Digits {
    digits: Vec<u8>,
    /// Power of ten of the point: 0 stands before the first digit.
    exponent: i32,
}

/// Digits one by one until they tell the number from its neighbours, then rounded.
fn generate(number: Binary) -> Digits {
    let mut estimate = number.estimate();
    let places = number.places();
    let fives = (-estimate).max(0);
    let tens = estimate.max(0);
    // The number is `b / s`, half the distance to its neighbour `m / s`; twos are added up apart.
    let mut s_twos = tens + places;
    let whole = fives + places + number.exponent;
    let mut b_twos = whole - (number.len - 1);
    let mut m_twos = whole - number.precision;
    let common = b_twos.min(s_twos);
    b_twos -= common;
    s_twos -= common;
    m_twos -= common;
    if number.len == 1 {
        m_twos -= 1; // A power of two is nearer to the number below it.
    }
    if m_twos < 0 {
        b_twos -= m_twos;
        s_twos -= m_twos;
        m_twos = 0;
    }
    let mut b = Natural::of(number.bits).times_five(fives).shifted(b_twos);
    let s = Natural::of(1).times_five(tens).shifted(s_twos);
    let mut m = Natural::of(1).times_five(fives).shifted(m_twos);
    // Java compares strictly where 64 bits are enough for it, and not where it needs its big integers.
    let strict =
        number.len + b_twos + five_bits(fives) < 64 && s_twos + 1 + five_bits(tens + 1) < 64;
    let ten_s = s.clone().times_small(10);
    let mut digits = Vec::with_capacity(20);
    let (mut low, mut high);
    let step = |b: &mut Natural, m: &mut Natural| {
        let digit = b.divide_digit(&s);
        *b = std::mem::take(b).times_small(10);
        *m = std::mem::take(m).times_small(10);
        let low = *b < *m;
        let reach = b.plus(m);
        (digit, low, if strict { reach > ten_s } else { reach >= ten_s })
    };
    let (digit, first_low, first_high) = step(&mut b, &mut m);
    (low, high) = (first_low, first_high);
    if digit == 0 && !high {
        estimate -= 1;
    } else {
        digits.push(b'0' + digit);
    }
    if !(-3..8).contains(&estimate) {
        (low, high) = (false, false); // Two digits at least in scientific notation.
    }
    while !low && !high {
        let digit;
        (digit, low, high) = step(&mut b, &mut m);
        digits.push(b'0' + digit);
    }
    let exponent = estimate + 1;
    let half = b.times_small(2).cmp(&ten_s);
    let odd = digits.last().is_some_and(|digit| digit % 2 == 1);
    let up = high && (!low || half.is_gt() || (half.is_eq() && odd));
    if up { round_up(digits, exponent) } else { Digits { digits, exponent } }
}

fn round_up(mut digits: Vec<u8>, exponent: i32) -> Digits {
    for digit in digits.iter_mut().rev() {
        if *digit != b'9' {
            *digit += 1;
            return Digits { digits, exponent };
        }
        *digit = b'0';
    }
    if let Some(first) = digits.first_mut() {
        *first = b'1';
    }
    Digits { digits, exponent: exponent + 1 }
}

/// Bits of a power of five.
fn five_bits(power: i32) -> i32 {
    // 2.33 is above the logarithm of five, and close enough for the powers that fit 64 bits.
    if power == 0 { 0 } else { (f64::from(power) * 5_f64.log2()).floor() as i32 + 1 }
}

/// Digits in Java's layout: plain from 0.001 to 10,000,000, else scientific.
fn layout(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    match exponent {
        1..8 => {
            let whole = exponent as usize;
            let split = whole.min(digits.len());
            let (before, after) = digits.split_at(split);
            out.extend_from_slice(before);
            out.resize(out.len() + whole - split, b'0');
            out.push(b'.');
            out.extend_from_slice(if after.is_empty() { b"0" } else { after });
        }
        -2..1 => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + exponent.unsigned_abs() as usize, b'0');
            out.extend_from_slice(digits);
        }
        _ => {
            let (first, rest) = digits.split_at(1.min(digits.len()));
            out.extend_from_slice(first);
            out.push(b'.');
            out.extend_from_slice(if rest.is_empty() { b"0" } else { rest });
            out.push(b'E');
            itoa::write_signed(out, i64::from(exponent) - 1);
        }
    }
}

/// A natural number of any size, in limbs of 32 bits, the lowest first, without zeros at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Natural(Vec<u32>);

impl Natural {
    fn of(value: u64) -> Self {
        Self(vec![value as u32, (value >> 32) as u32]).trimmed()
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    fn times_small(mut self, factor: u32) -> Self {
        let mut carry = 0_u64;
        for limb in &mut self.0 {
            let product = u64::from(*limb) * u64::from(factor) + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        self.0.push(carry as u32);
        self.trimmed()
    }

    fn times_five(mut self, mut power: i32) -> Self {
        while power > 0 {
            let step = power.min(13);
            self = self.times_small(5_u32.pow(step as u32));
            power -= step;
        }
        self
    }

    fn shifted(mut self, bits: i32) -> Self {
        let (limbs, bits) = (bits / 32, bits % 32);
        self = self.times_small(1 << bits);
        if !self.0.is_empty() {
            drop(self.0.splice(0..0, std::iter::repeat_n(0, limbs as usize)));
        }
        self
    }

    fn plus(&self, other: &Self) -> Self {
        let mut sum = Vec::with_capacity(self.0.len().max(other.0.len()) + 1);
        let mut carry = 0_u64;
        for place in 0..self.0.len().max(other.0.len()) {
            let limb = |number: &Self| u64::from(number.0.get(place).copied().unwrap_or(0));
            carry += limb(self) + limb(other);
            sum.push(carry as u32);
            carry >>= 32;
        }
        sum.push(carry as u32);
        Self(sum).trimmed()
    }

    /// Leaves the remainder, and gives the quotient, which is a digit.
    fn divide_digit(&mut self, divisor: &Self) -> u8 {
        let mut quotient = 0;
        while *self >= *divisor {
            let mut borrow = 0_i64;
            for (place, limb) in self.0.iter_mut().enumerate() {
                let minus = i64::from(divisor.0.get(place).copied().unwrap_or(0));
                let difference = i64::from(*limb) - minus + borrow;
                *limb = difference as u32;
                borrow = difference >> 32;
            }
            *self = std::mem::take(self).trimmed();
            quotient += 1;
        }
        quotient
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let length = self.0.len().cmp(&other.0.len());
        length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

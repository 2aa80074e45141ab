//! Decimals as they stand in CBOR. Not here: how Java prints them (`java`).

/// A decimal: its unscaled value times ten to the power of `-scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal<'a> {
    /// Digits after the point; negative for zeros before it.
    pub scale: i32,
    /// The number without its point.
    pub unscaled: Unscaled<'a>,
}

/// An integer of any size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unscaled<'a> {
    /// One that fits 64 bits.
    Int(i64),
    /// A larger one.
    Big {
        /// Whether the value is -1 less the bytes' number.
        negative: bool,
        /// A number from 0, big-endian.
        bytes: &'a [u8],
    },
}

impl Unscaled<'_> {
    /// Whether it is below 0.
    pub fn is_negative(&self) -> bool {
        match *self {
            Self::Int(value) => value < 0,
            Self::Big { negative, .. } => negative,
        }
    }

    /// Appends it as Java's `BigInteger.toByteArray` gives it: big-endian, in two's complement, as short as possible.
    pub fn twos_complement(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Int(value) => {
                let sign = if value < 0 { 0xff } else { 0 };
                shortest(&value.to_be_bytes(), sign, 0, out);
            }
            Self::Big { negative, bytes } => {
                let flip = if negative { 0xff } else { 0 };
                shortest(bytes, flip, flip, out);
            }
        }
    }

    /// Its absolute value, big-endian, possibly with zeros in front.
    pub fn magnitude(&self) -> Vec<u8> {
        match *self {
            Self::Int(value) => value.unsigned_abs().to_be_bytes().to_vec(),
            Self::Big { negative: false, bytes } => bytes.to_vec(),
            Self::Big { negative: true, bytes } => add_one(bytes),
        }
    }
}

/// Appends `bytes`, each flipped by `flip`, without the `sign` bytes in front that say nothing.
fn shortest(bytes: &[u8], sign: u8, flip: u8, out: &mut Vec<u8>) {
    let start = bytes.iter().position(|&byte| byte ^ flip != sign).unwrap_or(bytes.len());
    let digits = bytes.get(start..).unwrap_or_default();
    let top = digits.first().map(|&byte| byte ^ flip);
    if top.is_none_or(|top| (top ^ sign) >= 0x80) {
        out.push(sign);
    }
    out.extend(digits.iter().map(|&byte| byte ^ flip));
}

fn add_one(bytes: &[u8]) -> Vec<u8> {
    let mut sum = Vec::with_capacity(bytes.len() + 1);
    sum.push(0);
    sum.extend_from_slice(bytes);
    for byte in sum.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    sum
}

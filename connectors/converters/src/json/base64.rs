//! Base64 as Jackson decodes it. Not here: encoding, which is as everywhere.

use tombolo_sdk::base64::digit_value as value;

/// Appends the bytes that a text stands for; false when it is none, with a part of them appended.
///
/// Follows `Base64Variant.decode` of `MIME_NO_LINEFEEDS`: padding must be there, blanks may stand between groups of four, and a group may follow a padded one.
pub(super) fn read(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let mut rest = text;
    loop {
        while let [0..=b' ', after @ ..] = rest {
            rest = after;
        }
        let Some((group, after)) = rest.split_first_chunk::<4>() else {
            return rest.is_empty();
        };
        let (Some(first), Some(second)) = (value(group[0]), value(group[1])) else { return false };
        let head = first << 6 | second;
        match (group[2], group[3]) {
            (b'=', b'=') => out.push((head >> 4) as u8),
            (b'=', _) => return false,
            (third, last) => {
                let Some(third) = value(third) else { return false };
                let bits = head << 6 | third;
                match (last, value(last)) {
                    (b'=', _) => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
                    (_, Some(last)) => {
                        let [_, a, b, c] = (bits << 6 | last).to_be_bytes();
                        out.extend_from_slice(&[a, b, c]);
                    }
                    (_, None) => return false,
                }
            }
        }
        rest = after;
    }
}

//! The forms in which a value that must not be seen is looked for.
//!
//! A plugin that tells its settings seldom tells them as they are: it logs the header `Authorization`, a URL, a dump of bytes. Not here: the search.

use std::fmt::Write as _;

use zeroize::Zeroizing;

/// Longest value that is looked for in other forms than its own: passwords, tokens, keys. A longer one is found line by line.
const ENCODED_BYTES_MAX: usize = 4 << 10;

/// Fewest groups of three bytes that are looked for amid base64: four letters are found in any text.
const GROUPS_MIN: usize = 2;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// All forms of a value.
pub(super) fn of(value: &str) -> Vec<Zeroizing<String>> {
    let mut all: Vec<Zeroizing<String>> = Vec::new();
    all.extend(value.lines().map(|line| line.trim().to_owned().into()));
    let trimmed = value.trim();
    let both = if trimmed == value { &[value][..] } else { &[value, trimmed] };
    for value in both {
        all.push((*value).to_owned().into());
        all.extend(escaped(value));
        if value.len() <= ENCODED_BYTES_MAX {
            all.extend(in_urls(value));
            all.extend(in_bytes(value));
            all.extend(in_base64(value.as_bytes()));
        }
    }
    all
}

/// As texts of Rust, JSON and XML have it, without the quotes.
fn escaped(value: &str) -> [Zeroizing<String>; 5] {
    let rust = Zeroizing::new(format!("{value:?}"));
    let rust = rust.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
    let json = in_json(value, |char| char < ' ');
    let with_slashes = Zeroizing::new(json.replace('/', "\\/"));
    let in_ascii = in_json(value, |char| !(' '..='~').contains(&char));
    let mut xml = Zeroizing::new(String::with_capacity(value.len()));
    for char in value.chars() {
        match char {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&#39;"),
            char => xml.push(char),
        }
    }
    [rust.to_owned().into(), json, with_slashes, in_ascii, xml]
}

/// As JSON has it, with numbers for some letters, of which control characters must be.
fn in_json(value: &str, is_numbered: impl Fn(char) -> bool) -> Zeroizing<String> {
    let mut json = Zeroizing::new(String::with_capacity(value.len()));
    for char in value.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            char if is_numbered(char) => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    // Writing to a text does not fail.
                    write!(json, "\\u{unit:04x}").ok();
                }
            }
            char => json.push(char),
        }
    }
    json
}

/// As paths, queries and forms have it.
fn in_urls(value: &str) -> Vec<Zeroizing<String>> {
    let encoded = |kept: &[u8], space: &str, is_lower: bool| {
        let mut text = Zeroizing::new(String::with_capacity(value.len() * 3));
        for byte in value.bytes() {
            match byte {
                b' ' => text.push_str(space),
                kept_so if kept_so.is_ascii_alphanumeric() || kept.contains(&kept_so) => {
                    text.push(char::from(kept_so));
                }
                byte if is_lower => drop(write!(text, "%{byte:02x}")),
                byte => drop(write!(text, "%{byte:02X}")),
            }
        }
        text
    };
    let mut all = Vec::new();
    for is_lower in [false, true] {
        all.push(encoded(b"-._~", "%20", is_lower));
        all.push(encoded(b"-._*", "+", is_lower));
        all.push(encoded(b"-._~!'()*", "%20", is_lower));
    }
    all
}

/// As dumps and lists of bytes have it, in hexadecimal digits or in decimal ones.
fn in_bytes(value: &str) -> [Zeroizing<String>; 4] {
    let mut hexadecimal = Zeroizing::new(String::with_capacity(value.len() * 2));
    let mut listed = Zeroizing::new(String::with_capacity(value.len() * 5));
    for byte in value.bytes() {
        write!(hexadecimal, "{byte:02x}").ok();
        let comma = if listed.is_empty() { "" } else { ", " };
        write!(listed, "{comma}{byte}").ok();
    }
    let upper = Zeroizing::new(hexadecimal.to_ascii_uppercase());
    let close = Zeroizing::new(listed.replace(' ', ""));
    [hexadecimal, upper, listed, close]
}

/// As base64 has it: by itself, and amid other bytes, of which zero to two share its first letters.
fn in_base64(value: &[u8]) -> Vec<Zeroizing<String>> {
    let mut all = vec![groups(value)];
    for before in 0..3 {
        let own = value.get(before..).unwrap_or_default();
        let whole = own.len() / 3 * 3;
        if whole / 3 >= GROUPS_MIN {
            all.push(groups(own.get(..whole).unwrap_or_default()));
        }
    }
    let unpadded = |text: &Zeroizing<String>| Zeroizing::new(text.trim_end_matches('=').to_owned());
    all.extend(all.iter().map(unpadded).collect::<Vec<_>>());
    let in_urls =
        |text: &Zeroizing<String>| Zeroizing::new(text.replace('+', "-").replace('/', "_"));
    all.extend(all.iter().map(in_urls).collect::<Vec<_>>());
    all
}

fn groups(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            let index = usize::try_from(number >> (18 - 6 * place) & 63).unwrap_or(0);
            let letter = BASE64.get(index).copied().unwrap_or(b'A');
            text.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_forms_that_programs_write() {
        let forms = of("p@ss w/\"1?>");
        let has = |form: &str| assert!(forms.iter().any(|known| known.as_str() == form), "{form}");
        has("p@ss w/\"1?>");
        has(r#"p@ss w/\"1?>"#);
        has("p%40ss%20w%2F%221%3F%3E");
        has("p%40ss+w%2F%221%3F%3E");
        has("7040737320772f22313f3e");
        has("7040737320772F22313F3E");
        has("p%40ss%20w%2f%221%3f%3e");
        has("112, 64, 115, 115, 32, 119, 47, 34, 49, 63, 62");
        has("112,64,115,115,32,119,47,34,49,63,62");
        has(r#"p@ss w\/\"1?>"#);
        has("p@ss w/&quot;1?&gt;");
        has("cEBzcyB3LyIxPz4=");
        has("cEBzcyB3LyIxPz4");
        has("cEBzcyB3LyIxPz4".replace('/', "_").as_str());
    }

    #[test]
    fn letters_that_are_not_ascii_may_be_numbers_in_json() {
        let forms = of("käse-🧀");
        assert!(forms.iter().any(|form| form.as_str() == r"k\u00e4se-\ud83e\uddc0"));
    }

    #[test]
    fn a_value_amid_base64_is_found_at_each_place() {
        let value = "correct-horse";
        let forms = in_base64(value.as_bytes());
        for before in 0..6 {
            for after in 0..3 {
                let text = format!("{}{value}{}", "x".repeat(before), "y".repeat(after));
                let encoded = groups(text.as_bytes());
                let found = forms.iter().any(|form| encoded.contains(form.as_str()));
                assert!(found, "{before} {after}");
            }
        }
    }

    #[test]
    fn a_long_value_is_looked_for_as_it_is() {
        let long = "x".repeat(ENCODED_BYTES_MAX + 1);
        assert!(of(&long).iter().all(|form| form.len() <= long.len()));
    }
}

//! Names of properties: `\p{Alpha}`, `\p{IsLatin}`, `\p{javaLowerCase}`.
//!
//! Java's POSIX names mean ASCII; Unicode's categories, scripts and binary properties pass through. Blocks (`\p{InGreek}`) the other side does not know.

use super::Error;
use super::translate::Translation;

/// What `\p` names, as members of a class of the other dialect, and whether all others are meant; the `p` is read.
pub(super) fn property(of: &mut Translation) -> Result<(String, bool), Error> {
    let name = if of.take("{") {
        let mut name = String::new();
        loop {
            match of.next() {
                Some('}') => break name,
                Some(letter) => name.push(letter),
                None => return Err(of.error_here("Unclosed character family")),
            }
        }
    } else {
        let end = || of.error_here("Unknown character property name {\0}");
        of.peek().ok_or_else(end)?;
        of.next().unwrap_or_default().to_string()
    };
    if name.is_empty() {
        return Err(of.error("Empty character family"));
    }
    if let Some(members) = ascii(&name).or_else(|| java(&name)) {
        return Ok((members.to_owned(), false));
    }
    let unknown = || of.error(&format!("Unknown character property name {{{name}}}"));
    let unicode = match name.split_once('=') {
        Some((key, value)) => match key.to_ascii_lowercase().as_str() {
            "general_category" | "gc" | "script" | "sc" => value,
            _ => return Err(unknown()),
        },
        None => name.strip_prefix("Is").unwrap_or(&name),
    };
    let plain = !unicode.is_empty()
        && unicode.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    // Only the other side knows all names; a wrong one is its error, put in Java's words.
    if !plain || fancy_regex::Regex::new(&format!(r"\p{{{unicode}}}")).is_err() {
        return Err(unknown());
    }
    Ok((format!(r"\p{{{unicode}}}"), false))
}

fn ascii(name: &str) -> Option<&'static str> {
    Some(match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => r"\x{0}-\x{7f}",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => r"!-/:-@\[-`\{-~",
        "Graph" => "!-~",
        "Print" => r"\x{20}-~",
        "Blank" => r"\x{20}\t",
        "Cntrl" => r"\x{0}-\x{1f}\x{7f}",
        "XDigit" => "0-9a-fA-F",
        "Space" => r"\x{20}\t\n\x{b}\x{c}\r",
        _ => return None,
    })
}

fn java(name: &str) -> Option<&'static str> {
    Some(match name {
        "javaLowerCase" => r"\p{Lowercase}",
        "javaUpperCase" => r"\p{Uppercase}",
        "javaAlphabetic" => r"\p{Alphabetic}",
        "javaTitleCase" => r"\p{Lt}",
        "javaDigit" => r"\p{Nd}",
        "javaLetter" => r"\p{L}",
        "javaLetterOrDigit" => r"\p{L}\p{Nd}",
        "javaSpaceChar" => r"\p{Z}",
        "javaISOControl" => r"\x{0}-\x{1f}\x{7f}-\x{9f}",
        "javaWhitespace" => {
            r"\t-\r\x{1c}-\x{20}\x{1680}\x{2000}-\x{2006}\x{2008}-\x{200a}\x{2028}\x{2029}\x{205f}\x{3000}"
        }
        _ => return None,
    })
}

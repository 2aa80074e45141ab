//! What stands after a backslash.
//!
//! Not here: classes in brackets; names of properties (`property`).

use super::translate::{LINE_ENDS, Translation};
use super::{Error, property};

/// What an escape means.
pub(super) enum Escaped {
    /// This character.
    Literal(char),
    /// A set of characters: what stands in a class of the other dialect, without its brackets, and whether all others are meant.
    Set {
        /// The members.
        members: String,
        /// Whether the others are meant.
        negated: bool,
    },
    /// Something that only stands outside a class.
    Other(char),
}

/// Reads and writes an escape outside a class; the backslash is read.
pub(super) fn escape(of: &mut Translation) -> Result<(), Error> {
    if of.take("Q") {
        while let Some(literal) = of.peek() {
            if of.take("\\E") {
                return Ok(());
            }
            of.at += 1;
            of.literal(literal);
        }
        return Ok(());
    }
    match meaning(of)? {
        Escaped::Literal(literal) => of.literal(literal),
        Escaped::Set { members, negated } => {
            of.out.push_str(if negated { "[^" } else { "[" });
            of.out.push_str(&members);
            of.out.push(']');
        }
        Escaped::Other(letter) => other(of, letter)?,
    }
    Ok(())
}

fn other(of: &mut Translation, letter: char) -> Result<(), Error> {
    match letter {
        'A' => of.out.push_str(r"\A"),
        'z' => of.out.push_str(r"\z"),
        'Z' => {
            of.out.push_str(&format!(r"(?=(?:\r\n|[{LINE_ENDS}])?\z)"));
        }
        'b' => of.out.push_str(r"\b"),
        'B' => of.out.push_str(r"\B"),
        'G' => of.out.push_str(r"\G"),
        'R' => of.out.push_str(&format!(r"(?:\r\n|[\x{{b}}\x{{c}}{LINE_ENDS}])")),
        'X' => of.out.push_str(r"(?:\P{M}\p{M}*)"),
        'k' => {
            if !of.take("<") {
                return Err(of.error_here("\\k is not followed by '<' for named capturing group"));
            }
            let name = of.name();
            if !of.take(">") {
                return Err(of.error_here("named capturing group is missing trailing '>'"));
            }
            if !of.knows_group(&name) {
                return Err(of.error(&format!("named capturing group <{name}> does not exist")));
            }
            of.out.push_str(&format!(r"\k<{name}>"));
        }
        '1'..='9' => back_reference(of, letter),
        _ => return Err(of.error("Illegal/unsupported escape sequence")),
    }
    Ok(())
}

/// As many digits as there are groups for; the rest are literals.
fn back_reference(of: &mut Translation, first: char) {
    let mut group = first.to_digit(10).unwrap_or(0) as usize;
    while let Some(digit) = of.peek().and_then(|digit| digit.to_digit(10)) {
        let longer = 10 * group + digit as usize;
        if longer > of.groups {
            break;
        }
        group = longer;
        of.at += 1;
    }
    // A group that does not exist (yet) never matches.
    if group > of.groups {
        of.out.push_str(r"(?!)");
    } else {
        of.out.push_str(&format!(r"(?:\{group})"));
    }
}

/// Reads an escape; the backslash is read.
pub(super) fn meaning(of: &mut Translation) -> Result<Escaped, Error> {
    let Some(letter) = of.next() else { return Err(of.error_here("Unexpected internal error")) };
    let unicode = of.flags.unicode;
    let set =
        |members: &str, negated: bool| Ok(Escaped::Set { members: members.to_owned(), negated });
    match letter {
        't' => Ok(Escaped::Literal('\t')),
        'n' => Ok(Escaped::Literal('\n')),
        'r' => Ok(Escaped::Literal('\r')),
        'f' => Ok(Escaped::Literal('\u{c}')),
        'a' => Ok(Escaped::Literal('\u{7}')),
        'e' => Ok(Escaped::Literal('\u{1b}')),
        'd' | 'D' => set(if unicode { r"\p{Nd}" } else { "0-9" }, letter == 'D'),
        'w' | 'W' => set(if unicode { r"\w" } else { "a-zA-Z0-9_" }, letter == 'W'),
        's' | 'S' => set(if unicode { r"\s" } else { r"\x{20}\t\n\x{b}\x{c}\r" }, letter == 'S'),
        'h' | 'H' => set(
            r"\x{20}\t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}",
            letter == 'H',
        ),
        'v' | 'V' => set(&format!(r"\x{{b}}\x{{c}}{LINE_ENDS}"), letter == 'V'),
        'p' | 'P' => {
            let (members, negated) = property::property(of)?;
            Ok(Escaped::Set { members, negated: negated != (letter == 'P') })
        }
        'x' => hexadecimal(of),
        'u' => code_unit(of),
        '0' => octal(of),
        'c' => match of.next() {
            Some(control) => Ok(Escaped::Literal(control_character(control))),
            None => Err(of.error("Illegal control escape sequence")),
        },
        letter if letter.is_ascii_alphanumeric() => Ok(Escaped::Other(letter)),
        literal => Ok(Escaped::Literal(literal)),
    }
}

fn control_character(letter: char) -> char {
    char::from_u32(u32::from(letter) ^ 64).unwrap_or(letter)
}

/// `\x41`, `\x{1F600}`.
fn hexadecimal(of: &mut Translation) -> Result<Escaped, Error> {
    let code = if of.take("{") {
        let mut code = None;
        while let Some(digit) = of.peek().and_then(|digit| digit.to_digit(16)) {
            of.at += 1;
            let longer = 16 * code.unwrap_or(0) + digit;
            if longer > u32::from(char::MAX) {
                return Err(of.error("Hexadecimal codepoint is too big"));
            }
            code = Some(longer);
        }
        code.filter(|_| of.take("}"))
    } else {
        digits(of, 2, 16)
    };
    let code = code.and_then(char::from_u32).map(Escaped::Literal);
    code.ok_or_else(|| of.error_here("Illegal hexadecimal escape sequence"))
}

/// `\u0041`; two of them may make one character.
fn code_unit(of: &mut Translation) -> Result<Escaped, Error> {
    let wrong = "Illegal Unicode escape sequence";
    let Some(first) = digits(of, 4, 16) else { return Err(of.error_here(wrong)) };
    let code = match first {
        0xd800..0xdc00 if of.take("\\u") => match digits(of, 4, 16) {
            Some(second @ 0xdc00..0xe000) => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
            _ => return Err(of.error_here(wrong)),
        },
        code => code,
    };
    char::from_u32(code).map(Escaped::Literal).ok_or_else(|| of.error_here(wrong))
}

/// `\0101`: one to three octal digits, at most 377.
fn octal(of: &mut Translation) -> Result<Escaped, Error> {
    let mut code = None;
    for _ in 0..3 {
        let Some(digit) = of.peek().and_then(|digit| digit.to_digit(8)) else { break };
        let longer = 8 * code.unwrap_or(0) + digit;
        if longer > 0o377 {
            break;
        }
        code = Some(longer);
        of.at += 1;
    }
    let character = code.and_then(char::from_u32).map(Escaped::Literal);
    character.ok_or_else(|| of.error_here("Illegal octal escape sequence"))
}

fn digits(of: &mut Translation, count: usize, radix: u32) -> Option<u32> {
    let mut code = 0;
    for _ in 0..count {
        code = radix * code + of.peek()?.to_digit(radix)?;
        of.at += 1;
    }
    Some(code)
}

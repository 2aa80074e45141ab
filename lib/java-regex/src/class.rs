//! Classes in brackets: `[a-z&&[^aeiou]]`.
//!
//! Both dialects have unions, intersections and complements; only literals and ASCII folding need care. Not here: escapes.

use super::Error;
use super::escape::{Escaped, meaning};
use super::translate::{Translation, push_escaped};

/// Reads and writes a class; its opening bracket is read.
pub(super) fn class(of: &mut Translation) -> Result<(), Error> {
    of.descend()?;
    of.out.push('[');
    if of.take("^") {
        of.out.push('^');
    }
    let mut first = true;
    loop {
        of.skip_blanks();
        let Some(next) = of.peek() else { return Err(of.error("Unclosed character class")) };
        match next {
            ']' if !first => break,
            '[' => {
                of.at += 1;
                class(of)?;
            }
            '&' if of.peek_after(1) == Some('&') => {
                of.take("&&");
                // Java reads several as one, and lets one stand before the end.
                while of.take("&") {}
                if !matches!(of.peek(), Some(']') | None) {
                    of.out.push_str("&&");
                }
            }
            _ => member(of)?,
        }
        first = false;
    }
    of.at += 1;
    of.out.push(']');
    of.depth -= 1;
    Ok(())
}

/// A literal, a range or an escape.
fn member(of: &mut Translation) -> Result<(), Error> {
    if of.take("\\Q") {
        while let Some(literal) = of.peek() {
            if of.take("\\E") {
                break;
            }
            of.at += 1;
            range(of, literal, literal);
        }
        return Ok(());
    }
    let Some(from) = end(of)? else { return Ok(()) };
    of.skip_blanks();
    let is_range = of.peek() == Some('-') && !matches!(of.peek_after(1), Some(']' | '['));
    if !is_range {
        range(of, from, from);
        return Ok(());
    }
    of.at += 1;
    of.skip_blanks();
    if of.peek().is_none() {
        return Err(of.error_here("Illegal character range"));
    }
    match end(of)? {
        Some(to) if to >= from => range(of, from, to),
        _ => return Err(of.error("Illegal character range")),
    }
    Ok(())
}

/// One end of a range; none when it was a set, which is written.
fn end(of: &mut Translation) -> Result<Option<char>, Error> {
    match of.next() {
        Some('\\') if of.peek().is_none() => Err(of.error_here("Unclosed character class")),
        Some('\\') => match meaning(of)? {
            Escaped::Literal(literal) => Ok(Some(literal)),
            Escaped::Set { members, negated } => {
                of.out.push_str(if negated { "[^" } else { "[" });
                of.out.push_str(&members);
                of.out.push(']');
                Ok(None)
            }
            Escaped::Other(_) => Err(of.error("Illegal/unsupported escape sequence")),
        },
        Some(literal) => Ok(Some(literal)),
        None => Err(of.error("Unclosed character class")),
    }
}

/// Writes a range, and its other case where case does not count.
fn range(of: &mut Translation, from: char, to: char) {
    write(&mut of.out, from, to);
    if !of.flags.fold {
        return;
    }
    for (low, high, shift) in [('a', 'z', -32_i32), ('A', 'Z', 32)] {
        let (from, to) = (from.max(low), to.min(high));
        let shifted = |letter: char| char::from_u32(u32::from(letter).wrapping_add_signed(shift));
        if let (true, Some(from), Some(to)) = (from <= to, shifted(from), shifted(to)) {
            write(&mut of.out, from, to);
        }
    }
    if of.flags.fold_unicode && from == to && !from.is_ascii() {
        for other in from.to_lowercase().chain(from.to_uppercase()) {
            write(&mut of.out, other, other);
        }
    }
}

fn write(out: &mut String, from: char, to: char) {
    push_escaped(out, from);
    // A colon's escape is dropped on the way; as a range it cannot be taken for the start of a POSIX class, which `[[:alpha:]]` is not in Java.
    if to != from || from == ':' {
        out.push('-');
        push_escaped(out, to);
    }
}

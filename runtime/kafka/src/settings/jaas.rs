//! `sasl.jaas.config`: one login module and its options.
//!
//! Not here: what the options mean (`sasl`), and JAAS files, which are not read.

use std::collections::BTreeMap;

/// A login module.
pub(super) struct Login {
    /// Its class, as `org.apache.kafka.common.security.plain.PlainLoginModule`.
    pub(super) module: String,
    options: BTreeMap<String, String>,
}

impl Login {
    /// Reads `Module required name="value" … ;`. Errors never tell a value.
    ///
    /// Follows `JaasConfig` of Kafka, which splits as Java's `StreamTokenizer`.
    pub(super) fn parse(text: &str) -> Result<Login, &'static str> {
        let tokens = tokens(text)?;
        let Some((end, tokens)) = tokens.split_last() else { return Err("it is empty") };
        if *end != Token::Semicolon {
            return Err("it does not end with a semicolon");
        }
        let [Token::Word(module), Token::Word(flag), options @ ..] = tokens else {
            return Err("it names no login module and control flag");
        };
        if !FLAGS.iter().any(|known| flag.eq_ignore_ascii_case(known)) {
            return Err("its control flag is unknown");
        }
        let mut login = Login { module: module.clone(), options: BTreeMap::new() };
        for option in options.chunks(3) {
            let [Token::Word(name), Token::Equals, Token::Word(value)] = option else {
                return Err(
                    "an option is not of the form name=\"value\", or there are two login modules",
                );
            };
            login.options.insert(name.clone(), value.clone());
        }
        Ok(login)
    }

    /// The module's class without its package.
    pub(super) fn class(&self) -> &str {
        self.module.rsplit('.').next().unwrap_or_default()
    }

    /// An option's value.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// Values of the options that are named as passwords or secrets.
    pub(super) fn passwords(&self) -> impl Iterator<Item = &str> {
        let is_one = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.contains("password") || name.contains("secret")
        };
        let found = self.options.iter().filter(move |(name, _)| is_one(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The options whose names begin so, without the beginning.
    pub(super) fn options_with(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.options
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

/// JAAS's control flags.
const FLAGS: [&str; 4] = ["required", "requisite", "sufficient", "optional"];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A word or a quoted text.
    Word(String),
    Equals,
    Semicolon,
}

fn tokens(text: &str) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(&next) = rest.peek() {
        match next {
            '=' | ';' => {
                rest.next();
                tokens.push(if next == '=' { Token::Equals } else { Token::Semicolon });
            }
            '"' | '\'' => {
                rest.next();
                tokens.push(Token::Word(quoted(&mut rest, next)?));
            }
            _ if next.is_whitespace() => {
                rest.next();
            }
            _ => {
                let mut word = String::new();
                while let Some(&next) = rest.peek() {
                    if next.is_whitespace() || matches!(next, '=' | ';' | '"' | '\'') {
                        break;
                    }
                    word.push(next);
                    rest.next();
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

/// What stands before the closing quote; a backslash takes away what the next character means.
fn quoted(rest: &mut impl Iterator<Item = char>, quote: char) -> Result<String, &'static str> {
    let mut text = String::new();
    while let Some(next) = rest.next() {
        match next {
            '\\' => match rest.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some(other) => text.push(other),
                None => break,
            },
            _ if next == quote => return Ok(text),
            _ => text.push(next),
        }
    }
    Err("a quotation does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_read_with_its_options() {
        let login = Login::parse(
            "org.apache.kafka.common.security.plain.PlainLoginModule required\n  username=\"al;ice\" password='p\"w\\'d\\\\' debug=true;",
        )
        .unwrap();
        assert_eq!(login.class(), "PlainLoginModule");
        assert_eq!(login.option("username"), Some("al;ice"));
        assert_eq!(login.option("password"), Some("p\"w'd\\"));
        assert_eq!(login.option("debug"), Some("true"));
    }

    #[test]
    fn what_is_wrong_is_said_without_secrets() {
        let cases = [
            ("", "empty"),
            ("M required password=\"secret\"", "semicolon"),
            ("M perhaps password=\"secret\";", "control flag"),
            ("M required password=\"secret;", "quotation"),
            ("M required password \"secret\";", "name="),
            ("M required a=b; N required c=d;", "two login modules"),
        ];
        for (text, expected) in cases {
            let error = Login::parse(text).err().unwrap();
            assert!(error.contains(expected) && !error.contains("secret"), "{text}: {error}");
        }
    }
}

//! Types that a setting's text can be read as, in Kafka's rules. Not here: keys.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::bindings::catalog::SettingType;

/// A type that a setting can have.
pub trait SettingValue: Sized {
    /// The type in the catalogue.
    const TYPE: SettingType;
    /// Whether the setting may be left out without a default.
    const OPTIONAL: bool = false;
    /// Whether the text must not be shown.
    const SECRET: bool = false;

    /// Reads a text. Errors: in Kafka's words, what it is not.
    fn parse(text: &str) -> Result<Self, &'static str>;

    /// The value of a setting that was left out, if it may be.
    fn absent() -> Option<Self> {
        None
    }
}

/// Reads an integer of Java's type `J`, and holds it to the range of `T`.
fn integer<J: FromStr, T: TryFrom<J>>(
    text: &str,
    expected: &'static str,
) -> Result<T, &'static str> {
    let number: J = text.trim().parse().map_err(|_| expected)?;
    T::try_from(number).map_err(|_| "Value must be at least 0")
}

impl SettingValue for i16 {
    const TYPE: SettingType = SettingType::Short;

    fn parse(text: &str) -> Result<Self, &'static str> {
        integer::<i16, _>(text, "Not a number of type SHORT")
    }
}

impl SettingValue for i32 {
    const TYPE: SettingType = SettingType::Int;

    fn parse(text: &str) -> Result<Self, &'static str> {
        integer::<i32, _>(text, "Not a number of type INT")
    }
}

impl SettingValue for u32 {
    const TYPE: SettingType = SettingType::Int;

    fn parse(text: &str) -> Result<Self, &'static str> {
        integer::<i32, _>(text, "Not a number of type INT")
    }
}

impl SettingValue for i64 {
    const TYPE: SettingType = SettingType::Long;

    fn parse(text: &str) -> Result<Self, &'static str> {
        integer::<i64, _>(text, "Not a number of type LONG")
    }
}

impl SettingValue for u64 {
    const TYPE: SettingType = SettingType::Long;

    fn parse(text: &str) -> Result<Self, &'static str> {
        integer::<i64, _>(text, "Not a number of type LONG")
    }
}

impl SettingValue for bool {
    const TYPE: SettingType = SettingType::Boolean;

    fn parse(text: &str) -> Result<Self, &'static str> {
        match text.trim() {
            word if word.eq_ignore_ascii_case("true") => Ok(true),
            word if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err("Expected value to be either true or false"),
        }
    }
}

impl SettingValue for f64 {
    const TYPE: SettingType = SettingType::Double;

    fn parse(text: &str) -> Result<Self, &'static str> {
        text.trim().parse().map_err(|_| "Not a number of type DOUBLE")
    }
}

impl SettingValue for String {
    const TYPE: SettingType = SettingType::Text;

    fn parse(text: &str) -> Result<Self, &'static str> {
        Ok(text.to_owned())
    }
}

/// Texts with commas between; spaces around the commas do not count.
impl SettingValue for Vec<String> {
    const TYPE: SettingType = SettingType::List;

    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        Ok(text.split(',').map(|part| part.trim().to_owned()).collect())
    }
}

/// Milliseconds.
impl SettingValue for Duration {
    const TYPE: SettingType = SettingType::Long;

    fn parse(text: &str) -> Result<Self, &'static str> {
        u64::parse(text).map(Duration::from_millis)
    }
}

/// An optional setting: none where it is left out.
impl<T: SettingValue> SettingValue for Option<T> {
    const TYPE: SettingType = T::TYPE;
    const OPTIONAL: bool = true;
    const SECRET: bool = T::SECRET;

    fn parse(text: &str) -> Result<Self, &'static str> {
        T::parse(text).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// A secret. It shows itself only through [`Password::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The secret, for whoever must send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl SettingValue for Password {
    const TYPE: SettingType = SettingType::Password;
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, &'static str> {
        Ok(Self(text.to_owned()))
    }
}

//! Definitions of settings: types, defaults, importance, checks; and what validation answers.
//!
//! Not here: JSON, and the definitions themselves, which stand beside what they configure.

use std::borrow::Cow;

use crate::egress;
use crate::version::VersionRange;

/// Type of a setting.
///
/// Follows `ConfigDef.Type` of Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `true` or `false`, in any case.
    Boolean,
    /// Any text.
    String,
    /// 32-bit integer.
    Int,
    /// 16-bit integer.
    Short,
    /// 64-bit integer.
    Long,
    /// 64-bit float.
    Double,
    /// Texts with commas between.
    List,
    /// Name of a plugin's class.
    Class,
    /// A secret.
    Password,
}

impl Type {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }

    /// Whether this text is a value of this type; else Kafka's words for what it is not.
    pub fn check(self, value: &str) -> Result<(), &'static str> {
        let value = value.trim();
        match self {
            Self::Boolean => {
                let known = ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
                if known { Ok(()) } else { Err("Expected value to be either true or false") }
            }
            Self::Int => value.parse::<i32>().map(drop).map_err(|_| "Not a number of type INT"),
            Self::Short => value.parse::<i16>().map(drop).map_err(|_| "Not a number of type SHORT"),
            Self::Long => value.parse::<i64>().map(drop).map_err(|_| "Not a number of type LONG"),
            Self::Double => {
                value.parse::<f64>().map(drop).map_err(|_| "Not a number of type DOUBLE")
            }
            Self::String | Self::List | Self::Class | Self::Password => Ok(()),
        }
    }
}

/// How much a setting matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Importance {
    /// Look at it first.
    High,
    /// Look at it in production.
    Medium,
    /// Leave it.
    Low,
}

impl Importance {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

/// How wide a form shows a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// Not said.
    None,
    /// A few characters.
    Short,
    /// A name.
    Medium,
    /// A sentence.
    Long,
}

impl Width {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Short => "SHORT",
            Self::Medium => "MEDIUM",
            Self::Long => "LONG",
        }
    }
}

/// Definition of one setting. Built with [`key`] where it stands in code; a plugin's come from its component.
///
/// Follows `ConfigDef.ConfigKey` of Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigKey {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its type.
    pub r#type: Type,
    /// The value where none is given; none with `required` false means null.
    pub default: Option<Cow<'static, str>>,
    /// Whether a value must be given.
    pub required: bool,
    /// How much it matters.
    pub importance: Importance,
    /// What it does.
    pub doc: Cow<'static, str>,
    /// The group a form shows it in.
    pub group: Option<Cow<'static, str>>,
    /// Its place in the group, from 1; -1 without a group.
    pub order: i32,
    /// How wide a form shows it.
    pub width: Width,
    /// Its name in a form.
    pub display_name: Cow<'static, str>,
    /// Settings whose meaning depends on it.
    pub dependents: Vec<Cow<'static, str>>,
    /// Values to offer.
    pub recommended: Vec<Cow<'static, str>>,
    /// What a value must be beyond its type.
    pub check: Check,
}

/// What a value must be beyond its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// Nothing more.
    Any,
    /// A number at least this.
    AtLeast(i64),
    /// A number with a fraction, at least this.
    AtLeastFraction(f64),
    /// A number between these, both included.
    Between(i64, i64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of these words, in any case.
    OneOfIgnoringCase(&'static [&'static str]),
    /// A text with at least one character.
    NonEmpty,
    /// A version of a plugin, or a range of them.
    PluginVersion,
    /// Places on the network with commas between, as [`crate::egress::destinations`] reads them, none of them everywhere.
    Destinations,
}

impl Eq for Check {}

/// Starts a definition: optional, null by default, of medium importance.
pub const fn key(name: &'static str, r#type: Type) -> ConfigKey {
    ConfigKey {
        name: Cow::Borrowed(name),
        r#type,
        default: None,
        required: false,
        importance: Importance::Medium,
        doc: Cow::Borrowed(""),
        group: None,
        order: -1,
        width: Width::None,
        display_name: Cow::Borrowed(name),
        dependents: Vec::new(),
        recommended: Vec::new(),
        check: Check::Any,
    }
}

impl ConfigKey {
    /// A value must be given.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The value where none is given.
    #[must_use]
    pub fn default(mut self, value: &'static str) -> Self {
        self.default = Some(Cow::Borrowed(value));
        self
    }

    /// How much it matters.
    #[must_use]
    pub fn importance(mut self, importance: Importance) -> Self {
        self.importance = importance;
        self
    }

    /// What it does.
    #[must_use]
    pub fn doc(mut self, doc: &'static str) -> Self {
        self.doc = Cow::Borrowed(doc);
        self
    }

    /// Where and how a form shows it.
    #[must_use]
    pub fn shown(
        mut self,
        group: &'static str,
        order: i32,
        width: Width,
        name: &'static str,
    ) -> Self {
        self.group = Some(Cow::Borrowed(group));
        self.order = order;
        self.width = width;
        self.display_name = Cow::Borrowed(name);
        self
    }

    /// What a value must be beyond its type.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    /// What is wrong with a value, in Kafka's words: none when it is good. A password is not repeated.
    ///
    /// Follows `ConfigDef.parseType` and its validators.
    pub fn error(&self, value: &str) -> Option<String> {
        let shown = if self.r#type == Type::Password { crate::settings::HIDDEN } else { value };
        let invalid = |why: &str| {
            Some(format!("Invalid value {shown} for configuration {}: {why}", self.name))
        };
        if let Err(why) = self.r#type.check(value) {
            return invalid(why);
        }
        let number = value.trim().parse::<i64>().unwrap_or(i64::MIN);
        match &self.check {
            Check::AtLeast(least) if number < *least => {
                invalid(&format!("Value must be at least {least}"))
            }
            Check::AtLeastFraction(least) => {
                let number = value.trim().parse::<f64>().unwrap_or(f64::NAN);
                let is_good = number.is_finite() && number >= *least;
                if is_good { None } else { invalid(&format!("Value must be at least {least}")) }
            }
            Check::Between(least, _) if number < *least => {
                invalid(&format!("Value must be at least {least}"))
            }
            Check::Between(_, most) if number > *most => {
                invalid(&format!("Value must be no more than {most}"))
            }
            Check::OneOf(words) if !words.contains(&value) => {
                invalid(&format!("String must be one of: {}", words.join(", ")))
            }
            Check::OneOfIgnoringCase(words)
                if !words.iter().any(|word| word.eq_ignore_ascii_case(value)) =>
            {
                let words = words.join(", ");
                invalid(&format!("String must be one of (case insensitive): {words}"))
            }
            Check::NonEmpty if value.is_empty() => invalid("String must be non-empty"),
            Check::Destinations => {
                egress::allowed(value).err().and_then(|why| invalid(&why.to_string()))
            }
            // Kafka Connect says what Maven says, and nothing else.
            Check::PluginVersion => VersionRange::required(value).err(),
            _ => None,
        }
    }
}

/// What validation says of one setting.
///
/// Follows `ConfigValue` of Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingState {
    /// The setting.
    pub name: String,
    /// What is wrong with it.
    pub errors: Vec<String>,
    /// Values to offer; none leaves the definition's.
    pub recommended: Option<Vec<String>>,
    /// Whether a form shows it; none leaves it shown.
    pub visible: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_key_the_value_and_what_was_expected() {
        let check = |key: ConfigKey, value: &str, expected: Option<&str>| {
            assert_eq!(key.error(value).as_deref(), expected);
        };
        let tasks = || key("tasks.max", Type::Int).check(Check::AtLeast(1));
        check(tasks(), "2", None);
        check(
            tasks(),
            "x",
            Some("Invalid value x for configuration tasks.max: Not a number of type INT"),
        );
        check(
            tasks(),
            "0",
            Some("Invalid value 0 for configuration tasks.max: Value must be at least 1"),
        );
        check(key("b", Type::Boolean), "TRUE", None);
        let cores = || key("cores", Type::Double).check(Check::AtLeastFraction(0.001));
        check(cores(), "0.2", None);
        check(
            cores(),
            "NaN",
            Some("Invalid value NaN for configuration cores: Value must be at least 0.001"),
        );
        let version = || key("plugin.version", Type::String).check(Check::PluginVersion);
        check(version(), "[1.0,2.0)", None);
        check(version(), "[1.0", Some("Unbounded range: [1.0"));
        check(
            key("p", Type::Password).check(Check::NonEmpty),
            "",
            Some("Invalid value [hidden] for configuration p: String must be non-empty"),
        );
    }
}

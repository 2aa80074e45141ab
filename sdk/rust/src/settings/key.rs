//! Typed keys. Built as constants beside the struct they fill. Not here: what a text becomes (`value`).

use std::marker::PhantomData;

use super::{ConfigError, Importance, SettingValue, Settings, Width};
use crate::bindings::catalog::Setting;

/// What a value must be beyond its type.
#[derive(Clone, Copy, Debug)]
enum Check {
    Any,
    AtLeast(i64),
    Between(i64, i64),
    OneOf(&'static [&'static str]),
    OneOfIgnoringCase(&'static [&'static str]),
    NonEmpty,
    /// Says what was expected.
    Custom(fn(&str) -> Result<(), String>),
}

/// A setting of type `T`: without a default it is required, unless `T` is an `Option`.
#[derive(Clone, Copy, Debug)]
pub struct Key<T> {
    name: &'static str,
    doc: &'static str,
    default: Option<&'static str>,
    importance: Importance,
    check: Check,
    group: Option<&'static str>,
    order: i32,
    width: Width,
    display_name: &'static str,
    recommended: &'static [&'static str],
    dependents: &'static [&'static str],
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// A key of medium importance.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            doc: "",
            default: None,
            importance: Importance::Medium,
            check: Check::Any,
            group: None,
            order: -1,
            width: Width::None,
            display_name: name,
            recommended: &[],
            dependents: &[],
            value: PhantomData,
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it does.
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// The text where none is given.
    pub const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    /// How much it matters.
    pub const fn importance(mut self, importance: Importance) -> Self {
        self.importance = importance;
        self
    }

    /// A number at least this.
    pub const fn at_least(mut self, least: i64) -> Self {
        self.check = Check::AtLeast(least);
        self
    }

    /// A number between these, both included.
    pub const fn between(mut self, least: i64, most: i64) -> Self {
        self.check = Check::Between(least, most);
        self
    }

    /// One of these words.
    pub const fn one_of(mut self, words: &'static [&'static str]) -> Self {
        self.check = Check::OneOf(words);
        self.recommended = words;
        self
    }

    /// One of these words, in any case.
    pub const fn one_of_ignoring_case(mut self, words: &'static [&'static str]) -> Self {
        self.check = Check::OneOfIgnoringCase(words);
        self
    }

    /// A text with at least one character.
    pub const fn non_empty(mut self) -> Self {
        self.check = Check::NonEmpty;
        self
    }

    /// What this function accepts of the text; its error says what was expected.
    pub const fn check(mut self, check: fn(&str) -> Result<(), String>) -> Self {
        self.check = Check::Custom(check);
        self
    }

    /// Where and how a form shows it.
    pub const fn shown(
        mut self,
        group: &'static str,
        order: i32,
        width: Width,
        display_name: &'static str,
    ) -> Self {
        self.group = Some(group);
        self.order = order;
        self.width = width;
        self.display_name = display_name;
        self
    }

    /// How wide a form shows it, and by what name; it belongs to no group.
    pub const fn shown_alone(mut self, width: Width, display_name: &'static str) -> Self {
        self.width = width;
        self.display_name = display_name;
        self
    }

    /// Values that a form offers.
    pub const fn recommended(mut self, values: &'static [&'static str]) -> Self {
        self.recommended = values;
        self
    }

    /// Settings whose meaning depends on it.
    pub const fn dependents(mut self, names: &'static [&'static str]) -> Self {
        self.dependents = names;
        self
    }
}

impl<T: SettingValue> Key<T> {
    /// Reads it, or its default.
    ///
    /// Errors: it is missing and required, has another type, or fails its check.
    pub fn get(&self, settings: &Settings) -> Result<T, ConfigError> {
        let Some(text) = settings.get(self.name).or(self.default) else {
            return T::absent().ok_or_else(|| ConfigError::missing(self.name));
        };
        let shown = if T::SECRET { "[hidden]" } else { text };
        let value = T::parse(text).map_err(|why| ConfigError::invalid(self.name, shown, why))?;
        match self.check.unmet(text) {
            Some(expected) => Err(ConfigError::invalid(self.name, shown, expected)),
            None => Ok(value),
        }
    }
}

impl Check {
    /// What was expected, in the words of Kafka's validators; none when the text is good.
    fn unmet(self, text: &str) -> Option<String> {
        let number = || text.trim().parse::<f64>().unwrap_or(f64::NEG_INFINITY);
        let at_least = |least: i64| {
            (number() < least as f64).then(|| format!("Value must be at least {least}"))
        };
        match self {
            Self::Any => None,
            Self::AtLeast(least) => at_least(least),
            Self::Between(least, most) => at_least(least).or_else(|| {
                (number() > most as f64).then(|| format!("Value must be no more than {most}"))
            }),
            Self::OneOf(words) => (!words.contains(&text))
                .then(|| format!("String must be one of: {}", words.join(", "))),
            Self::OneOfIgnoringCase(words) => {
                let known = words.iter().any(|word| word.eq_ignore_ascii_case(text));
                (!known).then(|| {
                    format!("String must be one of (case insensitive): {}", words.join(", "))
                })
            }
            Self::NonEmpty => text.is_empty().then(|| "String must be non-empty".to_owned()),
            Self::Custom(check) => check(text).err(),
        }
    }
}

/// A key whatever its type.
pub trait Definition: Sync {
    /// The setting as the catalogue has it.
    fn describe(&self) -> Setting;

    /// What is wrong with it in these settings, when it is there.
    fn error(&self, settings: &Settings) -> Option<ConfigError>;
}

impl<T: SettingValue> Definition for Key<T> {
    fn describe(&self) -> Setting {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Setting {
            name: self.name.to_owned(),
            type_: T::TYPE,
            default: self.default.map(str::to_owned),
            required: self.default.is_none() && !T::OPTIONAL,
            importance: self.importance,
            doc: self.doc.to_owned(),
            group: self.group.map(str::to_owned),
            order: self.order,
            width: self.width,
            display_name: self.display_name.to_owned(),
            dependents: owned(self.dependents),
            recommended: owned(self.recommended),
        }
    }

    fn error(&self, settings: &Settings) -> Option<ConfigError> {
        settings.get(self.name)?;
        self.get(settings).err()
    }
}

//! Converters for validation alone: with a required setting, without settings, and one that cannot be made. Not here: any that converts.

use tombolo_sdk::columns::{Column, Headers, TopicColumn, Values, Written};
use tombolo_sdk::converter::{BytesRows, ConnectData, Converter, HeaderConverter};
use tombolo_sdk::prelude::*;

/// The setting of [`ConverterWithOneSetting`].
const PROP: Key<bool> = Key::new("prop").importance(Importance::High);

/// One required boolean.
pub(crate) struct OneSetting;

impl Configuration for OneSetting {
    const KEYS: &'static [&'static dyn Definition] = &[&PROP];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        PROP.get(settings).map(|_| Self)
    }
}

/// What cannot be read.
pub(crate) struct Unreadable;

impl Configuration for Unreadable {
    const KEYS: &'static [&'static dyn Definition] = &[];

    fn read(_settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Err(ConfigError::of("converter.type", "I refuse to be made"))
    }
}

/// Makes a converter and a header converter of null.
macro_rules! nulls {
    ($name:ident, $settings:ty, $class:literal, $doc:literal) => {
        #[doc = $doc]
        pub(crate) struct $name;

        impl Plugin for $name {
            type Settings = $settings;
            const CLASS: &'static str = $class;
            const VERSION: &'static str = crate::VERSION;
            const DOC: &'static str = $doc;
        }

        impl Converter for $name {
            fn create(_settings: $settings, _is_key: bool) -> Result<Self> {
                Ok(Self)
            }
            fn to_connect_data(
                &mut self,
                _topics: &TopicColumn,
                bytes: &Column,
                _headers: Option<&Headers>,
                out: &mut ConnectData,
            ) -> Result<()> {
                (0..bytes.rows()).for_each(|_| out.row(|_| Ok((Written::Null, 0))));
                Ok(())
            }
            fn from_connect_data(
                &mut self,
                topics: &TopicColumn,
                values: &Values,
                out: &mut BytesRows,
            ) -> Result<()> {
                let _ = topics;
                (0..values.bytes.rows()).for_each(|_| out.row(|_| Ok(Written::Null)));
                Ok(())
            }
        }

        impl HeaderConverter for $name {
            fn create(_settings: $settings) -> Result<Self> {
                Ok(Self)
            }
            fn to_connect_data(
                &mut self,
                _topics: &TopicColumn,
                _names: &Column,
                bytes: &Column,
                out: &mut ConnectData,
            ) -> Result<()> {
                (0..bytes.rows()).for_each(|_| out.row(|_| Ok((Written::Null, 0))));
                Ok(())
            }
            fn from_connect_data(
                &mut self,
                _topics: &TopicColumn,
                _names: &Column,
                values: &Values,
                out: &mut BytesRows,
            ) -> Result<()> {
                (0..values.bytes.rows()).for_each(|_| out.row(|_| Ok(Written::Null)));
                Ok(())
            }
        }
    };
}

nulls!(
    ConverterWithOneSetting,
    OneSetting,
    "tombolo.kit.ConverterWithOneSetting",
    "Needs a setting."
);
nulls!(ConverterWithoutSettings, (), "tombolo.kit.ConverterWithoutSettings", "Needs no settings.");
nulls!(ThrowingConverter, Unreadable, "tombolo.kit.ThrowingConverter", "Cannot be made.");

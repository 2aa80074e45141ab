//! Converters: between the bytes in Kafka and connect data, a column at a time. Not here: the formats.

use crate::bindings::header_converter::HeaderBytes;
pub use crate::columns::{BytesRows, ConnectData, Written};
use crate::columns::{Column, Headers, TopicColumn, Values};
use crate::fault::Result;
use crate::plugin::{Entry, Make, Plugin, PluginKind};
use crate::settings::{Configuration, Settings};

/// A converter of keys or of values. A call that fails as a whole is an error; a bad row is a row's fault.
///
/// Follows `org.apache.kafka.connect.storage.Converter`.
#[expect(clippy::wrong_self_convention, reason = "Kafka Connect's name")]
pub trait Converter: Plugin {
    /// Makes one.
    fn create(settings: Self::Settings, is_key: bool) -> Result<Self>;

    /// From bytes: one row of `out` per row of `bytes`, by [`ConnectData::row`].
    fn to_connect_data(
        &mut self,
        topics: &TopicColumn,
        bytes: &Column,
        headers: Option<&Headers>,
        out: &mut ConnectData,
    ) -> Result<()>;

    /// To bytes: one row of `out` per row of `values`, by [`BytesRows::row`].
    fn from_connect_data(
        &mut self,
        topics: &TopicColumn,
        values: &Values,
        out: &mut BytesRows,
    ) -> Result<()>;
}

/// A converter of headers. Rows are headers here, each with its name and its record's topic.
///
/// Follows `org.apache.kafka.connect.storage.HeaderConverter`.
#[expect(clippy::wrong_self_convention, reason = "Kafka Connect's name")]
pub trait HeaderConverter: Plugin {
    /// Makes one.
    fn create(settings: Self::Settings) -> Result<Self>;

    /// From bytes: one row of `out` per header.
    fn to_connect_data(
        &mut self,
        topics: &TopicColumn,
        names: &Column,
        bytes: &Column,
        out: &mut ConnectData,
    ) -> Result<()>;

    /// To bytes: one row of `out` per header.
    fn from_connect_data(
        &mut self,
        topics: &TopicColumn,
        names: &Column,
        values: &Values,
        out: &mut BytesRows,
    ) -> Result<()>;
}

/// A converter whose type is forgotten.
#[expect(clippy::wrong_self_convention, reason = "Kafka Connect's name")]
pub(crate) trait AnyConverter {
    fn to_connect_data(
        &mut self,
        topics: &TopicColumn,
        bytes: &Column,
        headers: Option<&Headers>,
    ) -> Result<ConnectData>;
    fn from_connect_data(&mut self, topics: &TopicColumn, values: &Values) -> Result<BytesRows>;
}

impl<C: Converter> AnyConverter for C {
    fn to_connect_data(
        &mut self,
        topics: &TopicColumn,
        bytes: &Column,
        headers: Option<&Headers>,
    ) -> Result<ConnectData> {
        let mut out = ConnectData::for_input(bytes);
        Converter::to_connect_data(self, topics, bytes, headers, &mut out)?;
        Ok(out)
    }

    fn from_connect_data(&mut self, topics: &TopicColumn, values: &Values) -> Result<BytesRows> {
        let mut out = BytesRows::for_input(values);
        Converter::from_connect_data(self, topics, values, &mut out)?;
        Ok(out)
    }
}

/// A header converter whose type is forgotten.
#[expect(clippy::wrong_self_convention, reason = "Kafka Connect's name")]
pub(crate) trait AnyHeaderConverter {
    fn to_connect_data(
        &mut self,
        topics: &TopicColumn,
        names: &Column,
        bytes: &Column,
    ) -> Result<ConnectData>;
    fn from_connect_data(
        &mut self,
        topics: &TopicColumn,
        names: &Column,
        values: &Values,
    ) -> Result<HeaderBytes>;
}

impl<C: HeaderConverter> AnyHeaderConverter for C {
    fn to_connect_data(
        &mut self,
        topics: &TopicColumn,
        names: &Column,
        bytes: &Column,
    ) -> Result<ConnectData> {
        let mut out = ConnectData::for_input(bytes);
        HeaderConverter::to_connect_data(self, topics, names, bytes, &mut out)?;
        Ok(out)
    }

    fn from_connect_data(
        &mut self,
        topics: &TopicColumn,
        names: &Column,
        values: &Values,
    ) -> Result<HeaderBytes> {
        let mut out = BytesRows::for_input(values);
        HeaderConverter::from_connect_data(self, topics, names, values, &mut out)?;
        Ok(HeaderBytes { bytes: out.bytes, faults: out.faults })
    }
}

/// The catalogue's entry of a converter. For [`export!`](crate::export).
pub fn converter<C: Converter>() -> Entry {
    let make = Make::Converter(|settings: &Settings, is_key| {
        Ok(Box::new(C::create(C::Settings::read(settings)?, is_key)?))
    });
    Entry::of::<C>(PluginKind::Converter, make)
}

/// The catalogue's entry of a header converter. For [`export!`](crate::export).
pub fn header_converter<C: HeaderConverter>() -> Entry {
    let make = Make::HeaderConverter(|settings: &Settings| {
        Ok(Box::new(C::create(C::Settings::read(settings)?)?))
    });
    Entry::of::<C>(PluginKind::HeaderConverter, make)
}

//! What is known about a plugin before it runs.
//!
//! Not here: running it (`role`).

use crate::config_def::ConfigKey;

/// What a plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PluginKind {
    /// A sink connector.
    Sink,
    /// A source connector.
    Source,
    /// A transformation of records.
    Transformation,
    /// A condition on records.
    Predicate,
    /// A converter of keys and values.
    Converter,
    /// A converter of headers.
    HeaderConverter,
}

impl PluginKind {
    /// All kinds, in the order of `GET /connector-plugins`.
    pub const ALL: [Self; 6] = [
        Self::Sink,
        Self::Source,
        Self::Transformation,
        Self::Predicate,
        Self::Converter,
        Self::HeaderConverter,
    ];

    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Source => "source",
            Self::Transformation => "transformation",
            Self::Predicate => "predicate",
            Self::Converter => "converter",
            Self::HeaderConverter => "header_converter",
        }
    }

    /// The end of a class name that an alias leaves out, as `Connector`.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Sink | Self::Source => "Connector",
            Self::Transformation => "Transformation",
            Self::Predicate => "Predicate",
            Self::Converter => "Converter",
            Self::HeaderConverter => "HeaderConverter",
        }
    }

    /// Whether it is a source or a sink.
    pub fn is_connector(self) -> bool {
        matches!(self, Self::Sink | Self::Source)
    }
}

/// Digest of a component: SHA-256 in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentDigest(pub String);

/// Columns that a plugin looks at; the others are not sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of columns, as the contract's flags")]
pub struct Columns {
    /// Topics.
    pub topic: bool,
    /// Partitions.
    pub partition: bool,
    /// Offsets.
    pub offset: bool,
    /// Timestamps and their types.
    pub timestamp: bool,
    /// Keys.
    pub key: bool,
    /// Values.
    pub value: bool,
    /// Headers.
    pub headers: bool,
}

impl Columns {
    /// Every column.
    pub const ALL: Self = Self {
        topic: true,
        partition: true,
        offset: true,
        timestamp: true,
        key: true,
        value: true,
        headers: true,
    };

    /// The columns of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            topic: self.topic || other.topic,
            partition: self.partition || other.partition,
            offset: self.offset || other.offset,
            timestamp: self.timestamp || other.timestamp,
            key: self.key || other.key,
            value: self.value || other.value,
            headers: self.headers || other.headers,
        }
    }
}

/// An installed plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginInfo {
    /// Its class, as `org.apache.kafka.connect.file.FileStreamSinkConnector`.
    pub class: String,
    /// What it is.
    pub kind: PluginKind,
    /// Its version.
    pub version: String,
    /// What it does.
    pub doc: String,
    /// Its settings, in the order of definition.
    pub settings: Vec<ConfigKey>,
    /// Columns it looks at.
    pub reads: Columns,
    /// The component it is in.
    pub component: ComponentDigest,
}

impl PluginInfo {
    /// Whether a configuration may name this plugin so: by class, by simple name, or by simple name without the kind's suffix.
    ///
    /// Follows `PluginUtils` of Kafka Connect; that an alias is not ambiguous is for the caller to see.
    pub fn is_named(&self, name: &str) -> bool {
        let simple = self.class.rsplit(['.', '$']).next().unwrap_or(&self.class);
        name == self.class
            || name == simple
            || simple.strip_suffix(self.kind.suffix()).is_some_and(|short| name == short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_named_by_class_simple_name_and_alias() {
        let info = PluginInfo {
            class: "org.apache.kafka.connect.file.FileStreamSinkConnector".into(),
            kind: PluginKind::Sink,
            version: "1".into(),
            doc: String::new(),
            settings: vec![],
            reads: Columns::ALL,
            component: ComponentDigest(String::new()),
        };
        for name in [info.class.as_str(), "FileStreamSinkConnector", "FileStreamSink"] {
            assert!(info.is_named(name), "{name}");
        }
        assert!(!info.is_named("FileStream"));
    }
}

//! The cases: what both programs are told to do, and what has to come out.
//!
//! Not here: running them.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::records::Record;

/// What a worker does with each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// JSON without schemas, from a topic to a file.
    JsonToFile,
    /// The same with three transformations between.
    TransformedToFile,
    /// Lines of text, from a file to a topic.
    LinesToTopic,
}

/// Where a run reads and writes.
pub struct Ends<'a> {
    /// Name of the connector.
    pub connector: &'a str,
    /// Topic that is read or written.
    pub topic: &'a str,
    /// File that is written or read.
    pub file: &'a str,
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::JsonToFile, Self::TransformedToFile, Self::LinesToTopic];

    /// The name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::JsonToFile => "JSON topic to file",
            Self::TransformedToFile => "the same, InsertField + MaskField + ReplaceField",
            Self::LinesToTopic => "file to topic, strings",
        }
    }

    /// A short name, for topics and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonToFile => "json",
            Self::TransformedToFile => "transformed",
            Self::LinesToTopic => "lines",
        }
    }

    /// Whether records come from a topic.
    pub fn is_sink(self) -> bool {
        self != Self::LinesToTopic
    }

    /// The body of `POST /connectors`: the same for both programs.
    pub fn connector(self, ends: &Ends<'_>) -> Value {
        let mut config = if self.is_sink() {
            json!({
                "connector.class": "FileStreamSink",
                "topics": ends.topic,
                "key.converter": "org.apache.kafka.connect.storage.StringConverter",
                "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                "value.converter.schemas.enable": "false",
            })
        } else {
            json!({
                "connector.class": "FileStreamSource",
                "topic": ends.topic,
                "batch.size": "2000",
                "key.converter": "org.apache.kafka.connect.storage.StringConverter",
                "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            })
        };
        let mut set = |key: &str, value: &str| {
            if let Some(config) = config.as_object_mut() {
                config.insert(key.to_owned(), value.into());
            }
        };
        set("file", ends.file);
        set("tasks.max", "1");
        if self == Self::TransformedToFile {
            set("transforms", "insert,mask,replace");
            set("transforms.insert.type", "org.apache.kafka.connect.transforms.InsertField$Value");
            set("transforms.insert.topic.field", "topic");
            set("transforms.insert.static.field", "origin");
            set("transforms.insert.static.value", "bench");
            set("transforms.mask.type", "org.apache.kafka.connect.transforms.MaskField$Value");
            set("transforms.mask.fields", "email");
            set(
                "transforms.replace.type",
                "org.apache.kafka.connect.transforms.ReplaceField$Value",
            );
            set("transforms.replace.exclude", "note");
        }
        json!({ "name": ends.connector, "config": config })
    }

    /// What the file sink has to print for a record: `key=value` for each field, sorted, as Java prints a map in hash order.
    pub fn fields(self, record: &Record, topic: &str) -> Vec<String> {
        let transformed = self == Self::TransformedToFile;
        let mut fields = vec![
            format!("id={}", record.id),
            format!("user={}", record.user),
            format!("email={}", if transformed { "" } else { record.email.as_str() }),
            format!("amount={:?}", record.amount),
            "currency=EUR".to_owned(),
            format!("ts={}", record.time()),
            "ok=true".to_owned(),
        ];
        if transformed {
            fields.extend([format!("topic={topic}"), "origin=bench".to_owned()]);
        } else {
            fields.push(format!("note={}", record.note));
        }
        fields.sort_unstable();
        fields
    }
}

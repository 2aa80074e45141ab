//! A dead letter: a record as it was before it was processed, and headers that say why it could not be.
//!
//! Not here: writing it.

use std::borrow::Cow;
use std::fmt;

use tombolo_kafka::{ConsumedBatch, ProduceRows};
use tombolo_model::fault::Problem;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::{Batch, Column, TaskId};

use crate::error_report::{Executing, stack_trace};

/// The class of a problem that has none of its own: Kafka Connect's for a record that is bad.
const DATA_EXCEPTION: &str = "org.apache.kafka.connect.errors.DataException";

/// Longest key, value, name or header in the log, in bytes: as a line of a plugin. What is longer is cut.
const SHOWN_MAX: usize = 4 << 10;
/// Most headers of a record in the log.
const SHOWN_HEADERS_MAX: usize = 20;

/// A dead letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    /// Milliseconds since the epoch, -1 for none.
    pub(super) timestamp: i64,
    pub(super) headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// How many of the headers are the record's own. Those behind them say why it is here.
    own_headers: usize,
    /// Where the record was consumed.
    pub(super) consumed_at: Option<PartitionOffset>,
    /// Where a source read the record.
    source: Option<SourcePlace>,
    /// Whether key and value are as they crossed the wall, because no JSON can say them.
    is_cbor: bool,
}

/// Where a source read a record, and where it was to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourcePlace {
    /// The topic it was to go to, before any transformation.
    pub(crate) topic: Option<String>,
    /// The partition of that topic, where the source chose one.
    pub(crate) kafka_partition: Option<i32>,
    /// The source partition, as JSON.
    pub(crate) partition: Option<String>,
    /// The source offset behind the record, as JSON.
    pub(crate) offset: Option<String>,
}

/// Why a record is a dead letter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reason<'a> {
    pub(crate) task: &'a TaskId,
    pub(crate) at: Executing<'a>,
    pub(crate) problem: &'a Problem,
}

impl Letter {
    /// A consumed record, byte for byte; none where there is no such row.
    pub(crate) fn of_consumed(batch: &ConsumedBatch, row: usize) -> Option<Self> {
        let topic = batch.topics.get(*batch.topic.get(row)? as usize)?;
        let offset = *batch.offset.get(row)?;
        let at = TopicPartition::new(topic.as_str(), *batch.partition.get(row)?);
        let end = |row: Option<usize>| {
            row.and_then(|row| batch.header_ends.get(row)).map_or(0, |&end| end as usize)
        };
        let header = |header| {
            let name = batch.header_names.get(header).unwrap_or_default();
            (name.to_vec(), batch.header_values.get(header).map(<[u8]>::to_vec))
        };
        let headers: Vec<_> = (end(row.checked_sub(1))..end(Some(row))).map(header).collect();
        Some(Self {
            key: batch.key.get(row).map(<[u8]>::to_vec),
            value: batch.value.get(row).map(<[u8]>::to_vec),
            timestamp: batch.timestamp.get(row).copied().unwrap_or(-1),
            own_headers: headers.len(),
            headers,
            consumed_at: Some(PartitionOffset { at, offset }),
            source: None,
            is_cbor: false,
        })
    }

    /// A record of a source, from converted rows.
    pub(crate) fn of_polled(batch: &Batch, row: usize, source: SourcePlace) -> Self {
        let header = |header| {
            let name = batch.headers.names.get(header).unwrap_or_default();
            (name.to_vec(), batch.headers.values.bytes.get(header).map(<[u8]>::to_vec))
        };
        let headers: Vec<_> = batch.headers.range(row).map(header).collect();
        Self {
            key: batch.key.bytes.get(row).map(<[u8]>::to_vec),
            value: batch.value.bytes.get(row).map(<[u8]>::to_vec),
            timestamp: batch.timestamp.get(row).copied().unwrap_or(-1),
            own_headers: headers.len(),
            headers,
            consumed_at: None,
            source: Some(source),
            is_cbor: false,
        }
    }

    /// With key and value as they crossed the wall, and without headers.
    pub(crate) fn into_cbor(self) -> Self {
        Self { headers: Vec::new(), own_headers: 0, is_cbor: true, ..self }
    }

    /// Adds the headers that say why it is here.
    ///
    /// Follows `DeadLetterQueueReporter.populateContextHeaders` of Kafka Connect.
    pub(super) fn tell(&mut self, Reason { task, at, problem }: &Reason<'_>) {
        let consumed = self.consumed_at.as_ref();
        let source = self.source.as_ref();
        let topic = consumed.map(|consumed| consumed.at.topic.to_string());
        let topic = topic.or_else(|| source?.topic.clone());
        let partition = consumed.map(|consumed| consumed.at.partition);
        let partition = partition.or_else(|| source?.kafka_partition);
        let class = problem.class.as_deref().unwrap_or(DATA_EXCEPTION);
        let trace = stack_trace(&Problem { class: Some(class.to_owned()), ..(*problem).clone() });
        let of_context = [
            ("topic", topic),
            ("partition", partition.map(|partition| partition.to_string())),
            ("offset", consumed.map(|consumed| consumed.offset.to_string())),
            ("connector.name", Some(task.connector.to_string())),
            ("task.id", Some(task.index.to_string())),
            ("stage", Some(at.stage.name().to_owned())),
            ("class.name", Some(at.class.to_owned())),
            ("exception.class.name", Some(class.to_owned())),
            ("exception.message", Some(problem.message.clone())),
            ("exception.stacktrace", Some(trace + "\n")),
        ];
        let of_source = source.map(|source| {
            let SourcePlace { partition, offset, .. } = source.clone();
            [("source.partition", partition), ("source.offset", offset)]
        });
        let all = of_context.into_iter().chain(of_source.into_iter().flatten());
        let headers = all.map(|(name, value)| {
            (format!("__connect.errors.{name}").into_bytes(), value.map(String::into_bytes))
        });
        let headers: Vec<_> = headers.collect();
        self.headers.extend(headers);
    }

    /// Takes the headers off that say why it is here. Answers whether there were any.
    pub(super) fn tell_nothing(&mut self) -> bool {
        let tells = self.headers.len() > self.own_headers;
        self.headers.truncate(self.own_headers);
        tells
    }

    /// Key or value for the log.
    fn content<'a>(&self, bytes: Option<&'a [u8]>) -> Cow<'a, str> {
        match bytes {
            Some(bytes) if self.is_cbor => {
                format!("[{} bytes that no JSON can say]", bytes.len()).into()
            }
            bytes => shown(bytes),
        }
    }

    /// What it takes in memory, about: a record may have many headers that say next to nothing.
    pub(super) fn memory(&self) -> usize {
        let headers = self.headers.len() * size_of::<(Vec<u8>, Option<Vec<u8>>)>();
        size_of::<Self>() + headers + self.bytes()
    }

    fn bytes(&self) -> usize {
        let len = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let headers = self.headers.iter().map(|(name, value)| name.len() + len(value));
        len(&self.key) + len(&self.value) + headers.sum::<usize>()
    }
}

/// The record for the log, as Kafka Connect prints one of a source; key and value are JSON and have their schemas in them.
///
/// Follows `SourceRecord.toString` of Kafka Connect.
impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = SourcePlace::default();
        let SourcePlace { topic, kafka_partition, partition, offset } =
            self.source.as_ref().unwrap_or(&none);
        let [partition, offset] =
            [partition, offset].map(|text| shown(text.as_deref().map(str::as_bytes)));
        let number = |number: Option<i64>| number.map_or("null".to_owned(), |n| n.to_string());
        write!(f, "SourceRecord{{sourcePartition={partition}, sourceOffset={offset}}} ")?;
        write!(f, "ConnectRecord{{topic='{}', ", topic.as_deref().unwrap_or("null"))?;
        write!(f, "kafkaPartition={}, ", number(kafka_partition.map(i64::from)))?;
        let [key, value] = [&self.key, &self.value].map(|bytes| self.content(bytes.as_deref()));
        write!(f, "key={key}, value={value}, ")?;
        let timestamp = (self.timestamp >= 0).then_some(self.timestamp);
        write!(f, "timestamp={}, headers=ConnectHeaders(headers=[", number(timestamp))?;
        for (place, (name, value)) in self.headers.iter().take(self.own_headers).enumerate() {
            if place == SHOWN_HEADERS_MAX {
                return write!(f, ", …])}}");
            }
            let comma = if place == 0 { "" } else { ", " };
            let (name, value) = (shown(Some(name)), shown(value.as_deref()));
            write!(f, "{comma}ConnectHeader(key={name}, value={value})")?;
        }
        write!(f, "])}}")
    }
}

/// Bytes as text, cut where they are many.
fn shown(bytes: Option<&[u8]>) -> Cow<'_, str> {
    let Some(bytes) = bytes else { return "null".into() };
    let text = String::from_utf8_lossy(bytes);
    match text.get(..text.floor_char_boundary(SHOWN_MAX)) {
        Some(begin) if begin.len() < text.len() => format!("{begin}…").into(),
        _ => text,
    }
}

/// Letters as rows to produce.
#[derive(Default)]
pub(super) struct Columns {
    key: Column,
    value: Column,
    timestamp: Vec<i64>,
    header_ends: Vec<u32>,
    header_names: Column,
    header_values: Column,
}

impl Columns {
    /// The first letters, at least one and not many more bytes than this.
    pub(super) fn of<'a>(letters: impl IntoIterator<Item = &'a Letter>, bytes_max: usize) -> Self {
        let (mut columns, mut bytes) = (Self::default(), 0);
        for letter in letters {
            columns.push(letter);
            bytes += letter.bytes();
            if bytes >= bytes_max {
                break;
            }
        }
        columns
    }

    fn push(&mut self, letter: &Letter) {
        self.key.push_option(letter.key.as_deref());
        self.value.push_option(letter.value.as_deref());
        self.timestamp.push(letter.timestamp);
        for (name, value) in &letter.headers {
            self.header_names.push(name);
            self.header_values.push_option(value.as_deref());
        }
        self.header_ends.push(u32::try_from(self.header_names.rows()).unwrap_or(u32::MAX));
    }

    pub(super) fn rows<'a>(&'a self, topic: &'a [String]) -> ProduceRows<'a> {
        ProduceRows {
            rows: self.timestamp.len(),
            topics: topic,
            topic: &[],
            partition: &[],
            timestamp: &self.timestamp,
            key: &self.key,
            value: &self.value,
            header_ends: &self.header_ends,
            header_names: &self.header_names,
            header_values: &self.header_values,
        }
    }
}

#[cfg(test)]
mod tests {
    use tombolo_model::{ConnectorName, Headers, Stage, Values};

    use super::*;

    fn column(rows: &[Option<&[u8]>]) -> Column {
        let mut column = Column::default();
        rows.iter().for_each(|row| column.push_option(*row));
        column
    }

    fn consumed() -> ConsumedBatch {
        ConsumedBatch {
            rows: 2,
            topics: vec!["u".into(), "t".into()],
            topic: vec![0, 1],
            partition: vec![0, 3],
            offset: vec![7, 42],
            timestamp: vec![-1, 5],
            key: column(&[Some(b"k"), None]),
            value: column(&[None, Some(b"\xff\x00")]),
            header_ends: vec![1, 3],
            header_names: column(&[Some(b"a"), Some(b"b"), Some(b"c")]),
            header_values: column(&[Some(b"1"), None, Some(b"")]),
            ..ConsumedBatch::default()
        }
    }

    #[test]
    fn a_letter_is_the_record_byte_for_byte() {
        let batch = consumed();
        let letter = Letter::of_consumed(&batch, 1).unwrap();
        assert_eq!((letter.key, letter.value), (None, Some(b"\xff\x00".to_vec())));
        assert_eq!(letter.timestamp, 5);
        assert_eq!(letter.headers, [(b"b".to_vec(), None), (b"c".to_vec(), Some(Vec::new()))]);
        let first = Letter::of_consumed(&batch, 0).unwrap();
        assert_eq!((first.key, first.value), (Some(b"k".to_vec()), None));
        assert_eq!(first.headers, [(b"a".to_vec(), Some(b"1".to_vec()))]);
        assert_eq!(Letter::of_consumed(&batch, 2), None);
    }

    #[test]
    fn headers_behind_the_records_own_say_why_it_is_here() {
        let task = TaskId::new(ConnectorName::new("c"), 2);
        let told = |class: Option<&str>, trace: Option<&str>| {
            let problem = Problem {
                message: "no JSON".into(),
                class: class.map(str::to_owned),
                trace: trace.map(str::to_owned),
            };
            let at = Executing { stage: Stage::ValueConverter, class: "J" };
            let mut letter = Letter::of_consumed(&consumed(), 1).unwrap();
            letter.tell(&Reason { task: &task, at, problem: &problem });
            letter
        };
        let mut letter = told(Some("org.acme.Bad"), Some("\tat org.acme.Reader"));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let headers: Vec<(String, String)> = letter.headers[2..]
            .iter()
            .map(|(name, value)| (text(name), text(value.as_ref().unwrap())))
            .collect();
        let expected = [
            ("topic", "t"),
            ("partition", "3"),
            ("offset", "42"),
            ("connector.name", "c"),
            ("task.id", "2"),
            ("stage", "VALUE_CONVERTER"),
            ("class.name", "J"),
            ("exception.class.name", "org.acme.Bad"),
            ("exception.message", "no JSON"),
            ("exception.stacktrace", "org.acme.Bad: no JSON\n\tat org.acme.Reader\n"),
        ]
        .map(|(name, value)| (format!("__connect.errors.{name}"), value.to_owned()));
        assert_eq!(headers, expected);
        assert!(letter.tell_nothing());
        assert_eq!(letter, Letter::of_consumed(&consumed(), 1).unwrap());
        assert!(!letter.tell_nothing());
        let bare = told(None, None);
        let trace = bare.headers.last().unwrap().1.clone().unwrap();
        assert_eq!(text(&trace), "org.apache.kafka.connect.errors.DataException: no JSON\n");
    }

    #[test]
    fn a_sources_record_prints_as_in_kafka_connects_log_and_is_cut() {
        let place = SourcePlace {
            topic: Some("t".into()),
            kafka_partition: None,
            partition: Some(r#"{"file":"f"}"#.into()),
            offset: Some(r#"{"position":3}"#.into()),
        };
        let mut letter = Letter {
            value: Some(br#"{"schema":null,"payload":1}"#.to_vec()),
            timestamp: 5,
            headers: vec![(b"a".to_vec(), Some(b"1".to_vec())), (b"b".to_vec(), None)],
            own_headers: 2,
            source: Some(place),
            ..Letter::default()
        };
        expect_test::expect![[r#"SourceRecord{sourcePartition={"file":"f"}, sourceOffset={"position":3}} ConnectRecord{topic='t', kafkaPartition=null, key=null, value={"schema":null,"payload":1}, timestamp=5, headers=ConnectHeaders(headers=[ConnectHeader(key=a, value=1), ConnectHeader(key=b, value=null)])}"#]].assert_eq(&letter.to_string());
        (letter.is_cbor, letter.timestamp) = (true, -1);
        let text = letter.to_string();
        assert!(text.contains("value=[27 bytes that no JSON can say], timestamp=null"), "{text}");
        letter.is_cbor = false;
        letter.key = Some("ä".repeat(SHOWN_MAX).into_bytes());
        letter.headers = vec![(vec![b'h'; 2 * SHOWN_MAX], Some(vec![0xff; SHOWN_MAX])); 500];
        letter.own_headers = 500;
        let text = letter.to_string();
        assert!(text.contains(&format!("key={}…, value=", "ä".repeat(SHOWN_MAX / 2))));
        assert_eq!(text.matches("ConnectHeader(").count(), SHOWN_HEADERS_MAX);
        assert!(text.len() < (2 * SHOWN_HEADERS_MAX + 3) * (SHOWN_MAX + 100), "{}", text.len());
    }

    #[test]
    fn a_letter_in_cbor_is_its_row_without_headers() {
        let text = |rows: &[Option<&[u8]>]| Values { bytes: column(rows), schemas: vec![] };
        let batch = Batch {
            rows: 2,
            timestamp: vec![3, 5],
            key: text(&[Some(b"a"), None]),
            value: text(&[Some(b"\x01"), Some(b"\xff")]),
            headers: Headers {
                ends: vec![1, 2],
                names: column(&[Some(b"g"), Some(b"h")]),
                values: text(&[Some(b"1"), Some(b"2")]),
            },
            ..Batch::default()
        };
        let letter = Letter::of_polled(&batch, 1, SourcePlace::default());
        assert_eq!(letter.headers, [(b"h".to_vec(), Some(b"2".to_vec()))]);
        let mut letter = letter.into_cbor();
        assert_eq!((&letter.key, &letter.value), (&None, &Some(b"\xff".to_vec())));
        assert_eq!((letter.timestamp, letter.headers.len()), (5, 0));
        assert!(letter.to_string().contains("value=[1 bytes that no JSON can say]"), "{letter}");
        assert!(!letter.tell_nothing());
    }

    #[test]
    fn letters_are_sent_in_pieces_of_at_least_one() {
        let letter = Letter::of_consumed(&consumed(), 1).unwrap();
        let letters = vec![letter; 3];
        assert_eq!(Columns::of(&letters, 1000).rows(&[]).rows, 3);
        assert_eq!(Columns::of(&letters, 5).rows(&[]).rows, 2);
        assert_eq!(Columns::of(&letters, 0).rows(&[]).rows, 1);
    }
}

//! Offsets of sinks: those of their consumer groups.
//!
//! Not here: offsets of sources. Follows `SinkUtils` of Kafka Connect.

use std::time::Duration;

use tombolo_kafka::admin::Admin;
use tombolo_model::ConnectorName;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_store::flat::{FlatMap, Primitive};
use tombolo_worker::SinkGroup;

use super::Offset;
use crate::error::Error;

/// Longest wait for one answer of the broker, as the default `default.api.timeout.ms` of Kafka's admin client.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

const TOPIC: &str = "kafka_topic";
const PARTITION: &str = "kafka_partition";
const OFFSET: &str = "kafka_offset";

/// The consumer group of a sink.
pub(super) struct Group<'a> {
    connector: &'a ConnectorName,
    id: String,
    client: Admin,
}

impl<'a> Group<'a> {
    /// Does not wait for a broker.
    pub(super) fn new(connector: &'a ConnectorName, group: SinkGroup) -> Result<Self, Error> {
        let client_id = format!("connector-adminclient-{connector}");
        let client = Admin::new(&group.admin, &client_id, ANSWER_TIMEOUT)
            .map_err(|error| Error::failed("Failed to create an admin client", &error))?;
        Ok(Self { connector, id: group.id, client })
    }

    pub(super) async fn offsets(&self) -> Result<Vec<Offset>, Error> {
        let committed = self.committed().await?;
        Ok(committed.into_iter().map(offset).collect())
    }

    pub(super) async fn committed(&self) -> Result<Vec<PartitionOffset>, Error> {
        let committed = self.client.group_offsets(&self.id).await;
        let mut committed = committed.map_err(|error| {
            let name = self.connector;
            let message = format!("Failed to retrieve consumer group offsets for connector {name}");
            Error::failed(message, &error)
        })?;
        committed.sort_by(|one, other| one.at.cmp(&other.at));
        Ok(committed)
    }

    pub(super) async fn alter(
        &self,
        changes: &[(TopicPartition, Option<i64>)],
    ) -> Result<(), Error> {
        let failed = |error: tombolo_kafka::Error| self.still_active("alter", &error);
        let set: Vec<PartitionOffset> = changes
            .iter()
            .filter_map(|(at, offset)| Some(PartitionOffset { at: at.clone(), offset: (*offset)? }))
            .collect();
        if !set.is_empty() {
            self.client.alter_group_offsets(&self.id, &set).await.map_err(failed)?;
        }
        let forgotten: Vec<TopicPartition> = changes
            .iter()
            .filter(|(_, offset)| offset.is_none())
            .map(|(at, _)| at.clone())
            .collect();
        if !forgotten.is_empty() {
            self.client.delete_group_offsets(&self.id, &forgotten).await.map_err(failed)?;
        }
        Ok(())
    }

    pub(super) async fn delete(&self) -> Result<(), Error> {
        let deleted = self.client.delete_group(&self.id).await;
        deleted.map(drop).map_err(|error| self.still_active("reset", &error))
    }

    /// A group with members refuses: tasks have not stopped, or run again.
    fn still_active(&self, change: &str, error: &tombolo_kafka::Error) -> Error {
        let name = self.connector;
        let message = format!(
            "Failed to {change} consumer group offsets for connector {name} either because its tasks haven't stopped completely yet or the connector was resumed before the request to {change} its offsets could be successfully completed. If the connector is in a stopped state, this operation can be safely retried. If it doesn't eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink tasks."
        );
        Error::failed(message, error)
    }
}

fn offset(committed: PartitionOffset) -> Offset {
    let partition = i64::from(committed.at.partition);
    let topic = Primitive::Text(committed.at.topic.to_string());
    Offset {
        partition: FlatMap(vec![
            (TOPIC.to_owned(), topic),
            (PARTITION.to_owned(), Primitive::Int(partition)),
        ]),
        offset: FlatMap(vec![(OFFSET.to_owned(), Primitive::Int(committed.offset))]),
    }
}

/// Reads partitions and offsets as submitted: numbers may be texts.
pub(super) fn parse(
    changes: &[(Option<FlatMap>, Option<FlatMap>)],
) -> Result<Vec<(TopicPartition, Option<i64>)>, Error> {
    changes
        .iter()
        .map(|(partition, offset)| {
            Ok((
                parse_partition(partition.as_ref())?,
                offset.as_ref().map(parse_offset).transpose()?,
            ))
        })
        .collect()
}

fn parse_partition(partition: Option<&FlatMap>) -> Result<TopicPartition, Error> {
    let Some(partition) = partition else {
        let message = "The partition for a sink connector offset cannot be null or missing";
        return Err(bad(message.to_owned()));
    };
    let (Some(topic), Some(number)) = (partition.get(TOPIC), partition.get(PARTITION)) else {
        return Err(bad(format!(
            "The partition for a sink connector offset must contain the keys '{TOPIC}' and '{PARTITION}'"
        )));
    };
    let topic = match topic {
        Primitive::Null => {
            return Err(bad("Kafka topic names must be valid strings and may not be null".into()));
        }
        topic => text(topic),
    };
    if *number == Primitive::Null {
        return Err(bad("Kafka partitions must be valid numbers and may not be null".into()));
    }
    let number = text(number);
    let partition = number.parse().map_err(|_| {
        bad(format!(
            "Failed to parse the following Kafka partition value in the provided offsets: '{number}'. Partition values for sink connectors need to be integers."
        ))
    })?;
    Ok(TopicPartition::new(topic, partition))
}

fn parse_offset(offset: &FlatMap) -> Result<i64, Error> {
    let Some(number) = offset.get(OFFSET) else {
        return Err(bad(format!(
            "The offset for a sink connector should either be null or contain the key '{OFFSET}'"
        )));
    };
    let number = text(number);
    number.parse().map_err(|_| {
        bad(format!(
            "Failed to parse the following Kafka offset value in the provided offsets: '{number}'. Offset values for sink connectors need to be integers."
        ))
    })
}

/// A value as Java prints it.
fn text(value: &Primitive) -> String {
    match value {
        Primitive::Null => "null".to_owned(),
        Primitive::Bool(value) => value.to_string(),
        Primitive::Int(value) => value.to_string(),
        Primitive::Float(value) => tombolo_store::json::java_float(*value),
        Primitive::Double(value) => tombolo_store::json::java_double(*value),
        Primitive::Text(text) => text.clone(),
        Primitive::Bytes(_) => "bytes".to_owned(),
    }
}

fn bad(message: String) -> Error {
    Error::BadRequest(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(members: &[(&str, Primitive)]) -> FlatMap {
        FlatMap(members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    #[test]
    fn numbers_may_be_texts_and_what_is_wrong_is_said() {
        let text = |text: &str| Primitive::Text(text.to_owned());
        let check = |partition: &[(&str, Primitive)], offset: &[(&str, Primitive)], expected| {
            let parsed = parse(&[(Some(map(partition)), Some(map(offset)))]);
            let parsed = parsed.map(|all| format!("{} {:?}", all[0].0, all[0].1));
            let parsed = parsed.unwrap_or_else(|error| error.to_string());
            assert!(parsed.contains(expected), "{parsed}");
        };
        let good = [(TOPIC, text("t")), (PARTITION, Primitive::Int(4))];
        check(&good, &[(OFFSET, text("10"))], "t-4 Some(10)");
        check(
            &[(TOPIC, text("t")), (PARTITION, text("4"))],
            &[(OFFSET, Primitive::Int(1))],
            "t-4 Some(1)",
        );
        check(
            &[(TOPIC, text("t"))],
            &[],
            "must contain the keys 'kafka_topic' and 'kafka_partition'",
        );
        check(&[(TOPIC, Primitive::Null), (PARTITION, text("4"))], &[], "may not be null");
        check(
            &[(TOPIC, text("t")), (PARTITION, text("x"))],
            &[],
            "provided offsets: 'x'. Partition",
        );
        let error = parse(&[(None, None)]).unwrap_err().to_string();
        assert!(error.contains("cannot be null or missing"), "{error}");
        check(&good, &[], "should either be null or contain the key 'kafka_offset'");
        check(&good, &[(OFFSET, Primitive::Double(1.5))], "provided offsets: '1.5'. Offset values");
    }
}

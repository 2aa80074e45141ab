//! Puts transformed rows back between those that a predicate left out.
//!
//! Not here: choosing them.

use tombolo_model::batch::{Batch, Column, Headers, TimestampType, Values};

/// Where a row of the merged batch comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pick {
    /// This row of the batch before.
    Before(u32),
    /// This row of the transformed part.
    After(u32),
}

/// These rows of the two batches, in this order.
pub(crate) fn merge(before: &Batch, after: &Batch, picks: &[Pick]) -> Batch {
    let (topics, before_topic, after_topic) = topics(before, after, picks);
    Batch {
        rows: u32::try_from(picks.len()).unwrap_or(u32::MAX),
        topics,
        topic: list(&before_topic, &after_topic, picks, 0),
        partition: list(&before.partition, &after.partition, picks, -1),
        offset: list(&before.offset, &after.offset, picks, -1),
        timestamp: list(&before.timestamp, &after.timestamp, picks, -1),
        timestamp_types: list(
            &before.timestamp_types,
            &after.timestamp_types,
            picks,
            TimestampType::None,
        ),
        key: values(&before.key, &after.key, picks),
        value: values(&before.value, &after.value, picks),
        headers: headers(&before.headers, &after.headers, picks),
    }
}

/// The topics of these rows, each once of each batch, and the place of each row's among them: those that no row has any more would double with each
/// step of a chain.
fn topics(before: &Batch, after: &Batch, picks: &[Pick]) -> (Vec<String>, Vec<u32>, Vec<u32>) {
    let mut topics = Vec::new();
    let mut of = |batch: &Batch, rows: &mut dyn Iterator<Item = u32>| {
        let mut places = vec![None; batch.topics.len()];
        let mut places_of_rows = vec![0; batch.rows as usize];
        for row in rows {
            let topic = batch.topic.get(row as usize).map_or(0, |&topic| topic as usize);
            let (Some(place), Some(name)) = (places.get_mut(topic), batch.topics.get(topic)) else {
                continue;
            };
            let place = *place.get_or_insert_with(|| {
                topics.push(name.clone());
                u32::try_from(topics.len() - 1).unwrap_or(u32::MAX)
            });
            if let Some(of_row) = places_of_rows.get_mut(row as usize) {
                *of_row = place;
            }
        }
        places_of_rows
    };
    let before_rows = picks.iter().filter_map(|pick| match *pick {
        Pick::Before(row) => Some(row),
        Pick::After(_) => None,
    });
    let after_rows = picks.iter().filter_map(|pick| match *pick {
        Pick::Before(_) => None,
        Pick::After(row) => Some(row),
    });
    let before_topic = of(before, &mut { before_rows });
    let after_topic = of(after, &mut { after_rows });
    (topics, before_topic, after_topic)
}

fn list<T: Copy>(before: &[T], after: &[T], picks: &[Pick], missing: T) -> Vec<T> {
    if before.is_empty() && after.is_empty() {
        return Vec::new();
    }
    let get = |pick: &Pick| match *pick {
        Pick::Before(row) => before.get(row as usize).copied(),
        Pick::After(row) => after.get(row as usize).copied(),
    };
    picks.iter().map(|pick| get(pick).unwrap_or(missing)).collect()
}

fn column(before: &Column, after: &Column, picks: &[Pick]) -> Column {
    let mut out = Column::default();
    if before.is_absent() && after.is_absent() {
        return out;
    }
    for pick in picks {
        out.push_option(match *pick {
            Pick::Before(row) => before.get(row as usize),
            Pick::After(row) => after.get(row as usize),
        });
    }
    out
}

fn values(before: &Values, after: &Values, picks: &[Pick]) -> Values {
    Values {
        bytes: column(&before.bytes, &after.bytes, picks),
        schemas: list(&before.schemas, &after.schemas, picks, 0),
    }
}

fn headers(before: &Headers, after: &Headers, picks: &[Pick]) -> Headers {
    if before.ends.is_empty() && after.ends.is_empty() {
        return Headers::default();
    }
    let mut inner = Vec::new();
    let mut ends = Vec::with_capacity(picks.len());
    let number = |header: usize| u32::try_from(header).unwrap_or(u32::MAX);
    for pick in picks {
        match *pick {
            Pick::Before(row) => {
                inner.extend(before.range(row as usize).map(|at| Pick::Before(number(at))));
            }
            Pick::After(row) => {
                inner.extend(after.range(row as usize).map(|at| Pick::After(number(at))));
            }
        }
        ends.push(number(inner.len()));
    }
    Headers {
        ends,
        names: column(&before.names, &after.names, &inner),
        values: values(&before.values, &after.values, &inner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values_of(rows: &[&str]) -> Values {
        let mut bytes = Column::default();
        rows.iter().for_each(|row| bytes.push(row.as_bytes()));
        Values { bytes, schemas: vec![] }
    }

    #[test]
    fn rows_of_both_keep_their_columns() {
        let before = Batch {
            rows: 3,
            topics: vec!["t".into()],
            offset: vec![7, 8, 9],
            value: values_of(&["a", "b", "c"]),
            ..Batch::default()
        };
        let after = Batch {
            rows: 2,
            topics: vec!["u".into(), "v".into()],
            topic: vec![1, 0],
            offset: vec![8, 8],
            value: Values { schemas: vec![3, 3], ..values_of(&["x", "y"]) },
            headers: Headers {
                ends: vec![1, 1],
                names: values_of(&["n"]).bytes,
                values: values_of(&["h"]),
            },
            ..Batch::default()
        };
        let picks = [Pick::Before(0), Pick::After(0), Pick::After(1), Pick::Before(2)];
        let merged = merge(&before, &after, &picks);
        merged.check("merged").unwrap();
        let topics: Vec<_> = (0..4).map(|row| merged.topic_of(row).unwrap()).collect();
        assert_eq!(topics, ["t", "v", "u", "t"]);
        assert_eq!(merged.offset, [7, 8, 8, 9]);
        assert_eq!(merged.value.bytes, values_of(&["a", "x", "y", "c"]).bytes);
        assert_eq!(merged.value.schemas, [0, 3, 3, 0]);
        assert_eq!(merged.headers.ends, [0, 1, 1, 1]);
        assert_eq!(merged.headers.names.get(0), Some(b"n".as_slice()));
    }
}

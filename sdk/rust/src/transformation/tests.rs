//! Chains: order, predicates, dropping, splitting, faults; and columns that are answered only when a row changed them.

use serde::{Deserialize, Serialize};

use super::*;
use crate::cbor;
use crate::fault::Problem;
use crate::predicate::Predicate;
use crate::row::Part;
use crate::settings::{ConfigError, Definition, Key};
use crate::testing::{Chain, SinkRecords};

/// Adds to an integer value; fails for text.
struct Add(i64);

struct AddSettings(i64);

const BY: Key<i64> = Key::new("by");

impl Configuration for AddSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&BY];
    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self(BY.get(settings)?))
    }
}

impl Plugin for Add {
    type Settings = AddSettings;
    const CLASS: &'static str = "Add";
    const VERSION: &'static str = "1";
    const DOC: &'static str = "";
}
impl Transformation for Add {
    fn create(settings: AddSettings) -> Result<Self> {
        Ok(Self(settings.0))
    }
    fn apply(&mut self, row: &mut Row<'_>) -> std::result::Result<Next, Failure> {
        let value: i64 = cbor::from_slice(row.value().unwrap_or_default())?;
        row.set_serde(Part::Value, &(value + self.0))?;
        Ok(Next::Keep)
    }
}

/// Drops even values.
struct DropEven;
impl Plugin for DropEven {
    type Settings = ();
    const CLASS: &'static str = "DropEven";
    const VERSION: &'static str = "1";
    const DOC: &'static str = "";
}
impl Transformation for DropEven {
    fn create((): ()) -> Result<Self> {
        Ok(Self)
    }
    fn apply(&mut self, row: &mut Row<'_>) -> std::result::Result<Next, Failure> {
        let even = cbor::from_slice::<i64>(row.value().unwrap_or_default())? % 2 == 0;
        Ok(if even { Next::Drop } else { Next::Keep })
    }
}

/// Makes a row of each number below the value.
struct Count;
impl Plugin for Count {
    type Settings = ();
    const CLASS: &'static str = "Count";
    const VERSION: &'static str = "1";
    const DOC: &'static str = "";
}
impl Transformation for Count {
    const SPLITS: bool = true;
    fn create((): ()) -> Result<Self> {
        Ok(Self)
    }
    fn apply(&mut self, row: &mut Row<'_>) -> std::result::Result<Next, Failure> {
        let count: i64 = cbor::from_slice(row.value().unwrap_or_default())?;
        let copy = i64::from(row.copy());
        if count == 0 {
            return Ok(Next::Drop);
        }
        row.set_serde(Part::Value, &copy)?;
        Ok(if copy + 1 < count { Next::More } else { Next::Keep })
    }
}

/// Renames the topic, and marks the record.
struct Mark;
impl Plugin for Mark {
    type Settings = ();
    const CLASS: &'static str = "Mark";
    const VERSION: &'static str = "1";
    const DOC: &'static str = "";
}
impl Transformation for Mark {
    fn create((): ()) -> Result<Self> {
        Ok(Self)
    }
    fn apply(&mut self, row: &mut Row<'_>) -> std::result::Result<Next, Failure> {
        let topic = format!("{}-marked", row.topic());
        row.set_topic(&topic);
        row.set_timestamp(Some(77));
        row.set_partition(3);
        row.remove_headers("old");
        row.add_header("new", Some(&[1]), 0);
        Ok(Next::Keep)
    }
}

/// Fails as a call for 13.
struct Thirteen;
impl Plugin for Thirteen {
    type Settings = ();
    const CLASS: &'static str = "Thirteen";
    const VERSION: &'static str = "1";
    const DOC: &'static str = "";
}
impl Transformation for Thirteen {
    fn create((): ()) -> Result<Self> {
        Ok(Self)
    }
    fn apply(&mut self, row: &mut Row<'_>) -> std::result::Result<Next, Failure> {
        match cbor::from_slice::<i64>(row.value().unwrap_or_default())? {
            13 => Err(Fault::retriable("the lookup is away").into()),
            _ => Ok(Next::Keep),
        }
    }
}

/// Holds for values above 2; fails for 100.
struct Large;
impl Plugin for Large {
    type Settings = ();
    const CLASS: &'static str = "Large";
    const VERSION: &'static str = "1";
    const DOC: &'static str = "";
}
impl Predicate for Large {
    fn create((): ()) -> Result<Self> {
        Ok(Self)
    }
    fn test(&mut self, row: &Row<'_>) -> std::result::Result<bool, Failure> {
        match cbor::from_slice::<i64>(row.value().unwrap_or_default())? {
            100 => Err(Problem::data("a hundred").into()),
            value => Ok(value > 2),
        }
    }
}

fn batch<T: Serialize>(values: &[T]) -> Batch {
    let mut records = SinkRecords::new();
    for (offset, value) in values.iter().enumerate() {
        let record = records.record("t", 0, offset as i64).value(value).unwrap();
        record.header("old", &offset).unwrap().timestamp(5);
    }
    records.into_batch()
}

fn values<'a, T: Deserialize<'a>>(transformed: &'a Transformed) -> Vec<T> {
    let rows = transformed.value.as_ref().unwrap().bytes.iter();
    rows.map(|row| cbor::from_slice(row.unwrap()).unwrap()).collect()
}

fn none() -> Settings {
    Settings::default()
}

fn by(number: i64) -> Settings {
    none().with("by", number)
}

#[test]
fn steps_run_in_order_on_each_others_output() {
    let mut chain = Chain::new()
        .then::<Add>(&by(1))
        .unwrap()
        .then::<DropEven>(&none())
        .unwrap()
        .then::<Add>(&by(10))
        .unwrap();
    let answer = chain.apply(&batch(&[1, 2, 3, 4])).unwrap();
    assert_eq!(answer.origin, [1, 3]);
    assert_eq!(values::<i64>(&answer), [13, 15]);
    assert!(answer.key.is_none() && answer.topic.is_none() && answer.headers.is_none());
    assert!(answer.partition.is_none() && answer.timestamp.is_none() && answer.faults.is_empty());
}

#[test]
fn a_chain_that_changes_nothing_answers_no_column() {
    let mut chain = Chain::new().then::<DropEven>(&none()).unwrap();
    let answer = chain.apply(&batch(&[1, 2, 3])).unwrap();
    assert_eq!(answer.origin, [0, 2]);
    assert!(answer.value.is_none());
}

#[test]
fn a_predicate_chooses_rows_and_the_others_keep_what_they_have() {
    for (negate, expected) in [(false, [1, 2, 13, 14]), (true, [11, 12, 3, 4])] {
        let mut chain =
            Chain::new().then::<Add>(&by(10)).unwrap().when::<Large>(&none(), negate).unwrap();
        let answer = chain.apply(&batch(&[1, 2, 3, 4])).unwrap();
        assert_eq!(values::<i64>(&answer), expected);
    }
}

#[test]
fn a_row_that_fails_leaves_the_chain_at_its_step() {
    let mut chain =
        Chain::new().then::<DropEven>(&none()).unwrap().when::<Large>(&none(), false).unwrap();
    chain = chain.then::<Add>(&by(1)).unwrap();
    let mut rows = batch(&[1, 100, 3]);
    rows.value.push(Some(&cbor::to_vec("text").unwrap()), 0);
    rows.rows += 1;
    let answer = chain.apply(&rows).unwrap();
    assert_eq!(answer.origin, [0, 2]);
    let faults: Vec<(u32, u32)> =
        answer.faults.iter().map(|fault| (fault.step, fault.row)).collect();
    assert_eq!(faults, [(0, 1), (0, 3)]);
    assert_eq!(answer.faults[0].problem.message, "a hundred");
}

#[test]
fn a_split_row_runs_the_rest_of_the_chain_for_each_copy() {
    let mut chain = Chain::new().then::<Count>(&none()).unwrap().then::<Add>(&by(10)).unwrap();
    let answer = chain.apply(&batch(&[2, 0, 3])).unwrap();
    assert_eq!(answer.origin, [0, 0, 2, 2, 2]);
    assert_eq!(values::<i64>(&answer), [10, 11, 10, 11, 12]);
}

#[test]
fn of_a_split_row_that_fails_nothing_is_left() {
    // The copies are 0 to 4; those above 2 make the predicate's step add, and 100 never comes: the failing copy is 13 after adding.
    let mut chain = Chain::new().then::<Count>(&none()).unwrap().then::<Add>(&by(97)).unwrap();
    chain = chain.then::<Add>(&by(1)).unwrap().when::<Large>(&none(), false).unwrap();
    let answer = chain.apply(&batch(&[2, 5, 1])).unwrap();
    assert_eq!(
        answer.origin,
        [0, 0, 2],
        "the copy with 3 becomes 100, on which the predicate fails"
    );
    assert_eq!(values::<i64>(&answer), [98, 99, 98]);
    assert_eq!(answer.faults.len(), 1);
    assert_eq!(answer.faults[0].row, 1);
}

#[test]
fn topic_partition_timestamp_and_headers_can_be_changed_in_some_rows() {
    let mut chain =
        Chain::new().then::<Mark>(&none()).unwrap().when::<Large>(&none(), false).unwrap();
    let answer = chain.apply(&batch(&[1, 5, 2])).unwrap();
    let topics = answer.topic.unwrap();
    assert_eq!(
        (topics.topics, topics.topic),
        (vec!["t".to_owned(), "t-marked".to_owned()], vec![0, 1, 0])
    );
    assert_eq!(answer.partition.unwrap(), [0, 3, 0]);
    assert_eq!(answer.timestamp.unwrap(), [5, 77, 5]);
    let headers = answer.headers.unwrap();
    let names = |row: usize| headers.of(row).map(|(name, ..)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!([names(0), names(1), names(2)], [["old"], ["new"], ["old"]]);
    assert!(answer.value.is_none());
}

#[test]
fn a_call_that_cannot_go_on_fails_as_a_whole() {
    let mut chain = Chain::new().then::<Thirteen>(&none()).unwrap();
    let fault = chain.apply(&batch(&[1, 13])).unwrap_err();
    assert!(matches!(fault, Fault::Retriable(_)));
}

//! Tests of the table of topics.

use super::*;
use crate::log::testing::{append, plain};

fn new(name: &str, partitions: i32) -> NewTopic<'_> {
    NewTopic { name, partitions, config: TopicConfig::default() }
}

#[test]
fn topics_are_there_after_a_restart_with_their_settings_and_records() {
    let dir = tempfile::tempdir().unwrap();
    let topics = Topics::open(dir.path().to_owned()).unwrap();
    let topic = topics.create(new("a", 2)).unwrap();
    topics.create(new("b", 1)).unwrap();
    append(&mut topic.partition(1).unwrap().log(), plain(&["x"])).unwrap();
    let settings = [("retention.ms".to_owned(), "5".to_owned())];
    topics.configure("a", TopicConfig::new(settings.into()).unwrap()).unwrap();
    topics.grow("a", 4).unwrap();
    drop(topics);
    let topics = Topics::open(dir.path().to_owned()).unwrap();
    let again = topics.get("a").unwrap();
    assert_eq!((again.id, again.partitions.len()), (topic.id, 4));
    assert_eq!(again.config.get("retention.ms"), "5");
    assert_eq!(again.partition(1).unwrap().log().next(), 1);
    assert_eq!(topics.get_by_id(topic.id).unwrap().name, "a");
    assert_eq!(topics.all().len(), 2);
}

#[test]
fn what_cannot_be_created_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let topics = Topics::open(dir.path().to_owned()).unwrap();
    topics.create(new("a", 1)).unwrap();
    for (name, partitions, error) in [
        ("a", 1, ResponseError::TopicAlreadyExists),
        ("b", 0, ResponseError::InvalidPartitions),
        ("b", PARTITIONS_MAX + 1, ResponseError::InvalidPartitions),
        ("../b", 1, ResponseError::InvalidTopicException),
    ] {
        assert_eq!(topics.check(&new(name, partitions)).err(), Some(error));
        assert_eq!(topics.create(new(name, partitions)).err(), Some(error));
    }
    assert_eq!(topics.grow("a", 1).err(), Some(ResponseError::InvalidPartitions));
    let unknown = Some(ResponseError::UnknownTopicOrPartition);
    assert_eq!(topics.grow("b", 2).err(), unknown);
    assert_eq!(topics.delete("b").err(), unknown);
}

#[test]
fn a_deleted_topic_is_gone_and_its_name_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let topics = Topics::open(dir.path().to_owned()).unwrap();
    let old = topics.create(new("a", 1)).unwrap();
    append(&mut old.partition(0).unwrap().log(), plain(&["x"])).unwrap();
    topics.delete("a").unwrap();
    assert!(topics.get("a").is_none() && topics.get_by_id(old.id).is_none());
    let next = topics.create(new("a", 1)).unwrap();
    assert_ne!(next.id, old.id);
    assert_eq!(next.partition(0).unwrap().log().next(), 0);
    let late = append(&mut old.partition(0).unwrap().log(), plain(&["late"]));
    assert!(late.is_err(), "a request that was on its way writes nothing");
    drop(topics);
    // A crash came before the files of the deleted topic were removed.
    std::fs::create_dir_all(dir.path().join("deleted topics/1/0")).unwrap();
    std::fs::create_dir_all(dir.path().join("half made")).unwrap();
    let topics = Topics::open(dir.path().to_owned()).unwrap();
    assert_eq!(topics.all().len(), 1);
    assert!(!dir.path().join("deleted topics").exists());
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let topics = Topics::open(dir.path().to_owned()).unwrap();
    topics.create(new("a", 1)).unwrap();
    let file = dir.path().join("a/topic.json");
    std::fs::write(&file, "{").unwrap();
    let error = Topics::open(dir.path().to_owned()).unwrap_err();
    assert!(matches!(error, Error::Damaged { path, .. } if path == file));
}

//! Rows that are refused, and a database that is away.

use std::time::{Duration, Instant};

use super::*;

#[derive(Clone, Copy, Serialize)]
struct Row {
    a: Option<i32>,
    b: Option<&'static str>,
}

fn row(a: i32, b: &'static str) -> Row {
    Row { a: Some(a), b: Some(b) }
}

#[test]
fn bad_rows_are_found_and_the_others_written() {
    let postgres = postgres();
    postgres
        .query("CREATE TABLE checked (a int NOT NULL CHECK (a <> 13), b varchar(3) UNIQUE)")
        .unwrap();
    let mut task = start(&settings(&postgres));
    const TEXTS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut all: Vec<((), Row)> = (0..).zip(TEXTS).map(|(a, b)| ((), row(a, b))).collect();
    all[1].1.a = None;
    all[3].1.a = Some(13);
    all[4].1.b = Some("too long");
    all[6].1.b = Some("a");
    let refused = faults(&mut task, records("checked", &all));
    let numbers: Vec<u32> = refused.iter().map(|(row, _)| *row).collect();
    assert_eq!(numbers, [1, 3, 4, 6], "{refused:?}");
    for (place, words) in ["23502", "23514", "22001", "23505"].iter().enumerate() {
        assert!(refused[place].1.contains(words), "{refused:?}");
    }
    assert_eq!(rows(&postgres, "SELECT a FROM checked ORDER BY a"), ["0", "2", "5", "7"]);
}

#[test]
fn a_bad_last_row_of_a_key_leaves_the_good_one_before_it() {
    let postgres = postgres();
    postgres
        .query("CREATE TABLE partly (id int PRIMARY KEY, a int CHECK (a > 0), b text)")
        .unwrap();
    let mut task = start(&upsert(&postgres, "id"));
    let all = [(1, row(1, "good")), (2, row(2, "x")), (1, row(-1, "bad")), (3, row(3, "y"))];
    let refused = faults(&mut task, records("partly", &all));
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].0, 2);
    assert_eq!(rows(&postgres, "SELECT * FROM partly ORDER BY id"), ["1,1,good", "2,2,x", "3,3,y"]);
}

#[test]
fn keys_that_only_the_database_finds_equal_are_written_in_order() {
    let postgres = postgres();
    postgres.query("CREATE TABLE equal (id numeric PRIMARY KEY, a int, b text)").unwrap();
    let mut task = start(&upsert(&postgres, "id"));
    let mut all = SinkRecords::new();
    all.record("equal", 0, 0).key(&1.0).unwrap().value(&row(1, "x")).unwrap();
    all.record("equal", 0, 1).key(&1).unwrap().value(&row(2, "y")).unwrap();
    put(&mut task, all);
    assert_eq!(rows(&postgres, "SELECT a, b FROM equal"), ["2,y"]);
}

#[test]
fn a_constraint_that_waits_for_the_commit_names_its_row() {
    let postgres = postgres();
    postgres
        .query("CREATE TABLE deferred (a int UNIQUE DEFERRABLE INITIALLY DEFERRED, b text)")
        .unwrap();
    let mut task = start(&settings(&postgres));
    let all = [((), row(1, "x")), ((), row(2, "y")), ((), row(1, "z"))];
    let refused = faults(&mut task, records("deferred", &all));
    assert_eq!(refused.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2], "{refused:?}");
    assert_eq!(rows(&postgres, "SELECT b FROM deferred ORDER BY b"), ["x", "y"]);
}

#[test]
fn records_that_do_not_suit_the_settings_say_so() {
    let postgres = postgres();
    postgres.query("CREATE TABLE suited (id int PRIMARY KEY, a smallint, b text)").unwrap();
    let mut task = start(&upsert(&postgres, "id"));
    let mut all = SinkRecords::new();
    all.record("suited", 0, 0).value(&row(1, "no key")).unwrap();
    all.record("suited", 0, 1).key(&1).unwrap();
    all.record("suited", 0, 2).key(&2).unwrap().value("a text").unwrap();
    all.record("suited", 0, 3).key(&3).unwrap().value(&row(70_000, "large")).unwrap();
    all.record("suited", 0, 4).key(&4).unwrap().value(&row(4, "good")).unwrap();
    let refused = faults(&mut task, all);
    let words = ["the key is null", "delete.enabled=true", "no struct and no map", "out of range"];
    assert_eq!(refused.len(), words.len(), "{refused:?}");
    for ((_, message), words) in refused.iter().zip(words) {
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(rows(&postgres, "SELECT * FROM suited"), ["4,4,good"]);
}

#[test]
fn a_table_that_changed_meanwhile_is_looked_at_again() {
    let postgres = postgres();
    postgres.query("CREATE TABLE moved (a int, b text)").unwrap();
    let mut task = start(&settings(&postgres));
    put(&mut task, records("moved", &[((), row(1, "x"))]));
    postgres.query("DROP TABLE moved; CREATE TABLE moved (b text, c int, a bigint)").unwrap();
    put(&mut task, records("moved", &[((), row(2, "y"))]));
    assert_eq!(rows(&postgres, "SELECT * FROM moved"), ["y,-,2"]);
}

#[test]
fn a_put_ends_before_its_call_does_and_names_the_setting_that_allows_more() {
    const CALL: Duration = Duration::from_secs(3);
    let postgres = postgres();
    postgres.query("CREATE TABLE locked (a int, b text)").unwrap();
    let mut other = postgres.client().unwrap();
    other.query("BEGIN; LOCK TABLE locked").unwrap();
    for (parameters, words) in
        [("", "socketTimeout"), ("&socketTimeout=60", "sandbox.call.timeout.ms")]
    {
        let settings = settings(&postgres)
            .with("connection.url", url(&[postgres.port()], parameters))
            .with("sandbox.call.timeout.ms", CALL.as_millis());
        let mut task = start(&settings);
        let began = Instant::now();
        let fault = failure(&mut task, records("locked", &[((), row(1, "x"))]));
        assert!(began.elapsed() < CALL, "{:?}", began.elapsed());
        assert!(matches!(fault, Fault::Retriable(_)), "{fault:?}");
        assert!(fault.problem().message.contains(words), "{fault:?}");
    }
    other.query("COMMIT").unwrap();
    put(&mut start(&settings(&postgres)), records("locked", &[((), row(2, "y"))]));
    assert_eq!(rows(&postgres, "SELECT a FROM locked"), ["2"]);
}

#[test]
fn a_database_that_goes_and_comes_back_loses_and_doubles_nothing() {
    // One of its own: the others are not to notice.
    let mut postgres = Postgres::start().unwrap();
    postgres.query("CREATE TABLE steady (id int PRIMARY KEY, a int, b text)").unwrap();
    let settings = upsert(&postgres, "id").with("retry.backoff.ms", "7").with("max.retries", "2");
    let mut task = start(&settings);
    let batch =
        |from: i32| -> Vec<(i32, Row)> { (from..from + 10).map(|id| (id, row(id, "x"))).collect() };
    put(&mut task, records("steady", &batch(0)));
    postgres.stop().unwrap();
    for _ in 0..2 {
        let fault = failure(&mut task, records("steady", &batch(5)));
        let Fault::Retriable(retry) = fault else { panic!("{fault:?}") };
        assert_eq!(retry.after_ms, Some(7));
    }
    postgres.start_again().unwrap();
    put(&mut task, records("steady", &batch(5)));
    assert_eq!(rows(&postgres, "SELECT count(*), sum(id) FROM steady"), ["15,105"]);
    postgres.stop().unwrap();
    for _ in 0..2 {
        failure(&mut task, records("steady", &batch(5)));
    }
    let fault = failure(&mut task, records("steady", &batch(5)));
    // Not fatal: no record is to blame, and none is looked for.
    assert!(matches!(fault, Fault::Config(_)), "{fault:?}");
    assert!(fault.problem().message.contains("max.retries"), "{fault:?}");
}

//! Adding, replacing, changing and deleting rows.

use super::*;

#[derive(Clone, Debug, Serialize)]
struct Order {
    id: i64,
    item: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Item {
    item: Option<&'static str>,
}

fn item(text: &'static str) -> Option<Item> {
    Some(Item { item: Some(text) })
}

#[test]
fn insert_adds_a_row_per_record() {
    let postgres = postgres();
    postgres.query("CREATE TABLE added (id bigint, item text)").unwrap();
    let mut task = start(&settings(&postgres));
    let all: Vec<_> = (0..5000).map(|id| ((), Order { id, item: Some("x") })).collect();
    put(&mut task, records("added", &all));
    put(&mut task, records("added", &[((), Order { id: 0, item: None })]));
    put(&mut task, SinkRecords::new());
    let found =
        rows(&postgres, "SELECT count(*), count(item), count(DISTINCT id), max(id) FROM added");
    assert_eq!(found, ["5001,5000,5000,4999"]);
    let durable = task.pre_commit(&[("added", 0, 5000)]).unwrap();
    assert_eq!(durable.offsets[0].offset, 5000);
}

#[test]
fn upsert_keeps_the_last_row_of_a_key() {
    let postgres = postgres();
    postgres
        .query("CREATE TABLE kept (id bigint PRIMARY KEY, item text, other text DEFAULT 'd')")
        .unwrap();
    let mut task = start(&upsert(&postgres, "id"));
    put(&mut task, records("kept", &[(1, item("a")), (2, item("b")), (1, item("c"))]));
    put(&mut task, records("kept", &[(2, item("d")), (3, item("e"))]));
    // The same again, as after a crash.
    put(&mut task, records("kept", &[(2, item("d")), (3, item("e"))]));
    assert_eq!(rows(&postgres, "SELECT * FROM kept ORDER BY id"), ["1,c,d", "2,d,d", "3,e,d"]);
}

#[test]
fn a_null_value_deletes_and_order_within_a_put_counts() {
    let postgres = postgres();
    postgres.query("CREATE TABLE gone (id bigint PRIMARY KEY, item text, n int)").unwrap();
    let mut task = start(&upsert(&postgres, "id").with("delete.enabled", "true"));
    put(
        &mut task,
        records("gone", &[(1, item("a")), (2, item("b")), (3, item("c")), (4, item("d"))]),
    );
    put(
        &mut task,
        records(
            "gone",
            &[(1, None), (2, None), (2, item("again")), (3, item("x")), (3, None), (9, None)],
        ),
    );
    assert_eq!(rows(&postgres, "SELECT id, item FROM gone ORDER BY id"), ["2,again", "4,d"]);
    // Records with other fields leave those that they do not have, whatever comes between.
    let mut mixed = SinkRecords::new();
    let with = |n: i32| -> std::collections::BTreeMap<&str, i32> { [("n", n)].into() };
    mixed.record("gone", 0, 0).key(&4).unwrap().value(&with(1)).unwrap();
    mixed.record("gone", 0, 1).key(&4).unwrap().value(&item("e")).unwrap();
    mixed.record("gone", 0, 2).key(&4).unwrap().value(&with(2)).unwrap();
    mixed.record("gone", 0, 3).key(&5).unwrap().value(&item("f")).unwrap();
    put(&mut task, mixed);
    assert_eq!(rows(&postgres, "SELECT * FROM gone WHERE id > 2 ORDER BY id"), ["4,e,2", "5,f,-"]);
}

#[test]
fn a_deletion_comes_after_every_row_of_its_key_whatever_loads_they_are_in() {
    let postgres = postgres();
    postgres.query("CREATE TABLE ended (id bigint PRIMARY KEY, item text, n int)").unwrap();
    let mut task = start(&upsert(&postgres, "id").with("delete.enabled", "true"));
    #[derive(Serialize)]
    struct Both {
        item: &'static str,
        n: i32,
    }
    // A deletion comes first, so that deletions have the first load.
    let mut lost = SinkRecords::new();
    lost.record("ended", 0, 0).key(&9).unwrap();
    lost.record("ended", 0, 1).key(&1).unwrap().value(&item("a")).unwrap();
    lost.record("ended", 0, 2).key(&1).unwrap().value(&Both { item: "b", n: 2 }).unwrap();
    lost.record("ended", 0, 3).key(&1).unwrap();
    put(&mut task, lost);
    assert_eq!(rows(&postgres, "SELECT * FROM ended"), [""; 0]);
    // The same, with a row between that stays, and one that comes after.
    let mut kept = SinkRecords::new();
    kept.record("ended", 0, 4).key(&1).unwrap();
    kept.record("ended", 0, 5).key(&1).unwrap().value(&item("a")).unwrap();
    kept.record("ended", 0, 6).key(&1).unwrap();
    kept.record("ended", 0, 7).key(&2).unwrap().value(&Both { item: "c", n: 3 }).unwrap();
    kept.record("ended", 0, 8).key(&3).unwrap().value(&item("d")).unwrap();
    kept.record("ended", 0, 9).key(&3).unwrap().value(&Both { item: "e", n: 4 }).unwrap();
    kept.record("ended", 0, 10).key(&3).unwrap();
    kept.record("ended", 0, 11).key(&3).unwrap().value(&item("f")).unwrap();
    put(&mut task, kept);
    assert_eq!(rows(&postgres, "SELECT * FROM ended ORDER BY id"), ["2,c,3", "3,f,-"]);
}

#[test]
fn a_deletion_makes_no_table() {
    let postgres = postgres();
    let creating = upsert(&postgres, "id").with("auto.create", "true");
    let mut task = start(&creating.clone().with("delete.enabled", "true"));
    put(&mut task, records::<_, Option<Item>>("later", &[(1, None), (2, None)]));
    assert_eq!(rows(&postgres, "SELECT to_regclass('later')"), ["-"]);
    put(&mut task, records("later", &[(1, None), (1, item("a")), (2, item("b")), (2, None)]));
    assert_eq!(rows(&postgres, "SELECT * FROM later"), ["1,a"]);
    // Where nothing may be deleted, such a record is bad as ever.
    let refused = faults(&mut start(&creating), records::<_, Option<Item>>("never", &[(1, None)]));
    assert!(refused[0].1.contains("delete.enabled=true"), "{refused:?}");
}

#[test]
fn more_shapes_than_a_session_keeps_tables_for_are_written_at_once() {
    let postgres = postgres();
    postgres
        .query(
            "CREATE TABLE shaped (id int PRIMARY KEY, a int2, b int4, c int8, d float4, e float8, \
             f numeric, g text, h json, i jsonb)",
        )
        .unwrap();
    const COLUMNS: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    // The columns whose bits the key has: no two records have the same, nor columns of the same types.
    let value = |id: i32| -> std::collections::BTreeMap<&str, i32> {
        let columns = (0_u32..).zip(COLUMNS).filter(|(bit, _)| (id >> bit) & 1 == 1);
        columns.map(|(_, name)| (name, id)).collect()
    };
    let with =
        |ids: std::ops::RangeInclusive<i32>| -> Vec<_> { ids.map(|id| (id, value(id))).collect() };
    let mut task = start(&upsert(&postgres, "id"));
    let count = "SELECT count(*), count(a), count(i), sum(b) FILTER (WHERE id < 4) FROM shaped";
    for _ in 0..2 {
        put(&mut task, records("shaped", &with(1..=300)));
        assert_eq!(rows(&postgres, count), ["300,150,45,5"]);
    }
    // Others take the place of those.
    put(&mut task, records("shaped", &with(301..=310)));
    assert_eq!(rows(&postgres, "SELECT count(*), count(i) FROM shaped"), ["310,55"]);
}

#[test]
fn update_changes_only_what_is_there() {
    let postgres = postgres();
    postgres
        .query("CREATE TABLE changed (id bigint, item text); INSERT INTO changed VALUES (1, 'a')")
        .unwrap();
    let updating = settings(&postgres)
        .with("insert.mode", "update")
        .with("pk.mode", "record_value")
        .with("pk.fields", "id");
    let mut task = start(&updating);
    let all = [((), Order { id: 1, item: Some("b") }), ((), Order { id: 2, item: Some("c") })];
    put(&mut task, records("changed", &all));
    assert_eq!(rows(&postgres, "SELECT * FROM changed"), ["1,b"]);
}

#[test]
fn keys_come_from_where_the_settings_say() {
    let postgres = postgres();
    let with = |mode: &str, fields: &str, table: &str| {
        settings(&postgres)
            .with("insert.mode", "upsert")
            .with("auto.create", "true")
            .with("pk.mode", mode)
            .with("pk.fields", fields)
            .with("table.name.format", table)
    };
    let order = |id| Order { id, item: Some("x") };
    let mut kafka = start(&with("kafka", "", "by_kafka"));
    put(&mut kafka, records("t", &[((), order(1)), ((), order(1))]));
    put(&mut kafka, records("t", &[((), order(7)), ((), order(1))]));
    assert_eq!(rows(&postgres, "SELECT * FROM by_kafka ORDER BY 3"), ["t,0,0,7,x", "t,0,1,1,x"]);
    let mut value = start(&with("record_value", "id", "by_value"));
    put(&mut value, records("t", &[((), order(1)), ((), order(1)), ((), order(2))]));
    assert_eq!(rows(&postgres, "SELECT * FROM by_value ORDER BY 1"), ["1,x", "2,x"]);
    let mut fields = start(&with("record_key", "", "by_fields"));
    let key = |id, item| Order { id, item: Some(item) };
    put(
        &mut fields,
        records("t", &[(key(1, "a"), order(5)), (key(1, "b"), order(5)), (key(1, "a"), order(6))]),
    );
    assert_eq!(rows(&postgres, "SELECT * FROM by_fields ORDER BY 2"), ["1,a", "1,b"]);
}

#[test]
fn tables_are_made_and_columns_added_where_that_is_allowed() {
    let postgres = postgres();
    let mut task = start(&upsert(&postgres, "id"));
    let missing = failure(&mut task, records("made", &[(1, item("a"))]));
    assert!(matches!(missing, Fault::Config(_)), "{missing:?}");
    assert_eq!(
        missing.problem().message,
        "Table \"made\" is missing and auto-creation is disabled"
    );
    let mut task = start(&upsert(&postgres, "id").with("auto.create", "true"));
    put(&mut task, records("made", &[(1, item("a"))]));
    let wider = |id: i64| [(id, Order { id, item: Some("b") })];
    let extra =
        |n: Option<i32>| -> std::collections::BTreeMap<&str, Option<i32>> { [("n", n)].into() };
    let refused = faults(&mut task, records("made", &[(2, extra(Some(1)))]));
    assert!(
        refused[0].1.contains("is missing fields (n) and auto-evolution is disabled"),
        "{refused:?}"
    );
    let mut task = start(&upsert(&postgres, "id").with("auto.evolve", "true"));
    put(&mut task, records("made", &[(3, extra(None)), (4, extra(Some(2))), (5, extra(None))]));
    put(&mut task, records("made", &wider(6)));
    assert_eq!(
        rows(&postgres, "SELECT * FROM made ORDER BY id"),
        ["1,a,-", "3,-,-", "4,-,2", "5,-,-", "6,b,-"]
    );
}

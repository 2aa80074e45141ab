//! Connect's types in PostgreSQL's columns.

use tombolo_sdk::logical::{Bytes, Date, Decimal, Time, Timestamp};
use tombolo_sdk::schema::{SchemaBuilder, SchemaType};

use super::*;

#[derive(Serialize)]
struct All {
    small: i32,
    number: i32,
    large: i64,
    single: f32,
    double: f64,
    truth: bool,
    text: &'static str,
    bytes: Bytes,
    amount: Decimal,
    day: Date,
    clock: Time,
    moment: Timestamp,
    list: Vec<i32>,
    nested: std::collections::BTreeMap<&'static str, i32>,
}

fn all() -> All {
    All {
        small: -3,
        number: 70_000,
        large: i64::MIN,
        single: 1.5,
        double: -0.1,
        truth: true,
        text: "naïve, \"quoted\"\n",
        bytes: Bytes(vec![0, 255]),
        amount: Decimal("-12345678901234567890.50".to_owned()),
        day: Date(20_785),
        clock: Time(45_296_789),
        moment: Timestamp(1_764_333_296_123),
        list: vec![1, 2],
        nested: [("a", 1)].into(),
    }
}

/// What [`all`] is once it is in the database.
const EXPECTED: &str = "-3,70000,-9223372036854775808,1.5,-0.1,t,naïve, \"quoted\"\n,\\x00ff,-12345678901234567890.50,2026-11-28,12:34:56.789,2025-11-28 12:34:56.123";

fn schema() -> u32 {
    let plain = |type_| SchemaBuilder::new(type_);
    let list = SchemaBuilder::array(SchemaBuilder::int32());
    let nested = SchemaBuilder::map(SchemaBuilder::string(), SchemaBuilder::int32());
    SchemaBuilder::structure("All")
        .field("small", plain(SchemaType::Int16))
        .field("number", SchemaBuilder::int32())
        .field("large", SchemaBuilder::int64())
        .field("single", plain(SchemaType::Float32))
        .field("double", SchemaBuilder::float64())
        .field("truth", SchemaBuilder::boolean())
        .field("text", SchemaBuilder::string())
        .field("bytes", SchemaBuilder::bytes())
        .field("amount", SchemaBuilder::decimal(2))
        .field("day", SchemaBuilder::date())
        .field("clock", SchemaBuilder::time())
        .field("moment", SchemaBuilder::timestamp().optional())
        .field("list", list)
        .field("nested", nested)
        .define()
        .unwrap()
}

#[test]
fn a_struct_with_a_schema_makes_its_table_and_every_type_arrives() {
    let postgres = postgres();
    let mut task = start(&settings(&postgres).with("auto.create", "true"));
    let mut one = SinkRecords::new();
    one.record("by_schema", 0, 0).value_as(&all(), schema()).unwrap();
    put(&mut task, one);
    let types = rows(
        &postgres,
        "SELECT string_agg(format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN '!' ELSE '' END, ' ' ORDER BY attnum) \
         FROM pg_attribute WHERE attrelid = 'by_schema'::regclass AND attnum > 0",
    );
    assert_eq!(
        types,
        [
            "smallint! integer! bigint! real! double precision! boolean! text! bytea! numeric! date! \
          time without time zone! timestamp without time zone integer[]! jsonb!"
        ]
    );
    let found = rows(&postgres, "SELECT * FROM by_schema");
    assert_eq!(found, [format!("{EXPECTED},{{1,2}},{{\"a\": 1}}")]);
}

#[test]
fn a_map_without_a_schema_makes_its_table_after_its_values() {
    let postgres = postgres();
    let mut task = start(&settings(&postgres).with("auto.create", "true"));
    put(&mut task, records("without_schema", &[((), all())]));
    let found = rows(&postgres, "SELECT * FROM without_schema");
    assert_eq!(found, [format!("{EXPECTED},[1, 2],{{\"a\": 1}}")]);
}

#[test]
fn text_becomes_whatever_postgresql_reads_it_as() {
    let postgres = postgres();
    postgres
        .query(
            "CREATE TYPE colour AS ENUM ('red'); CREATE DOMAIN positive AS int CHECK (VALUE > 0); \
             CREATE TABLE readable (at timestamptz, colour colour, net inet, tags text[], id uuid, \
             doc json, span interval, n positive, code char(3), short varchar(5), id2 int GENERATED ALWAYS AS IDENTITY)",
        )
        .unwrap();
    #[derive(Serialize)]
    struct Readable {
        at: &'static str,
        colour: &'static str,
        net: &'static str,
        tags: Vec<&'static str>,
        id: &'static str,
        doc: Vec<i32>,
        span: &'static str,
        n: i32,
        code: &'static str,
        short: &'static str,
    }
    let good = Readable {
        at: "2026-01-01T00:00:00+01:00",
        colour: "red",
        net: "10.0.0.1",
        tags: vec!["a,b", "\""],
        id: "123E4567-e89b-12d3-a456-426614174000",
        doc: vec![1],
        span: "1 day",
        n: 5,
        code: "ab",
        short: "12345",
    };
    let bad = Readable { colour: "green", ..readable(&good) };
    let bad = [
        ((), bad),
        ((), Readable { short: "123456", ..readable(&good) }),
        ((), Readable { n: 0, ..readable(&good) }),
    ];
    let mut task = start(&settings(&postgres));
    put(&mut task, records("readable", &[((), &good)]));
    let refused = faults(&mut task, records("readable", &bad));
    assert_eq!(refused.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 1, 2]);
    for (place, words) in
        ["enum colour", "character varying(5)", "positive_check"].iter().enumerate()
    {
        assert!(refused[place].1.contains(words), "{refused:?}");
    }
    assert_eq!(
        rows(&postgres, "SELECT * FROM readable"),
        [
            "2025-12-31 23:00:00+00,red,10.0.0.1,{\"a,b\",\"\\\"\"},123e4567-e89b-12d3-a456-426614174000,[1],1 day,5,ab ,12345,1"
        ]
    );

    fn readable(of: &Readable) -> Readable {
        Readable { tags: of.tags.clone(), doc: of.doc.clone(), ..*of }
    }
}

#[test]
fn a_limit_of_a_type_refuses_what_is_too_long_and_cuts_nothing() {
    let postgres = postgres();
    postgres
        .query("CREATE TABLE limited (flags bit(4), codes char(3)[], any_flags varbit)")
        .unwrap();
    #[derive(Serialize)]
    struct Limited {
        flags: &'static str,
        codes: Vec<&'static str>,
        any_flags: &'static str,
    }
    let limited = |flags, code| ((), Limited { flags, codes: vec!["d", code], any_flags: "10" });
    let mut task = start(&settings(&postgres));
    let all = [limited("1010", "abc"), limited("10101", "abc"), limited("1010", "abcd")];
    let refused = faults(&mut task, records("limited", &all));
    let numbers: Vec<u32> = refused.iter().map(|(row, _)| *row).collect();
    assert_eq!(numbers, [1, 2], "{refused:?}");
    assert!(refused[0].1.contains("22026") && refused[1].1.contains("22001"), "{refused:?}");
    assert_eq!(rows(&postgres, "SELECT * FROM limited"), ["1010,{\"d  \",abc},10"]);
}

#[test]
fn timestamps_go_into_columns_without_a_zone_in_the_databases_zone() {
    let postgres = postgres();
    postgres.query("CREATE TABLE zoned (local timestamp, fixed timestamptz)").unwrap();
    #[derive(Serialize)]
    struct Zoned {
        local: Timestamp,
        fixed: Timestamp,
    }
    let at = Zoned { local: Timestamp(0), fixed: Timestamp(0) };
    let mut task = start(&settings(&postgres).with("db.timezone", "Asia/Tokyo"));
    put(&mut task, records("zoned", &[((), at)]));
    assert_eq!(
        rows(&postgres, "SELECT * FROM zoned"),
        ["1970-01-01 09:00:00,1970-01-01 00:00:00+00"]
    );
}

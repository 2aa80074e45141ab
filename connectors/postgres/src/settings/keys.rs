//! The keys. Not here: what they become.

use std::time::Duration;

use tombolo_sdk::settings::{Definition, Importance, Key, Password};

/// Time for a connection, TLS and login together in each of their steps; JDBC's `connectTimeout` in the URL overrides it.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the host lets a call take where no setting says so: see [`CALL_TIMEOUT`].
pub(super) const CALL_TIMEOUT_USUAL: Duration = Duration::from_secs(30);

/// One in so many parts of a call's time is kept for what is no wait: the host's share of the call, plans, giving up. The rest is the database's.
pub(super) const SPARE: u32 = 10;

/// Columns of the primary key with `pk.mode=kafka`, as the JDBC sink names them.
pub(super) const KAFKA_FIELDS: [&str; 3] =
    ["__connect_topic", "__connect_partition", "__connect_offset"];

pub(super) const URL: Key<String> = Key::new("connection.url")
    .importance(Importance::High)
    .doc("Where the database is: jdbc:postgresql://host:port/database, with several hosts and ports with commas between where one may stand in for another. \
Of several, the first that takes writes is used. Parameters that count: sslmode (and ssl, which means verify-full), user, password, currentSchema, ApplicationName, \
targetServerType (primary has a single host checked, too), connectTimeout and socketTimeout (seconds; 10, and two thirds of sandbox.call.timeout.ms).");

pub(super) const USER: Key<Option<String>> =
    Key::new("connection.user").importance(Importance::High).doc("The database user.");

pub(super) const PASSWORD: Key<Option<Password>> =
    Key::new("connection.password").importance(Importance::High).doc("The user's password.");

pub(super) const SSL_MODE: Key<Option<String>> = Key::new("sslmode")
    .one_of_ignoring_case(&["disable", "allow", "prefer", "require", "verify-ca", "verify-full"])
    .doc("Whether to speak TLS, and what of the server's certificate to check, in the words of PostgreSQL. Without it, the URL's sslmode counts, then its ssl, and without both prefer. allow is taken as prefer.");

pub(super) const SSL_ROOT_CERT: Key<Option<String>> = Key::new("sslrootcert").doc(
    "Authorities to trust, as PEM; without it the public ones. `${directory:/path:ca.pem}` brings the content of a file.",
);

pub(super) const SSL_CERT: Key<Option<String>> = Key::new("sslcert").doc(
    "Name of the client certificate to show, of those that `sandbox.tls.client.NAME.*` offers.",
);

pub(super) const INSERT_MODE: Key<String> = Key::new("insert.mode")
    .default("insert")
    .one_of_ignoring_case(&["insert", "upsert", "update"])
    .importance(Importance::High)
    .doc("insert adds a row per record; after a crash some may be there twice. upsert adds a row or replaces the one with its primary key. update changes rows that are there.");

pub(super) const BATCH_SIZE: Key<u32> =
    Key::new("batch.size").default("3000").at_least(1).doc("Most records of one statement.");

pub(super) const DELETE_ENABLED: Key<bool> = Key::new("delete.enabled")
    .default("false")
    .doc("Whether a null value deletes the row with the record's key. Needs pk.mode=record_key.");

pub(super) const TABLE_FORMAT: Key<String> = Key::new("table.name.format")
    .default("${topic}")
    .non_empty()
    .doc("The table, where ${topic} stands for the record's topic; as schema.table, or with double quotes around a part that has a dot.");

pub(super) const PK_MODE: Key<String> = Key::new("pk.mode")
    .default("none")
    .one_of_ignoring_case(&["none", "kafka", "record_key", "record_value"])
    .importance(Importance::High)
    .doc("Where the primary key comes from: nowhere, the record's topic, partition and offset, its key, or fields of its value.");

pub(super) const PK_FIELDS: Key<Vec<String>> = Key::new("pk.fields").default("").doc(
    "Columns of the primary key. kafka: three names for topic, partition and offset (__connect_topic, __connect_partition, __connect_offset). \
record_key: fields of the key, all without it; the column's name where the key is no struct and no map. record_value: fields of the value, all without it.",
);

pub(super) const WHITELIST: Key<Vec<String>> = Key::new("fields.whitelist")
    .default("")
    .doc("Fields of the value to write beside the primary key; all without it.");

pub(super) const AUTO_CREATE: Key<bool> = Key::new("auto.create")
    .default("false")
    .doc("Whether to create a table that is missing, after the schema of its first record, or without one after its values.");

pub(super) const AUTO_EVOLVE: Key<bool> = Key::new("auto.evolve")
    .default("false")
    .doc("Whether to add columns that are missing, for fields that may be missing in a row.");

pub(super) const QUOTE: Key<String> = Key::new("quote.sql.identifiers")
    .default("always")
    .one_of_ignoring_case(&["always", "never"])
    .doc("always takes names of tables and columns as they are; never takes them in lower case, as PostgreSQL does with names that are not quoted.");

pub(super) const TIME_ZONE: Key<String> = Key::new("db.timezone")
    .default("UTC")
    .non_empty()
    .doc("Time zone in which a timestamp goes into a column of type timestamp without time zone.");

pub(super) const MAX_RETRIES: Key<u32> = Key::new("max.retries").default("10").doc(
    "How often the same records are tried again while the database is away or busy, before the task fails.",
);

pub(super) const RETRY_BACKOFF: Key<Duration> = Key::new("retry.backoff.ms")
    .default("3000")
    .doc("Time before records are tried again, in milliseconds.");

/// Not a setting of the sink's: what the connector is called.
pub(super) const NAME: Key<Option<String>> = Key::new("name");

/// Nor this: when the host ends a call.
pub(super) const CALL_TIMEOUT: Key<Option<Duration>> = Key::new("sandbox.call.timeout.ms");

pub(super) const ALL: &[&dyn Definition] = &[
    &URL,
    &USER,
    &PASSWORD,
    &SSL_MODE,
    &SSL_ROOT_CERT,
    &SSL_CERT,
    &INSERT_MODE,
    &BATCH_SIZE,
    &DELETE_ENABLED,
    &TABLE_FORMAT,
    &PK_MODE,
    &PK_FIELDS,
    &WHITELIST,
    &AUTO_CREATE,
    &AUTO_EVOLVE,
    &QUOTE,
    &TIME_ZONE,
    &MAX_RETRIES,
    &RETRY_BACKOFF,
];

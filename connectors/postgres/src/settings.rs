//! Settings, under the names that the JDBC sinks of Confluent and Aiven have, as far as they mean something here.

mod keys;
mod tls;

use std::time::Duration;

use tombolo_sdk::settings::{
    ConfigError, Configuration, Definition, Password, SettingValue as _, Settings,
};

pub(crate) use crate::url::Address;
use crate::url::Url;
use keys::*;
pub(crate) use tls::{Tls, TlsMode};

/// Settings of the sink.
#[derive(Debug)]
pub struct SinkSettings {
    pub(crate) access: Access,
    pub(crate) writing: Writing,
    /// Most failures in a row before the task fails.
    pub(crate) retries_max: u32,
    pub(crate) retry_pause: Duration,
}

/// Where the database is, and as whom to come.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) addresses: Vec<Address>,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) password: Option<Password>,
    /// What the server shows of the session.
    pub(crate) application: String,
    pub(crate) time_zone: String,
    /// Schemas to look tables up in, as PostgreSQL's `search_path`.
    pub(crate) schema: Option<String>,
    pub(crate) tls: Tls,
    /// Whether even a single address has to take writes.
    pub(crate) wants_primary: bool,
    pub(crate) connect_timeout: Duration,
    /// Time for an answer of the server, above which a lock or a lost machine is in the way.
    pub(crate) socket_timeout: Duration,
    /// Time for all that one `put` does: it ends before the host ends it, and can say why.
    pub(crate) put_timeout: Duration,
}

/// What becomes of records.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) mode: Mode,
    pub(crate) primary_key: PrimaryKey,
    /// Names of the primary key's fields; empty for all.
    pub(crate) key_fields: Vec<String>,
    /// Fields of the value to take; empty for all.
    pub(crate) whitelist: Vec<String>,
    pub(crate) table_format: String,
    pub(crate) delete: bool,
    pub(crate) schema_changes: SchemaChanges,
    pub(crate) batch_size: usize,
    pub(crate) names: Names,
    /// Whether timestamps need no other time zone.
    pub(crate) is_utc: bool,
}

/// `quote.sql.identifiers`: what becomes of the names of topics and fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Nothing.
    Kept,
    /// What PostgreSQL makes of names without quotes: lower case.
    Folded,
}

/// `insert.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Insert,
    Upsert,
    Update,
}

/// `pk.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrimaryKey {
    None,
    Kafka,
    RecordKey,
    RecordValue,
}

/// What may be done to tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SchemaChanges {
    pub(crate) create: bool,
    pub(crate) evolve: bool,
}

impl Configuration for SinkSettings {
    const KEYS: &'static [&'static dyn Definition] = ALL;

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            access: access(settings)?,
            writing: writing(settings)?,
            retries_max: MAX_RETRIES.get(settings)?,
            retry_pause: RETRY_BACKOFF.get(settings)?,
        })
    }
}

fn access(settings: &Settings) -> Result<Access, ConfigError> {
    let text = URL.get(settings)?;
    // Not shown: it may hold a password.
    let url = Url::parse(&text).map_err(|why| ConfigError::invalid(URL.name(), "[hidden]", why))?;
    let parameter = |name: &str| url.parameter(name).map(str::to_owned);
    let user = USER.get(settings)?.or_else(|| url.user.clone()).or_else(|| parameter("user"));
    let user = user.ok_or_else(|| ConfigError::missing(USER.name()))?;
    let in_url = || {
        url.password
            .clone()
            .or_else(|| parameter("password"))
            .and_then(|text| Password::parse(&text).ok())
    };
    let seconds = |name: &str, default: Duration| match url.parameter(name).unwrap_or("0") {
        "0" => Ok(default),
        text => text.parse().map(Duration::from_secs).map_err(|_| {
            let why = format!("Expected seconds for the parameter {name}, not {text}");
            ConfigError::invalid(URL.name(), "[hidden]", why)
        }),
    };
    // What is wrong with it, the host says.
    let call = CALL_TIMEOUT.get(settings).ok().flatten().unwrap_or(CALL_TIMEOUT_USUAL);
    let target = url.parameter("targetServerType").unwrap_or_default();
    Ok(Access {
        database: url.database.clone().unwrap_or_else(|| user.clone()),
        password: PASSWORD.get(settings)?.or_else(in_url),
        application: parameter("ApplicationName").unwrap_or_else(|| {
            format!("tombolo {}", NAME.get(settings).ok().flatten().unwrap_or_default())
        }),
        time_zone: TIME_ZONE.get(settings)?,
        schema: parameter("currentSchema"),
        tls: Tls::read(settings, &url)?,
        wants_primary: ["primary", "master"].iter().any(|one| target.eq_ignore_ascii_case(one)),
        connect_timeout: seconds("connectTimeout", CONNECT_TIMEOUT)?,
        // Short of a call's time, so that another address or another attempt may be tried; longer where a slow database has longer calls.
        socket_timeout: seconds("socketTimeout", call * 2 / 3)?,
        put_timeout: call - call / SPARE,
        addresses: url.addresses,
        user,
    })
}

fn writing(settings: &Settings) -> Result<Writing, ConfigError> {
    let mode = match INSERT_MODE.get(settings)?.to_ascii_lowercase().as_str() {
        "upsert" => Mode::Upsert,
        "update" => Mode::Update,
        _ => Mode::Insert,
    };
    let primary_key = match PK_MODE.get(settings)?.to_ascii_lowercase().as_str() {
        "kafka" => PrimaryKey::Kafka,
        "record_key" => PrimaryKey::RecordKey,
        "record_value" => PrimaryKey::RecordValue,
        _ => PrimaryKey::None,
    };
    let key_fields = key_fields(PK_FIELDS.get(settings)?, primary_key)?;
    if primary_key == PrimaryKey::None && mode != Mode::Insert {
        let why = "upsert and update find rows by their primary key: set pk.mode to record_key, record_value or kafka";
        return Err(ConfigError::invalid(PK_MODE.name(), "none", why));
    }
    let delete = DELETE_ENABLED.get(settings)?;
    if delete && primary_key != PrimaryKey::RecordKey {
        let why = "Primary key mode must be 'record_key' when delete support is enabled";
        return Err(ConfigError::invalid(DELETE_ENABLED.name(), "true", why));
    }
    let zone = TIME_ZONE.get(settings)?;
    Ok(Writing {
        mode,
        primary_key,
        key_fields,
        whitelist: WHITELIST.get(settings)?,
        table_format: TABLE_FORMAT.get(settings)?,
        delete,
        schema_changes: SchemaChanges {
            create: AUTO_CREATE.get(settings)?,
            evolve: AUTO_EVOLVE.get(settings)?,
        },
        batch_size: BATCH_SIZE.get(settings)?.max(1) as usize,
        names: match QUOTE.get(settings)?.eq_ignore_ascii_case("never") {
            true => Names::Folded,
            false => Names::Kept,
        },
        is_utc: zone.eq_ignore_ascii_case("UTC") || zone == "Etc/UTC",
    })
}

/// Those that are named, or the names that Kafka's coordinates have without.
fn key_fields(named: Vec<String>, mode: PrimaryKey) -> Result<Vec<String>, ConfigError> {
    let invalid = |why| Err(ConfigError::invalid(PK_FIELDS.name(), named.join(","), why));
    match (mode, named.len()) {
        (PrimaryKey::Kafka, 0) => Ok(KAFKA_FIELDS.map(str::to_owned).to_vec()),
        (PrimaryKey::Kafka, 3)
        | (PrimaryKey::None | PrimaryKey::RecordKey | PrimaryKey::RecordValue, _) => Ok(named),
        (PrimaryKey::Kafka, _) => {
            invalid("Three names are expected with pk.mode=kafka: for topic, partition and offset")
        }
    }
}

/// The line that lets a connector go to these addresses, for whoever may write it.
pub(crate) fn denied(addresses: &[Address], why: &str) -> ConfigError {
    let entries: Vec<String> = addresses.iter().map(|at| format!("tcp://{at}")).collect();
    let why = format!(
        "This worker does not let the connector go there ({why}). Let it by `sandbox.net.allow={}`",
        entries.join(",")
    );
    ConfigError::invalid(URL.name(), crate::url::listed(addresses), why)
}

#[cfg(test)]
mod tests;

//! Settings of the sink. Their names are those of Aiven's and Confluent's HTTP sinks.

use std::time::Duration;

use tombolo_sdk::http::{Method, is_header_value};
use tombolo_sdk::json::Decimals;
use tombolo_sdk::settings::{
    ConfigError, Configuration, Definition, Importance, Key, Password, Settings,
};

use crate::call::CallTime;
use crate::pointer::Pointer;
use crate::settings::{
    AUTHORIZATION, Authorization, BACKOFF, HIGH, MAX_RETRIES, RETRY_ON, Retries, headers,
    url_template,
};
use crate::template::Template;

const URL: Key<String> = Key::new("http.url")
    .check(|text| url_template(text).map(drop))
    .importance(HIGH)
    .doc("Where records are sent. Behind the host it may have ${topic}, ${partition}, ${offset}, ${timestamp}, ${key}, ${key.FIELD}, ${value.FIELD}, ${header.NAME}.");

const METHOD: Key<String> = Key::new("request.method")
    .default("POST")
    .one_of_ignoring_case(&["POST", "PUT", "PATCH"])
    .importance(HIGH)
    .doc("How they are sent.");

const CONTENT_TYPE: Key<String> = Key::new("http.headers.content.type")
    .default("application/json")
    .check(|text| match !text.trim().is_empty() && is_header_value(text) {
        true => Ok(()),
        false => Err("String must be non-blank".to_owned()),
    })
    .importance(Importance::Low)
    .doc("What the header Content-Type says.");

const HEADERS: Key<Vec<String>> = Key::new("http.headers.additional")
    .default("")
    .importance(Importance::Low)
    .doc("More headers, as Name:value with commas between. Values may have what http.url may.");

const AUTHORIZATION_TYPE: Key<String> = Key::new("http.authorization.type")
    .default("none")
    .one_of_ignoring_case(&["none", "static", "basic"])
    .importance(HIGH)
    .dependents(&["http.headers.authorization", "connection.user", "connection.password"])
    .doc("Who says what the header Authorization says: none of the connector's settings; http.headers.authorization; connection.user and connection.password.");

const USER: Key<Option<String>> =
    Key::new("connection.user").doc("The user, with http.authorization.type=basic.");

const PASSWORD: Key<Option<Password>> =
    Key::new("connection.password").doc("The user's password, with http.authorization.type=basic.");

const BATCHING: Key<bool> = Key::new("batching.enabled")
    .default("false")
    .importance(HIGH)
    .doc("Whether a request takes several records: those that follow each other and have the same URL and headers.");

const BATCH_SIZE: Key<u32> = Key::new("batch.max.size")
    .default("500")
    .between(1, 1_000_000)
    .doc("Most records of a request, where batching is enabled.");

const BATCH_BYTES: Key<u32> = Key::new("batch.max.bytes").default("1048576").at_least(1).doc(
    "Most bytes of a request's body, where batching is enabled; a larger record is sent alone.",
);

const PREFIX: Key<String> = Key::new("batch.prefix").default("").doc(
    "Stands before the first record of a batch. \\n, \\r, \\t and \\\\ stand for what they mean.",
);

const SEPARATOR: Key<String> = Key::new("batch.separator")
    .default("\\n")
    .doc("Stands between the records of a batch, as batch.prefix.");

const SUFFIX: Key<String> = Key::new("batch.suffix")
    .default("\\n")
    .doc("Stands behind the last record of a batch, as batch.prefix.");

const AS_ARRAY: Key<bool> = Key::new("batch.json.as.array")
    .default("false")
    .doc("Whether a batch is a JSON array: [ before, commas between, ] behind.");

const FORMAT: Key<String> = Key::new("request.body.format")
    .default("string")
    .one_of_ignoring_case(&["string", "json"])
    .doc("string: text and bytes as they are, other values as JSON. json: all as JSON, text in quotes.");

const DECIMALS: Key<String> = Key::new("decimal.format")
    .default("BASE64")
    .one_of_ignoring_case(&["BASE64", "NUMERIC"])
    .importance(Importance::Low)
    .doc("How decimals are written in JSON.");

const ON_NULL: Key<String> = Key::new("behavior.on.null.values")
    .default("ignore")
    .one_of_ignoring_case(&["ignore", "log", "fail", "delete"])
    .importance(Importance::Low)
    .doc("What becomes of records without a value: passed over; passed over and said in the log; bad records; a DELETE of the URL.");

const TIMEOUT: Key<u32> = Key::new("http.timeout")
    .default("20")
    .between(1, 120)
    .importance(Importance::Low)
    .doc("How long a request may take with its answer, in seconds; at most five sixths of sandbox.call.timeout.ms, which is 25 of 30 if not set, and half of it for the last requests of a call.");

const ROWS: Key<Option<String>> = Key::new("batch.response.rows.pointer")
    .check(|text| Pointer::parse(text).map(drop))
    .importance(Importance::Low)
    .doc("JSON pointer to an array in the answer to a batch that has an entry for each of its records, in order. Without it a status of 200 to 299 means that all are good.");

const ROW_ERROR: Key<String> = Key::new("batch.response.error.pointer")
    .default("/error")
    .check(|text| Pointer::parse(text).map(drop))
    .importance(Importance::Low)
    .doc("JSON pointer within such an entry to what is wrong with the record; nothing, null or false there means that it is good.");

/// What the body is made of.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// Whether text is written as JSON, too.
    pub(crate) all_json: bool,
    pub(crate) decimals: Decimals,
    /// What stands around the records of a batch; none where each has a request of its own.
    pub(crate) batch: Option<Batch>,
}

/// How records share a request.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) rows_max: usize,
    pub(crate) bytes_max: usize,
    pub(crate) prefix: String,
    pub(crate) separator: String,
    pub(crate) suffix: String,
}

/// What becomes of records without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnNull {
    Ignore,
    Log,
    Fail,
    Delete,
}

/// Where an answer says what is wrong with which record.
#[derive(Clone, Debug)]
pub(crate) struct RowAnswers {
    pub(crate) rows: Pointer,
    pub(crate) error: Pointer,
}

/// Settings of the sink.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    pub(crate) url: Template,
    pub(crate) method: Method,
    /// Those of every request with a body.
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(String, Template)>,
    pub(crate) authorization: Authorization,
    pub(crate) body: Body,
    pub(crate) on_null: OnNull,
    pub(crate) retries: Retries,
    /// Of a request, where there is so much left of the call's.
    pub(crate) timeout: Duration,
    pub(crate) call_time: CallTime,
    pub(crate) answers: Option<RowAnswers>,
}

impl Configuration for SinkSettings {
    const KEYS: &'static [&'static dyn Definition] = &[
        &URL,
        &METHOD,
        &CONTENT_TYPE,
        &HEADERS,
        &AUTHORIZATION_TYPE,
        &AUTHORIZATION,
        &USER,
        &PASSWORD,
        &BATCHING,
        &BATCH_SIZE,
        &BATCH_BYTES,
        &PREFIX,
        &SEPARATOR,
        &SUFFIX,
        &AS_ARRAY,
        &FORMAT,
        &DECIMALS,
        &ON_NULL,
        &MAX_RETRIES,
        &BACKOFF,
        &RETRY_ON,
        &TIMEOUT,
        &ROWS,
        &ROW_ERROR,
    ];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let url = URL.get(settings)?;
        let list = HEADERS.get(settings)?;
        let method = METHOD.get(settings)?;
        let retries = Retries::read(settings)?;
        Ok(Self {
            url: url_template(&url).map_err(|why| ConfigError::invalid(URL.name(), &url, why))?,
            method: Method::of(&method).unwrap_or(Method::Post),
            content_type: CONTENT_TYPE.get(settings)?,
            headers: headers(&list, &["content-type"])
                .map_err(|why| ConfigError::invalid(HEADERS.name(), list.join(","), why))?,
            authorization: Authorization::read(settings, &AUTHORIZATION_TYPE, &USER, &PASSWORD)?,
            body: body(settings)?,
            on_null: match ON_NULL.get(settings)?.to_ascii_lowercase().as_str() {
                "log" => OnNull::Log,
                "fail" => OnNull::Fail,
                "delete" => OnNull::Delete,
                _ => OnNull::Ignore,
            },
            retries,
            timeout: Duration::from_secs(TIMEOUT.get(settings)?.into()),
            call_time: CallTime::read(settings),
            answers: answers(settings)?,
        })
    }
}

fn body(settings: &Settings) -> Result<Body, ConfigError> {
    let decimals = match DECIMALS.get(settings)?.eq_ignore_ascii_case("NUMERIC") {
        true => Decimals::Numeric,
        false => Decimals::Base64,
    };
    let all_json = FORMAT.get(settings)?.eq_ignore_ascii_case("json");
    Ok(Body { all_json, decimals, batch: batch(settings)? })
}

fn batch(settings: &Settings) -> Result<Option<Batch>, ConfigError> {
    let (prefix, separator, suffix) =
        (text(&PREFIX, settings)?, text(&SEPARATOR, settings)?, text(&SUFFIX, settings)?);
    let mut batch = Batch {
        rows_max: BATCH_SIZE.get(settings)? as usize,
        bytes_max: BATCH_BYTES.get(settings)? as usize,
        prefix,
        separator,
        suffix,
    };
    if AS_ARRAY.get(settings)? {
        for key in [&PREFIX, &SEPARATOR, &SUFFIX] {
            if let Some(set) = settings.get(key.name()) {
                let why = format!("It has no meaning with {}=true", AS_ARRAY.name());
                return Err(ConfigError::invalid(key.name(), set, why));
            }
        }
        batch.prefix = "[".to_owned();
        batch.separator = ",".to_owned();
        batch.suffix = "]".to_owned();
    }
    Ok(BATCHING.get(settings)?.then_some(batch))
}

/// A text with its escapes read.
fn text(key: &Key<String>, settings: &Settings) -> Result<String, ConfigError> {
    let written = key.get(settings)?;
    let (mut out, mut rest) = (String::new(), written.chars());
    while let Some(next) = rest.next() {
        if next != '\\' {
            out.push(next);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('\\') => out.push('\\'),
            _ => {
                let why = "A backslash must be followed by n, r, t or another one";
                return Err(ConfigError::invalid(key.name(), &written, why));
            }
        }
    }
    Ok(out)
}

fn answers(settings: &Settings) -> Result<Option<RowAnswers>, ConfigError> {
    let Some(rows) = ROWS.get(settings)? else { return Ok(None) };
    let error = ROW_ERROR.get(settings)?;
    let invalid = |key: &str, text: &str, why| ConfigError::invalid(key, text, why);
    Ok(Some(RowAnswers {
        rows: Pointer::parse(&rows).map_err(|why| invalid(ROWS.name(), &rows, why))?,
        error: Pointer::parse(&error).map_err(|why| invalid(ROW_ERROR.name(), &error, why))?,
    }))
}

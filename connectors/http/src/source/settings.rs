//! Settings of the source. Their names are those of castorm's HTTP source, where it has them.

use std::collections::BTreeMap;
use std::time::Duration;

use tombolo_sdk::http::Method;
use tombolo_sdk::settings::{
    ConfigError, Configuration, Definition, Importance, Key, Password, Settings,
};

use super::position::{PAGE, ROWS};
use crate::call::CallTime;
use crate::pointer::Pointer;
use crate::settings::{
    AUTHORIZATION, Authorization, BACKOFF, HIGH, MAX_RETRIES, RETRY_ON, Retries, headers,
    url_template,
};
use crate::template::Template;

const URL: Key<String> = Key::new("http.request.url")
    .check(|text| url_template(text).map(drop))
    .importance(HIGH)
    .doc("What is asked for. Behind the host it may have ${offset.NAME}: what the last record had for NAME.");

const METHOD: Key<String> = Key::new("http.request.method")
    .default("GET")
    .one_of_ignoring_case(&["GET", "POST"])
    .doc("How it is asked for.");

const HEADERS: Key<Vec<String>> = Key::new("http.request.headers")
    .default("")
    .doc("Headers, as Name:value with commas between. Values may have ${offset.NAME}.");

const PARAMS: Key<String> = Key::new("http.request.params")
    .default("")
    .doc("Parameters of the query, as name=value with & between; they are percent-encoded. Values may have ${offset.NAME}.");

const BODY: Key<String> = Key::new("http.request.body")
    .default("")
    .doc("The request's body. It may have ${offset.NAME}.");

const AUTH_TYPE: Key<String> = Key::new("http.auth.type")
    .default("None")
    .one_of_ignoring_case(&["None", "Basic", "Static"])
    .importance(HIGH)
    .dependents(&["http.auth.user", "http.auth.password", "http.headers.authorization"])
    .doc("Who says what the header Authorization says: none of the connector's settings; http.auth.user and http.auth.password; http.headers.authorization.");

const USER: Key<Option<String>> =
    Key::new("http.auth.user").doc("The user, with http.auth.type=Basic.");

const PASSWORD: Key<Option<Password>> =
    Key::new("http.auth.password").doc("The user's password, with http.auth.type=Basic.");

/// At most five sixths of the 30 s that the host gives a call by default: a poll sends one request.
const TIMEOUT: Key<Duration> = Key::new("http.client.read.timeout.millis")
    .default("10000")
    .between(1, 25_000)
    .importance(Importance::Low)
    .doc("How long a request may take with its answer, in milliseconds; at most five sixths of sandbox.call.timeout.ms.");

const LIST: Key<String> = Key::new("http.response.list.pointer")
    .default("/")
    .check(|text| Pointer::parse(text).map(drop))
    .importance(HIGH)
    .doc("JSON pointer to the array of records in an answer; / is the whole answer. An object there is one record.");

const ORDER: Key<String> = Key::new("http.response.list.order.direction")
    .default("IMPLICIT")
    .one_of_ignoring_case(&["ASC", "DESC", "IMPLICIT"])
    .importance(Importance::Low)
    .doc("Where an answer has its newest record: ASC, last; DESC, first, and the answer is read from its end; IMPLICIT, as its first and its last record say by their times or numbers at http.response.record.offset.pointer, and last where they say nothing. DESC is only used with http.paging.mode=none.");

const RECORD: Key<String> = Key::new("http.response.record.pointer")
    .default("/")
    .check(|text| Pointer::parse(text).map(drop))
    .doc("JSON pointer within an entry of the array to what becomes the record's value; / is the whole entry.");

const KEY: Key<Option<String>> = Key::new("http.response.record.key.pointer")
    .check(|text| Pointer::parse(text).map(drop))
    .doc("JSON pointer within an entry of the array to what becomes the record's key.");

const OFFSET: Key<Vec<String>> = Key::new("http.response.record.offset.pointer")
    .default("")
    .doc("What is kept of the last record for the next request, as NAME=/pointer with commas between. The pointer of key is that of the record's key, too.");

const INITIAL: Key<Vec<String>> = Key::new("http.offset.initial")
    .default("")
    .doc("What the first request has for each ${offset.NAME}, as NAME=value with commas between.");

const FORMAT: Key<String> = Key::new("http.record.format")
    .default("json")
    .one_of_ignoring_case(&["json", "string"])
    .doc("json: values are maps, lists, numbers and so on, without a schema. string: values are the JSON as text.");

const TOPIC: Key<String> =
    Key::new("kafka.topic").non_empty().importance(HIGH).doc("The topic to write to.");

const INTERVAL: Key<Duration> = Key::new("http.timer.interval.millis")
    .default("60000")
    .between(1, 604_800_000)
    .doc("Time between requests when there is nothing more to read, in milliseconds.");

const CATCH_UP: Key<Duration> = Key::new("http.timer.catchup.interval.millis")
    .default("0")
    .between(0, 604_800_000)
    .doc("Time between requests while there is more to read, in milliseconds.");

const PAGING: Key<String> = Key::new("http.paging.mode")
    .default("none")
    .one_of_ignoring_case(&["none", "cursor", "link", "page"])
    .importance(HIGH)
    .doc("How to get at the next page: there is none; a cursor of the answer is a parameter of the next request; the answer has its URL; pages have numbers.");

const PAGING_POINTER: Key<Option<String>> = Key::new("http.paging.pointer")
    .check(|text| Pointer::parse(text).map(drop))
    .doc("JSON pointer to the cursor in an answer, or to the next page's URL, which else is that of the header Link.");

const PAGING_PARAM: Key<Option<String>> = Key::new("http.paging.param")
    .doc("The parameter of the query that has the cursor or the page's number: cursor or page, if not set.");

const FIRST_PAGE: Key<u64> =
    Key::new("http.paging.first.page").default("1").doc("The number of the first page.");

const PAGING_END: Key<String> = Key::new("http.paging.end")
    .default("follow")
    .one_of_ignoring_case(&["follow", "restart"])
    .doc("After the last page: follow asks for it again, and takes what was added; restart begins anew with the first.");

const BYTES_MAX: Key<u32> = Key::new("http.response.bytes.max")
    .default("8388608")
    .between(1, 67_108_864)
    .importance(Importance::Low)
    .doc("Most bytes of an answer's body. The connector needs about three times as much memory.");

/// Where an answer has its newest record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Last.
    Ascending,
    /// First.
    Descending,
    /// Where its first and its last record say.
    Implicit,
}

/// How to get at the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// There is none.
    None,
    Cursor {
        at: Pointer,
        param: String,
    },
    /// Its URL is in the body at a pointer, or in the header `Link`.
    Link {
        at: Option<Pointer>,
    },
    Number {
        param: String,
        first: u64,
    },
}

/// Settings of the source.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    pub(crate) url: Template,
    pub(crate) method: Method,
    pub(crate) headers: Vec<(String, Template)>,
    pub(crate) params: Vec<(String, Template)>,
    pub(crate) body: Template,
    pub(crate) authorization: Authorization,
    pub(crate) timeout: Duration,
    pub(crate) bytes_max: usize,
    pub(crate) list: Pointer,
    pub(crate) order: Order,
    pub(crate) record: Pointer,
    pub(crate) key: Option<Pointer>,
    pub(crate) offset: Vec<(String, Pointer)>,
    pub(crate) initial: BTreeMap<String, String>,
    /// Whether values are JSON as text.
    pub(crate) as_text: bool,
    pub(crate) topic: String,
    pub(crate) interval: Duration,
    pub(crate) catch_up: Duration,
    pub(crate) paging: Paging,
    /// Whether the first page follows the last.
    pub(crate) restart: bool,
    pub(crate) retries: Retries,
}

impl Configuration for SourceSettings {
    const KEYS: &'static [&'static dyn Definition] = &[
        &URL,
        &METHOD,
        &HEADERS,
        &PARAMS,
        &BODY,
        &AUTH_TYPE,
        &AUTHORIZATION,
        &USER,
        &PASSWORD,
        &TIMEOUT,
        &LIST,
        &ORDER,
        &RECORD,
        &KEY,
        &OFFSET,
        &INITIAL,
        &FORMAT,
        &TOPIC,
        &INTERVAL,
        &CATCH_UP,
        &PAGING,
        &PAGING_POINTER,
        &PAGING_PARAM,
        &FIRST_PAGE,
        &PAGING_END,
        &BYTES_MAX,
        &MAX_RETRIES,
        &BACKOFF,
        &RETRY_ON,
    ];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let (url, body) = (URL.get(settings)?, BODY.get(settings)?);
        let list = HEADERS.get(settings)?;
        let offset = pairs(&OFFSET, settings)?;
        let parse = |(name, text): &(String, String)| -> Result<(String, Pointer), String> {
            Ok((name.clone(), Pointer::parse(text)?))
        };
        let offset: Result<Vec<(String, Pointer)>, String> = offset.iter().map(parse).collect();
        let offset = offset.map_err(|why| invalid(&OFFSET, settings, why))?;
        let key = match KEY.get(settings)? {
            Some(text) => Some(Pointer::parse(&text).map_err(|why| invalid(&KEY, settings, why))?),
            None => offset.iter().find(|(name, _)| name == "key").map(|(_, at)| at.clone()),
        };
        let pointer = |key: &Key<String>| {
            Pointer::parse(&key.get(settings)?).map_err(|why| invalid(key, settings, why))
        };
        let read = Self {
            url: url_template(&url).map_err(|why| invalid(&URL, settings, why))?,
            method: Method::of(&METHOD.get(settings)?).unwrap_or(Method::Get),
            headers: headers(&list, &[]).map_err(|why| invalid(&HEADERS, settings, why))?,
            params: params(settings)?,
            body: Template::parse(&body).map_err(|why| invalid(&BODY, settings, why))?,
            authorization: Authorization::read(settings, &AUTH_TYPE, &USER, &PASSWORD)?,
            timeout: TIMEOUT.get(settings)?.min(CallTime::read(settings).end_until()),
            bytes_max: BYTES_MAX.get(settings)? as usize,
            list: pointer(&LIST)?,
            order: order(settings)?,
            record: pointer(&RECORD)?,
            key,
            offset,
            initial: pairs(&INITIAL, settings)?.into_iter().collect(),
            as_text: FORMAT.get(settings)?.eq_ignore_ascii_case("string"),
            topic: TOPIC.get(settings)?,
            interval: INTERVAL.get(settings)?,
            catch_up: CATCH_UP.get(settings)?,
            paging: paging(settings)?,
            restart: PAGING_END.get(settings)?.eq_ignore_ascii_case("restart"),
            retries: Retries::read(settings)?,
        };
        read.check_slots(settings)?;
        Ok(read)
    }
}

impl SourceSettings {
    /// Every `${…}` must have something to begin with, and something that moves it.
    fn check_slots(&self, settings: &Settings) -> Result<(), ConfigError> {
        if !self.offset.is_empty() && self.paging != Paging::None {
            let why = "It is only used with http.paging.mode=none";
            return Err(invalid(&OFFSET, settings, why));
        }
        if self.order == Order::Descending && self.paging != Paging::None {
            let why = "It is only used with http.paging.mode=none";
            return Err(invalid(&ORDER, settings, why));
        }
        let mut all: Vec<(&dyn Named, &Template)> = vec![(&URL, &self.url), (&BODY, &self.body)];
        for (_, template) in &self.headers {
            all.push((&HEADERS, template));
        }
        for (_, template) in &self.params {
            all.push((&PARAMS, template));
        }
        for (key, template) in all {
            for slot in template.slots() {
                let named = slot.strip_prefix("offset.");
                if named.is_none_or(|name| !self.initial.contains_key(name)) {
                    let why = format!(
                        "${{{slot}}} must be ${{offset.NAME}} of a NAME that {} has",
                        INITIAL.name()
                    );
                    let text = settings.get(key.name()).unwrap_or_default();
                    return Err(ConfigError::invalid(key.name(), text, why));
                }
            }
        }
        Ok(())
    }
}

/// A key whatever its type.
trait Named {
    fn name(&self) -> &'static str;
}

impl<T> Named for Key<T> {
    fn name(&self) -> &'static str {
        Key::name(self)
    }
}

fn invalid(key: &dyn Named, settings: &Settings, why: impl std::fmt::Display) -> ConfigError {
    ConfigError::invalid(key.name(), settings.get(key.name()).unwrap_or_default(), why)
}

/// `NAME=text` each, of names that mean nothing else in an offset.
fn pairs(
    key: &Key<Vec<String>>,
    settings: &Settings,
) -> Result<Vec<(String, String)>, ConfigError> {
    let mut all: Vec<(String, String)> = Vec::new();
    for entry in key.get(settings)? {
        let pair = entry.split_once('=').map(|(name, text)| (name.trim(), text.trim()));
        let Some((name, text)) = pair.filter(|(name, _)| !name.is_empty()) else {
            return Err(invalid(key, settings, format_args!("\"{entry}\" must be NAME=value")));
        };
        if [PAGE, ROWS].contains(&name) || all.iter().any(|(known, _)| known == name) {
            return Err(invalid(key, settings, format_args!("the name {name} is taken")));
        }
        all.push((name.to_owned(), text.to_owned()));
    }
    Ok(all)
}

fn params(settings: &Settings) -> Result<Vec<(String, Template)>, ConfigError> {
    let text = PARAMS.get(settings)?;
    let mut all = Vec::new();
    for entry in text.split('&').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        let value = Template::parse(value.trim()).map_err(|why| invalid(&PARAMS, settings, why))?;
        all.push((name.trim().to_owned(), value));
    }
    Ok(all)
}

fn order(settings: &Settings) -> Result<Order, ConfigError> {
    Ok(match ORDER.get(settings)?.to_ascii_uppercase().as_str() {
        "ASC" => Order::Ascending,
        "DESC" => Order::Descending,
        _ => Order::Implicit,
    })
}

fn paging(settings: &Settings) -> Result<Paging, ConfigError> {
    let pointer = PAGING_POINTER.get(settings)?;
    let at = pointer.map(|text| Pointer::parse(&text)).transpose();
    let at = at.map_err(|why| invalid(&PAGING_POINTER, settings, why))?;
    let param = PAGING_PARAM.get(settings)?.filter(|param| !param.is_empty());
    Ok(match PAGING.get(settings)?.to_ascii_lowercase().as_str() {
        "cursor" => {
            let missing = || {
                let (name, mode) = (PAGING_POINTER.name(), PAGING.name());
                ConfigError::of(
                    name,
                    format_args!("Missing configuration \"{name}\", which {mode}=cursor needs"),
                )
            };
            let param = param.unwrap_or_else(|| "cursor".to_owned());
            Paging::Cursor { at: at.ok_or_else(missing)?, param }
        }
        "link" => Paging::Link { at },
        "page" => {
            let param = param.unwrap_or_else(|| "page".to_owned());
            Paging::Number { param, first: FIRST_PAGE.get(settings)? }
        }
        _ => Paging::None,
    })
}

//! What the settings of sink and source have in common: URLs, headers, credentials, statuses, retries. Not here: their own.

use std::ops::RangeInclusive;
use std::time::Duration;

use tombolo_sdk::base64;
use tombolo_sdk::fault::{Fault, Problem};
use tombolo_sdk::http::{
    Error, ErrorKind, Request, Response, Url, is_header_name, is_header_value,
};
use tombolo_sdk::settings::{ConfigError, Importance, Key, Password, Settings};

use crate::template::Template;

/// Headers that follow from the connection and from other settings.
const NOT_TO_BE_SET: [&str; 5] =
    ["connection", "content-length", "host", "transfer-encoding", "upgrade"];
/// How much of an answer's body an error shows.
pub(crate) const EXCERPT: usize = 300;
/// The longest pause before a request is sent again that no answer asked for.
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// The longest pause that an answer can ask for by `Retry-After`.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

pub(crate) const AUTHORIZATION: Key<Option<Password>> = Key::new("http.headers.authorization")
    .doc("What the header Authorization says. Better: have the host add it, by sandbox.http.auth.*, so that the connector never has it.");

pub(crate) const MAX_RETRIES: Key<u32> = Key::new("max.retries")
    .default("10")
    .at_least(0)
    .doc("How often a request is sent again, before the task fails.");

pub(crate) const BACKOFF: Key<Duration> = Key::new("retry.backoff.ms")
    .default("3000")
    .between(0, 86_400_000)
    .doc("Pause before a request is sent again, in milliseconds. It doubles each time, up to a minute. Where an answer's Retry-After is longer, that counts, up to an hour.");

pub(crate) const RETRY_ON: Key<String> = Key::new("retry.on.status.codes")
    .default("408,425,429,500-")
    .check(|text| Codes::parse(text).map(drop))
    .doc("Statuses on which a request is sent again: codes and ranges with commas between. A range without end, as 500-, goes up to 599. Requests without an answer are sent again, too.");

/// A template that is a URL whatever fills it.
///
/// Errors: what was expected.
pub(crate) fn url_template(text: &str) -> Result<Template, String> {
    let template = Template::parse(text)?;
    let beginning = template.beginning();
    let host_is_fixed = template.constant().is_some()
        || beginning.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?']));
    if !host_is_fixed {
        return Err("Scheme, host and port of a URL must not depend on ${…}".to_owned());
    }
    let Ok(any) = template.fill(|_, out| {
        out.push('x');
        Ok::<_, std::convert::Infallible>(())
    });
    Url::parse(&any).map_err(|why| format!("Value is no URL: {why}"))?;
    Ok(template)
}

/// Headers, as `Name:value` each; those in `own` have a setting of their own.
///
/// Errors: what was expected.
pub(crate) fn headers(list: &[String], own: &[&str]) -> Result<Vec<(String, Template)>, String> {
    let mut all: Vec<(String, Template)> = Vec::with_capacity(list.len());
    for entry in list {
        let Some((name, value)) = entry.split_once(':') else {
            return Err(format!("\"{entry}\" must be Name:value"));
        };
        let (name, value) = (name.trim(), value.trim());
        if !is_header_name(name) {
            return Err(format!("\"{name}\" is no name of a header"));
        }
        if NOT_TO_BE_SET.iter().chain(own).any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(format!("the header {name} cannot be set here"));
        }
        if name.eq_ignore_ascii_case("authorization") {
            return Err(format!("the header {name} is set by {}", AUTHORIZATION.name()));
        }
        if all.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            return Err(format!("the header {name} is there twice"));
        }
        if !is_header_value(value) {
            return Err(format!("the header {name} has control characters"));
        }
        all.push((name.to_owned(), Template::parse(value)?));
    }
    Ok(all)
}

/// What the header Authorization says, for user and password.
pub(crate) fn basic(user: &str, password: &Password) -> String {
    let mut encoded = Vec::new();
    base64::write(&mut encoded, format!("{user}:{}", password.reveal()).as_bytes());
    format!("Basic {}", String::from_utf8_lossy(&encoded))
}

/// What the header Authorization says, which no message shows.
#[derive(Clone, Default)]
pub(crate) struct Authorization(Option<String>);

impl Authorization {
    /// By the type that the user chose: `none`, `static`, or `basic` with a user and a password.
    ///
    /// Errors: a setting that the type needs is missing, or one is there that it does not use.
    pub(crate) fn read(
        settings: &Settings,
        kind: &Key<String>,
        user: &Key<Option<String>>,
        password: &Key<Option<Password>>,
    ) -> Result<Self, ConfigError> {
        let chosen = kind.get(settings)?.to_ascii_lowercase();
        let (text, user_is, password_is) =
            (AUTHORIZATION.get(settings)?, user.get(settings)?, password.get(settings)?);
        let needs = |key: &str| {
            ConfigError::of(
                key,
                format_args!(
                    "Missing configuration \"{key}\", which {}={chosen} needs",
                    kind.name()
                ),
            )
        };
        if chosen != "static" && text.is_some() {
            let why = format!("It is only used with {}=static", kind.name());
            return Err(ConfigError::invalid(AUTHORIZATION.name(), "[hidden]", why));
        }
        let says = match chosen.as_str() {
            "static" => Some(text.ok_or_else(|| needs(AUTHORIZATION.name()))?.reveal().to_owned()),
            "basic" => {
                let user = user_is.ok_or_else(|| needs(user.name()))?;
                let password = password_is.ok_or_else(|| needs(password.name()))?;
                Some(basic(&user, &password))
            }
            _ => None,
        };
        match says.as_deref().is_none_or(is_header_value) {
            true => Ok(Self(says)),
            false => Err(ConfigError::invalid(
                AUTHORIZATION.name(),
                "[hidden]",
                "It must have no control characters",
            )),
        }
    }

    /// The request with the header.
    pub(crate) fn add_to(&self, request: Request) -> Request {
        match &self.0 {
            Some(says) => request.header_with("authorization", says),
            None => request,
        }
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codes(Vec<RangeInclusive<u16>>);

impl Codes {
    /// Reads codes and ranges with commas between: `429,500-`. Empty means none.
    ///
    /// Errors: what was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(range).collect::<Option<_>>().map(Self).ok_or_else(|| {
            "Value must be statuses from 100 to 599 and ranges of them, such as 429,500-".to_owned()
        })
    }

    pub(crate) fn has(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let code = |text: &str| text.trim().parse().ok().filter(|code| (100..600).contains(code));
    let (from, to) = match text.split_once('-') {
        None => (code(text)?, code(text)?),
        Some((from, "")) => (code(from)?, 599),
        Some((from, to)) => (code(from)?, code(to)?),
    };
    (from <= to).then_some(from..=to)
}

/// When a request is sent again, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Retries {
    most: u32,
    backoff: Duration,
    codes: Codes,
    /// How often it was.
    made: u32,
}

impl Retries {
    pub(crate) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let codes = RETRY_ON.get(settings)?;
        Ok(Self {
            most: MAX_RETRIES.get(settings)?,
            backoff: BACKOFF.get(settings)?,
            codes: Codes::parse(&codes)
                .map_err(|why| ConfigError::invalid(RETRY_ON.name(), &codes, why))?,
            made: 0,
        })
    }

    /// Something was done: what comes next has not been tried.
    pub(crate) fn succeeded(&mut self) {
        self.made = 0;
    }

    /// Whether an answer asks for its request again.
    pub(crate) fn are_for(&self, response: &Response) -> bool {
        self.codes.has(response.status)
    }

    /// The fault that has the same request come again, or the last one.
    pub(crate) fn again(&mut self, why: &str, after: Option<Duration>) -> Fault {
        if self.made >= self.most {
            return of_no_record(format_args!("{why}, after {} retries", self.made));
        }
        let doubled = self.backoff.saturating_mul(1 << self.made.min(16));
        let backoff = doubled.min(BACKOFF_MAX).max(self.backoff);
        self.made += 1;
        // An answer that asks for no pause would have all retries made at once.
        let pause = after.map_or(backoff, |after| after.min(RETRY_AFTER_MAX).max(backoff));
        Fault::retry_after(pause, why)
    }

    /// The fault of a request without an answer.
    pub(crate) fn failed(&mut self, error: Error) -> Fault {
        match error.kind {
            _ if error.is_passing() => self.again(&error.to_string(), None),
            ErrorKind::TooLarge => of_no_record(error),
            _ => error.into(),
        }
    }
}

/// The fault that ends a task and has nothing to do with its records: of a fatal one, the worker would look for the record that made it.
pub(crate) fn of_no_record(why: impl std::fmt::Display) -> Fault {
    Fault::Config(Problem::of("org.apache.kafka.connect.errors.ConnectException", why))
}

/// What an answer says, for messages: the request, the status, and the beginning of the body.
pub(crate) fn told(request: &Request, response: &Response) -> String {
    let Response { status, .. } = response;
    let place = response.header("location").map(|to| format!(" to {to}")).unwrap_or_default();
    let excerpt = response.excerpt(EXCERPT);
    let colon = if excerpt.is_empty() { "" } else { ": " };
    format!("{} {}: status {status}{place}{colon}{excerpt}", request.method, request.url)
}

/// Where a setting is important.
pub(crate) const HIGH: Importance = Importance::High;

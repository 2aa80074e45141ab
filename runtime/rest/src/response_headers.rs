//! Headers that the operator wants in every answer.
//!
//! Not here: headers that an answer has by itself, which stand.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tombolo_model::Settings;

use crate::config::ConfigError;

const SETTING: &str = "response.http.headers.config";

/// What can be done with a header, as Kafka Connect names it.
const ACTIONS: &str = "[set, add, setDate, addDate]";

/// Rules for headers. Cheap to clone.
///
/// Follows `HeaderFilter` of Jetty, as Kafka Connect uses it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseHeaders(Arc<[Rule]>);

#[derive(Debug)]
struct Rule {
    /// Whether to add to headers of this name, else to set one that is not there.
    is_added: bool,
    name: HeaderName,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Text(HeaderValue),
    /// Milliseconds from the answer on.
    DateIn(i64),
}

impl ResponseHeaders {
    /// Reads the setting: rules with commas between, each perhaps within quotes.
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let Some(text) = settings.get(SETTING).filter(|text| !text.trim().is_empty()) else {
            return Ok(Self::default());
        };
        let wrong = |why| ConfigError::new(SETTING, text, why);
        let rules = split(text).iter().map(|rule| Rule::parse(rule)).collect::<Result<_, _>>();
        rules.map(Self).map_err(wrong)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add_to(&self, answer: &mut HeaderMap, now: SystemTime) {
        for rule in self.0.iter() {
            let Some(value) = rule.value.at(now) else { continue };
            if rule.is_added {
                answer.append(&rule.name, value);
            } else {
                answer.entry(&rule.name).or_insert(value);
            }
        }
    }
}

impl Rule {
    /// Reads `[action] [header name]:[header value]`. Errors: Kafka Connect's words.
    fn parse(rule: &str) -> Result<Self, String> {
        let (action, header) = rule.trim().split_once(char::is_whitespace).ok_or_else(|| {
            format!(
                "Invalid format of header config '{rule}'. Expected: '[action] [header name]:[header value]'"
            )
        })?;
        let (is_added, is_date) = match action.to_ascii_lowercase().as_str() {
            "set" => (false, false),
            "add" => (true, false),
            "setdate" => (false, true),
            "adddate" => (true, true),
            _ => {
                return Err(format!(
                    "Invalid header config action: '{action}'. Expected one of {ACTIONS}"
                ));
            }
        };
        let header = header.trim();
        let [name, value] = header.split(':').collect::<Vec<_>>()[..] else {
            return Err(format!(
                "Invalid format of header name and header value pair '{header}'. Expected: '[header name]:[header value]'"
            ));
        };
        let (name, value) = (name.trim(), value.trim());
        let parsed = name.parse().map_err(|_| {
            format!("Invalid header name '{name}'. The '[header name]' cannot contain whitespace")
        })?;
        let value = match is_date {
            true => Value::DateIn(value.parse().map_err(|_| {
                format!("Invalid header value '{value}'. Expected milliseconds from now")
            })?),
            false => {
                Value::Text(value.parse().map_err(|_| format!("Invalid header value '{value}'"))?)
            }
        };
        Ok(Self { is_added, name: parsed, value })
    }
}

impl Value {
    fn at(&self, now: SystemTime) -> Option<HeaderValue> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::DateIn(milliseconds) => {
                let offset = Duration::from_millis(milliseconds.unsigned_abs());
                let time = match milliseconds.is_negative() {
                    true => now.checked_sub(offset)?,
                    false => now.checked_add(offset)?,
                };
                httpdate::fmt_http_date(time).parse().ok()
            }
        }
    }
}

/// Splits at commas that are not within quotes, and takes the quotes off. Follows `StringUtil.csvSplit` of Jetty.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut is_quoted) = (Vec::new(), String::new(), false);
    for char in text.chars() {
        match char {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => parts.push(std::mem::take(&mut part).trim().to_owned()),
            other => part.push(other),
        }
    }
    parts.push(part.trim().to_owned());
    parts
}

/// Adds the headers to every answer.
pub(crate) async fn add(
    State(headers): State<ResponseHeaders>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    headers.add_to(response.headers_mut(), SystemTime::now());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ResponseHeaders, ConfigError> {
        ResponseHeaders::from_settings(&[(SETTING, text)].into_iter().collect())
    }

    #[test]
    fn rules_are_those_of_kafka_connect() {
        let rules = "add Cache-Control: no-cache,\"set X-A: a, b\",addDate Expires: 31540000000, SETDATE  Last: -1000, set Content-Type:x/y, add Vary: z";
        let mut answer: HeaderMap = [
            ("content-type".parse().unwrap(), "application/json".parse().unwrap()),
            ("vary".parse().unwrap(), "Origin".parse().unwrap()),
        ]
        .into_iter()
        .collect();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_860_515);
        read(rules).unwrap().add_to(&mut answer, now);
        let all: Vec<_> = answer
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        assert_eq!(
            all,
            [
                "content-type: application/json",
                "vary: Origin",
                "vary: z",
                "cache-control: no-cache",
                "x-a: a, b",
                "expires: Sun, 28 Nov 2027 11:15:15 GMT",
                "last: Sat, 28 Nov 2026 10:08:34 GMT",
            ]
        );
    }

    #[test]
    fn wrong_rules_are_refused_in_kafka_connects_words() {
        let check = |rule: &str, expected: &str| {
            let error = read(rule).unwrap_err();
            assert_eq!(error.why, expected);
        };
        check(
            "add",
            "Invalid format of header config 'add'. Expected: '[action] [header name]:[header value]'",
        );
        check(
            "put X:y",
            "Invalid header config action: 'put'. Expected one of [set, add, setDate, addDate]",
        );
        check(
            "set X:y:z",
            "Invalid format of header name and header value pair 'X:y:z'. Expected: '[header name]:[header value]'",
        );
        check(
            "set X Y:z",
            "Invalid header name 'X Y'. The '[header name]' cannot contain whitespace",
        );
        check("setDate X:soon", "Invalid header value 'soon'. Expected milliseconds from now");
    }
}

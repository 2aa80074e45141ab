//! `/connectors/{name}/logs`: the last log lines of one connector and its tasks. Ours.
//!
//! Not here: what is logged and kept.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value as Json, json};
use tombolo_model::log_lines::{LINES_MAX, LogLine};

use crate::connector::Name;
use crate::error::{Answer, Failure, json};
use crate::query::Parameters;
use crate::server::Context;

/// Lines answered where the request does not say how many.
pub(crate) const LINES: usize = 100;

/// `GET /connectors/{name}/logs?lines=`
pub(crate) async fn of_connector(
    State(context): State<Context>,
    Name(name): Name,
    query: Parameters,
) -> Answer {
    let most = match query.get("lines") {
        None => LINES,
        Some(given) => count(given)?,
    };
    let lines = context.herder()?.log_lines(&name, most)?;
    let lines: Vec<Json> = lines.iter().map(entity).collect();
    Ok(json(StatusCode::OK, &json!({ "name": name, "lines": lines })))
}

fn count(given: &str) -> Result<usize, Failure> {
    let count = given.parse().ok().filter(|count| (1..=LINES_MAX).contains(count));
    let expected = || format!("lines={given}: expected a whole number from 1 to {LINES_MAX}");
    count.ok_or_else(|| Failure::bad_request(expected()))
}

fn entity(line: &LogLine) -> Json {
    let LogLine { level, logger, message, fields, .. } = line;
    let fields = fields.iter().filter(|(name, _)| *name != "connector");
    let fields: Map<String, Json> =
        fields.map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    json!({
        "timestamp": line.timestamp(),
        "level": level,
        "logger": logger,
        "message": message,
        "fields": fields,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn a_line_is_an_object_with_its_fields() {
        let line = LogLine {
            at: SystemTime::UNIX_EPOCH,
            level: "WARN",
            logger: "plugin".to_owned(),
            message: "slow".to_owned(),
            fields: vec![("connector", "c".to_owned()), ("task", "0".to_owned())],
        };
        expect_test::expect![[
            r#"{"timestamp":"1970-01-01T00:00:00.000000Z","level":"WARN","logger":"plugin","message":"slow","fields":{"task":"0"}}"#
        ]]
        .assert_eq(&entity(&line).to_string());
    }

    #[test]
    fn a_number_of_lines_that_cannot_be_is_refused() {
        assert_eq!(count("1000").unwrap(), 1_000);
        for given in ["0", "-1", "1001", "ten", "", "99999999999999999999"] {
            assert!(count(given).is_err(), "{given}");
        }
    }
}

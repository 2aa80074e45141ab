//! `/connectors/{name}/meters`: what is measured of one connector and its tasks, as JSON. Ours.
//!
//! Not here: measuring.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value as Json, json};
use tombolo_model::metric::{Reading, Value};

use crate::connector::Name;
use crate::error::{Answer, json};
use crate::server::Context;

/// `GET /connectors/{name}/meters`
pub(crate) async fn of_connector(State(context): State<Context>, Name(name): Name) -> Answer {
    let meters = groups(&context.herder()?.meters(&name)?);
    Ok(json(StatusCode::OK, &json!({ "name": name, "meters": meters })))
}

/// Readings by group and by whose they are, in the order in which they were taken. Of several with one name, which plugins can make up, the first counts.
fn groups(readings: &[Reading]) -> Vec<Json> {
    let mut groups: Vec<(&Reading, Map<String, Json>)> = Vec::new();
    for reading in readings {
        let is_same =
            |(of, _): &&mut (&Reading, _)| of.group == reading.group && of.tags == reading.tags;
        let name = reading.name.clone().into_owned();
        match groups.iter_mut().rev().find(is_same) {
            Some((_, values)) => drop(values.entry(name).or_insert_with(|| value(&reading.value))),
            None => groups.push((reading, Map::from_iter([(name, value(&reading.value))]))),
        }
    }
    let told = groups.into_iter().map(|(Reading { group, tags, .. }, values)| {
        let names = [group.domain, group.name].into_iter().filter(|name| !name.is_empty());
        let tags: Map<String, Json> = tags
            .iter()
            .filter(|(tag, _)| *tag != "connector")
            .map(|(tag, value)| ((*tag).to_owned(), value.as_str().into()))
            .collect();
        json!({ "group": names.collect::<Vec<_>>().join(":"), "tags": tags, "values": values })
    });
    told.collect()
}

/// A value; null where nothing was measured, as JSON knows no `NaN`.
fn value(value: &Value) -> Json {
    match value {
        Value::Counter(value) | Value::Gauge(value) => number(*value),
        Value::Text(text) => text.as_str().into(),
        Value::Histogram(histogram) => json!({
            "bounds": histogram.bounds,
            "counts": histogram.counts,
            "sum": histogram.sum,
        }),
    }
}

/// A number, without a fraction where it is whole and can be told exactly.
fn number(value: f64) -> Json {
    const EXACT_MAX: f64 = (1_u64 << 53) as f64;
    if value.fract() == 0.0 && value.abs() <= EXACT_MAX {
        return (value as i64).into();
    }
    value.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_model::metric::{Group, Histogram, Readings, Tags};

    #[test]
    fn readings_are_grouped_and_numbers_are_json() {
        let tasks: [Tags; 2] = ["0", "1"]
            .map(|task| [("connector", "c".to_owned()), ("task", task.to_owned())].into());
        let (task, stage) = (
            Group { domain: "kafka.connect", name: "connector-task-metrics" },
            Group { domain: "tombolo", name: "stage" },
        );
        let mut readings = Readings::default();
        for tags in &tasks {
            readings.of(task, tags).text("status", "", "running").gauge("ratio", "", 0.5);
        }
        let histogram = Histogram { bounds: &[0.5], counts: vec![1, 0], sum: 0.25 };
        readings.of(stage, &tasks[0]).add("time", "", Value::Histogram(histogram));
        readings.of(task, &tasks[0]).counter("count", "", 3.0).gauge("count", "", 4.0).gauge(
            "avg",
            "",
            f64::NAN,
        );
        expect_test::expect![[r#"
            {"group":"kafka.connect:connector-task-metrics","tags":{"task":"0"},"values":{"status":"running","ratio":0.5,"count":3,"avg":null}}
            {"group":"kafka.connect:connector-task-metrics","tags":{"task":"1"},"values":{"status":"running","ratio":0.5}}
            {"group":"tombolo:stage","tags":{"task":"0"},"values":{"time":{"bounds":[0.5],"counts":[1,0],"sum":0.25}}}
        "#]]
        .assert_eq(&groups(&readings.into_vec()).iter().map(|group| format!("{group}\n")).collect::<String>());
    }
}

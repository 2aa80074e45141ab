//! `/meters` and `/connectors/{name}/meters`: what is measured of connectors and their tasks, as JSON. Ours.
//!
//! Not here: measuring.

use std::collections::{BTreeMap, HashMap};

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value as Json, json};
use tombolo_model::metric::{Group, Reading, Value, connector_of};

use crate::connector::Name;
use crate::error::{Answer, json};
use crate::query::Parameters;
use crate::server::Context;

/// `GET /connectors/{name}/meters`
pub(crate) async fn of_connector(State(context): State<Context>, Name(name): Name) -> Answer {
    let meters = groups(&context.herder()?.meters(&name)?);
    Ok(json(StatusCode::OK, &json!({ "name": name, "meters": meters })))
}

/// `GET /meters?group=`
pub(crate) async fn of_all(State(context): State<Context>, query: Parameters) -> Answer {
    let wanted: Vec<&str> = query.all("group").collect();
    Ok(json(StatusCode::OK, &owners(&context.herder()?.metrics(), &wanted)))
}

/// Readings of these groups, or of all, by connector, and those that are no connector's.
fn owners(readings: &[Reading], wanted: &[&str]) -> Json {
    let mut owners: BTreeMap<Option<&str>, Vec<&Reading>> = BTreeMap::new();
    for reading in readings {
        if wanted.is_empty() || wanted.contains(&name_of(&reading.group).as_str()) {
            owners.entry(connector_of(&reading.tags)).or_default().push(reading);
        }
    }
    let worker = owners.remove(&None).map(groups).unwrap_or_default();
    let connectors: Vec<Json> = owners
        .into_iter()
        .map(|(name, readings)| json!({ "name": name, "meters": groups(readings) }))
        .collect();
    json!({ "worker": worker, "connectors": connectors })
}

/// Readings by group and by whose they are, in the order in which they were taken. Of several with one name, which plugins can make up, the first counts.
fn groups<'a>(readings: impl IntoIterator<Item = &'a Reading>) -> Vec<Json> {
    let mut groups: Vec<(&Reading, Map<String, Json>)> = Vec::new();
    let mut known = HashMap::new();
    for reading in readings {
        let Group { domain, name } = reading.group;
        let place = *known.entry((domain, name, &reading.tags)).or_insert_with(|| {
            groups.push((reading, Map::new()));
            groups.len() - 1
        });
        if let Some((_, values)) = groups.get_mut(place) {
            let name = reading.name.clone().into_owned();
            values.entry(name).or_insert_with(|| value(&reading.value));
        }
    }
    let told = groups.into_iter().map(|(Reading { group, tags, .. }, values)| {
        let tags: Map<String, Json> = tags
            .iter()
            .filter(|(tag, _)| *tag != "connector")
            .map(|(tag, value)| ((*tag).to_owned(), value.as_str().into()))
            .collect();
        json!({ "group": name_of(group), "tags": tags, "values": values })
    });
    told.collect()
}

/// The name of a group, as that of its MBean: `kafka.connect:sink-task-metrics`.
fn name_of(group: &Group) -> String {
    let names = [group.domain, group.name].into_iter().filter(|name| !name.is_empty());
    names.collect::<Vec<_>>().join(":")
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

    #[test]
    fn all_readings_are_told_by_connector_and_groups_can_be_chosen() {
        let (task, other) =
            (Group { domain: "tombolo", name: "task" }, Group { domain: "process", name: "" });
        let of = |connector: &str| -> Tags { [("connector", connector.to_owned())].into() };
        let mut readings = Readings::default();
        for connector in ["b", "a"] {
            readings.of(task, &of(connector)).counter("count", "", 1.0);
        }
        readings.of(other, &Tags::default()).gauge("open-fds", "", 9.0);
        let readings = readings.into_vec();
        expect_test::expect![[
            r#"{"worker":[{"group":"process","tags":{},"values":{"open-fds":9}}],"connectors":[{"name":"a","meters":[{"group":"tombolo:task","tags":{},"values":{"count":1}}]},{"name":"b","meters":[{"group":"tombolo:task","tags":{},"values":{"count":1}}]}]}"#
        ]]
        .assert_eq(&owners(&readings, &[]).to_string());
        expect_test::expect![[
            r#"{"worker":[{"group":"process","tags":{},"values":{"open-fds":9}}],"connectors":[]}"#
        ]]
        .assert_eq(&owners(&readings, &["process", "none"]).to_string());
    }
}

//! Prometheus' text format, version 0.0.4.
//!
//! Names are those that exporters of Kafka Connect's MBeans make of them: domain, group and name, with an underscore for whatever is no letter and
//! no digit. Not here: what is measured.

use std::collections::{BTreeMap, BTreeSet};

use tombolo_model::metric::{Histogram, Reading, Value};

/// The media type of the text.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What has one name, one type and one explanation.
struct Family<'a> {
    kind: &'static str,
    help: &'static str,
    lines: String,
    /// Labels that are there: a second sample with the same ones would make the whole text unreadable.
    known: BTreeSet<Vec<(&'a str, &'a str)>>,
}

/// All readings as text.
pub(crate) fn text(readings: &[Reading]) -> String {
    let mut families: BTreeMap<String, Family<'_>> = BTreeMap::new();
    for reading in readings {
        let name = name_of(reading);
        let family = families.entry(name.clone()).or_insert_with(|| Family {
            kind: kind_of(&reading.value),
            help: reading.help,
            lines: String::new(),
            known: BTreeSet::new(),
        });
        if family.kind != kind_of(&reading.value) {
            // Two plugins that make up the same name need not mean the same by it.
            family.kind = "untyped";
        }
        family.add(&name, reading);
    }
    let mut text = String::new();
    for (name, Family { kind, help, lines, .. }) in families {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        text.push_str(&lines);
    }
    text
}

impl<'a> Family<'a> {
    fn add(&mut self, name: &str, reading: &'a Reading) {
        let labels: Vec<(&str, &str)> =
            reading.tags.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if !self.known.insert(labels.clone()) {
            return;
        }
        match &reading.value {
            Value::Counter(value) | Value::Gauge(value) => self.line(name, &labels, *value),
            Value::Text(text) => {
                let own = sanitized(&reading.name);
                let mut labels = labels;
                labels.push((&own, text));
                self.line(name, &labels, 1.0);
            }
            Value::Histogram(histogram) => self.histogram(name, &labels, histogram),
        }
    }

    fn histogram(&mut self, name: &str, labels: &[(&str, &str)], histogram: &Histogram) {
        let bounds = histogram.bounds.iter().copied().chain([f64::INFINITY]);
        let mut below = 0;
        for (bound, count) in bounds.zip(&histogram.counts) {
            below += count;
            let bound = number(bound);
            let labels = [labels, &[("le", bound.as_str())]].concat();
            self.line(&format!("{name}_bucket"), &labels, below as f64);
        }
        self.line(&format!("{name}_sum"), labels, histogram.sum);
        self.line(&format!("{name}_count"), labels, below as f64);
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.lines.push_str(name);
        let mut before = '{';
        for (label, value) in labels {
            self.lines.push(before);
            self.lines.push_str(label);
            self.lines.push_str("=\"");
            for char in value.chars() {
                match char {
                    '\\' => self.lines.push_str("\\\\"),
                    '"' => self.lines.push_str("\\\""),
                    '\n' => self.lines.push_str("\\n"),
                    other => self.lines.push(other),
                }
            }
            self.lines.push('"');
            before = ',';
        }
        if before == ',' {
            self.lines.push('}');
        }
        self.lines.push(' ');
        self.lines.push_str(&number(value));
        self.lines.push('\n');
    }
}

/// The name of a reading: that of its MBean and attribute. A text is a 1 with the text as a label, and says so in its name.
fn name_of(reading: &Reading) -> String {
    let parts = [reading.group.domain, reading.group.name, &reading.name];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let mut name = parts.map(sanitized).collect::<Vec<_>>().join("_");
    if matches!(reading.value, Value::Text(_)) {
        name.push_str("_info");
    }
    name
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Counter(_) => "counter",
        Value::Gauge(_) | Value::Text(_) => "gauge",
        Value::Histogram(_) => "histogram",
    }
}

/// A name of letters, digits and underscores.
fn sanitized(name: &str) -> String {
    name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect()
}

fn number(value: f64) -> String {
    match value {
        value if value == f64::INFINITY => "+Inf".to_owned(),
        value if value == f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_model::metric::{Group, Readings, Tags};

    const GROUP: Group = Group { domain: "kafka.connect", name: "source-task-metrics" };

    fn tags(connector: &str) -> Tags {
        [("connector", connector.to_owned()), ("task", "0".to_owned())].into()
    }

    #[test]
    fn families_are_together_and_labels_are_escaped() {
        let mut readings = Readings::default();
        for connector in ["a", "say \"b\\c\"\n"] {
            readings
                .of(GROUP, &tags(connector))
                .counter("source-record-poll-total", "Records.", 3.0)
                .gauge("poll-batch-avg-time-ms", "Time.", f64::NAN)
                .text("status", "State.", "running");
        }
        let group = Group { domain: "process", name: "" };
        readings.of(group, &Tags::default()).gauge("open-fds", "Files.", 0.5);
        expect_test::expect![[r##"
            # HELP kafka_connect_source_task_metrics_poll_batch_avg_time_ms Time.
            # TYPE kafka_connect_source_task_metrics_poll_batch_avg_time_ms gauge
            kafka_connect_source_task_metrics_poll_batch_avg_time_ms{connector="a",task="0"} NaN
            kafka_connect_source_task_metrics_poll_batch_avg_time_ms{connector="say \"b\\c\"\n",task="0"} NaN
            # HELP kafka_connect_source_task_metrics_source_record_poll_total Records.
            # TYPE kafka_connect_source_task_metrics_source_record_poll_total counter
            kafka_connect_source_task_metrics_source_record_poll_total{connector="a",task="0"} 3
            kafka_connect_source_task_metrics_source_record_poll_total{connector="say \"b\\c\"\n",task="0"} 3
            # HELP kafka_connect_source_task_metrics_status_info State.
            # TYPE kafka_connect_source_task_metrics_status_info gauge
            kafka_connect_source_task_metrics_status_info{connector="a",task="0",status="running"} 1
            kafka_connect_source_task_metrics_status_info{connector="say \"b\\c\"\n",task="0",status="running"} 1
            # HELP process_open_fds Files.
            # TYPE process_open_fds gauge
            process_open_fds 0.5
        "##]]
        .assert_eq(&text(&readings.into_vec()));
    }

    #[test]
    fn ranges_of_a_histogram_add_up() {
        let histogram = Histogram { bounds: &[0.5, 1.0], counts: vec![2, 1, 4], sum: 9.25 };
        let mut readings = Readings::default();
        let group = Group { domain: "tombolo", name: "stage" };
        let tags = [("connector", "c".to_owned())].into();
        readings.of(group, &tags).add("seconds", "Time.", Value::Histogram(histogram));
        expect_test::expect![[r#"
            # HELP tombolo_stage_seconds Time.
            # TYPE tombolo_stage_seconds histogram
            tombolo_stage_seconds_bucket{connector="c",le="0.5"} 2
            tombolo_stage_seconds_bucket{connector="c",le="1"} 3
            tombolo_stage_seconds_bucket{connector="c",le="+Inf"} 7
            tombolo_stage_seconds_sum{connector="c"} 9.25
            tombolo_stage_seconds_count{connector="c"} 7
        "#]]
        .assert_eq(&text(&readings.into_vec()));
    }

    #[test]
    fn names_that_plugins_make_up_cannot_break_the_text() {
        let group = Group { domain: "kafka.connect", name: "plugins" };
        let mut readings = Readings::default();
        readings
            .of(group, &tags("c"))
            .add("bad name} 1\n".to_owned(), "Own.", Value::Counter(1.0))
            .add("bad-name} 1\n".to_owned(), "Own.", Value::Gauge(2.0));
        readings.of(group, &tags("d")).add("bad-name} 1\n".to_owned(), "Own.", Value::Gauge(3.0));
        expect_test::expect![[r#"
            # HELP kafka_connect_plugins_bad_name__1_ Own.
            # TYPE kafka_connect_plugins_bad_name__1_ untyped
            kafka_connect_plugins_bad_name__1_{connector="c",task="0"} 1
            kafka_connect_plugins_bad_name__1_{connector="d",task="0"} 3
        "#]]
        .assert_eq(&text(&readings.into_vec()));
    }
}

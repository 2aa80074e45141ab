//! A request with its answer, made comparable. Not here: what makes it so (`normal`).

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tombolo_harness::kafka::CLUSTER_ID;

use super::normal::normal;
use super::step::{Ask, Step};
use crate::http::Request;
use crate::scene::Scene;

/// What was asked and answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// Method, path, headers and body.
    pub request: String,
    /// Status, content type, location and body.
    pub answer: Value,
}

impl Exchange {
    /// Whether another answer is the same. Kafka Connect does not say that an error of its HTTP server is JSON; it is, and we say so.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let mut typed = self.answer.clone();
        if typed.is_object()
            && typed["status"].as_u64().is_some_and(|status| status >= 400)
            && typed["media"] == ""
        {
            typed["media"] = json!("application/json");
        }
        // As text: the order of members counts.
        let [own, typed, other] = [&self.answer, &typed, &other.answer].map(ToString::to_string);
        own == other || typed == other
    }

    pub(super) fn difference(&self, other: &Self) -> String {
        let mut found = Vec::new();
        differing("", &self.answer, &other.answer, &mut found);
        if found.is_empty() {
            found.push("members are in another order".to_owned());
        }
        format!("{}\n{}", self.request, found.join("\n"))
    }
}

/// Names the places where two answers differ, with what stands there.
fn differing(at: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(ones), Value::Object(others)) => {
            let added = others.keys().filter(|name| !ones.contains_key(*name));
            for name in ones.keys().chain(added) {
                differing(&format!("{at}/{name}"), &one[name], &other[name], found);
            }
        }
        (Value::Array(ones), Value::Array(others)) if ones.len() == others.len() => {
            for (place, (one, other)) in ones.iter().zip(others).enumerate() {
                differing(&format!("{at}/{place}"), one, other, found);
            }
        }
        _ if one != other => found.push(format!("  {at}\n  - {one}\n  + {other}")),
        _ => {}
    }
}

/// Plays a script on a scene's worker.
pub(super) fn play(scene: &Scene<'_>, steps: &[Step]) -> Result<Vec<Exchange>> {
    let words = Words::of(scene);
    let mut played = Vec::new();
    for step in steps {
        match step {
            Step::Ask(ask) => played.push(words.ask(scene, ask)?),
            Step::Wait { path, pointer, value } => {
                let path = words.local(path);
                let (pointer, value) = (words.local(pointer), words.local(&value.to_string()));
                let value: Value = serde_json::from_str(&value)?;
                let mut last = Value::Null;
                let is_so = || {
                    last = scene.client().look(&path).unwrap_or_default();
                    last.pointer(&pointer) == Some(&value)
                };
                let what = format!("{pointer} of {path} is {value}");
                let waited = scene.wait(&what, is_so);
                waited.with_context(|| format!("last {last}\n{}", scene.log_end()))?;
            }
        }
    }
    Ok(played)
}

/// A text in which words stand for what the scene has of its own.
pub(super) fn common(scene: &Scene<'_>, text: &str) -> String {
    Words::of(scene).common(text)
}

/// Words that stand for what each worker has of its own.
struct Words {
    /// Word and text.
    all: Vec<(&'static str, String)>,
}

impl Words {
    fn of(scene: &Scene<'_>) -> Self {
        let url = scene.client().url();
        let address = url.trim_start_matches("http://").to_owned();
        Self {
            // The longer before what they contain.
            all: vec![
                ("FILES/", scene.file("").display().to_string()),
                ("TOPIC", scene.topic("t")),
                ("NAME", scene.name().to_owned()),
                ("WORKER", address),
                ("CLUSTER", CLUSTER_ID.to_owned()),
            ],
        }
    }

    fn local(&self, text: &str) -> String {
        self.all.iter().fold(text.to_owned(), |text, (word, own)| text.replace(word, own))
    }

    fn common(&self, text: &str) -> String {
        self.all.iter().fold(text.to_owned(), |text, (word, own)| text.replace(own, word))
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Result<Exchange> {
        let (path, body) = (self.local(&ask.path), ask.body.as_deref().map(|it| self.local(it)));
        let headers: Vec<(&str, &str)> =
            ask.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = scene.client().send_until_settled(&Request {
            method: &ask.method,
            path: &path,
            headers: &headers,
            body: body.as_deref().map(str::as_bytes),
        })?;
        let status = answer.status;
        let answer = if ask.is_status_only {
            json!({ "status": status })
        } else {
            json!({
                "status": status,
                "media": answer.header("content-type"),
                "location": self.common(answer.header("location")),
                "body": normal(&self.common(&answer.text)),
            })
        };
        Ok(Exchange { request: told(ask), answer })
    }
}

/// A request in one line.
fn told(ask: &Ask) -> String {
    let body = ask.body.as_deref().unwrap_or_default();
    let is_json = |name: &str, value: &str| name == "content-type" && value == "application/json";
    let headers = ask.headers.iter().filter(|(name, value)| !is_json(name, value));
    let headers: String = headers.map(|(name, value)| format!(" {name}={value}")).collect();
    format!("{} {}{headers} {body}", ask.method, ask.path).trim_end().to_owned()
}

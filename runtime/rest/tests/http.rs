//! What the server answers by itself, before any herder is there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::sync::Arc;

use serde_json::Value;
use tombolo_model::Settings;
use tombolo_rest::{Bound, RestConfig, serve};

fn config(settings: &Settings) -> RestConfig {
    let none = |_: &Settings| panic!("no listener has TLS");
    RestConfig::from_settings(settings, "machine", &none).unwrap()
}

/// A server without a herder, and its address.
async fn server() -> String {
    let settings = [("listeners", "http://127.0.0.1:0")].into_iter().collect();
    let config = config(&settings);
    let bound = Bound::open(&config).await.unwrap();
    let url = format!("http://{}", bound.address());
    assert_eq!(bound.worker_id().as_str(), bound.address().to_string());
    tokio::spawn(serve(bound, Arc::default(), tokio_util::sync::CancellationToken::new()));
    url
}

/// Method, path, headers, and the status and body expected.
type Case =
    (&'static str, &'static str, &'static [(&'static str, &'static str)], u16, &'static str);

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

const CASES: &[Case] = &[
    ("GET", "/nothing", &[], 404, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#),
    (
        "GET",
        "/connectors/a/tasks/b/c",
        &[],
        404,
        r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#,
    ),
    (
        "PUT",
        "/connectors",
        &[],
        405,
        r#"{"error_code":405,"message":"HTTP 405 Method Not Allowed"}"#,
    ),
    (
        "GET",
        "/connectors/a/restart",
        &[],
        405,
        r#"{"error_code":405,"message":"HTTP 405 Method Not Allowed"}"#,
    ),
    (
        "PUT",
        "/connectors/a/pause",
        &[FORM],
        415,
        r#"{"error_code":415,"message":"HTTP 415 Unsupported Media Type"}"#,
    ),
    (
        "GET",
        "/connectors",
        &[("accept", "text/html")],
        406,
        r#"{"error_code":406,"message":"HTTP 406 Not Acceptable"}"#,
    ),
    // A path that is not there, and a method, are found out before a media type.
    (
        "GET",
        "/nothing",
        &[("accept", "text/html"), FORM],
        404,
        r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#,
    ),
    (
        "DELETE",
        "/connectors",
        &[FORM],
        405,
        r#"{"error_code":405,"message":"HTTP 405 Method Not Allowed"}"#,
    ),
    (
        "DELETE",
        "/connectors/a",
        &[("content-type", "text/plain")],
        415,
        r#"{"error_code":415,"message":"HTTP 415 Unsupported Media Type"}"#,
    ),
    (
        "GET",
        "/connectors/a%zz",
        &[],
        400,
        r#"{"error_code":400,"message":"the path has a broken percent-encoding"}"#,
    ),
    (
        "GET",
        "/connectors/a%00/status",
        &[],
        400,
        r#"{"error_code":400,"message":"the path has a control character"}"#,
    ),
    ("OPTIONS", "/connectors", &[JSON, ("accept", "application/json")], 200, ""),
    // Neither is held to media types.
    (
        "GET",
        "/health",
        &[FORM],
        503,
        r#"{"status":"starting","message":"Worker is still starting up."}"#,
    ),
    (
        "GET",
        "/health",
        &[],
        503,
        r#"{"status":"starting","message":"Worker is still starting up."}"#,
    ),
    (
        "GET",
        "/health/",
        &[("accept", "*/*")],
        503,
        r#"{"status":"starting","message":"Worker is still starting up."}"#,
    ),
    (
        "GET",
        "/connectors/",
        &[],
        503,
        r#"{"error_code":503,"message":"Worker is still starting up."}"#,
    ),
    (
        "PUT",
        "/connectors/a%20b/pause",
        &[JSON],
        503,
        r#"{"error_code":503,"message":"Worker is still starting up."}"#,
    ),
];

#[tokio::test]
async fn paths_methods_and_media_types_are_answered_as_by_jersey() {
    let url = server().await;
    let check = move || {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        for (method, path, headers, status, body) in CASES {
            let mut request =
                ureq::http::Request::builder().method(*method).uri(format!("{url}{path}"));
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let mut response = agent.run(request.body(()).unwrap()).unwrap();
            let text = response.body_mut().read_to_string().unwrap();
            assert_eq!(
                (response.status().as_u16(), text.as_str()),
                (*status, *body),
                "{method} {path}"
            );
            assert_eq!(response.headers()["content-type"], "application/json", "{method} {path}");
        }
    };
    tokio::task::spawn_blocking(check).await.unwrap();
}

/// Paths and what `OPTIONS` says of them in Kafka Connect.
const METHODS: [(&str, &str); 9] = [
    ("/", "HEAD, GET, OPTIONS"),
    ("/connectors/", "HEAD, POST, GET, OPTIONS"),
    ("/connectors/x", "HEAD, DELETE, GET, OPTIONS"),
    ("/connectors/x/config", "HEAD, GET, OPTIONS, PUT, PATCH"),
    ("/connectors/x/offsets", "HEAD, DELETE, GET, OPTIONS, PATCH"),
    ("/connectors/x/restart", "POST, OPTIONS"),
    ("/connectors/x/pause", "OPTIONS, PUT"),
    ("/admin/loggers/x/", "HEAD, GET, OPTIONS, PUT"),
    ("/connector-plugins/x/config/validate", "OPTIONS, PUT"),
];

#[tokio::test]
async fn options_lists_the_methods_of_a_path() {
    let url = server().await;
    let check = move || {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        for (path, methods) in METHODS {
            let request = ureq::http::Request::options(format!("{url}{path}"));
            let mut response = agent.run(request.body(()).unwrap()).unwrap();
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(response.headers()["content-type"], "text/plain", "{path}");
            assert_eq!(response.headers()["allow"], methods.replace(", ", ","), "{path}");
            assert_eq!(response.body_mut().read_to_string().unwrap(), methods, "{path}");
        }
    };
    tokio::task::spawn_blocking(check).await.unwrap();
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let url = server().await;
    let taken = url.trim_start_matches("http://");
    let settings = [("listeners", format!("http://{taken}"))].into_iter().collect();
    let config = config(&settings);
    let error = Bound::open(&config).await.err().unwrap().to_string();
    assert!(error.starts_with(&format!("cannot listen at {taken}: ")), "{error}");
}

#[tokio::test]
async fn the_document_says_what_is_served() {
    let url = server().await;
    let check = move || {
        let agent: ureq::Agent = ureq::Agent::new_with_defaults();
        let mut response = agent.get(format!("{url}/openapi.json")).call().unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let paths = document["paths"].as_object().unwrap();
        for (path, operations) in paths {
            let place: String = path.replace(['{', '}'], "");
            let request = ureq::http::Request::options(format!("{url}{place}"));
            let response = agent.run(request.body(()).unwrap()).unwrap();
            let allowed = response.headers()["allow"].to_str().unwrap();
            let mut served: Vec<&str> = allowed.split(',').collect();
            served.retain(|method| !["HEAD", "OPTIONS"].contains(method));
            served.sort_unstable();
            let mut said: Vec<String> = operations
                .as_object()
                .unwrap()
                .keys()
                .map(|method| method.to_uppercase())
                .collect();
            said.sort_unstable();
            assert_eq!(said, served, "{path}");
        }
        for (path, _) in METHODS {
            let path = path.replace("/x", "/{}");
            let is_path = |known: &String| {
                let parts = known
                    .split('{')
                    .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
                parts.collect::<Vec<_>>().join("{}") == path.trim_end_matches('/') || *known == path
            };
            assert!(paths.keys().any(is_path), "{path}");
        }
        let references =
            text.split("\"$ref\":\"#/").skip(1).filter_map(|rest| rest.split('"').next());
        for reference in references {
            assert!(document.pointer(&format!("/{reference}")).is_some(), "{reference}");
        }
    };
    tokio::task::spawn_blocking(check).await.unwrap();
}

//! The sink against a double: what is sent, what is sent again, and whose fault it is.

use std::cell::RefCell;
use std::rc::Rc;

use tombolo_sdk::bindings::sink::PutResult;
use tombolo_sdk::http::{Error, ErrorKind};
use tombolo_sdk::settings::{Configuration, Settings};
use tombolo_sdk::testing::{self, SinkRecords, SinkTask};

use super::*;

/// What arrived: method, URL, body.
type Arrived = Rc<RefCell<Vec<(String, String, String)>>>;

/// Has a function answer requests by their body, and keeps what it answers with success.
fn api(mut answer: impl FnMut(&Request, &str) -> Response + 'static) -> Arrived {
    let arrived = Arrived::default();
    let kept = Rc::clone(&arrived);
    testing::answer_http(move |request| {
        let body = String::from_utf8(request.body.clone()).unwrap();
        let response = answer(request, &body);
        if response.is_success() {
            let url = request.url.as_str().to_owned();
            kept.borrow_mut().push((request.method.to_string(), url, body));
        }
        Ok(response)
    });
    arrived
}

fn start(settings: &[(&str, &str)]) -> SinkTask {
    let mut all = Settings(vec![("http.url".to_owned(), "https://api.example.com/in".to_owned())]);
    settings.iter().for_each(|(name, value)| all.set(name, value));
    SinkTask::start::<HttpSink>(&all).unwrap()
}

fn rows(values: &[&str]) -> SinkRecords {
    let mut records = SinkRecords::new();
    for (place, value) in (0..).zip(values) {
        records.record("orders", 0, place).key(&format!("k{place}")).unwrap().value(value).unwrap();
    }
    records
}

fn bodies(arrived: &Arrived) -> Vec<String> {
    arrived.borrow().iter().map(|(_, _, body)| body.clone()).collect()
}

fn faults(result: &PutResult) -> Vec<(u32, &str)> {
    result.faults.iter().map(|fault| (fault.row, fault.problem.message.as_str())).collect()
}

const BATCHES: [(&str, &str); 2] = [("batching.enabled", "true"), ("batch.max.size", "4")];

#[test]
fn each_record_is_a_request_as_its_template_says() {
    let arrived = api(|request, _| {
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("x-row"), Some("orders-0-7 of a/b"));
        assert_eq!(request.header("authorization"), Some("Basic dTpw"));
        Response::new(200)
    });
    let mut task = start(&[
        (
            "http.url",
            "https://api.example.com/${topic}/${key.id}?who=${name.first}&t=${header.trace}",
        ),
        ("request.method", "put"),
        (
            "http.headers.additional",
            "X-Row:${topic}-${partition}-${offset} of ${key.id}, X-B:${timestamp}",
        ),
        ("http.authorization.type", "basic"),
        ("connection.user", "u"),
        ("connection.password", "p"),
    ]);
    let mut records = SinkRecords::new();
    let map = |name: &str, value: &str| {
        [(name.to_owned(), value.to_owned())]
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let value = [("name", map("first", "Ada & Co"))]
        .into_iter()
        .collect::<std::collections::BTreeMap<_, _>>();
    records
        .record("orders", 0, 7)
        .timestamp(5)
        .key(&map("id", "a/b"))
        .unwrap()
        .value(&value)
        .unwrap()
        .header("trace", &17)
        .unwrap();
    assert_eq!(faults(&task.put(records).unwrap()), []);
    let url = "https://api.example.com/orders/a%2Fb?who=Ada%20%26%20Co&t=17";
    let body = r#"{"name":{"first":"Ada & Co"}}"#;
    assert_eq!(*arrived.borrow(), [("PUT".to_owned(), url.to_owned(), body.to_owned())]);
}

#[test]
fn text_goes_as_it_is_or_as_json() {
    for (format, expected) in [("string", "{\"a\":1}"), ("json", "\"{\\\"a\\\":1}\"")] {
        let arrived = api(|_, _| Response::new(204));
        start(&[("request.body.format", format)]).put(rows(&["{\"a\":1}"])).unwrap();
        assert_eq!(bodies(&arrived), [expected]);
    }
}

#[test]
fn batches_have_their_marks_around_them_and_no_more_than_their_size() {
    let five = ["a", "b", "c", "d", "e"];
    let check = |more: &[(&str, &str)], expected: &[&str]| {
        let arrived = api(|_, _| Response::new(200));
        start(&[&BATCHES[..], more].concat()).put(rows(&five)).unwrap();
        assert_eq!(bodies(&arrived), expected, "{more:?}");
    };
    check(&[], &["a\nb\nc\nd\n", "e\n"]);
    check(
        &[("batch.json.as.array", "true"), ("request.body.format", "json")],
        &["[\"a\",\"b\",\"c\",\"d\"]", "[\"e\"]"],
    );
    check(
        &[("batch.prefix", "<\\t"), ("batch.separator", "|"), ("batch.suffix", "\\\\>")],
        &["<\ta|b|c|d\\>", "<\te\\>"],
    );
    check(&[("batch.max.bytes", "4")], &["a\nb\n", "c\nd\n", "e\n"]);
    check(&[("batch.max.bytes", "1")], &["a\n", "b\n", "c\n", "d\n", "e\n"]);
    let keyed = ("http.url", "https://api.example.com/${value}");
    check(&[keyed], &["a\n", "b\n", "c\n", "d\n", "e\n"]);
}

#[test]
fn a_call_that_is_repeated_goes_on_where_it_ended() {
    let mut left = 2;
    let arrived = api(move |_, body| {
        if body == "b" && left > 0 {
            left -= 1;
            return Response::new(if left == 1 { 429 } else { 503 })
                .header_with("Retry-After", 7)
                .body("busy");
        }
        Response::new(if body == "a" { 422 } else { 200 })
    });
    let mut task = start(&[]);
    for status in [429, 503] {
        let Err(Fault::Retriable(retry)) = task.put(rows(&["a", "b", "c"])) else {
            panic!("{status}")
        };
        assert_eq!(retry.after_ms, Some(7_000));
        let expected = format!("POST https://api.example.com/in: status {status}: busy");
        assert_eq!(retry.problem.message, expected);
    }
    let result = task.put(rows(&["a", "b", "c"])).unwrap();
    assert_eq!(faults(&result), [(0, "POST https://api.example.com/in: status 422")]);
    assert_eq!(bodies(&arrived), ["b", "c"]);
    // Other rows, although as many, begin anew.
    assert_eq!(faults(&task.put(rows(&["x", "y", "z"])).unwrap()), []);
    assert_eq!(bodies(&arrived).len(), 5);
}

#[test]
fn pauses_double_and_retries_end() {
    testing::answer_http(|_| Err(Error::new(ErrorKind::Failed, "nobody answers there")));
    let mut task = start(&[("max.retries", "3"), ("retry.backoff.ms", "25000")]);
    for pause in [25_000, 50_000, 60_000] {
        let Err(Fault::Retriable(retry)) = task.put(rows(&["a"])) else { panic!("{pause}") };
        assert_eq!(retry.after_ms, Some(pause));
    }
    // No fatal one: the worker would look for the record that made it.
    let Err(Fault::Config(problem)) = task.put(rows(&["a"])) else { panic!() };
    assert_eq!(
        problem.message,
        "POST https://api.example.com/in: nobody answers there, after 3 retries"
    );
    let class = problem.class.as_deref();
    assert_eq!(class, Some("org.apache.kafka.connect.errors.ConnectException"));
    testing::answer_http(|_| Ok(Response::new(503).header_with("Retry-After", 1_000_000)));
    let Err(Fault::Retriable(retry)) = start(&[]).put(rows(&["a"])) else { panic!() };
    assert_eq!(retry.after_ms, Some(3_600_000), "no answer holds a connector for days");
    for passed in ["0", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        testing::answer_http(move |_| Ok(Response::new(503).header_with("Retry-After", passed)));
        let mut task = start(&[]);
        for pause in [3_000, 6_000] {
            let Err(Fault::Retriable(retry)) = task.put(rows(&["a"])) else { panic!("{passed}") };
            assert_eq!(retry.after_ms, Some(pause), "{passed}");
        }
    }
}

#[test]
fn a_refused_batch_is_halved_down_to_the_bad_records() {
    let arrived = api(|_, body| match body.contains("bad") {
        true => Response::new(400).body("no such item\n\u{7}"),
        false => Response::new(200),
    });
    let mut task = start(&BATCHES);
    let result = task.put(rows(&["a", "bad", "c", "d", "e", "bad"])).unwrap();
    let message = "POST https://api.example.com/in: status 400: no such item";
    assert_eq!(faults(&result), [(1, message), (5, message)]);
    assert_eq!(bodies(&arrived), ["a\n", "c\nd\n", "e\n"]);
}

/// A call of 30 ms, of which a request takes 20: there is time for one alone.
const SHORT_CALL: (&str, &str) = ("sandbox.call.timeout.ms", "30");

fn takes_long(body: &str) -> Response {
    host::wait(Duration::from_millis(20));
    Response::new(if body.contains("bad") { 400 } else { 200 })
}

/// Hands over the same rows until they are settled. Answers how often, and what came of it.
fn put_until_settled(task: &mut SinkTask, values: &[&str]) -> (usize, PutResult) {
    for puts in 1..20 {
        match task.put(rows(values)) {
            Ok(result) => return (puts, result),
            Err(Fault::Retriable(retry)) => assert_eq!(retry.after_ms, Some(0), "{retry:?}"),
            Err(fault) => panic!("{fault:?}"),
        }
    }
    panic!("it never ends");
}

#[test]
fn a_call_begins_no_request_late_and_the_next_one_goes_on() {
    let arrived = api(|_, body| takes_long(body));
    let (puts, result) = put_until_settled(&mut start(&[SHORT_CALL]), &["a", "b", "c"]);
    assert_eq!((puts, faults(&result)), (3, Vec::new()));
    assert_eq!(bodies(&arrived), ["a", "b", "c"]);
}

#[test]
fn a_refused_batch_is_halved_on_in_the_next_call() {
    let arrived = api(|_, body| takes_long(body));
    let mut task = start(&[&BATCHES[..], &[SHORT_CALL]].concat());
    let (puts, result) = put_until_settled(&mut task, &["a", "bad", "c", "d", "e"]);
    // All four, two of them, each of the two, the other two, the rest.
    assert_eq!(puts, 6);
    assert_eq!(faults(&result), [(1, "POST https://api.example.com/in: status 400")]);
    assert_eq!(bodies(&arrived), ["a\n", "c\nd\n", "e\n"]);
}

#[test]
fn an_answer_that_blames_no_record_ends_the_task() {
    let keyed = ("http.url", "https://api.example.com/${key}");
    for (settings, status, is_row) in [
        (&[][..], 401, false),
        (&[], 403, false),
        (&[], 302, false),
        (&[], 404, false),
        (&[keyed], 404, true),
        (&[], 409, true),
        (&[], 413, true),
        (&[("retry.on.status.codes", "")], 503, false),
    ] {
        api(move |_, _| {
            Response::new(status).header_with("Location", "https://elsewhere.example.com/")
        });
        match start(settings).put(rows(&["a"])) {
            Ok(result) => assert_eq!((result.faults.len(), is_row), (1, true), "{status}"),
            Err(Fault::Config(problem)) => {
                assert!(
                    !is_row && problem.message.contains(&format!("status {status}")),
                    "{problem}"
                );
            }
            other => panic!("{status}: {other:?}"),
        }
    }
    for kind in [ErrorKind::Denied, ErrorKind::TooLarge] {
        testing::answer_http(move |_| Err(Error::new(kind, "it cannot be had")));
        assert!(matches!(start(&[]).put(rows(&["a"])), Err(Fault::Config(_))));
    }
}

#[test]
fn an_answer_can_say_which_records_are_bad() {
    let answers = [
        ("batch.response.rows.pointer", "/items"),
        ("batch.response.error.pointer", "/index/error"),
    ];
    let settings = [&BATCHES[..], &answers].concat();
    let good = r#"{"items":[{"index":{"status":201}},{"index":{"error":{"reason":"x"}}},{"index":{"error":null}},{"index":{"error":false}}]}"#;
    api(move |_, _| Response::new(200).body(good));
    let result = start(&settings).put(rows(&["a", "b", "c", "d"])).unwrap();
    assert_eq!(faults(&result), [(1, "POST https://api.example.com/in: {\"reason\":\"x\"}")]);
    for body in ["", "<html>", "{}", r#"{"items":[{}]}"#] {
        api(move |_, _| Response::new(200).body(body));
        assert!(matches!(start(&settings).put(rows(&["a", "b"])), Err(Fault::Config(_))), "{body}");
    }
}

#[test]
fn records_without_a_value_are_what_the_setting_says() {
    let put = |behavior: &str| {
        testing::reset();
        let arrived = api(|request, _| {
            Response::new(if request.method == Method::Delete { 404 } else { 200 })
        });
        let mut task =
            start(&[("behavior.on.null.values", behavior), ("batching.enabled", "true")]);
        let mut records = SinkRecords::new();
        records.record("orders", 0, 0).value("a").unwrap();
        records.record("orders", 0, 1);
        records.record("orders", 0, 2).value("b").unwrap();
        let result = task.put(records).unwrap();
        (bodies(&arrived), result.faults.len(), testing::logged().len())
    };
    let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    assert_eq!(put("ignore"), (texts(&["a\nb\n"]), 0, 0));
    assert_eq!(put("log"), (texts(&["a\nb\n"]), 0, 1));
    assert_eq!(put("fail"), (texts(&["a\n", "b\n"]), 1, 0));
    assert_eq!(put("delete"), (texts(&["a\n", "b\n"]), 0, 0), "what is gone already is gone");
}

#[test]
fn a_record_cannot_change_where_it_goes() {
    let arrived = api(|_, _| Response::new(200));
    let mut task = start(&[
        ("http.url", "https://api.example.com/in/${value}"),
        ("http.headers.additional", "X-V:${value}"),
    ]);
    let values = ["..", "a\r\nX-Admin: 1", "@evil.example.com/?#", ".", ""];
    let result = task.put(rows(&values)).unwrap();
    let rows: Vec<u32> = faults(&result).iter().map(|&(row, _)| row).collect();
    assert_eq!(rows, [0, 1, 3, 4]);
    assert!(faults(&result)[3].1.contains("${value} is empty"), "{result:?}");
    assert_eq!(arrived.borrow()[0].1, "https://api.example.com/in/%40evil.example.com%2F%3F%23");
    let mut task = start(&[("http.url", "https://api.example.com/in/${value.id}")]);
    let result = task.put(self::rows(&["a"])).unwrap();
    assert_eq!(faults(&result), [(0, "the record has nothing for ${value.id}")]);
    let mut task = start(&[("http.url", "https://api.example.com/in?v=${value}")]);
    assert_eq!(faults(&task.put(self::rows(&[""])).unwrap()), []);
    assert_eq!(arrived.borrow()[1].1, "https://api.example.com/in?v=");
}

#[test]
fn wrong_settings_are_named() {
    let url = ("http.url", "https://api.example.com/");
    for (name, value) in [
        ("http.url", "api.example.com"),
        ("http.url", "https://${key}.example.com/"),
        ("http.url", "https://example.com:${key}/"),
        ("http.url", "https://u:p@example.com/"),
        ("http.url", "https://example.com/${key"),
        ("http.url", "https://example.com/${}"),
        ("request.method", "GET"),
        ("http.headers.content.type", " "),
        ("http.headers.additional", "X"),
        ("http.headers.additional", "Host:x"),
        ("http.headers.additional", "A:1,a:2"),
        ("http.headers.additional", "A:${x"),
        ("http.headers.additional", "Authorization:x"),
        ("http.authorization.type", "oauth2"),
        ("http.headers.authorization", "secret"),
        ("batch.max.size", "0"),
        ("batch.prefix", "\\x"),
        ("request.body.format", "xml"),
        ("retry.on.status.codes", "500-400"),
        ("retry.on.status.codes", "abc"),
        ("http.timeout", "0"),
        ("batch.response.rows.pointer", "items"),
    ] {
        let settings = Settings::from([url]).with(name, value);
        let error = SinkSettings::read(&settings).unwrap_err();
        assert_eq!(error.key, name, "{value}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let settings = Settings::from([url, ("http.authorization.type", "static")]);
    assert_eq!(SinkSettings::read(&settings).unwrap_err().key, "http.headers.authorization");
    let settings = settings.with("http.headers.authorization", "Bearer secret");
    let read = SinkSettings::read(&settings).unwrap();
    assert!(!format!("{read:?}").contains("secret"));
}

//! The source against a double: every record once, in order, through pages, additions and restarts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tombolo_sdk::http::{Error, ErrorKind, Response};
use tombolo_sdk::settings::{Configuration, Settings};
use tombolo_sdk::testing::{self, Polled, SourceTask};

use super::*;

/// How many records a page has.
const PAGE: usize = 3;

/// What the API has: the number of its records.
type Records = Rc<RefCell<usize>>;

const CURSOR: [(&str, &str); 2] =
    [("http.paging.mode", "cursor"), ("http.paging.pointer", "/next")];
const LINK: [(&str, &str); 2] = [("http.paging.mode", "link"), ("http.paging.param", "")];
const LINK_IN_BODY: [(&str, &str); 2] =
    [("http.paging.mode", "link"), ("http.paging.pointer", "/next_url")];
const NUMBER: [(&str, &str); 2] = [("http.paging.mode", "page"), ("http.paging.first.page", "0")];
const MODES: [[(&str, &str); 2]; 4] = [CURSOR, LINK, LINK_IN_BODY, NUMBER];

fn settings(more: &[(&str, &str)]) -> Settings {
    let mut all = Settings::from([
        ("http.request.url", "https://api.example.com/v1/items"),
        ("http.response.list.pointer", "/items"),
        ("http.timer.interval.millis", "1"),
        ("kafka.topic", "items"),
    ]);
    more.iter().for_each(|(name, value)| all.set(name, value));
    all
}

/// An API with pages, of which it says in every way what follows.
fn api(records: usize) -> Records {
    let all = Rc::new(RefCell::new(records));
    let answered = Rc::clone(&all);
    testing::answer_http(move |request| {
        assert_eq!((request.method, request.url.authority()), (Method::Get, "api.example.com"));
        Ok(answer(*answered.borrow(), page_of(request)))
    });
    all
}

/// The page that is asked for.
fn page_of(request: &Request) -> usize {
    let (_, query) = request.url.path_and_query().split_once('?').unwrap_or_default();
    let page = query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let is_page = matches!(name, "page" | "cursor");
        is_page.then(|| value.trim_start_matches('c').parse::<usize>().unwrap())
    });
    page.unwrap_or(0)
}

fn answer(all: usize, page: usize) -> Response {
    let from = (page * PAGE).min(all);
    let to = (from + PAGE).min(all);
    let items: Vec<String> = (from..to).map(|id| format!("{{\"id\": {id}}}")).collect();
    let (mut cursor, mut url) = ("null".to_owned(), "null".to_owned());
    let mut response = Response::new(200);
    if to < all {
        cursor = format!("\"c{}\"", page + 1);
        url = format!("\"/v1/items?page={}\"", page + 1);
        let next = format!("</v1/items?page={}>; rel=\"next\"", page + 1);
        response = response.header_with("Link", next);
    }
    let items = items.join(",");
    response.body(format!("{{\"items\": [{items}], \"next\": {cursor}, \"next_url\": {url}}}"))
}

fn ids(polled: &Polled) -> Vec<i64> {
    let id = |value: BTreeMap<String, i64>| value["id"];
    polled.records().iter().map(|record| id(record.value().unwrap())).collect()
}

/// Polls so often, each time for so many records at most, and commits.
fn read(task: &mut SourceTask, polls: usize, rows_max: usize) -> Vec<i64> {
    let mut all = Vec::new();
    for _ in 0..polls {
        let polled = task.poll_within(rows_max, usize::MAX, Duration::from_secs(5)).unwrap();
        all.extend(ids(&polled));
        task.commit(&polled).unwrap();
    }
    all
}

fn start(settings: &Settings) -> SourceTask {
    SourceTask::start::<HttpSource>(settings).unwrap()
}

fn numbers(range: std::ops::Range<i64>) -> Vec<i64> {
    range.collect()
}

#[test]
fn pages_are_read_to_the_last_and_then_what_is_added() {
    for mode in MODES {
        testing::reset();
        let all = api(0);
        let mut task = start(&settings(&mode));
        let mut expected = 0..0;
        for more in [0, 1, 1, 1, 1, 7, 0, 3, 2] {
            *all.borrow_mut() += more;
            expected = expected.end..expected.end + more as i64;
            assert_eq!(read(&mut task, 10, 100), numbers(expected.clone()), "{mode:?} {more}");
        }
    }
}

#[test]
fn a_numbered_page_beyond_the_last_may_be_refused() {
    for status in [400, 404] {
        testing::reset();
        let all = Records::default();
        let answered = Rc::clone(&all);
        testing::answer_http(move |request| {
            let (all, page) = (*answered.borrow(), page_of(request));
            let is_there = page == 0 || page * PAGE < all;
            Ok(if is_there { answer(all, page) } else { Response::new(status).body("no") })
        });
        let settings = settings(&NUMBER);
        let mut task = start(&settings);
        let mut expected = 0..0;
        for more in [0, 1, 1, 1, 1, 7, 0, 3, 2] {
            *all.borrow_mut() += more;
            expected = expected.end..expected.end + more as i64;
            assert_eq!(read(&mut task, 10, 100), numbers(expected.clone()), "{status} {more}");
        }
        assert_eq!(read(&mut start(&settings), 10, 100), numbers(0..0), "{status}");
        testing::answer_http(move |_| Ok(Response::new(status)));
        let polled = start(&settings).poll_within(9, 999, Duration::from_secs(5));
        assert!(matches!(polled, Err(Fault::Fatal(_))), "{status} for a page that was there");
    }
}

#[test]
fn a_page_that_is_the_one_before_it_is_the_end() {
    let told = || {
        let is_told = |line: &str| line.contains("http.paging.param");
        testing::logged().iter().filter(|(_, line)| is_told(line)).count()
    };
    testing::reset();
    // An API that knows no pages.
    let asked = Rc::new(RefCell::new(0));
    let counted = Rc::clone(&asked);
    testing::answer_http(move |_| {
        *counted.borrow_mut() += 1;
        Ok(answer(2, 0))
    });
    let slow = [&NUMBER[..], &[("http.timer.interval.millis", "600000")]].concat();
    let mut task = start(&settings(&slow));
    let mut found = Vec::new();
    for _ in 0..5 {
        found.extend(ids(&task.poll_within(9, 9_999, Duration::from_millis(1)).unwrap()));
    }
    assert_eq!((found, *asked.borrow(), told()), (vec![0, 1], 2, 1));
    // What is added is found all the same, and it is said once.
    testing::reset();
    let all = Rc::new(RefCell::new(2));
    let answered = Rc::clone(&all);
    testing::answer_http(move |_| Ok(answer(*answered.borrow(), 0)));
    let mut task = start(&settings(&NUMBER));
    assert_eq!(read(&mut task, 9, 9), [0, 1]);
    *all.borrow_mut() += 1;
    assert_eq!((read(&mut task, 9, 9), told()), (vec![2], 1));
}

#[test]
fn a_restart_behind_any_record_loses_and_doubles_nothing() {
    for mode in MODES {
        for records in 0..8 {
            for before in 1..8 {
                testing::reset();
                let all = api(records);
                let settings = settings(&mode);
                let mut task = start(&settings);
                let mut found = read(&mut task, before, 1);
                // What a crash forgets: records that were handed out and not committed.
                task.poll_within(2, usize::MAX, Duration::from_secs(5)).unwrap();
                let mut task = start(&settings);
                found.extend(read(&mut task, 8, 100));
                *all.borrow_mut() += 4;
                found.extend(read(&mut start(&settings), 8, 2));
                assert_eq!(found, numbers(0..records as i64 + 4), "{mode:?} {records} {before}");
            }
        }
    }
}

#[test]
fn after_the_last_page_the_first_can_come_again() {
    for mode in MODES {
        testing::reset();
        api(4);
        let settings = settings(&[&mode[..], &[("http.paging.end", "restart")]].concat());
        let mut task = start(&settings);
        let mut found = Vec::new();
        while found.len() < 10 {
            found.extend(read(&mut task, 1, 100));
        }
        assert_eq!(found.get(..8), Some(&[0, 1, 2, 3, 0, 1, 2, 3][..]), "{mode:?}");
    }
    testing::reset();
    api(2);
    let mut task = start(&settings(&[]));
    assert_eq!(read(&mut task, 3, 100), [0, 1, 0, 1, 0, 1], "without pages it is all, each time");
}

#[test]
fn what_the_last_record_had_is_asked_for_and_what_comes_twice_is_passed_over() {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&asked);
    testing::answer_http(move |request| {
        seen.borrow_mut().push(request.url.path_and_query().to_owned());
        let since: usize =
            request.url.path_and_query().rsplit_once('=').unwrap().1.parse().unwrap();
        let items: Vec<String> =
            (since..(since + 3).min(6)).map(|id| format!("{{\"id\": {id}}}")).collect();
        Ok(Response::new(200).body(format!("[{}]", items.join(","))))
    });
    let settings = settings(&[
        ("http.response.list.pointer", "/"),
        ("http.request.url", "https://api.example.com/items?x=a%20b"),
        ("http.request.params", "q=a b & since=${offset.key}"),
        ("http.offset.initial", "key=0"),
        ("http.response.record.offset.pointer", "key=/id"),
    ]);
    let mut task = start(&settings);
    // The first record has what the first request has, and so counts as known.
    assert_eq!(read(&mut task, 2, 100), [1, 2, 3, 4]);
    assert_eq!(read(&mut start(&settings), 4, 1), [5]);
    let asked = asked.borrow();
    assert_eq!(asked[0], "/items?x=a%20b&q=a%20b&since=0");
    assert_eq!(asked[2], "/items?x=a%20b&q=a%20b&since=4");
}

/// What an API lists: the number of each record, and its time if it has one.
type Listed = Rc<RefCell<Vec<(i64, Option<i64>)>>>;

const SINCE: [(&str, &str); 3] = [
    ("http.request.params", "since=${offset.t}"),
    ("http.offset.initial", "t=0"),
    ("http.response.record.offset.pointer", "t=/t"),
];

/// An API that gives what is not older than it is asked for, in the order in which it is listed; nothing was read from it yet.
fn listing(records: &[(i64, Option<i64>)]) -> Listed {
    testing::reset();
    let all = Rc::new(RefCell::new(records.to_vec()));
    let listed = Rc::clone(&all);
    testing::answer_http(move |request| {
        let (_, since) = request.url.path_and_query().rsplit_once('=').unwrap();
        let since: i64 = since.parse().unwrap();
        let mut items = Vec::new();
        for (id, time) in listed.borrow().iter() {
            match time {
                None => items.push(format!("{{\"id\": {id}}}")),
                Some(time) if *time >= since => {
                    items.push(format!("{{\"id\": {id}, \"t\": {time}}}"));
                }
                Some(_) => {}
            }
        }
        Ok(Response::new(200).body(format!("{{\"items\": [{}]}}", items.join(","))))
    });
    all
}

#[test]
fn records_of_one_time_are_all_given_and_given_once() {
    let all = listing(&[(1, Some(5)), (2, Some(5))]);
    let settings = settings(&SINCE);
    let mut task = start(&settings);
    assert_eq!(read(&mut task, 3, 100), [1, 2]);
    all.borrow_mut().push((3, Some(5)));
    assert_eq!(read(&mut task, 3, 100), [3]);
    assert_eq!(read(&mut start(&settings), 3, 100), numbers(0..0));
    all.borrow_mut().extend([(4, Some(5)), (5, Some(6)), (6, Some(6))]);
    assert_eq!(read(&mut start(&settings), 2, 1), [4, 5]);
    assert_eq!(read(&mut start(&settings), 3, 1), [6]);
    // A list without order does not come again and again, either.
    all.borrow_mut().extend([(7, Some(7)), (8, Some(6))]);
    assert_eq!(read(&mut start(&settings), 4, 100), [7, 8]);
}

#[test]
fn a_record_without_what_is_asked_by_is_not_taken_for_a_known_one() {
    let all = listing(&[(1, Some(5)), (2, None)]);
    let settings = settings(&SINCE);
    let mut task = start(&settings);
    assert_eq!(read(&mut task, 1, 100), [1, 2]);
    *all.borrow_mut() = vec![(3, None)];
    assert_eq!(read(&mut task, 1, 100), [3]);
    *all.borrow_mut() = vec![(1, Some(5)), (4, Some(6))];
    assert_eq!(read(&mut start(&settings), 1, 100), [4]);
}

#[test]
fn an_offset_of_an_older_version_stands_for_one_record() {
    listing(&[(1, Some(5)), (2, Some(5)), (3, Some(6))]);
    let url = [("url", "https://api.example.com/v1/items")];
    let partition: BTreeMap<&str, &str> = url.into_iter().collect();
    let offset: BTreeMap<&str, &str> = [("t", "5")].into_iter().collect();
    testing::set_committed_offset(&partition, &offset).unwrap();
    assert_eq!(read(&mut start(&settings(&SINCE)), 3, 100), [2, 3]);
}

#[test]
fn a_list_with_the_newest_first_is_read_from_its_end() {
    for order in ["IMPLICIT", "desc"] {
        let all = listing(&[(3, Some(7)), (2, Some(6)), (1, Some(5))]);
        let order = [("http.response.list.order.direction", order)];
        let settings = settings(&[&SINCE[..], &order].concat());
        assert_eq!(read(&mut start(&settings), 2, 2), [1, 2, 3], "{order:?}");
        all.borrow_mut().insert(0, (4, Some(8)));
        assert_eq!(read(&mut start(&settings), 3, 100), [4], "{order:?}");
    }
    listing(&[(2, Some(6)), (1, Some(5))]);
    let given = ("http.response.list.order.direction", "ASC");
    let mut task = start(&settings(&[&SINCE[..], &[given]].concat()));
    assert_eq!(ids(&task.poll(9).unwrap()), [2, 1]);
}

#[test]
fn keys_and_values_are_what_the_pointers_say() {
    testing::answer_http(|request| {
        assert_eq!(request.method, Method::Post);
        assert_eq!(request.body, b"{\"all\": true}");
        assert_eq!(request.header("x-a"), Some("1"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("authorization"), Some("Bearer secret"));
        Ok(Response::new(200)
            .body(r#"{"data": {"meta": {"id": 7}, "body": {"n": 1.5, "s": "ä"}}}"#))
    });
    let common = [
        ("http.request.method", "post"),
        ("http.request.body", "{\"all\": true}"),
        ("http.request.headers", "X-A: 1, Content-Type: application/json"),
        ("http.auth.type", "static"),
        ("http.headers.authorization", "Bearer secret"),
        ("http.response.list.pointer", "/data"),
        ("http.response.record.pointer", "/body"),
        ("http.response.record.key.pointer", "/meta/id"),
    ];
    let polled = start(&settings(&common)).poll_within(9, 999, Duration::from_secs(5)).unwrap();
    let record = polled.records().get(0).unwrap();
    assert_eq!((record.topic(), record.key::<&str>().unwrap()), ("items", "7"));
    let mut json = Vec::new();
    let decimals = tombolo_sdk::json::Decimals::Numeric;
    tombolo_sdk::json::from_cbor(record.value_bytes().unwrap(), decimals, &mut json).unwrap();
    assert_eq!(String::from_utf8(json).unwrap(), r#"{"n":1.5,"s":"ä"}"#);
    let as_text = settings(&[&common[..], &[("http.record.format", "string")]].concat());
    let polled = start(&as_text).poll_within(9, 999, Duration::from_secs(5)).unwrap();
    let text = polled.records().get(0).unwrap().value::<String>().unwrap();
    assert_eq!(text, r#"{"n": 1.5, "s": "ä"}"#);
}

#[test]
fn an_api_that_is_busy_is_asked_again_and_one_that_refuses_ends_the_task() {
    let poll = |answer: fn() -> std::result::Result<Response, Error>| {
        testing::answer_http(move |_| answer());
        let mut task = start(&settings(&[("max.retries", "1")]));
        let mut again =
            || task.poll_within(9, 999, Duration::from_secs(5)).map(|polled| ids(&polled));
        (again(), again())
    };
    let busy = || Ok(Response::new(429).header_with("Retry-After", 9));
    let (Err(Fault::Retriable(retry)), Err(Fault::Config(problem))) = poll(busy) else { panic!() };
    assert_eq!(retry.after_ms, Some(9_000));
    let expected = "GET https://api.example.com/v1/items: status 429, after 1 retries";
    assert_eq!(problem.message, expected);
    let gone = || Err(Error::new(ErrorKind::Failed, "nobody answers there"));
    assert!(matches!(poll(gone), (Err(Fault::Retriable(_)), Err(Fault::Config(_)))));
    type Refusal = (fn() -> std::result::Result<Response, Error>, &'static str);
    let refusals: [Refusal; 4] = [
        (|| Ok(Response::new(401).body("who are you?")), "status 401: who are you?"),
        (
            || Ok(Response::new(302).header_with("Location", "https://x/")),
            "status 302 to https://x/",
        ),
        (|| Ok(Response::new(200).body("<html>")), "no JSON"),
        (|| Ok(Response::new(200).body("{\"items\": 5}")), "neither an array nor an object"),
    ];
    for (answer, part) in refusals {
        let (Err(Fault::Fatal(problem)), _) = poll(answer) else { panic!("{part}") };
        assert!(problem.message.contains(part), "{problem}");
    }
    let none = poll(|| Ok(Response::new(204)));
    assert_eq!(none, (Ok(Vec::new()), Ok(Vec::new())));
}

#[test]
fn credentials_do_not_follow_a_link_to_another_host() {
    testing::answer_http(|request| {
        assert_eq!(request.url.authority(), "api.example.com");
        let next = "<https://evil.example.com/>; rel=next";
        Ok(Response::new(200).header_with("Link", next).body("{\"items\": [{\"id\": 1}]}"))
    });
    let mut task = start(&settings(&LINK));
    assert_eq!(read(&mut task, 1, 9), [1]);
    let Err(Fault::Fatal(problem)) = task.poll_within(9, 999, Duration::from_secs(5)) else {
        panic!()
    };
    assert!(problem.message.contains("https://evil.example.com/"), "{problem}");
}

#[test]
fn a_poll_waits_no_longer_than_it_may() {
    api(1);
    let mut task = start(&settings(&[("http.timer.interval.millis", "600000")]));
    assert_eq!(ids(&task.poll(9).unwrap()), [0]);
    assert!(task.poll_within(9, 999, Duration::from_millis(1)).unwrap().is_empty());
}

#[test]
fn offsets_of_other_pagings_and_shapes_are_refused() {
    let altered = |mode: &[(&str, &str)], page: &str| {
        let offset = [("page", page)].into_iter().collect::<BTreeMap<_, _>>();
        let offset = testing::source_offset(&offset, Some(&offset)).unwrap();
        HttpSource::alter_offsets(&SourceSettings::read(&settings(mode)).unwrap(), &[offset])
    };
    assert_eq!(altered(&CURSOR, "abc"), Ok(true));
    assert_eq!(altered(&NUMBER, "17"), Ok(true));
    for (mode, page) in [(&NUMBER[..], "abc"), (&LINK, "abc"), (&[], "1")] {
        assert!(altered(mode, page).is_err(), "{mode:?} {page}");
    }
}

#[test]
fn wrong_settings_are_named() {
    for (name, value) in [
        ("http.request.url", "api.example.com"),
        ("http.request.url", "https://api.example.com/${offset.since}"),
        ("http.request.params", "a=${since}"),
        ("http.request.params", "a=${offset.since"),
        ("http.request.body", "${offset.since}"),
        ("http.request.headers", "X:${offset.since}"),
        ("http.request.headers", "Host: x"),
        ("http.request.method", "DELETE"),
        ("http.auth.type", "oauth"),
        ("http.headers.authorization", "secret"),
        ("http.response.list.pointer", "items"),
        ("http.response.list.order.direction", "UP"),
        ("http.response.record.offset.pointer", "key"),
        ("http.response.record.offset.pointer", "page=/id"),
        ("http.response.record.offset.pointer", "a=id"),
        ("http.offset.initial", "a=1,a=2"),
        ("kafka.topic", ""),
        ("http.timer.interval.millis", "0"),
        ("http.client.read.timeout.millis", "30000"),
        ("http.paging.mode", "offset"),
        ("http.response.bytes.max", "0"),
    ] {
        let error = SourceSettings::read(&settings(&[(name, value)])).unwrap_err();
        assert_eq!(error.key, name, "{value}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let error = SourceSettings::read(&settings(&[("http.paging.mode", "cursor")])).unwrap_err();
    assert_eq!(error.key, "http.paging.pointer");
    let error = SourceSettings::read(&settings(
        &[&NUMBER[..], &[("http.response.record.offset.pointer", "a=/id")]].concat(),
    ));
    assert_eq!(error.unwrap_err().key, "http.response.record.offset.pointer");
    let error = SourceSettings::read(&settings(
        &[&NUMBER[..], &[("http.response.list.order.direction", "DESC")]].concat(),
    ));
    assert_eq!(error.unwrap_err().key, "http.response.list.order.direction");
}

#[test]
fn a_request_ends_before_the_host_ends_the_poll() {
    let time = |more: &[(&str, &str)]| SourceSettings::read(&settings(more)).unwrap().timeout;
    assert_eq!(time(&[]), Duration::from_secs(10));
    assert_eq!(time(&[("sandbox.call.timeout.ms", "6000")]), Duration::from_secs(5));
}

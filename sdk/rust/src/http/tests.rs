//! URLs, answers, dates, and the client against a double.

use std::time::Duration;

use super::*;
use crate::fault::Fault;
use crate::testing;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn a_url_is_a_scheme_a_host_and_a_path_and_nothing_else() {
    for (text, authority, target) in [
        ("https://Example.com", "example.com", "/"),
        ("HTTP://example.com:8080/a/b?c=d&e#f", "example.com:8080", "/a/b?c=d&e"),
        ("https://example.com?q=1", "example.com", "/?q=1"),
        ("http://[::1]:9/x", "[::1]:9", "/x"),
        ("http://127.0.0.1:65535/%20", "127.0.0.1:65535", "/%20"),
    ] {
        let url = url(text);
        assert_eq!((url.authority(), url.path_and_query()), (authority, target), "{text}");
    }
    for text in [
        "",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://user:secret@example.com/",
        "https://example.com:0/",
        "https://example.com:70000/",
        "https://example.com:/",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://exämple.com/",
        "https://example.com/ä",
        "https://[::1/",
        "https://[]/",
        "https://a b/",
        "https://example.com:+80/",
    ] {
        assert!(Url::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_reference_is_read_where_it_was_found() {
    let base = url("https://api.example.com/v1/items?page=1");
    for (reference, expected) in [
        ("https://other.example.com/x", "https://other.example.com/x"),
        ("//other.example.com/x", "https://other.example.com/x"),
        ("/v2/items?page=2", "https://api.example.com/v2/items?page=2"),
        ("?page=2", "https://api.example.com/v1/items?page=2"),
        ("more?page=2", "https://api.example.com/v1/more?page=2"),
        (
            "?next=https://x.example.com/",
            "https://api.example.com/v1/items?next=https://x.example.com/",
        ),
        ("../a/./b/..", "https://api.example.com/a/"),
        ("../../../a", "https://api.example.com/a"),
        ("", "https://api.example.com/v1/items?page=1"),
    ] {
        assert_eq!(base.join(reference).unwrap().as_str(), expected, "{reference}");
    }
    assert!(base.join("file:///etc/passwd").is_err());
    let same = |other: &str| base.has_origin_of(&url(other));
    assert!(same("https://API.example.com:443/"));
    assert!(!same("https://api.example.com:444/"));
    assert!(!same("http://api.example.com/"));
}

#[test]
fn what_is_shown_of_a_request_holds_no_secret() {
    let request = Request::get(url("https://example.com/a?token=secret"))
        .header_with("authorization", "Bearer secret");
    testing::answer_http(|_| Err(Error::new(ErrorKind::Failed, "nobody answers there")));
    let error = Client::new().send(&request).unwrap_err();
    assert_eq!(error.to_string(), "GET https://example.com/a: nobody answers there");
    assert!(!format!("{request:?} {:?} {error:?}", request.url).contains("secret"));
}

#[test]
fn an_error_becomes_the_fault_that_has_the_worker_do_the_right_thing() {
    let fault = |kind| Fault::from(Error::new(kind, "x"));
    assert!(matches!(fault(ErrorKind::Denied), Fault::Config(_)));
    assert!(matches!(fault(ErrorKind::Invalid), Fault::Config(_)));
    assert!(matches!(fault(ErrorKind::Failed), Fault::Retriable(_)));
    assert!(matches!(fault(ErrorKind::Timeout), Fault::Retriable(_)));
    assert!(matches!(fault(ErrorKind::Busy), Fault::Retriable(_)));
    assert!(matches!(fault(ErrorKind::TooLarge), Fault::Fatal(_)));
}

#[test]
fn a_connection_that_the_host_does_not_give_is_waited_for_within_the_time() {
    let busy = || Err(Error::new(ErrorKind::Busy, "the host gives no further connection just now"));
    let mut left = 2;
    testing::answer_http(move |_| {
        left -= 1;
        if left >= 0 { busy() } else { Ok(Response::new(200)) }
    });
    let request = Request::get(url("https://example.com/"));
    assert!(Client::new().send(&request).is_ok());
    testing::answer_http(move |_| busy());
    let client = Client::new().timeout(2 * BUSY_PAUSE);
    assert_eq!(client.send(&request).unwrap_err().kind, ErrorKind::Busy);
}

#[test]
fn a_redirect_is_an_answer_and_a_larger_body_than_may_be_is_an_error() {
    testing::answer_http(|request| match request.url.path_and_query() {
        "/moved" => {
            Ok(Response::new(302).header_with("Location", "https://elsewhere.example.com/"))
        }
        _ => Ok(Response::new(200).body(vec![b'x'; 11])),
    });
    let get = |path: &str| Request::get(url(&format!("https://example.com{path}")));
    let client = Client::new().body_max(10);
    let moved = client.send(&get("/moved")).unwrap();
    assert_eq!((moved.status, moved.is_success()), (302, false));
    assert_eq!(moved.header("location"), Some("https://elsewhere.example.com/"));
    assert_eq!(client.send(&get("/")).unwrap_err().kind, ErrorKind::TooLarge);
    assert!(client.body_max(11).send(&get("/")).is_ok());
}

#[test]
fn retry_after_is_read_as_seconds_and_as_a_date() {
    let after = |text: &str| Response::new(429).header_with("Retry-After", text).retry_after();
    assert_eq!(after("120"), Some(Duration::from_secs(120)));
    assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
    let far = after("Fri, 31 Dec 9999 23:59:59 GMT").unwrap();
    assert!(far > Duration::from_secs(200_000_000_000));
    for text in [
        "",
        "-1",
        "soon",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
    ] {
        assert_eq!(after(text), None, "{text}");
    }
    assert_eq!(Response::new(429).retry_after(), None);
}

#[test]
fn dates_are_counted_from_1970() {
    for (text, seconds) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
        ("Sat, 28 Nov 2026 20:58:31 GMT", 1_795_899_511),
    ] {
        assert_eq!(date::since_epoch(text), Some(Duration::from_secs(seconds)), "{text}");
    }
}

#[test]
fn an_excerpt_of_a_body_is_one_line_and_not_longer_than_asked() {
    let excerpt = |body: &str, most| Response::new(400).body(body).excerpt(most);
    assert_eq!(excerpt("bad\r\nrow\u{1b}[2J", 100), "bad  row [2J");
    assert_eq!(excerpt("0123456789", 10), "0123456789");
    assert_eq!(excerpt("0123456789", 4), "0123…");
    assert_eq!(excerpt("ää", 3), "ä…");
}

#[test]
fn what_stands_in_a_path_or_a_header_cannot_leave_it() {
    let mut out = String::new();
    percent_encode(&mut out, "a/b?c=1&d #%ä~._-");
    assert_eq!(out, "a%2Fb%3Fc%3D1%26d%20%23%25%C3%A4~._-");
    assert!(is_header_value("a\tb ä") && !is_header_value("a\r\nx: y") && !is_header_value("a\0"));
    assert!(
        is_header_name("X-Order-Id")
            && !is_header_name("")
            && !is_header_name("a b")
            && !is_header_name("a:b")
    );
}

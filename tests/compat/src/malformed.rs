//! Inputs that are not right, made by rule: every route with names, queries, bodies and headers that mean nothing, and requests that are no HTTP.
//!
//! Not here: what is expected of the answers (`cases::bad_input`).

/// A request, as it goes over the wire.
pub struct Malformed {
    /// What is wrong with it, for people; no other has the same.
    pub what: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Routes with a name in them, and one that is unknown wherever there are more.
const NAMED: [(&str, &str); 24] = [
    ("GET", "/connectors/{}"),
    ("DELETE", "/connectors/{}"),
    ("GET", "/connectors/{}/config"),
    ("PUT", "/connectors/{}/config"),
    ("PATCH", "/connectors/{}/config"),
    ("GET", "/connectors/{}/status"),
    ("POST", "/connectors/{}/restart"),
    ("PUT", "/connectors/{}/pause"),
    ("PUT", "/connectors/{}/resume"),
    ("PUT", "/connectors/{}/stop"),
    ("GET", "/connectors/{}/tasks"),
    ("GET", "/connectors/{}/tasks/0/status"),
    ("GET", "/connectors/none/tasks/{}/status"),
    ("POST", "/connectors/{}/tasks/0/restart"),
    ("POST", "/connectors/none/tasks/{}/restart"),
    ("GET", "/connectors/{}/topics"),
    ("PUT", "/connectors/{}/topics/reset"),
    ("GET", "/connectors/{}/offsets"),
    ("PATCH", "/connectors/{}/offsets"),
    ("DELETE", "/connectors/{}/offsets"),
    ("GET", "/connector-plugins/{}/config"),
    ("PUT", "/connector-plugins/{}/config/validate"),
    ("GET", "/admin/loggers/{}"),
    ("PUT", "/admin/loggers/{}"),
];

/// Routes that read a body.
const READING: [(&str, &str); 7] = [
    ("POST", "/connectors"),
    ("PUT", "/connectors/none/config"),
    ("PATCH", "/connectors/none/config"),
    ("PATCH", "/connectors/none/offsets"),
    ("PUT", "/connector-plugins/FileStreamSource/config/validate"),
    ("PUT", "/admin/loggers/none"),
    ("PUT", "/connectors/none/pause"),
];

/// Names as they stand in a path.
const NAMES: [&[u8]; 26] = [
    b"none",
    b"a%2Fb",
    b"%2F",
    b"%2e%2e",
    b"a%5Cb",
    b"a%00b",
    b"a\0b",
    b"a%0d%0aEvil:%201",
    b"%ff%fe",
    b"%C3%28",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"%F0%9F%98%80",
    b"%",
    b"a%",
    b"a%2",
    b"a%zz",
    b"%25",
    b"a%20b",
    b"a b",
    b"a;b=c",
    b"a%3Fb",
    b"a%23b",
    b"{}",
    b"-1",
    b"99999999999999999999",
];

/// Queries, each after a path that knows parameters.
const QUERIES: [(&str, &str, &[u8]); 12] = [
    ("GET", "/connectors", b"expand=%zz"),
    ("GET", "/connectors", b"expand=%00"),
    ("GET", "/connectors", b"expand=nothing&&&=&=="),
    ("GET", "/connectors", b"\xff"),
    ("GET", "/connector-plugins", b"connectorsOnly=perhaps"),
    ("GET", "/connector-plugins", b"connectorsOnly=%ff"),
    ("GET", "/connector-plugins/FileStreamSource/config", b"version=%5B"),
    ("GET", "/connector-plugins/FileStreamSource/config", b"version=9.9.9"),
    ("POST", "/connectors/none/restart", b"includeTasks=7&onlyFailed=%"),
    ("POST", "/connectors/none/restart", b"forward=perhaps"),
    ("PUT", "/admin/loggers/none", b"scope=%zz"),
    ("PUT", "/connectors/none/pause", b"\0"),
];

/// Bodies that are no JSON, or not the JSON that anything reads.
const BODIES: [&[u8]; 52] = [
    b"",
    b" \n\t",
    b"{",
    b"}",
    b"[",
    b"\"",
    b"nul",
    b"NaN",
    b"1e",
    b"-",
    b"{]",
    b"{\"a\"}",
    b"{\"a\":}",
    b"{\"a\" 1}",
    b"{\"a\":1,}",
    b"{'a':1}",
    b"{a:1}",
    b"{\"a\":1 \"b\":2}",
    b"{\"a\":\"\\x\"}",
    b"{\"a\":\"\\u12\"}",
    b"{\"a\":\"\n\"}",
    b"{\"a\":\"\0\"}",
    b"{\"a\":\"\xff\"}",
    b"{\"\xc3\x28\":\"a\"}",
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x1f\x8b\x08\x00",
    b"<a/>",
    b"a=b&c=d",
    b"null",
    b"true",
    b"0",
    b"\"text\"",
    b"[]",
    b"[{}]",
    b"{}",
    b"{\"name\":[]}",
    b"{\"name\":{\"a\":1},\"config\":{}}",
    b"{\"name\":\"x\",\"config\":null}",
    b"{\"name\":\"x\",\"config\":[]}",
    b"{\"name\":\"x\",\"config\":\"text\"}",
    b"{\"name\":\"x\",\"config\":{\"a\":[1]}}",
    b"{\"name\":\"x\",\"config\":{\"a\":{\"b\":{}}}}",
    b"{\"name\":\"x\",\"config\":{\"connector.class\":null}}",
    b"{\"name\":\"x\",\"config\":{},\"initial_state\":7}",
    b"{\"name\":\"x\",\"config\":{},\"unknown\":7}",
    b"{\"offsets\":7}",
    b"{\"offsets\":[7]}",
    b"{\"offsets\":[{\"partition\":7,\"offset\":7}]}",
    b"{\"offsets\":[{\"partition\":{\"a\":[]},\"offset\":{\"b\":{}}}]}",
    b"{\"level\":{}}",
    b"{\"level\":[\"DEBUG\"]}",
];

/// Media types, and what else is said of a body.
const HEADERS: [(&str, &[u8]); 12] = [
    ("content-type", b"text/plain"),
    ("content-type", b"application/x-www-form-urlencoded"),
    ("content-type", b"application/jsonx"),
    ("content-type", b"/"),
    ("content-type", b""),
    ("content-type", b"\xff\xfe"),
    ("accept", b"text/html"),
    ("accept", b"\xff"),
    ("accept", b"application/json;q=none"),
    ("expect", b"a miracle"),
    ("content-encoding", b"gzip"),
    ("transfer-encoding", b"unheard-of"),
];

/// What is no HTTP, or none that is served.
const REQUESTS: [&[u8]; 11] = [
    b"GET\r\n\r\n",
    b"GET /connectors\r\n\r\n",
    b"GET /connectors HTTP/9.9\r\n\r\n",
    b"BREW /connectors HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    b"get /connectors HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    b"GET connectors HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    b"GET /connectors HTTP/1.1\r\nhost: a\r\n: none\r\n\r\n",
    b"GET /connectors HTTP/1.1\r\nhost: a\r\na\0b: c\r\n\r\n",
    b"POST /connectors HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
    b"POST /connectors HTTP/1.1\r\nhost: a\r\ncontent-length: many\r\n\r\n",
    b"POST /connectors HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n",
];

/// Bytes of a name that is too long for any table.
const LONG: usize = 20_000;

/// Levels of nesting, far beyond what any parser's stack holds if it follows.
const DEPTH: usize = 10_000;

/// Bytes of a body that is too large.
const LARGE: usize = 100 << 20;

/// All of them, in an order that stays, each made when it is asked for.
pub fn all() -> impl Iterator<Item = Malformed> {
    let broken = REQUESTS.into_iter().map(|bytes| Malformed {
        what: String::from_utf8_lossy(bytes).escape_debug().to_string(),
        bytes: bytes.to_vec(),
    });
    names().chain(bodies()).chain(queries()).chain(broken).chain(large())
}

fn names() -> impl Iterator<Item = Malformed> {
    NAMED.into_iter().flat_map(|(method, route)| {
        let long = vec![b'a'; LONG];
        let names = NAMES.into_iter().map(<[u8]>::to_vec).chain([long]);
        names.map(move |name| {
            let (before, after) = route.split_once("{}").unwrap_or_default();
            let path = [before.as_bytes(), &name, after.as_bytes()].concat();
            let Malformed { bytes, .. } = request(method, &path, &[], body_of(method, route));
            Malformed { what: format!("{method} {route} with {}", shortened(&name)), bytes }
        })
    })
}

fn bodies() -> impl Iterator<Item = Malformed> {
    READING.into_iter().flat_map(|(method, path)| {
        let bodies = BODIES.into_iter().map(<[u8]>::to_vec).chain(deep_bodies());
        let bodies = bodies.map(move |body| request(method, path.as_bytes(), &[], &body));
        let headers = HEADERS.into_iter();
        bodies.chain(headers.map(move |header| request(method, path.as_bytes(), &[header], b"{}")))
    })
}

fn queries() -> impl Iterator<Item = Malformed> {
    QUERIES.into_iter().map(|(method, path, query)| {
        let target = [path.as_bytes(), b"?", query].concat();
        request(method, &target, &[], body_of(method, path))
    })
}

fn large() -> impl Iterator<Item = Malformed> {
    [("POST", "/connectors"), ("PUT", "/connectors/none/config")].into_iter().map(
        |(method, path)| {
            let body = [b"{\"name\":\"", vec![b'a'; LARGE].as_slice(), b"\"}"].concat();
            request(method, path.as_bytes(), &[], &body)
        },
    )
}

/// What a request has for a body where it needs one that is none of its faults.
fn body_of(method: &str, path: &str) -> &'static [u8] {
    let is_read = method == "PATCH"
        || (method == "PUT"
            && (["config", "validate"].iter().any(|end| path.ends_with(end))
                || path.starts_with("/admin")));
    if is_read { b"{}" } else { b"" }
}

fn deep_bodies() -> [Vec<u8>; 4] {
    let nested = |open: &str, close: &str| (open.repeat(DEPTH) + &close.repeat(DEPTH)).into_bytes();
    let within = |name: &str| {
        [format!("{{\"{name}\":").into_bytes(), nested("[", "]"), b"}".to_vec()].concat()
    };
    [nested("[", "]"), nested("{\"a\":", "}"), within("config"), within("offsets")]
}

/// A request whose connection ends with it.
fn request(method: &str, path: &[u8], headers: &[(&str, &[u8])], body: &[u8]) -> Malformed {
    let mut bytes =
        [method.as_bytes(), b" ", path, b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"].concat();
    for (name, value) in headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    let is_typed = headers.iter().any(|(name, _)| *name == "content-type");
    if !body.is_empty() && !is_typed {
        bytes.extend(b"content-type: application/json\r\n");
    }
    let what = format!("{} {}", String::from_utf8_lossy(&bytes).trim_end(), shortened(body));
    bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
    bytes.extend(body);
    Malformed { what: shortened(what.as_bytes()), bytes }
}

/// The first bytes as people read them.
fn shortened(bytes: &[u8]) -> String {
    const SHOWN: usize = 300;
    let shown = bytes.get(..SHOWN).unwrap_or(bytes);
    let more = if shown.len() < bytes.len() { "…" } else { "" };
    format!("{}{more}", String::from_utf8_lossy(shown).escape_debug())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_inputs_are_told_alike() {
        let mut known = BTreeSet::new();
        for input in all() {
            assert!(known.insert(input.what.clone()), "{}", input.what);
        }
    }
}

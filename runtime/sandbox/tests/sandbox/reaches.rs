//! A plugin reaches what both lists have, and nothing else.

use std::net::TcpListener;
use std::sync::Arc;

use tombolo_model::egress::{
    ClientCertificate, Egress, HttpAuth, Offered, Scheme, destinations, openings, origin,
};
use tombolo_model::meters::Meters;
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::{Grants, Limits};
use tombolo_model::role::{NoOffsets, Plugins as _, TaskContext, Topics};
use tombolo_model::settings::Password;

use crate::servers::{Certified, Server, kept_response, response};
use crate::support::{Fixture, column, settings, task};

/// A plugin that reaches out, with what it is allowed.
struct Reaching {
    fixture: Fixture,
    egress: Egress,
    pairs: Vec<(String, String)>,
    meters: Arc<Meters>,
}

impl Reaching {
    async fn new(offered: &str, private: &str, allow: &str) -> Self {
        Self::trusting("", offered, private, allow).await
    }

    async fn trusting(authorities: &str, offered: &str, private: &str, allow: &str) -> Self {
        let network = Offered {
            allow: destinations(offered).unwrap(),
            private: openings(private).unwrap(),
            own: Vec::new(),
            authorities: authorities.to_owned(),
        };
        let grants = Grants { network, ..Grants::default() };
        let fixture = Fixture::with(tombolo_guests::REACHES, grants).await;
        let egress = Egress { allow: destinations(allow).unwrap(), ..Egress::default() };
        Self { fixture, egress, pairs: Vec::new(), meters: Arc::default() }
    }

    /// What the plugin got on each of these ways.
    async fn reach<const N: usize>(&self, ways: [&str; N]) -> [String; N] {
        let limits = Limits::default();
        let offsets = Arc::new(NoOffsets);
        let (egress, meters) = (self.egress.clone(), Arc::clone(&self.meters));
        let context = TaskContext { limits, meters, egress, offsets };
        let mut task = self.fixture.sandbox.task(&task(), context).await.unwrap();
        let plugin = self.fixture.plugin(PluginKind::Converter);
        let pairs: Vec<_> = self.pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let mut converter = task.converter(&plugin, &settings(&pairs), false).await.unwrap();
        let names = ["t".to_owned()];
        let topics = Topics { topics: &names, topic: &[] };
        let mut rows = column(&ways.map(Some));
        let (data, _) = converter.to_connect_data(topics, &mut rows, None).await.unwrap();
        let text = |at| String::from_utf8(data.bytes.get(at).unwrap().to_vec()).unwrap();
        std::array::from_fn(text)
    }
}

#[tokio::test]
async fn http_reaches_what_is_allowed_and_opened() {
    let server = Server::start(|request| {
        match request.starts_with("GET /moved") {
        true => "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            .to_owned(),
        false => response(request.lines().next().unwrap()),
    }
    });
    let place = format!("127.0.0.1:{}", server.port());
    let reaching = Reaching::new("http://*:1-65535", &place, &format!("http://{place}")).await;
    let get = |path: &str| format!("http GET http {place} {path}");
    let post = format!("http POST http {place} /p content-length=5 <12345");
    let chunked = format!("http POST http {place} /c <{}", "x".repeat(100_000));
    let wrong = format!("http POST http {place} /p content-length=6 <12345");
    let [got, query, moved, posted, in_chunks, short] =
        reaching.reach([&get("/a?b=c"), &get("?q"), &get("/moved"), &post, &chunked, &wrong]).await;
    assert_eq!(got, "200 GET /a?b=c HTTP/1.1");
    assert_eq!(query, "200 GET /?q HTTP/1.1");
    assert_eq!(moved, "302 to http://127.0.0.1:1/ ", "a redirect is shown, not followed");
    assert_eq!(posted, "200 POST /p HTTP/1.1");
    assert_eq!(in_chunks, "200 POST /c HTTP/1.1");
    assert_eq!(short, "finish: ErrorCode::HttpRequestBodySize(Some(5))");
    let seen = server.seen();
    assert!(seen[0].contains(&format!("host: {place}\r\n")), "{}", seen[0]);
    assert!(seen[3].ends_with("\r\n\r\n12345"), "{}", seen[3]);
    assert!(seen[4].len() > 100_000, "{}", seen[4].len());
    let used = reaching.meters.read();
    // The last one may be given up before it stands.
    assert!(used.connections >= 5 && used.connections_refused == 0, "{used:?}");
    assert!(used.bytes_sent > 100_000 && used.bytes_received > 100, "{used:?}");
}

#[tokio::test]
async fn requests_to_one_place_share_a_connection_and_those_to_another_never_do() {
    let server = Server::start_kept(|request| match request.starts_with("GET /chunks") {
        true => {
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_owned()
        }
        false => kept_response(request.lines().next().unwrap()),
    });
    let (place, name) =
        (format!("127.0.0.1:{}", server.port()), format!("localhost:{}", server.port()));
    let (private, allow) = (format!("{place},{name}"), format!("http://{place},http://{name}"));
    let reaching = Reaching::new("http://*:1-65535", &private, &allow).await;
    let get = |place: &str, path: &str| format!("http GET http {place} {path}");
    let post = format!("http POST http {place} /b content-length=5 <12345");
    let large = format!("http POST http {place} /c <{}", "x".repeat(600_000));
    let got = reaching
        .reach([
            &get(&place, "/a"),
            &post,
            &get(&place, "/chunks"),
            &large,
            &get(&name, "/e"),
            &get(&place, "/f"),
        ])
        .await;
    assert_eq!(got[..3], ["200 GET /a HTTP/1.1", "200 POST /b HTTP/1.1", "200 abc"]);
    assert_eq!(got[3..], ["200 POST /c HTTP/1.1", "200 GET /e HTTP/1.1", "200 GET /f HTTP/1.1"]);
    let seen = server.seen();
    let on: Vec<_> = seen.iter().map(|request| &request[..1]).collect();
    assert_eq!(on, ["0", "0", "0", "0", "1", "0"], "the connection of each");
    assert!(seen[4].contains(&format!("host: {name}\r\n")), "{}", seen[4]);
    assert!(seen[3].len() > 600_000, "{}", seen[3].len());
    assert_eq!(reaching.meters.read().connections, 2);
}

#[tokio::test]
async fn a_request_without_a_body_promises_none_or_is_not_sent() {
    let server = Server::start_kept(|request| kept_response(request.lines().next().unwrap()));
    let place = format!("127.0.0.1:{}", server.port());
    let reaching = Reaching::new("http://*:1-65535", &place, &format!("http://{place}")).await;
    let asked = |method: &str, length: u32| {
        format!("http {method} http {place} /p content-length={length} bodiless")
    };
    let [none, post, get, after] = reaching
        .reach([&asked("POST", 0), &asked("POST", 40), &asked("GET", 40), &asked("POST", 0)])
        .await;
    assert_eq!([none.as_str(), &after], ["200 POST /p HTTP/1.1"; 2]);
    assert_eq!([post.as_str(), &get], ["ErrorCode::HttpRequestBodySize(Some(0))"; 2]);
    assert_eq!(server.seen().len(), 2, "{:?}", server.seen());
}

#[tokio::test]
async fn a_request_goes_over_a_new_connection_where_the_other_side_ended_the_last_one() {
    // It does not say that it will.
    let server = Server::start(|request| kept_response(request.lines().next().unwrap()));
    let place = format!("127.0.0.1:{}", server.port());
    let reaching = Reaching::new("http://*:1-65535", &place, &format!("http://{place}")).await;
    let get = format!("http GET http {place} /");
    let got = reaching.reach([&get[..]; 20]).await;
    assert!(got.iter().all(|answer| answer == "200 GET / HTTP/1.1"), "{got:?}");
    assert_eq!(server.seen().len(), 20);
}

#[tokio::test]
async fn https_and_its_credentials_reach_the_origin_that_the_certificate_names() {
    let certified = Certified::of("localhost");
    let server = Server::start_tls(&certified, None, |_| response("in secret"));
    let other = Server::start_tls(&Certified::of("localhost"), None, |_| response("never"));
    let (port, odd) = (server.port(), other.port());
    let private = format!("localhost:{port},localhost:{odd},127.0.0.1:{port}");
    let allow =
        format!("https://localhost:{port},https://localhost:{odd},https://127.0.0.1:{port}");
    let mut reaching = Reaching::trusting(&certified.pem(), &allow, &private, &allow).await;
    let (scheme, host, at) = origin(&format!("https://localhost:{port}")).unwrap();
    reaching.egress.auth.push(HttpAuth {
        name: "a".into(),
        scheme,
        host,
        port: at,
        header: "authorization".into(),
        value: Password::new("Bearer canary"),
    });
    let [got, odd, unnamed] = reaching
        .reach([
            &format!("http GET https localhost:{port} / authorization=mine other=kept"),
            &format!("http GET https localhost:{odd} / authorization=mine"),
            &format!("http GET https 127.0.0.1:{port} /"),
        ])
        .await;
    assert_eq!(got, "200 in secret");
    assert_eq!(odd, "ErrorCode::TlsCertificateError");
    assert_eq!(unnamed, "ErrorCode::TlsCertificateError");
    let [seen] = &server.seen()[..] else { panic!("{:?}", server.seen()) };
    assert!(seen.contains("authorization: Bearer canary\r\n") && !seen.contains("mine"), "{seen}");
    assert!(seen.contains("other: kept\r\n"), "{seen}");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn credentials_go_over_plain_http_only_where_the_operator_opened_the_place() {
    let server = Server::start(|_| response(""));
    let place = format!("127.0.0.1:{}", server.port());
    let mut reaching = Reaching::new("http://*:1-65535", &place, &format!("http://{place}")).await;
    for (scheme, value) in [(Scheme::Http, "canary"), (Scheme::Https, "never")] {
        let (_, host, port) = origin(&format!("http://{place}")).unwrap();
        let (name, header, value) = ("a".into(), "x-key".into(), Password::new(value));
        reaching.egress.auth.push(HttpAuth { name, scheme, host, port, header, value });
    }
    reaching.reach([&format!("http GET http {place} /")]).await;
    let seen = server.seen();
    assert!(seen[0].contains("x-key: canary\r\n") && !seen[0].contains("never"), "{}", seen[0]);
}

#[tokio::test]
async fn connections_carry_bytes_with_tls_and_without() {
    let certified = Certified::of("localhost");
    let client = Certified::of("me");
    let echo = |text: &str| format!("heard {text}");
    let plain = Server::start(echo);
    let tls = Server::start_tls(&certified, None, echo);
    let strict = Server::start_tls(&certified, Some(&client), echo);
    let ports = [plain.port(), tls.port(), strict.port()];
    let list = |scheme: &str| {
        ports.map(|port| format!("{scheme}localhost:{port},{scheme}127.0.0.1:{port}")).join(",")
    };
    let mut reaching = Reaching::new(&list("tcp://"), &list(""), &list("tcp://")).await;
    reaching.egress.certificates.push(ClientCertificate {
        name: "mine".into(),
        certificate: client.pem(),
        key: Password::new(client.key_pem()),
    });
    let [plain, tls, strict] = ports;
    let over = |host: &str, port: u16, how: &str| format!("tls {host} {port} {how} hello");
    let [bare, socket, unknown, unverified] = reaching
        .reach([
            &format!("tcp localhost {plain} hello"),
            &format!("socket 127.0.0.1:{plain} hello"),
            &over("localhost", tls, "full"),
            &over("localhost", tls, "none"),
        ])
        .await;
    assert_eq!([bare.as_str(), &socket, &unverified], ["heard hello"; 3]);
    assert!(
        unknown.contains("NetworkError::Tls(\"the certificate of the other side is refused"),
        "{unknown}"
    );
    reaching.pairs =
        vec![("authorities".into(), certified.pem()), ("client.certificate".into(), "mine".into())];
    let [full, unnamed, authority, shown] = reaching
        .reach([
            &over("localhost", tls, "full"),
            &over("127.0.0.1", tls, "full"),
            &over("127.0.0.1", tls, "authority"),
            &over("localhost", strict, "full"),
        ])
        .await;
    assert_eq!([full.as_str(), &authority, &shown], ["heard hello"; 3]);
    assert!(unnamed.starts_with("NetworkError::Tls("), "{unnamed}");
    reaching.pairs[1].1 = "another".into();
    let [unknown] = reaching.reach([&over("localhost", strict, "full")]).await;
    assert!(unknown.starts_with("NetworkError::Invalid("), "{unknown}");
}

#[tokio::test]
async fn tls_that_the_other_side_never_speaks_ends_however_long_a_plugin_would_wait() {
    // Its connections stand, and nobody takes them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let place = format!("127.0.0.1:{port}");
    let mut reaching = Reaching::new("tcp://*:1-65535", &place, &format!("tcp://{place}")).await;
    // Longer than a call may last.
    reaching.pairs = vec![("tls.timeout.ms".into(), u32::MAX.to_string())];
    let [answer] = reaching.reach([&format!("tls 127.0.0.1 {port} none hello")]).await;
    assert_eq!(answer, "NetworkError::Timeout");
}

#[tokio::test]
async fn sockets_that_a_plugin_opens_itself_count_among_its_connections() {
    let server = Server::start(|request| request.to_owned());
    let place = format!("127.0.0.1:{}", server.port());
    let reaching = Reaching::new("tcp://*:1-65535", &place, &format!("tcp://{place}")).await;
    let many = format!("sockets {place} 40");
    // Those of the first time are closed by then.
    let [first, again, host, one] = reaching
        .reach([
            &many,
            &format!("sockets {place} 5"),
            &format!("tcp 127.0.0.1 {} hello", server.port()),
            &format!("sockets {place} 1"),
        ])
        .await;
    assert!(first.starts_with("32 then"), "{first}");
    assert_eq!((&*again, &*one), ("5", "1"));
    assert!(host.contains("hello"), "{host}");
}

#[tokio::test]
async fn what_one_list_lacks_is_denied_and_nobody_hears_of_it() {
    let server = Server::start(|_| response("never"));
    let place = format!("127.0.0.1:{}", server.port());
    let ways = [
        format!("http GET http {place} /"),
        format!("tcp 127.0.0.1 {} hello", server.port()),
        format!("socket {place} hello"),
    ];
    let [http, tcp, socket] = &ways;
    let all = format!("http://{place},tcp://{place}");
    for (offered, private, allow) in
        [("", "", ""), ("", &*place, &*all), (&*all, &*place, ""), (&*all, "", &*all)]
    {
        let reaching = Reaching::new(offered, private, allow).await;
        let [http, tcp, socket] = reaching.reach([http, tcp, socket]).await;
        assert_eq!(http, "ErrorCode::HttpRequestDenied", "{offered} {private} {allow}");
        assert!(tcp.starts_with("NetworkError::Denied("), "{tcp}");
        assert!(!socket.contains("never"), "{socket}");
        let used = reaching.meters.read();
        assert_eq!((used.connections, used.bytes_sent), (0, 0), "{used:?}");
        assert!(used.connections_refused >= 2, "{used:?}");
    }
    assert!(server.seen().is_empty(), "{:?}", server.seen());
}

#[tokio::test]
async fn settings_for_the_host_alone_do_not_reach_the_plugin() {
    let mut reaching = Reaching::new("", "", "").await;
    reaching.pairs = [
        ("mine", "seen"),
        ("sandbox.http.auth.a.value", "canary"),
        ("sandbox.tls.client.a.key", "canary"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    assert_eq!(reaching.reach(["settings"]).await, ["mine=seen;"]);
}

/// Requests to an open place that try to reach another, or to say what a guest may not.
fn odd_ways(place: &str, port: u16, other: &str) -> Vec<String> {
    let paths = [
        format!("http://{other}/"),
        format!("//{other}"),
        format!("{other}/"),
        format!("@{other}/"),
        format!(":80@{other}/"),
        "a".into(),
        "*".into(),
        "/a#b".into(),
        "/a\tb".into(),
        format!("/\r\nhost: {other}\r\n"),
    ];
    let authorities = [
        other.to_owned(),
        format!("user@{place}"),
        format!("{place}@{other}"),
        format!("{other}#@{place}"),
        format!("{place}/@{other}"),
        format!("{place}\\@{other}"),
        format!("{place}?{other}"),
        format!("{place}:80"),
        "127.0.0.1:0".into(),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("[::ffff:{place}]"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("127.0.0.1.:{port}"),
        format!("127.0.0.1:0{port}"),
        format!("127.0.0.1:+{port}"),
        format!(" {place}"),
        String::new(),
    ];
    let headers = [
        format!("host={other}"),
        "connection=upgrade".into(),
        "transfer-encoding=chunked".into(),
        "proxy-authorization=a".into(),
        "upgrade=h2c".into(),
        "te=trailers".into(),
        "expect=100-continue".into(),
        "a=b\r\nhost:c".into(),
        "a\rb=c".into(),
        "content-length=1 content-length=2".into(),
        "content-length=-1".into(),
        "content-length=+1".into(),
        "content-length=5 bodiless".into(),
        "content-length=0005 bodiless".into(),
    ];
    let mut ways: Vec<String> = Vec::new();
    ways.extend(paths.iter().map(|path| format!("http GET http {place} {path}")));
    ways.extend(authorities.iter().map(|authority| format!("http GET http {authority} /")));
    ways.extend(headers.iter().map(|headers| format!("http GET http {place} / {headers}")));
    ways.extend(
        ["CONNECT", "connect", "TRACE", "Trace", "A B"]
            .map(|method| format!("http {method} http {place} /")),
    );
    ways.extend(
        ["ftp", "file", "HTTP", "ws", ""].map(|scheme| format!("http GET {scheme} {place} /")),
    );
    ways.push(format!("http GET https {place} /"));
    ways
}

#[tokio::test]
async fn what_only_a_guest_can_try_is_refused_too() {
    let (open, closed) =
        (Server::start(|_| response("open")), Server::start(|_| response("never")));
    let place = format!("127.0.0.1:{}", open.port());
    let other = format!("127.0.0.1:{}", closed.port());
    let reaching = Reaching::new("http://*:1-65535", &place, &format!("http://{place}")).await;
    let ways = odd_ways(&place, open.port(), &other);
    let mut got_through = Vec::new();
    for way in &ways {
        let [answer] = reaching.reach([way]).await;
        if answer.starts_with("200") {
            got_through.push(way);
        }
    }
    // The one that names a path of the open place: it is asked for as it stands.
    assert_eq!(got_through, [&format!("http GET http {place} //{other}")]);
    assert!(closed.seen().is_empty(), "{:?}", closed.seen());
    let [seen] = &open.seen()[..] else { panic!("{:?}", open.seen()) };
    assert!(seen.starts_with(&format!("GET //{other} HTTP/1.1\r\nhost: {place}\r\n")), "{seen}");
}

//! Every way around the policy that we know of, against listeners that must hear nothing.
//!
//! All schemes, hosts and ports are on both lists here, so that nothing but the address stands in the way. Not here: what only a guest can try
//! (`tests/sandbox/reaches.rs`).

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

use async_trait::async_trait;
use tombolo_model::egress::{destinations, openings};

use super::*;

mod limits;

const EVERYTHING: &str = "tcp://*:1-65535,http://*:1-65535,https://*:1-65535";

/// Answers with what it was told to, one list after the other; the last one stays.
struct Scripted(Mutex<VecDeque<Vec<IpAddr>>>);

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Vec<IpAddr>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers.into_iter().collect())))
    }
}

#[async_trait]
impl Resolver for Scripted {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let mut answers = self.0.lock().unwrap();
        match answers.len() {
            0 => Err(io::Error::from(io::ErrorKind::NotFound)),
            1 => Ok(answers[0].clone()),
            _ => Ok(answers.pop_front().unwrap()),
        }
    }
}

/// A gate that is open to everything that is public, and to these places.
fn gate(private: &str, own: Vec<(Host, u16)>, answers: Vec<Vec<IpAddr>>) -> Gate {
    let offered = Offered {
        allow: destinations(EVERYTHING).unwrap(),
        private: openings(private).unwrap(),
        own,
        authorities: String::new(),
    };
    let egress = Egress { allow: destinations(EVERYTHING).unwrap(), ..Egress::default() };
    Net::new(offered, Scripted::new(answers)).gate("c", egress, Default::default())
}

/// What becomes of a connection to a host, as it is written: none is an open one.
async fn refused(gate: &Gate, host: &str, port: u16) -> Option<&'static str> {
    let host = match Host::parse(host) {
        Ok(host) => host,
        Err(why) => return Some(Refusal::BadHost(why).name()),
    };
    let place = Place { scheme: Scheme::Tcp, host, port };
    match gate.connect(&place, Duration::from_secs(1)).await {
        Ok(_) => None,
        Err(ConnectError::Denied(refusal)) => Some(refusal.name()),
        Err(ConnectError::NoAnswer) => Some("no-answer"),
        Err(other) => panic!("{place} was dialled: {other:?}"),
    }
}

fn v4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// Addresses out of every network that nobody may reach.
const SPECIAL_V4: [&str; 50] = [
    "0.0.0.0",
    "0.0.0.1",
    "0.255.255.255",
    "10.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.0",
    "127.0.0.1",
    "127.0.0.2",
    "127.1.2.3",
    "127.255.255.255",
    "169.254.0.0",
    "169.254.169.253",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.255.255",
    "172.16.0.0",
    "172.17.0.1",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.192",
    "192.0.0.255",
    "192.0.2.0",
    "192.0.2.255",
    "192.88.99.0",
    "192.88.99.1",
    "192.88.99.255",
    "192.168.0.0",
    "192.168.0.1",
    "192.168.1.1",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.0",
    "198.51.100.255",
    "203.0.113.0",
    "203.0.113.255",
    "224.0.0.0",
    "224.0.0.1",
    "224.0.0.251",
    "239.255.255.250",
    "239.255.255.255",
    "240.0.0.0",
    "247.1.2.3",
    "254.254.254.254",
    "255.255.255.254",
    "255.255.255.255",
];

/// The same of IPv6.
const SPECIAL_V6: [&str; 34] = [
    "::",
    "::1",
    "::2",
    "::ffff:ffff",
    "::ffff:0:0",
    "::ffff:8.8.8.8",
    "::ffff:255.255.255.255",
    "::ffff:0:7f00:1",
    "64:ff9b::",
    "64:ff9b::808:808",
    "64:ff9b:1::",
    "64:ff9b:1:ffff::1",
    "100::",
    "100::ffff",
    "2001::",
    "2001::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff::1",
    "2001:db8::",
    "2001:db8:ffff::1",
    "2002::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::",
    "fd00::1",
    "fd00:ec2::254",
    "fdff::1",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "febf::1",
    "fec0::1",
    "ff02::1",
];

/// What lies behind an embedding.
const INSIDE: [&str; 6] =
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "172.17.0.1", "100.64.0.1"];

/// IPv6 addresses that hold an IPv4 address, in the ways there are.
fn embeddings(inside: Ipv4Addr) -> [Ipv6Addr; 8] {
    let [a, b] = [inside.to_bits() >> 16, inside.to_bits() & 0xffff].map(|half| half as u16);
    let flipped = !inside.to_bits();
    let [c, d] = [flipped >> 16, flipped & 0xffff].map(|half| half as u16);
    [
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, a, b),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, a, b),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, a, b),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, a, b),
        Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0, 0x808, 0x808, 0, 0, c, d),
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0x5efe, a, b),
    ]
}

/// Ways to write an address, or to hide one, that some program reads as an address of loopback, of a private network or of the metadata of a cloud.
const SPELLINGS: [&str; 72] = [
    "127.1",
    "127.0.1",
    "0177.0.0.1",
    "0177.1",
    "00000177.0.0.1",
    "127.0.0.01",
    "127.00.0.1",
    "0x7f.0.0.1",
    "0x7F.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "0X7F000001",
    "2130706433",
    "017700000001",
    "0",
    "0.0",
    "00.0.0.0",
    "0x0",
    "0x",
    "127.0.0.1.",
    "127.0.0.1..",
    "127.0.0.",
    ".127.0.0.1",
    "127..0.1",
    "127.0.0.1.1",
    "256.0.0.1",
    "127.0.0.256",
    "4294967297",
    "127.0.0.1%00",
    "127.0.0.1\0",
    "127.0.0.1 ",
    " 127.0.0.1",
    "127.0.0.1\t",
    "127.0.0.1\n",
    "\r127.0.0.1",
    "127.0.0.1/",
    "127.0.0.1#",
    "127.0.0.1?",
    "127.0.0.1\\",
    "127.0.0.1:80",
    "127.0.0.1@a",
    "a@127.0.0.1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "127．0．0．1",
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "127.0.0.١",
    "::1%lo",
    "::1%1",
    "::1%25lo",
    "fe80::1%eth0",
    "[::1%lo]",
    "[::1",
    "::1]",
    "[]",
    "[127.0.0.1]",
    "[v1.a]",
    "::ffff:0x7f.0.0.1",
    "::ffff:127.1",
    "::ffff:0177.0.0.1",
    "0:0:0:0:0:0:0:0:1",
    ":::1",
    "1::2::3",
    "0x7f.0x0.0x0.0x1",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.43518",
    "a.0x7f",
    "a.1",
];

/// Names that are none, or that look like another.
const NAMES: [&str; 24] = [
    "",
    ".",
    "..",
    "a..b",
    ".a",
    "a.b..",
    "-a",
    "a-",
    "a.-b",
    "a b",
    "a\tb",
    "a\0b",
    "a\r\nb",
    "a/b",
    "a\\b",
    "a:b",
    "bücher.example",
    "еxample.com",
    "example.com\u{200d}",
    "ⓔxample.com",
    "exämple。com",
    "ｌｏｃａｌｈｏｓｔ",
    "a%2eb",
    "*.example.com",
];

#[tokio::test]
async fn every_way_around_the_policy_is_denied_and_nobody_hears_of_it() {
    let here = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = here.local_addr().unwrap().port();
    // Where there is no IPv6, its addresses are denied all the same.
    let here_too = TcpListener::bind(("::1", port)).ok();
    let mut vectors = 0;
    let mut check = |what: &str, refused: Option<&'static str>| {
        vectors += 1;
        assert!(refused.is_some_and(|why| why != "too-fast"), "{what}: {refused:?}");
    };
    let literal = |host: String| async move {
        refused(&gate("", vec![], vec![vec![v4("8.8.8.8").into()]]), &host, port).await
    };
    let answered = |answer: Vec<IpAddr>| async move {
        refused(&gate("", vec![], vec![answer]), "name.example", port).await
    };
    let special: Vec<IpAddr> =
        SPECIAL_V4.iter().chain(&SPECIAL_V6).map(|text| text.parse().unwrap()).collect();
    for &address in &special {
        check("literal", literal(address.to_string()).await);
        check("answer", answered(vec![address]).await);
    }
    for (inside, embedded) in
        INSIDE.iter().flat_map(|text| embeddings(v4(text)).map(|v6| (text, v6)))
    {
        check(inside, literal(format!("[{embedded}]")).await);
        check(inside, answered(vec![embedded.into()]).await);
    }
    for text in SPELLINGS.iter().chain(&NAMES) {
        check(text, literal((*text).to_owned()).await);
    }
    // One bad answer among good ones, at every place.
    let public: [IpAddr; 3] =
        ["8.8.8.8", "1.1.1.1", "2606:4700::1111"].map(|text| text.parse().unwrap());
    for at in 0..=public.len() {
        for bad in
            ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "fd00:ec2::254", "::ffff:1.1.1.1"]
        {
            let mut answer = public.to_vec();
            answer.insert(at, bad.parse().unwrap());
            check(bad, answered(answer).await);
        }
    }
    for many in [17, 18, 100, 10_000] {
        check("too many answers", answered(vec![public[0]; many]).await);
    }
    check("no answer", answered(vec![]).await);
    check("port 0", refused(&gate("", vec![], vec![]), "8.8.8.8", 0).await);
    println!("egress: {vectors} ways, all denied");
    assert!(vectors >= 250, "{vectors}");
    for listener in [Some(here), here_too].into_iter().flatten() {
        listener.set_nonblocking(true).unwrap();
        let heard = listener.accept().map_err(|error| error.kind());
        assert_eq!(heard.map(drop), Err(io::ErrorKind::WouldBlock));
    }
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time_is_denied() {
    let first = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = first.local_addr().unwrap().port();
    let second = TcpListener::bind(("127.0.0.2", port)).unwrap();
    let [here, there] = ["127.0.0.1", "127.0.0.2"].map(|text| vec![IpAddr::from(v4(text))]);
    let gate = gate(&format!("127.0.0.1:{port}"), vec![], vec![here.clone(), there, here]);
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(refused(&gate, "name.example", port).await);
    }
    assert_eq!(outcomes, [None, Some("address"), None]);
    second.set_nonblocking(true).unwrap();
    assert!(second.accept().is_err());
    let used = gate.meters.read();
    assert_eq!((used.connections, used.connections_refused), (2, 1));
    let places = gate.meters.places().read();
    let told = places.iter().map(|(place, of)| (&**place, of.connections, of.refused, of.reason));
    let place = format!("tcp://name.example:{port}");
    assert_eq!(told.collect::<Vec<_>>(), [(&*place, 2, 1, Some("address"))]);
}

#[tokio::test]
async fn what_is_the_workers_own_is_open_only_where_it_is_named_exactly() {
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = own.local_addr().unwrap().port();
    let loopback = || vec![vec![IpAddr::from(v4("127.0.0.1"))]];
    let listener = || (Host::parse("0.0.0.0").unwrap(), port);
    let broker = || (Host::parse("broker.example").unwrap(), port);
    for mine in [listener(), broker(), (Host::parse("127.0.0.1").unwrap(), port)] {
        for wide in ["127.0.0.0/8:1-65535", &format!("127.0.0.0/8:{port}"), "127.0.0.1:1-65535"] {
            for host in ["127.0.0.1", "name.example", "broker.example"] {
                let gate = gate(wide, vec![mine.clone()], loopback());
                assert_eq!(refused(&gate, host, port).await, Some("own-service"), "{wide} {host}");
            }
        }
        let exact = gate(&format!("127.0.0.1:{port}"), vec![mine], loopback());
        assert_eq!(refused(&exact, "127.0.0.1", port).await, None);
    }
    // Nobody can say now where the broker is.
    let gate = gate("127.0.0.0/8:1-65535", vec![broker()], vec![]);
    assert_eq!(refused(&gate, "127.0.0.1", port).await, Some("own-service"));
}

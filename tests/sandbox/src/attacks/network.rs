//! Attacks on other machines and on this one. Not here: what the guest does, and the spellings of addresses (`runtime/sandbox`, egress).

use super::{DEADLINE, DENIED};
use crate::attack::{Attack, Class::Network, Ends, Pairs, Way};

/// The guest knows what to do by another name than the row has.
const fn row(name: &'static str, pairs: Pairs, ends: Ends) -> Attack {
    Attack { class: Network, name, way: Way::Source(pairs), ends }
}

macro_rules! rows {
    ($($name:literal: $attack:literal $to:literal $ends:ident),* $(,)?) => {
        &[$(row($name, &[("attack", $attack), ("to", $to)], Ends::Failed($ends))),*]
    };
}

const OPEN: Pairs =
    &[("attack", "requests without end"), ("to", "{open}"), ("sandbox.net.allow", "http://{open}")];

/// What the host says where a request's body is not as long as was promised.
const UNKEPT: &[&str] = &["denied: ErrorCode::HttpRequestBodySize"];

const PROMISED: Pairs = &[
    ("attack", "a length without a body"),
    ("to", "{open}"),
    ("sandbox.net.allow", "http://{open}"),
];

pub(super) const OF_OPEN: &[Attack] = &[
    row("requests without end to a place that is open", OPEN, Ends::Failed(DEADLINE)),
    row("a length without a body", PROMISED, Ends::Failed(UNKEPT)),
];

pub(super) const ATTACKS: &[Attack] = rows![
    "the worker's own API": "speak HTTP" "{rest}" DENIED,
    "the broker": "connect" "{broker}" DENIED,
    "a port of this machine": "connect" "{canary}" DENIED,
    "the metadata service": "connect" "169.254.169.254:80" DENIED,
    "a private network": "connect" "10.0.0.1:443" DENIED,
    "loopback of IPv6": "connect" "[::1]:80" DENIED,
    "loopback inside IPv6": "connect" "[::ffff:127.0.0.1]:80" DENIED,
    "any address": "connect" "0.0.0.0:80" DENIED,
    "a public address": "connect" "93.184.215.14:80" DENIED,
    "a datagram": "send a datagram" "127.0.0.1:53" DENIED,
    "a port to listen on": "listen" "0.0.0.0:0" DENIED,
    "a port for datagrams": "bind a datagram socket" "127.0.0.1:0" DENIED,
    "a name": "look up a name" "localhost:80" DENIED,
    "connections without end": "connect without end" "{canary}" DEADLINE,
    "requests without end": "requests without end" "{canary}" DEADLINE,
];

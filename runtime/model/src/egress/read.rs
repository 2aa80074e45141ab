//! From text to destinations and openings.
//!
//! Not here: whose setting it is, and credentials.

use std::ops::RangeInclusive;

use super::host::{Host, Pattern, port_of};
use super::{Destination, Opening, Scheme};

/// An entry of a list that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{entry}: {why}")]
pub struct BadEntry {
    /// The entry.
    pub entry: String,
    /// What is wrong with it.
    pub why: String,
}

/// Reads destinations with commas between: `scheme://host:port`. The host may be `*.suffix` or a network, the port a range; `http` and `https` have
/// one of their own.
pub fn destinations(text: &str) -> Result<Vec<Destination>, BadEntry> {
    entries(text).map(|entry| destination(entry).map_err(|why| bad(entry, why))).collect()
}

/// Reads what one connector is allowed: as [`destinations`], but no entry may be everywhere.
pub fn allowed(text: &str) -> Result<Vec<Destination>, BadEntry> {
    let all = destinations(text)?;
    match all.iter().find(|one| one.host == Pattern::Every) {
        Some(everywhere) => {
            let why = "a connector names its hosts; * alone is for the worker's list".to_owned();
            Err(bad(&everywhere.to_string(), why))
        }
        None => Ok(all),
    }
}

/// Reads an origin: a destination with one host and one port.
pub fn origin(text: &str) -> Result<(Scheme, Host, u16), BadEntry> {
    let found = destination(text).map_err(|why| bad(text, why))?;
    match found {
        Destination { scheme, host: Pattern::Exactly(host), ports }
            if ports.start() == ports.end() =>
        {
            Ok((scheme, host, *ports.start()))
        }
        _ => Err(bad(text, "expected one host and one port".to_owned())),
    }
}

/// Reads openings with commas between: `host:port`, where the host may be a network, and the port a range.
pub fn openings(text: &str) -> Result<Vec<Opening>, BadEntry> {
    entries(text).map(|entry| opening(entry).map_err(|why| bad(entry, why))).collect()
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

fn bad(entry: &str, why: String) -> BadEntry {
    BadEntry { entry: entry.to_owned(), why }
}

fn destination(entry: &str) -> Result<Destination, String> {
    let expected = "expected scheme://host:port, with the scheme http, https or tcp";
    let (scheme, rest) = entry.split_once("://").ok_or_else(|| expected.to_owned())?;
    let scheme = Scheme::of_name(scheme).ok_or_else(|| expected.to_owned())?;
    let (host, ports) = host_and_ports(rest)?;
    let ports = match (ports, scheme.default_port()) {
        (Some(ports), _) => ports,
        (None, Some(port)) => port..=port,
        (None, None) => return Err("it lacks a port".to_owned()),
    };
    Ok(Destination { scheme, host, ports })
}

fn opening(entry: &str) -> Result<Opening, String> {
    let (host, ports) = host_and_ports(entry)?;
    if matches!(host, Pattern::Every | Pattern::Below(_)) {
        return Err("expected an address, a network or one name, not a *".to_owned());
    }
    let ports = ports.ok_or_else(|| "it lacks a port".to_owned())?;
    Ok(Opening { host, ports })
}

fn host_and_ports(text: &str) -> Result<(Pattern, Option<RangeInclusive<u16>>), String> {
    let after_address = text.rfind(']').map_or(0, |end| end + 1);
    let colon = text.get(after_address..).and_then(|rest| rest.find(':'));
    let (host, ports) = match colon.map(|at| at + after_address) {
        Some(colon) => (text.get(..colon), text.get(colon + 1..)),
        None => (Some(text), None),
    };
    let host = Pattern::parse(host.unwrap_or_default()).map_err(|why| format!("the host {why}"))?;
    let port = |text: &str| port_of(text).map_err(|_| format!("{text} is no port from 1 to 65535"));
    let ports = match ports {
        None => None,
        Some(ports) => Some(match ports.split_once('-') {
            None => port(ports).map(|port| port..=port)?,
            Some((from, to)) => port(from)?..=port(to)?,
        }),
    };
    match ports {
        Some(ports) if ports.is_empty() => Err("its ports end before they start".to_owned()),
        ports => Ok((host, ports)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_read_and_shown_alike() {
        let text = "https://api.example.com, tcp://*.db.example.com:5432-5439,http://10.1.0.0/16:8080, tcp://[fd00::/8]:1,https://*:443";
        let shown: Vec<_> = destinations(text).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "https://api.example.com:443",
                "tcp://*.db.example.com:5432-5439",
                "http://10.1.0.0/16:8080",
                "tcp://[fd00::/8]:1",
                "https://*:443",
            ]
        );
        assert_eq!(destinations(" , ").unwrap(), []);
    }

    #[test]
    fn a_bad_destination_is_told_with_what_was_expected() {
        let why = |text: &str| destinations(text).unwrap_err().to_string();
        assert_eq!(
            why("https://a, a.example"),
            "a.example: expected scheme://host:port, with the scheme http, https or tcp"
        );
        assert_eq!(why("tcp://a"), "tcp://a: it lacks a port");
        assert_eq!(why("tcp://a:0"), "tcp://a:0: 0 is no port from 1 to 65535");
        assert_eq!(why("tcp://a:9-8"), "tcp://a:9-8: its ports end before they start");
        for text in [
            "https://a/",
            "https://a/b",
            "https://u@a",
            "ftp://a:21",
            "HTTPS://a",
            "https://",
            "https://a?b",
            "tcp://a:1-",
            "tcp://::1:5",
        ] {
            assert!(destinations(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_opening_names_addresses_or_one_host_and_always_a_port() {
        let shown: Vec<_> = openings("127.0.0.1:5432, db.internal:5432,10.0.0.0/8:1-9,[::1]:80")
            .unwrap()
            .iter()
            .map(|opening| (opening.to_string(), opening.is_exact()))
            .collect();
        let expected = [
            ("127.0.0.1:5432", true),
            ("db.internal:5432", true),
            ("10.0.0.0/8:1-9", false),
            ("[::1]:80", true),
        ];
        assert_eq!(shown, expected.map(|(text, exact)| (text.to_owned(), exact)));
        for text in ["127.0.0.1", "*:80", "*.internal:80", "http://a:80", "10.0.0.0/8"] {
            assert!(openings(text).is_err(), "{text}");
        }
    }
}

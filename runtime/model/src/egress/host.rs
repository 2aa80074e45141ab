//! Hosts in one spelling each, and patterns of hosts.
//!
//! Whatever can be read in two ways is refused rather than read: what is compared here must be what is dialled later. Not here: which addresses are
//! private.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest name, in bytes, as in DNS.
const NAME_MAX: usize = 253;

/// Longest part of a name between dots, in bytes, as in DNS.
const LABEL_MAX: usize = 63;

/// Whom to connect to: a name in lower case without a last dot, or an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Why a text names no host. Completes "the host …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadHost(pub &'static str);

impl Host {
    /// Reads a host: a name in ASCII, an IPv4 address with four decimal numbers, or an IPv6 address, in brackets or not.
    ///
    /// Errors: anything else that some resolver takes for one: other spellings of addresses, zones, names in other than their ASCII form.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        if let Some(inside) = text.strip_prefix('[') {
            let inside = inside.strip_suffix(']').ok_or(BadHost("lacks a closing bracket"))?;
            return v6(inside).map(Self::Address);
        }
        if text.contains(':') {
            return v6(text).map(Self::Address);
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(address.into()));
        }
        name(text).map(Self::Name)
    }

    /// Reads a host and a port as they stand in a URL; none where there is no port.
    pub fn parse_authority(text: &str) -> Result<(Self, Option<u16>), BadHost> {
        if text.contains('@') {
            return Err(BadHost("is behind a user name"));
        }
        let after_address = text.rfind(']').map_or(0, |end| end + 1);
        let colon = text.get(after_address..).and_then(|rest| rest.find(':'));
        let Some(colon) = colon.map(|at| at + after_address) else {
            return Ok((Self::parse(text)?, None));
        };
        let (host, port) = text.split_at(colon);
        let host = Self::parse(host)?;
        Ok((host, Some(port_of(port.get(1..).unwrap_or_default())?)))
    }
}

/// A port, in decimal digits without a sign or a leading zero.
pub(super) fn port_of(text: &str) -> Result<u16, BadHost> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let port = text.parse().ok().filter(|_| is_plain);
    port.ok_or(BadHost("is followed by what is no port from 1 to 65535"))
}

fn v6(text: &str) -> Result<IpAddr, BadHost> {
    if text.contains('%') {
        return Err(BadHost("is an address with a zone"));
    }
    text.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| BadHost("is no IPv6 address"))
}

fn name(text: &str) -> Result<String, BadHost> {
    if !text.is_ascii() {
        return Err(BadHost("is not written in ASCII; give the name as xn--…"));
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Err(BadHost("is empty"));
    }
    if text.len() > NAME_MAX {
        return Err(BadHost("is longer than a name can be"));
    }
    let mut last = text;
    for label in text.split('.') {
        last = label;
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_good = !label.is_empty() && label.len() <= LABEL_MAX && label.bytes().all(known);
        if !is_good || label.starts_with('-') || label.ends_with('-') {
            return Err(BadHost("is no name of letters, digits, hyphens and dots"));
        }
    }
    // A number at the end makes it an address for some resolvers, as 127.1, 0177.0.0.1 and 0x7f000001.
    let last = last.to_ascii_lowercase();
    let hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(hexadecimal);
    if is_number {
        return Err(BadHost("is an address in another spelling than four decimal numbers"));
    }
    Ok(text.to_ascii_lowercase())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// A set of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `*`: every name and every address.
    Every,
    /// `*.example.com`: the names below one, not itself.
    Below(String),
    /// One host.
    Exactly(Host),
    /// `10.1.0.0/16`: the addresses of a network. A name is not among them, wherever it leads.
    Network(IpAddr, u8),
}

impl Pattern {
    /// Reads a pattern; an IPv6 network stands in brackets or not.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        if text == "*" {
            return Ok(Self::Every);
        }
        if let Some(suffix) = text.strip_prefix("*.") {
            let suffix = name(suffix)?;
            return match suffix.contains('.') {
                true => Ok(Self::Below(suffix)),
                false => Err(BadHost("is everything below a top-level domain")),
            };
        }
        if text.contains('*') {
            return Err(BadHost("has a * elsewhere than in a leading *."));
        }
        let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let Some((address, prefix)) = inside.split_once('/') else {
            return Host::parse(text).map(Self::Exactly);
        };
        let Host::Address(address) = Host::parse(address)? else {
            return Err(BadHost("is a name with a slash"));
        };
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= bits(address));
        let prefix: u8 = prefix.ok_or(BadHost("is a network without a length in bits"))?;
        if masked(address, prefix) != number(address) {
            return Err(BadHost("is a network whose address has bits beyond its length"));
        }
        Ok(Self::Network(address, prefix))
    }

    /// Whether this host is among them.
    pub fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Every, _) => true,
            (Self::Below(suffix), Host::Name(name)) => is_below(name, suffix),
            (Self::Exactly(one), host) => one == host,
            (Self::Network(network, prefix), Host::Address(address)) => {
                is_in(*address, *network, *prefix)
            }
            _ => false,
        }
    }

    /// Whether all hosts of `other` are among them.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Every, _) => true,
            (_, Self::Every) => false,
            (_, Self::Exactly(host)) => self.matches(host),
            (Self::Below(all), Self::Below(some)) => all == some || is_below(some, all),
            (Self::Network(all, prefix), Self::Network(some, longer)) => {
                prefix <= longer && is_in(*some, *all, *prefix)
            }
            _ => false,
        }
    }

    /// Whether it is one host.
    pub fn is_exact(&self) -> bool {
        match self {
            Self::Exactly(_) => true,
            Self::Network(address, prefix) => *prefix == bits(*address),
            Self::Every | Self::Below(_) => false,
        }
    }
}

fn is_below(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn masked(address: IpAddr, prefix: u8) -> u128 {
    let host_bits = u32::from(bits(address).saturating_sub(prefix));
    let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
    number(address) & mask
}

fn is_in(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    address.is_ipv4() == network.is_ipv4() && masked(address, prefix) == masked(network, prefix)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("*"),
            Self::Below(suffix) => write!(f, "*.{suffix}"),
            Self::Exactly(host) => write!(f, "{host}"),
            Self::Network(IpAddr::V4(address), prefix) => write!(f, "{address}/{prefix}"),
            Self::Network(IpAddr::V6(address), prefix) => write!(f, "[{address}/{prefix}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_spelling() {
        let read = |text: &str| Host::parse(text).map(|host| host.to_string());
        for (text, expected) in [
            ("API.Example.com", "api.example.com"),
            ("api.example.com.", "api.example.com"),
            ("my_db", "my_db"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("1.2.3.4", "1.2.3.4"),
            ("[2001:0DB8::0001]", "[2001:db8::1]"),
            ("::1", "[::1]"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "",
            ".",
            "..",
            "a..b",
            "127.1",
            "0177.0.0.1",
            "0x7f.0.0.1",
            "2130706433",
            "0x7f000001",
            "0x",
            "1.2.3.4.",
            "1.2.3.4.5",
            "256.1.1.1",
            "::1%lo",
            "[::1",
            "[::1%25lo]",
            "[a]",
            "bücher.example",
            "a b",
            "a%2eb",
            "a/b",
            "a@b",
            "a\0b",
            "-a",
            "a-",
            "１２７.0.0.1",
            "127。0.0.1",
        ] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
        assert!(Host::parse(&"a".repeat(64)).is_err());
        assert!(Host::parse(&"a.".repeat(128)).is_err());
    }

    #[test]
    fn an_authority_is_a_host_and_perhaps_a_port() {
        let read =
            |text: &str| Host::parse_authority(text).map(|(host, port)| (host.to_string(), port));
        let is = |host: &str, port| Ok((host.to_owned(), port));
        assert_eq!(read("a.example"), is("a.example", None));
        assert_eq!(read("a.example:8080"), is("a.example", Some(8080)));
        assert_eq!(read("[::1]:1"), is("[::1]", Some(1)));
        for text in [
            "user@a",
            "user:pw@a:80",
            "a:",
            "a:0",
            "a:080",
            "a:+80",
            "a:65536",
            "a:80:90",
            "::1",
            "[::1]80",
            "",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pattern_matches_what_it_says_and_nothing_beside() {
        let matches = |pattern: &str, host: &str| {
            Pattern::parse(pattern).unwrap().matches(&Host::parse(host).unwrap())
        };
        assert!(matches("*.example.com", "a.example.com"));
        assert!(matches("*.example.com", "a.b.example.com"));
        assert!(!matches("*.example.com", "example.com"));
        assert!(!matches("*.example.com", "notexample.com"));
        assert!(!matches("*.example.com", "a.example.com.evil.org"));
        assert!(matches("10.1.0.0/16", "10.1.255.255"));
        assert!(!matches("10.1.0.0/16", "10.2.0.0"));
        assert!(!matches("0.0.0.0/0", "::1"));
        assert!(matches("0.0.0.0/0", "10.2.0.0"));
        assert!(!matches("0.0.0.0/0", "a.example.com"));
        assert!(matches("[fd00::/8]", "fd12::1"));
        assert!(matches("*", "a.example.com"));
        for pattern in
            ["*.com", "a.*.com", "**", "a*", "10.1.0.1/16", "10.0.0.0/33", "10.0.0.0/", "a/8", ""]
        {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_covers_narrower_ones() {
        let covers = |all: &str, some: &str| {
            Pattern::parse(all).unwrap().covers(&Pattern::parse(some).unwrap())
        };
        for (all, some) in [
            ("*", "*.example.com"),
            ("*.example.com", "a.example.com"),
            ("*.example.com", "*.b.example.com"),
            ("10.0.0.0/8", "10.1.0.0/16"),
            ("10.0.0.0/8", "10.1.2.3"),
            ("a.example", "a.example"),
        ] {
            assert!(covers(all, some), "{all} {some}");
        }
        for (all, some) in [
            ("*.example.com", "*"),
            ("*.b.example.com", "*.example.com"),
            ("10.1.0.0/16", "10.0.0.0/8"),
            ("10.0.0.0/8", "a.example"),
        ] {
            assert!(!covers(all, some), "{all} {some}");
        }
    }
}

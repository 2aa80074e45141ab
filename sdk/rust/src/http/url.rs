//! URLs of `http` and `https`, as requests need them. Not here: any other scheme, and credentials, which have no place in a URL.

use std::fmt;

/// A URL: scheme, authority, path and query. What is displayed leaves the query out, which may hold a secret.
///
/// Shape: `http` or `https`; a host, which is ASCII, and a port if need be; no user, no fragment, nothing that had to be percent-encoded.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    text: String,
    /// Where the authority begins.
    authority: usize,
    /// Where the path begins.
    path: usize,
}

impl Url {
    /// Reads a URL. A fragment is left away.
    ///
    /// Errors: what is wrong with it, in a few words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) =
            text.split_once("://").ok_or("it must begin with http:// or https://")?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err("it must begin with http:// or https://");
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return Err("user and password have no place in it");
        }
        if !is_authority(authority) {
            return Err("it must name a host, in ASCII, and a port if need be");
        }
        if !target.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Err("characters that have no place in it must be percent-encoded");
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        let start = scheme.len() + "://".len();
        let text = format!("{scheme}://{}{slash}{target}", authority.to_ascii_lowercase());
        Ok(Self { text, authority: start, path: start + end })
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `https`.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Host, and port where one was given.
    pub fn authority(&self) -> &str {
        self.text.get(self.authority..self.path).unwrap_or_default()
    }

    /// Path and query, beginning with a slash.
    pub fn path_and_query(&self) -> &str {
        self.text.get(self.path..).unwrap_or_default()
    }

    /// Whether both lead to the same scheme, host and port.
    pub fn has_origin_of(&self, other: &Self) -> bool {
        self.origin() == other.origin()
    }

    /// Scheme, and authority without a port that is the scheme's own.
    fn origin(&self) -> (bool, &str) {
        let port = if self.is_https() { ":443" } else { ":80" };
        let authority = self.authority();
        (self.is_https(), authority.strip_suffix(port).unwrap_or(authority))
    }

    /// What a reference means that was found here: a URL, a path, a query. As RFC 3986, section 5.2.
    ///
    /// Errors: as [`Url::parse`].
    pub fn join(&self, reference: &str) -> Result<Self, &'static str> {
        if reference.contains("://") && !reference.starts_with(['/', '?', '#', '.']) {
            return Self::parse(reference);
        }
        let scheme = if self.is_https() { "https" } else { "http" };
        if reference.starts_with("//") {
            return Self::parse(&format!("{scheme}:{reference}"));
        }
        let end = reference.find(['?', '#']).unwrap_or(reference.len());
        let (path, rest) = reference.split_at(end);
        let own = self.path_and_query().split('?').next().unwrap_or_default();
        let path = match path {
            "" if rest.starts_with('?') => own.to_owned(),
            "" => return Ok(self.clone()),
            _ if path.starts_with('/') => without_dots(path),
            _ => {
                let folder = own.rsplit_once('/').map_or("", |(folder, _)| folder);
                without_dots(&format!("{folder}/{path}"))
            }
        };
        Self::parse(&format!("{scheme}://{}{path}{rest}", self.authority()))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.split('?').next().unwrap_or_default())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether it may be a host with a port, or without. What host it is, and whether there is one, the host of this component says.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse() != Ok(0_u16);
    let is_host = match host.strip_prefix('[') {
        Some(v6) => v6.strip_suffix(']').is_some_and(|v6| {
            !v6.is_empty() && v6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.')
        }),
        None => host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
    };
    !host.is_empty()
        && is_host
        && port.is_none_or(|port| port.parse::<u16>().is_ok() && is_port(port))
}

/// The path without `.` and `..`, as RFC 3986, section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => _ = kept.pop(),
            _ => kept.push(segment),
        }
        if is_last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// Appends a text so that it stands for itself in a path, a query or a form: all but letters, digits and `-._~` is percent-encoded.
pub fn percent_encode(out: &mut String, text: &str) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or('0');
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

//! Versions of plugins, and ranges of them as settings have them: `1.2`, `[1.0,2.0)`, `latest`.
//!
//! Not here: which versions there are. Follows `ComparableVersion` and `VersionRange` of Maven, which Kafka Connect reads them with.

use std::cmp::Ordering;
use std::fmt;

/// Most bytes of a version that are looked at: an order among longer ones is nobody's wish, and their parts nest.
const VERSION_BYTES_MAX: usize = 128;
/// Most bytes of a range.
const RANGE_BYTES_MAX: usize = 1024;

/// A version of a plugin.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    parts: Vec<Part>,
}

/// A part of a version, between dots, hyphens, and changes from digits to others.
#[derive(Clone, Debug)]
enum Part {
    /// Digits without leading zeros.
    Number(String),
    Text(String),
    /// What follows a hyphen, or a change from digits to others.
    List(Vec<Part>),
}

impl Version {
    /// Reads a version; every text is one.
    pub fn new(text: &str) -> Self {
        let cut = text.get(..text.floor_char_boundary(VERSION_BYTES_MAX)).unwrap_or_default();
        Self { text: text.to_owned(), parts: parse(&cut.to_lowercase()) }
    }

    /// Whether it is older or newer than another, or the same for this purpose, as `1` and `1.0`.
    ///
    /// It is no order to sort by: among odd versions it goes in circles, as Maven's does.
    pub fn compare(&self, other: &Self) -> Ordering {
        compare_lists(&self.parts, &other.parts)
    }
}

/// The lists that are open, the innermost last: each is the last part of the one before.
struct Open(Vec<Vec<Part>>);

impl Open {
    fn push(&mut self, part: Part) {
        if let Some(innermost) = self.0.last_mut() {
            innermost.push(part);
        }
    }

    fn begin(&mut self) {
        self.0.push(Vec::new());
    }

    /// Begins a list for a text, unless it is the first of its list anyway.
    fn begin_for_text(&mut self) {
        if self.0.last().is_some_and(|innermost| !innermost.is_empty()) {
            self.begin();
        }
    }

    fn close(mut self) -> Vec<Part> {
        let mut inner = self.0.pop().unwrap_or_default();
        normalize(&mut inner);
        while let Some(mut outer) = self.0.pop() {
            outer.push(Part::List(inner));
            normalize(&mut outer);
            inner = outer;
        }
        inner
    }
}

fn parse(text: &str) -> Vec<Part> {
    let mut open = Open(vec![Vec::new()]);
    let (mut start, mut is_digit) = (0, false);
    let since = |start: usize, at: usize| text.get(start..at).unwrap_or_default();
    for (at, char) in text.char_indices() {
        match char {
            '.' | '-' => {
                open.push(part(is_digit, since(start, at)));
                start = at + 1;
                if char == '-' {
                    open.begin();
                }
            }
            '0'..='9' => {
                if !is_digit && at > start {
                    open.begin_for_text();
                    open.push(Part::Text(before_digit(since(start, at)).to_owned()));
                    open.begin();
                    start = at;
                }
                is_digit = true;
            }
            _ => {
                if is_digit && at > start {
                    open.push(part(true, since(start, at)));
                    open.begin();
                    start = at;
                }
                is_digit = false;
            }
        }
    }
    if text.len() > start {
        if !is_digit {
            open.begin_for_text();
        }
        open.push(part(is_digit, since(start, text.len())));
    }
    open.close()
}

/// A part between separators; nothing between two is a zero.
fn part(is_digit: bool, text: &str) -> Part {
    if is_digit || text.is_empty() {
        return Part::Number(text.trim_start_matches('0').to_owned());
    }
    Part::Text(qualifier(text).to_owned())
}

/// What a letter before a digit is short for.
fn before_digit(text: &str) -> &str {
    match text {
        "a" => "alpha",
        "b" => "beta",
        "m" => "milestone",
        other => qualifier(other),
    }
}

fn qualifier(text: &str) -> &str {
    match text {
        "ga" | "final" | "release" => "",
        "cr" => "rc",
        other => other,
    }
}

/// Takes off what says nothing: zeros, names of releases and empty lists at the end, and before lists at the end.
fn normalize(list: &mut Vec<Part>) {
    for at in (0..list.len()).rev() {
        match list.get(at) {
            Some(part) if part.is_null() => drop(list.remove(at)),
            Some(Part::List(_)) => {}
            _ => return,
        }
    }
}

/// Qualifiers from the oldest to the newest; the empty one is a release. Others are newer, by their letters.
const QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

fn rank(text: &str) -> (usize, &str) {
    match QUALIFIERS.iter().position(|known| *known == text) {
        Some(at) => (at, ""),
        None => (QUALIFIERS.len(), text),
    }
}

impl Part {
    fn is_null(&self) -> bool {
        match self {
            Self::Number(text) | Self::Text(text) => text.is_empty(),
            Self::List(list) => list.is_empty(),
        }
    }

    /// Against nothing, where the other version is shorter.
    fn compare_to_nothing(&self) -> Ordering {
        match self {
            Self::Number(digits) => digits.len().cmp(&0),
            Self::Text(text) => rank(text).cmp(&rank("")),
            Self::List(list) => {
                let compared = list.iter().map(Self::compare_to_nothing);
                compared.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            }
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => rank(a).cmp(&rank(b)),
            (Self::List(a), Self::List(b)) => compare_lists(a, b),
            (Self::Number(_), _) | (Self::List(_), Self::Text(_)) => Ordering::Greater,
            (_, Self::Number(_)) | (Self::Text(_), Self::List(_)) => Ordering::Less,
        }
    }
}

fn compare_lists(a: &[Part], b: &[Part]) -> Ordering {
    for at in 0..a.len().max(b.len()) {
        let order = match (a.get(at), b.get(at)) {
            (Some(a), Some(b)) => a.compare(b),
            (Some(a), None) => a.compare_to_nothing(),
            (None, Some(b)) => b.compare_to_nothing().reverse(),
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Versions that a setting allows. Prints as Maven prints it.
#[derive(Clone, Debug)]
pub struct VersionRange(Vec<Restriction>);

/// Versions between two bounds.
#[derive(Clone, Debug)]
struct Restriction {
    lower: Option<Version>,
    includes_lower: bool,
    upper: Option<Version>,
    includes_upper: bool,
}

impl VersionRange {
    /// Reads what a setting asks for: a range, or one version; none for `latest`.
    ///
    /// Errors: in Maven's words.
    ///
    /// Follows `PluginUtils.connectorVersionRequirement` of Kafka Connect.
    pub fn required(text: &str) -> Result<Option<Self>, String> {
        if text == "latest" {
            return Ok(None);
        }
        if text.len() > RANGE_BYTES_MAX {
            return Err(format!("A version range has at most {RANGE_BYTES_MAX} bytes"));
        }
        let text = text.trim();
        match Self::sets(text)? {
            sets if sets.is_empty() => {
                Self::sets(&format!("[{text}]")).map(|sets| Some(Self(sets)))
            }
            sets => Ok(Some(Self(sets))),
        }
    }

    /// Whether it allows a version.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.iter().any(|restriction| restriction.contains(version))
    }

    /// The restrictions in a text; none where it is one version without brackets.
    fn sets(text: &str) -> Result<Vec<Restriction>, String> {
        let mut all: Vec<Restriction> = Vec::new();
        let mut rest = text;
        while rest.starts_with(['[', '(']) {
            let end = rest.find([')', ']']).ok_or_else(|| format!("Unbounded range: {text}"))?;
            let (set, after) = rest.split_at(end + 1);
            let restriction = Restriction::parse(set)?;
            if let Some(upper) = all.last().and_then(|before| before.upper.as_ref()) {
                let overlaps = |lower: &Version| lower.compare(upper).is_lt();
                if restriction.lower.as_ref().is_none_or(overlaps) {
                    return Err(format!("Ranges overlap: {text}"));
                }
            }
            all.push(restriction);
            let after = after.trim();
            rest = after.strip_prefix(',').map_or(after, str::trim);
        }
        if !rest.is_empty() && !all.is_empty() {
            return Err(format!(
                "Only fully-qualified sets allowed in multiple set scenario: {text}"
            ));
        }
        Ok(all)
    }
}

impl Restriction {
    fn parse(set: &str) -> Result<Self, String> {
        let (includes_lower, includes_upper) = (set.starts_with('['), set.ends_with(']'));
        let inner = set.get(1..set.len() - 1).unwrap_or_default().trim();
        let Some((lower, upper)) = inner.split_once(',') else {
            if !includes_lower || !includes_upper {
                return Err(format!("Single version must be surrounded by []: {set}"));
            }
            let version = Some(Version::new(inner));
            return Ok(Self {
                lower: version.clone(),
                includes_lower,
                upper: version,
                includes_upper,
            });
        };
        let bound =
            |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(Version::new);
        let (lower, upper) = (bound(lower), bound(upper));
        if let (Some(lower), Some(upper)) = (&lower, &upper) {
            let defies = match upper.compare(lower) {
                Ordering::Less => true,
                Ordering::Equal => !includes_lower || !includes_upper,
                Ordering::Greater => false,
            };
            if defies {
                return Err(format!("Range defies version ordering: {set}"));
            }
        }
        Ok(Self { lower, includes_lower, upper, includes_upper })
    }

    fn contains(&self, version: &Version) -> bool {
        let above = self.lower.as_ref().is_none_or(|lower| match lower.compare(version) {
            Ordering::Less => true,
            Ordering::Equal => self.includes_lower,
            Ordering::Greater => false,
        });
        let below = self.upper.as_ref().is_none_or(|upper| match upper.compare(version) {
            Ordering::Less => false,
            Ordering::Equal => self.includes_upper,
            Ordering::Greater => true,
        });
        above && below
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, restriction) in self.0.iter().enumerate() {
            let Restriction { lower, includes_lower, upper, includes_upper } = restriction;
            let open = if *includes_lower { '[' } else { '(' };
            let close = if *includes_upper { ']' } else { ')' };
            let between = if at > 0 { "," } else { "" };
            write!(f, "{between}{open}")?;
            lower.iter().try_for_each(|bound| bound.fmt(f))?;
            f.write_str(",")?;
            upper.iter().try_for_each(|bound| bound.fmt(f))?;
            write!(f, "{close}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Maven 3.9.15 orders them, which ships with Kafka 4.3.
    const ORDER: &str = r#""" = "0" < "a.b.c" < "v1" < "-1" < "1-alpha" < "1-a1" = "1.0-alpha-1" = "1a1" < "1-beta2" < "1-milestone" < "1-m3" < "1-rc" = "1.0-RC" < "1.0-rc1" < "1.0rc2" < "1.0-cr3" < "1-SNAPSHOT" < "1" = "1-" = "1-ga" = "1-release" = "1." = "1.0" = "1.0.0" = "1.final" < "1-sp" < "1+build" < "1_2" < "1-b" < "1-foo2" < "1.0.0-x" = "1.x" < "1.0.0.X1" = "1.0.x1" < "1.0.0-X2" < "1-xyz" < "1--2" < "1-1" < "1-2" < "1..2" < "1.1" < "1.2" < "01.9" = "1.9" < "1.10" < "1.9999999999" < "1.99999999999999999999" < "2-1.0" = "2.0-1" < "4.3.1" < "4.3.1-ccs""#;

    #[test]
    fn versions_are_ordered_as_maven_orders_them() {
        let mut ordered: Vec<(Version, usize)> = Vec::new();
        let mut place = 0;
        for (at, token) in ORDER.split(' ').enumerate() {
            match (at % 2, token) {
                (1, "<") => place += 1,
                (1, _) => {}
                _ => ordered.push((Version::new(token.trim_matches('"')), place)),
            }
        }
        for (a, first) in &ordered {
            for (b, second) in &ordered {
                assert_eq!(a.compare(b), first.cmp(second), "{a} {b}");
            }
        }
        // Maven's order has circles.
        let odd = Version::new("1-0.alpha");
        assert_eq!(odd.compare(&Version::new("1")), Ordering::Less);
        assert_eq!(odd.compare(&Version::new("1-xyz")), Ordering::Greater);
    }

    #[test]
    fn a_version_that_is_all_hyphens_is_compared_all_the_same() {
        let long = Version::new(&"-1a".repeat(1_000_000));
        assert_eq!(long.compare(&long.clone()), Ordering::Equal);
    }

    #[test]
    fn ranges_are_read_as_maven_reads_them() {
        let versions = ["0", "1", "1.0", "1.5", "2", "2.5", "3", "4"].map(Version::new);
        let check = |text: &str, expected: Result<(&str, &str), &str>| {
            let range = VersionRange::required(text);
            let found = range.map(|range| {
                let range = range.unwrap();
                let contains = |version| if range.contains(version) { 'y' } else { 'n' };
                (range.to_string(), versions.iter().map(contains).collect::<String>())
            });
            let found = found.as_ref().map(|(range, held)| (range.as_str(), held.as_str()));
            assert_eq!(found.map_err(String::as_str), expected, "{text}");
        };
        check("1.0", Ok(("[1.0,1.0]", "nyynnnnn")));
        check(" 1.0 ", Ok(("[1.0,1.0]", "nyynnnnn")));
        check("[1.0]", Ok(("[1.0,1.0]", "nyynnnnn")));
        check("[1.0,2.0)", Ok(("[1.0,2.0)", "nyyynnnn")));
        check("[ 1 , 2 ]", Ok(("[1,2]", "nyyyynnn")));
        check("(,1.0]", Ok(("(,1.0]", "yyynnnnn")));
        check("[1.5,)", Ok(("[1.5,)", "nnnyyyyy")));
        check("[1,2] , [3,4]", Ok(("[1,2],[3,4]", "nyyyynyy")));
        check("(1,2](3,4)", Ok(("(1,2],(3,4)", "nnnyynnn")));
        check("(,)", Ok(("(,)", "yyyyyyyy")));
        check("", Ok(("[,]", "ynnnnnnn")));
        check("(1.0)", Err("Single version must be surrounded by []: (1.0)"));
        check(")", Err("Single version must be surrounded by []: [)"));
        check("[1.0", Err("Unbounded range: [1.0"));
        check("[1.0,1.0)", Err("Range defies version ordering: [1.0,1.0)"));
        check("[2,1]", Err("Range defies version ordering: [2,1]"));
        check("[1,3],[2,4]", Err("Ranges overlap: [1,3],[2,4]"));
        let sets = "Only fully-qualified sets allowed in multiple set scenario: [1,2],3";
        check("[1,2],3", Err(sets));
        assert!(VersionRange::required("latest").unwrap().is_none());
        assert!(VersionRange::required(&"[1,2],".repeat(1_000)).is_err());
    }
}

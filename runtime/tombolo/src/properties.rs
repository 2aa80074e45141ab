//! Reads worker files in Java's properties format.
//!
//! Not here: what the settings mean.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use tombolo_model::Settings;

/// Reads a file of settings. Text is UTF-8, as Kafka's own tools write it; `\uXXXX` works too.
///
/// Errors: the file, and the line where it stops making sense.
pub(crate) fn read(path: &Path) -> anyhow::Result<Settings> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read the worker file {}", path.display()))?;
    parse(&bytes).with_context(|| format!("cannot read the worker file {}", path.display()))
}

/// The same, of a file's content. Space at the end of a value is taken off, as whoever uses a setting does.
pub(crate) fn parse(bytes: &[u8]) -> anyhow::Result<Settings> {
    let map = parse_exactly(bytes)?;
    Ok(map.into_iter().map(|(name, value)| (name, value.trim_end().to_owned())).collect())
}

/// The properties in a file's content, exactly as Java reads them.
///
/// Errors: the line where it stops making sense.
pub(crate) fn parse_exactly(bytes: &[u8]) -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::str::from_utf8(bytes).context("it is not UTF-8")?;
    // The reader takes Latin-1, as Java's does: whatever lies outside goes in as an escape.
    let escaped: String = text
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(ascii) if ascii.is_ascii() => char::from(ascii).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect();
    Ok(java_properties::read(escaped.as_bytes())?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_file_reads_as_java_reads_it() {
        let text = "# comment\n! another\na=1\nb : two\nc three\nd=x\\\n   y\ne=\nf\\=g=\\u00e9é\n  h.i = j \n";
        let expected = [
            ("a", "1"),
            ("b", "two"),
            ("c", "three"),
            ("d", "xy"),
            ("e", ""),
            ("f=g", "éé"),
            ("h.i", "j"),
        ];
        assert_eq!(parse(text.as_bytes()).unwrap(), expected.into_iter().collect());
        for (name, value) in expected {
            assert_eq!(parse(text.as_bytes()).unwrap().get(name), Some(value));
        }
    }

    #[test]
    fn a_broken_escape_is_refused() {
        assert!(parse(b"a=\\u12").is_err());
        assert!(parse(&[0xff]).is_err());
    }
}

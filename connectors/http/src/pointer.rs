//! Pointers into JSON, as RFC 6901. Not here: what stands there.

use tombolo_sdk::json::{Error, Reader, Token};

/// A place in a JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// Reads a pointer. Empty, and a slash alone, mean the whole text.
    ///
    /// Errors: what was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text == "/" {
            return Ok(Self(Vec::new()));
        }
        let Some(path) = text.strip_prefix('/') else {
            return Err("Value must be a JSON pointer, such as /data/items".to_owned());
        };
        let name = |part: &str| part.replace("~1", "/").replace("~0", "~");
        Ok(Self(path.split('/').map(name).collect()))
    }

    /// The text of the value there; none when there is none, or null.
    ///
    /// Errors: what is read on the way there is no JSON.
    pub(crate) fn find<'a>(&self, json: &'a [u8]) -> Result<Option<&'a [u8]>, Error> {
        let mut reader = Reader::new(json);
        for name in &self.0 {
            let found = match reader.peek() {
                Some(b'{') => member(&mut reader, name)?,
                Some(b'[') => element(&mut reader, name)?,
                _ => {
                    reader.skip()?;
                    false
                }
            };
            if !found {
                return Ok(None);
            }
        }
        let found = reader.skip()?;
        Ok((found != b"null").then_some(found))
    }
}

/// Goes to the value of an object's member.
fn member(reader: &mut Reader<'_>, wanted: &str) -> Result<bool, Error> {
    reader.token()?;
    let mut first = true;
    while let Some(name) = reader.member(std::mem::take(&mut first))? {
        if name.is(wanted) {
            return Ok(true);
        }
        reader.skip()?;
    }
    Ok(false)
}

/// Goes to an element of an array.
fn element(reader: &mut Reader<'_>, wanted: &str) -> Result<bool, Error> {
    let Ok(wanted) = wanted.parse::<usize>() else { return Ok(false) };
    reader.token()?;
    let mut place = 0;
    while reader.element(place == 0)? {
        if place == wanted {
            return Ok(true);
        }
        reader.skip()?;
        place += 1;
    }
    Ok(false)
}

/// The elements of an array; none when it is another value.
///
/// Errors: it is no JSON.
pub(crate) fn elements(json: &[u8]) -> Result<Option<Vec<&[u8]>>, Error> {
    let mut reader = Reader::new(json);
    if reader.peek() != Some(b'[') {
        return Ok(None);
    }
    reader.token()?;
    let mut all = Vec::new();
    while reader.element(all.is_empty())? {
        all.push(reader.skip()?);
    }
    Ok(Some(all))
}

/// The text of a scalar: of a string what it means, of others as they stand; none for objects, arrays and null.
pub(crate) fn scalar(json: &[u8]) -> Option<String> {
    match Reader::new(json).token().ok()? {
        Token::Text(text) => {
            let mut decoded = Vec::new();
            text.decode(&mut decoded);
            String::from_utf8(decoded).ok()
        }
        Token::Number(_) | Token::Boolean(_) => {
            Some(std::str::from_utf8(json).ok()?.trim().to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_finds_what_it_names_and_nothing_else() {
        let json = br#" {"a": {"b/c": [10, {"d~": "x"}]}, "": 1, "n": null, "e": "\u00e4"} "#;
        let find = |text: &str| {
            let found = Pointer::parse(text).unwrap().find(json).unwrap();
            found.map(|json| String::from_utf8_lossy(json).into_owned())
        };
        for (pointer, expected) in [
            ("/a/b~1c/0", Some("10")),
            ("/a/b~1c/1/d~0", Some("\"x\"")),
            ("/a/b~1c/2", None),
            ("/a/b~1c/x", None),
            ("/a/x", None),
            ("/a/b~1c/0/y", None),
            ("/n", None),
        ] {
            assert_eq!(find(pointer).as_deref(), expected, "{pointer}");
        }
        assert!(find("").unwrap().starts_with('{') && find("/").is_some());
        assert!(Pointer::parse("a").is_err());
        assert!(Pointer::parse("/a").unwrap().find(b"<html>").is_err());
        assert_eq!(scalar(b"\"\\u00e4\"").as_deref(), Some("ä"));
        assert_eq!(scalar(b"17").as_deref(), Some("17"));
        assert_eq!(scalar(b"[1]"), None);
    }

    #[test]
    fn the_elements_of_an_array_are_handed_out_as_they_stand() {
        let all = elements(br#"[{"a":1}, [2] ,"3"]"#).unwrap().unwrap();
        assert_eq!(all, [&b"{\"a\":1}"[..], b"[2]", b"\"3\""]);
        assert_eq!(elements(b"{}").unwrap(), None);
        assert_eq!(elements(b"[]").unwrap(), Some(Vec::new()));
        assert!(elements(b"[1").is_err());
    }
}

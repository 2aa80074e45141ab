//! The header `Link`, as RFC 8288. Not here: relations other than `next`.

use tombolo_sdk::http::Response;

/// Where the next page is; none when no header says so.
pub(crate) fn next(response: &Response) -> Option<String> {
    let named = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("link"));
    named
        .flat_map(|(_, value)| links(value))
        .find(|link| link.is_next())
        .map(|link| link.to.to_owned())
}

struct Link<'a> {
    to: &'a str,
    parameters: &'a str,
}

/// The links of a header.
fn links(header: &str) -> impl Iterator<Item = Link<'_>> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let (to, after) = rest.split_once('<')?.1.split_once('>')?;
        let end = end_of(after, ',');
        let (parameters, behind) = after.split_at(end);
        rest = behind;
        Some(Link { to, parameters })
    })
}

/// Where this character first stands outside of quotes; else the end.
fn end_of(text: &str, wanted: char) -> usize {
    let mut is_quoted = false;
    let found = text.char_indices().find(|&(_, c)| {
        is_quoted ^= c == '"';
        c == wanted && !is_quoted
    });
    found.map_or(text.len(), |(at, _)| at)
}

impl Link<'_> {
    fn is_next(&self) -> bool {
        let mut rest = self.parameters;
        while !rest.is_empty() {
            rest = rest.trim_start_matches([';', ' ', '\t']);
            let (parameter, behind) = rest.split_at(end_of(rest, ';'));
            rest = behind;
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
            if name.trim().eq_ignore_ascii_case("rel") {
                return relations.any(|relation| relation.eq_ignore_ascii_case("next"));
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_other_links() {
        for (header, expected) in [
            (r#"<https://x/?p=2>; rel="next""#, Some("https://x/?p=2")),
            (
                r#"<https://x/?p=1>; rel=prev, </?a=1,2&p=3>; title="a, b; rel=no"; REL="last next""#,
                Some("/?a=1,2&p=3"),
            ),
            (r#"<https://x/?p=9>; rel="last""#, None),
            (r#"<https://x/?p=9>; title="rel=next""#, None),
            ("<https://x", None),
            (";;;,,,<>", None),
            ("", None),
        ] {
            let response = Response::new(200).header_with("link", header);
            assert_eq!(next(&response).as_deref(), expected, "{header}");
        }
        let two = Response::new(200)
            .header_with("Link", "<a>; rel=first")
            .header_with("Link", "<b>; rel=next");
        assert_eq!(next(&two).as_deref(), Some("b"));
    }
}

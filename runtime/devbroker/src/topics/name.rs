//! Which names a topic can have; they are names of directories too.

/// Kafka's limit: with a partition's number it must fit into a file name.
const NAME_BYTES_MAX: usize = 249;

/// As Kafka: letters, digits, `.`, `_` and `-`, but neither `.` nor `..`.
pub(crate) fn is_valid(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.len() <= NAME_BYTES_MAX
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_in_kafka() {
        let longest = "x".repeat(NAME_BYTES_MAX);
        for good in ["a", "A-b_c.d", "__internal", "...", longest.as_str()] {
            assert!(is_valid(good), "{good}");
        }
        let too_long = "x".repeat(NAME_BYTES_MAX + 1);
        for bad in ["", ".", "..", "a/b", "a b", "ü", "a\0", too_long.as_str()] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}

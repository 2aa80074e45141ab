//! Settings that several transformations have, and lists as Kafka checks them. Not here: settings of one only.

use tombolo_sdk::settings::{ConfigError, Key, Settings};

/// Whether nulls become defaults.
pub(crate) const NULL_TO_DEFAULT: Key<bool> = Key::new("replace.null.with.default")
    .doc("Whether a field that is null is replaced by its schema's default, where there is one.")
    .default("true");

/// A list without empty members, each once.
///
/// Follows `ConfigDef.ValidList.anyNonDuplicateValues`.
pub(crate) fn members(
    key: &Key<Vec<String>>,
    settings: &Settings,
) -> Result<Vec<String>, ConfigError> {
    let mut members: Vec<String> = Vec::new();
    for member in key.get(settings)? {
        if member.is_empty() {
            let name = key.name();
            let message = format!("Configuration '{name}' values must not be empty.");
            return Err(ConfigError::of(name, message));
        }
        if !members.contains(&member) {
            members.push(member);
        }
    }
    Ok(members)
}

/// A list with at least one member, as [`members`] besides.
pub(crate) fn some_members(
    key: &Key<Vec<String>>,
    settings: &Settings,
) -> Result<Vec<String>, ConfigError> {
    let members = members(key, settings)?;
    if members.is_empty() {
        let name = key.name();
        let message = format!(
            "Configuration '{name}' must not be empty. Valid values include: any non-empty value"
        );
        return Err(ConfigError::of(name, message));
    }
    Ok(members)
}

/// A list with at least one member, whatever they are.
///
/// Follows `NonEmptyListValidator`.
pub(crate) fn non_empty(
    key: &Key<Vec<String>>,
    settings: &Settings,
) -> Result<Vec<String>, ConfigError> {
    let members = key.get(settings)?;
    if members.is_empty() {
        return Err(ConfigError::invalid(key.name(), "[]", "Empty list"));
    }
    Ok(members)
}

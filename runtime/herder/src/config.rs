//! Settings of the herder.
//!
//! Not here: settings of the worker, of the internal topics, of the REST API.

use tombolo_model::Settings;

/// Settings of the herder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HerderConfig {
    /// The workers' own group. Setting `group.id`.
    pub group_id: String,
    /// Whether to keep which topics a connector uses. Setting `topic.tracking.enable`.
    pub is_tracking_topics: bool,
    /// Whether that may be forgotten on request. Setting `topic.tracking.allow.reset`.
    pub is_topic_reset_allowed: bool,
}

impl HerderConfig {
    /// Reads them from a worker's settings.
    ///
    /// Errors: a message in the words of Kafka's `ConfigDef`.
    pub fn from_settings(settings: &Settings) -> Result<Self, String> {
        let group_id = settings.get("group.id").map(str::trim).unwrap_or_default();
        if group_id.is_empty() {
            return Err("Missing required configuration \"group.id\" which has no default value."
                .to_owned());
        }
        let flag = |name: &str| match settings.get(name).map(str::trim) {
            None => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(format!(
                "Invalid value {text} for configuration {name}: Expected value to be either true or false"
            )),
        };
        Ok(Self {
            group_id: group_id.to_owned(),
            is_tracking_topics: flag("topic.tracking.enable")?,
            is_topic_reset_allowed: flag("topic.tracking.allow.reset")?,
        })
    }
}

//! Checks configurations as submitted: what the worker's check cannot see of them, and the refusal that errors become.
//!
//! Not here: the check itself (`tombolo_worker::validation`). Follows `AbstractHerder.validateConnectorConfig` of Kafka Connect.

use std::sync::Arc;

use tombolo_model::plugin::PluginKind;
use tombolo_model::{Fault, FaultKind, Settings};
use tombolo_worker::validation::{ConfigInfo, Validation};

use crate::error::Error;
use crate::event::SubmittedConfig;
use crate::work::Work;

/// Checks configurations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Validator {
    pub(crate) worker: Arc<dyn Work>,
    /// The workers' own group, if there is one, of which no sink may be a member.
    pub(crate) group_id: Option<String>,
}

impl Validator {
    /// Checks a configuration; errors of its settings refuse it.
    pub(crate) async fn check(&self, config: &SubmittedConfig) -> Result<(), Error> {
        let validation = self.validate(config).await?;
        let count = validation.error_count();
        if count == 0 {
            warn_of_unknown(config, &validation.unknown);
            return Ok(());
        }
        let errors: String = validation.errors().map(|error| format!("\n{error}")).collect();
        Err(Error::BadRequest(format!(
            "Connector configuration is invalid and contains the following {count} error(s):{errors}\nYou can also find the above list of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`"
        )))
    }

    /// What is wrong with each setting.
    ///
    /// Errors: `BadRequest` where there is no connector to check against.
    pub(crate) async fn validate(&self, config: &SubmittedConfig) -> Result<Validation, Error> {
        if config.get("connector.class").is_none_or(Option::is_none) {
            let shown = shown(config);
            return Err(Error::BadRequest(format!(
                "Connector config {shown} contains no connector type"
            )));
        }
        let settings: Settings = config
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
            .collect();
        let resolved = self.worker.resolve(&settings).await.map_err(refusal)?;
        let mut validation = self.worker.validate(&resolved).await.map_err(refusal)?;
        refuse_nulls(config, &mut validation);
        if validation.plugin.kind == PluginKind::Sink {
            self.check_group(&resolved.settings, &mut validation);
        }
        validation.hide(&resolved);
        Ok(validation)
    }

    /// A sink in the workers' own group would break up both.
    fn check_group(&self, settings: &Settings, validation: &mut Validation) {
        let overridden = "consumer.override.group.id";
        let Some(worker) = &self.group_id else { return };
        let name = settings.get("name").unwrap_or_default();
        match settings.get(overridden) {
            Some(group) if group == worker => {
                let error =
                    format!("Consumer group {group} conflicts with Connect worker group {worker}");
                add_error(validation, overridden, error);
            }
            None if format!("connect-{name}") == *worker => {
                let error = format!(
                    "Consumer group for sink connector named {name} conflicts with Connect worker group {worker}"
                );
                add_error(validation, "name", error);
            }
            _ => {}
        }
    }
}

/// Most names of unknown settings in one line of the log: more are no slip of the pen.
const UNKNOWN_NAMES_MAX: usize = 20;

/// Says of a configuration that is taken which of its settings do nothing, as far as anybody can tell.
fn warn_of_unknown(config: &SubmittedConfig, unknown: &[String]) {
    if unknown.is_empty() {
        return;
    }
    let connector = config.get("name").and_then(Option::as_deref).unwrap_or_default();
    let shown = unknown.get(..UNKNOWN_NAMES_MAX).unwrap_or(unknown);
    let more = if shown.len() < unknown.len() { ", and more" } else { "" };
    let names = shown.join(", ");
    tracing::warn!(%connector, "these settings are none of the connector's or its plugins', and have no effect unless the connector reads them: {names}{more}");
}

/// A null would fail only when the task starts. Follows `AbstractHerder.addNullValuedErrors`.
fn refuse_nulls(config: &SubmittedConfig, validation: &mut Validation) {
    for (name, _) in config.iter().filter(|(_, value)| value.is_none()) {
        let error = "Null value can not be supplied as the configuration value.".to_owned();
        add_error(validation, name, error);
        if let Some(info) = validation.configs.iter_mut().find(|info| info.name == *name) {
            info.value = None;
        }
    }
}

fn add_error(validation: &mut Validation, name: &str, error: String) {
    match validation.configs.iter_mut().find(|config| config.name == name) {
        Some(config) => config.errors.push(error),
        None => validation.configs.push(ConfigInfo {
            key: None,
            name: name.to_owned(),
            value: None,
            recommended: Vec::new(),
            errors: vec![error],
            visible: true,
        }),
    }
}

/// The configuration as Java prints a map. Values are hidden, of which any may be a secret: without a class nothing says which.
fn shown(config: &SubmittedConfig) -> String {
    let members: Vec<String> = config
        .iter()
        .map(|(name, value)| match value {
            None => format!("{name}=null"),
            Some(value) if name == "name" => format!("{name}={value}"),
            Some(_) => format!("{name}={}", tombolo_model::settings::HIDDEN),
        })
        .collect();
    format!("{{{}}}", members.join(", "))
}

/// A configuration that cannot be checked is wrong; a plugin that cannot check is at fault itself.
pub(crate) fn refusal(fault: Fault) -> Error {
    if fault.kind == FaultKind::Config {
        Error::BadRequest(fault.message)
    } else {
        Error::failed(fault.message.clone(), &fault)
    }
}

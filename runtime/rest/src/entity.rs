//! JSON of answers: names and order of members as in Kafka Connect.
//!
//! Not here: how the answers come about. Every value inside `connector` of a status is text or null, as some clients decode it so.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use tombolo_herder::{
    ConfigInfo, ConnectorInfo, ConnectorStatus, FlatMap, Offset, SecretInfo, Validation,
};

use tombolo_model::capability;
use tombolo_model::config_def::{ConfigKey, Type};
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::role::Installed;
use tombolo_model::status::Status;
use tombolo_model::{ConnectorName, Settings, TaskId};

#[derive(Serialize, JsonSchema)]
pub(crate) struct ErrorMessage<'a> {
    pub(crate) error_code: u16,
    pub(crate) message: &'a str,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Message<'a> {
    pub(crate) message: &'a str,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct ServerInfo<'a> {
    pub(crate) version: &'a str,
    pub(crate) commit: &'a str,
    pub(crate) kafka_cluster_id: &'a str,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct WorkerHealth {
    pub(crate) status: &'static str,
    pub(crate) message: &'static str,
}

/// A configuration, by name. One in which something was resolved has no JSON.
pub(crate) struct Config<'a>(pub(crate) &'a Settings);

impl Serialize for Config<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.0.is_fit_to_be_shown() {
            return Err(S::Error::custom("settings with resolved values are not shown"));
        }
        serializer.collect_map(self.0.iter())
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConnectorTaskId")]
pub(crate) struct Task<'a> {
    connector: &'a str,
    task: u32,
}

impl<'a> From<&'a TaskId> for Task<'a> {
    fn from(task: &'a TaskId) -> Self {
        Self { connector: task.connector.as_str(), task: task.index }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConnectorInfo")]
pub(crate) struct Info<'a> {
    name: &'a str,
    #[schemars(with = "BTreeMap<String, String>")]
    config: Config<'a>,
    tasks: Vec<Task<'a>>,
    r#type: &'static str,
}

impl<'a> From<&'a ConnectorInfo> for Info<'a> {
    fn from(info: &'a ConnectorInfo) -> Self {
        Self {
            name: info.name.as_str(),
            config: Config(&info.config),
            tasks: info.tasks.iter().map(Task::from).collect(),
            r#type: type_name(info.kind),
        }
    }
}

/// `unknown` where no plugin of that class is installed.
fn type_name(kind: Option<PluginKind>) -> &'static str {
    kind.map_or("unknown", PluginKind::name)
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct TaskInfo<'a> {
    pub(crate) id: Task<'a>,
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) config: Config<'a>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct ConnectorState<'a> {
    state: &'static str,
    worker_id: &'a str,
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct TaskState<'a> {
    id: u32,
    state: &'static str,
    worker_id: &'a str,
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
}

impl<'a> TaskState<'a> {
    pub(crate) fn new(id: u32, status: &'a Status) -> Self {
        Self {
            id,
            state: status.state.name(),
            worker_id: &status.worker_id,
            version: status.version.as_deref(),
            trace: status.trace.as_deref().filter(|trace| !trace.is_empty()),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConnectorStateInfo")]
pub(crate) struct StateInfo<'a> {
    name: &'a str,
    connector: ConnectorState<'a>,
    tasks: Vec<TaskState<'a>>,
    r#type: &'static str,
}

impl<'a> From<&'a ConnectorStatus> for StateInfo<'a> {
    fn from(status: &'a ConnectorStatus) -> Self {
        let connector = &status.connector;
        Self {
            name: status.name.as_str(),
            connector: ConnectorState {
                state: connector.state.name(),
                worker_id: &connector.worker_id,
                version: connector.version.as_deref(),
                trace: connector.trace.as_deref().filter(|trace| !trace.is_empty()),
            },
            tasks: status.tasks.iter().map(|(id, status)| TaskState::new(*id, status)).collect(),
            r#type: type_name(status.kind),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PluginInfo")]
pub(crate) struct Plugin<'a> {
    class: &'a str,
    r#type: &'static str,
    version: &'a str,
}

impl<'a> From<&'a PluginInfo> for Plugin<'a> {
    fn from(info: &'a PluginInfo) -> Self {
        Self { class: &info.class, r#type: info.kind.name(), version: &info.version }
    }
}

/// Our own: what an upload brought.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Upload<'a> {
    digest: &'a str,
    plugins: Vec<Plugin<'a>>,
    imports: &'a [String],
    capabilities: Vec<Capability<'a>>,
    /// From the version before, or null.
    change: Option<Change<'a>>,
}

/// What the component asks for, and whether it gets it.
#[derive(Serialize, JsonSchema)]
struct Capability<'a> {
    name: &'static str,
    imports: &'a [String],
    granted: bool,
    /// The worker's setting that grants it, or null.
    setting: Option<&'static str>,
}

#[derive(Serialize, JsonSchema)]
struct Change<'a> {
    digest: &'a str,
    version: &'a str,
    capabilities_added: Vec<&'static str>,
    capabilities_removed: Vec<&'static str>,
    imports_added: &'a [String],
    imports_removed: &'a [String],
}

impl<'a> From<&'a Installed> for Upload<'a> {
    fn from(installed: &'a Installed) -> Self {
        Self {
            digest: &installed.component.0,
            plugins: installed.plugins.iter().map(|info| Plugin::from(&**info)).collect(),
            imports: &installed.imports,
            capabilities: installed.asks.iter().map(Capability::from).collect(),
            change: installed.change.as_ref().map(Change::from),
        }
    }
}

impl<'a> From<&'a capability::Asked> for Capability<'a> {
    fn from(asked: &'a capability::Asked) -> Self {
        Self {
            name: asked.capability.name(),
            imports: &asked.imports,
            granted: asked.is_granted,
            setting: asked.capability.setting(),
        }
    }
}

impl<'a> From<&'a capability::Change> for Change<'a> {
    fn from(change: &'a capability::Change) -> Self {
        let names = |all: &[capability::Capability]| all.iter().map(|one| one.name()).collect();
        Self {
            digest: &change.component.0,
            version: &change.version,
            capabilities_added: names(&change.added),
            capabilities_removed: names(&change.removed),
            imports_added: &change.imports_added,
            imports_removed: &change.imports_removed,
        }
    }
}

/// Our own: what is told of a secret.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Secret<'a> {
    name: &'a str,
    version: u64,
    /// In milliseconds since 1970.
    last_modified: i64,
    /// Whose configurations refer to it.
    connectors: Vec<&'a str>,
    /// Where it was set: those of them that are restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    restarted: Option<Vec<&'a str>>,
}

impl<'a> From<&'a SecretInfo> for Secret<'a> {
    fn from(secret: &'a SecretInfo) -> Self {
        Self {
            name: secret.name.as_str(),
            version: secret.version,
            last_modified: secret.set,
            connectors: names(&secret.connectors),
            restarted: None,
        }
    }
}

impl<'a> Secret<'a> {
    pub(crate) fn restarting(self, connectors: &'a [ConnectorName]) -> Self {
        Self { restarted: Some(names(connectors)), ..self }
    }
}

fn names(connectors: &[ConnectorName]) -> Vec<&str> {
    connectors.iter().map(ConnectorName::as_str).collect()
}

/// A definition. `order` beside `order_in_group` is ours: widespread clients read that name.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConfigKeyInfo")]
pub(crate) struct Definition<'a> {
    name: &'a str,
    r#type: &'static str,
    required: bool,
    default_value: Option<&'a str>,
    importance: &'static str,
    documentation: &'a str,
    group: Option<&'a str>,
    order_in_group: i32,
    order: i32,
    width: &'static str,
    display_name: &'a str,
    #[schemars(with = "Vec<String>")]
    dependents: &'a [std::borrow::Cow<'static, str>],
}

impl<'a> From<&'a ConfigKey> for Definition<'a> {
    fn from(key: &'a ConfigKey) -> Self {
        let hidden = key.r#type == Type::Password && key.default.is_some();
        let default =
            if hidden { Some(tombolo_model::settings::HIDDEN) } else { key.default.as_deref() };
        Self {
            name: &key.name,
            r#type: key.r#type.name(),
            required: key.required,
            default_value: default,
            importance: key.importance.name(),
            documentation: &key.doc,
            group: key.group.as_deref(),
            order_in_group: key.order,
            order: key.order,
            width: key.width.name(),
            display_name: &key.display_name,
            dependents: &key.dependents,
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct LoggerLevel {
    level: &'static str,
    last_modified: Option<i64>,
}

impl From<&tombolo_herder::LoggerLevel> for LoggerLevel {
    fn from(logger: &tombolo_herder::LoggerLevel) -> Self {
        Self { level: logger.level.name(), last_modified: logger.last_modified }
    }
}

#[derive(Serialize, JsonSchema)]
struct ConfigValue<'a> {
    name: &'a str,
    value: Option<&'a str>,
    recommended_values: &'a [String],
    errors: &'a [String],
    visible: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConfigInfo")]
pub(crate) struct ConfigState<'a> {
    definition: Option<Definition<'a>>,
    value: ConfigValue<'a>,
}

impl<'a> From<&'a ConfigInfo> for ConfigState<'a> {
    fn from(info: &'a ConfigInfo) -> Self {
        Self {
            definition: info.key.as_ref().map(Definition::from),
            value: ConfigValue {
                name: &info.name,
                value: info.value.as_deref(),
                recommended_values: &info.recommended,
                errors: &info.errors,
                visible: info.visible,
            },
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct ConfigInfos<'a> {
    name: &'a str,
    error_count: usize,
    groups: &'a [String],
    configs: Vec<ConfigState<'a>>,
}

impl<'a> From<&'a Validation> for ConfigInfos<'a> {
    fn from(validation: &'a Validation) -> Self {
        Self {
            name: &validation.name,
            error_count: validation.error_count(),
            groups: &validation.groups,
            configs: validation.configs.iter().map(ConfigState::from).collect(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct ConnectorOffset<'a> {
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    partition: &'a FlatMap,
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    offset: &'a FlatMap,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct ConnectorOffsets<'a> {
    offsets: Vec<ConnectorOffset<'a>>,
}

impl<'a> From<&'a [Offset]> for ConnectorOffsets<'a> {
    fn from(offsets: &'a [Offset]) -> Self {
        let one = |offset: &'a Offset| ConnectorOffset {
            partition: &offset.partition,
            offset: &offset.offset,
        };
        Self { offsets: offsets.iter().map(one).collect() }
    }
}

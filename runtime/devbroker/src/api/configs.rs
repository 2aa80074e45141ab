//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs: settings of topics; those of the broker can only be read.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    incremental_alter_configs_request, incremental_alter_configs_response,
};

use super::{Call, NODE, text};
use crate::topics::Topic;
use crate::topics::config::{Kind, SETTINGS, Setting, TopicConfig};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// Where a value comes from, in the protocol's numbers.
pub(super) const FROM_TOPIC: i8 = 1;
const FROM_BROKER: i8 = 4;
pub(super) const DEFAULT: i8 = 5;

pub(crate) fn describe(
    call: &Call<'_>,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let has_synonyms = request.include_synonyms;
    let one = |asked: DescribeConfigsResource| {
        let described = match asked.resource_type {
            TOPIC => call
                .state
                .topics
                .get(&asked.resource_name)
                .map(|topic| describe_topic(&topic, has_synonyms))
                .ok_or(ResponseError::UnknownTopicOrPartition),
            BROKER if *asked.resource_name == *NODE.0.to_string() => Ok(describe_broker(call)),
            _ => Err(ResponseError::InvalidRequest),
        };
        let answer = DescribeConfigsResult::default()
            .with_error_code(super::code(&described))
            .with_resource_type(asked.resource_type)
            .with_resource_name(asked.resource_name);
        let is_wanted = |setting: &DescribeConfigsResourceResult| {
            asked.configuration_keys.as_ref().is_none_or(|keys| keys.contains(&setting.name))
        };
        let configs = described.unwrap_or_default().into_iter().filter(is_wanted).collect();
        answer.with_configs(configs)
    };
    DescribeConfigsResponse::default()
        .with_results(request.resources.into_iter().map(one).collect())
}

fn describe_topic(topic: &Topic, has_synonyms: bool) -> Vec<DescribeConfigsResourceResult> {
    let synonym = |setting: &Setting, value: &str, source| {
        DescribeConfigsSynonym::default()
            .with_name(text(setting.name))
            .with_value(Some(text(value)))
            .with_source(source)
    };
    let one = |setting: &Setting| {
        let made = topic.config.made().get(setting.name);
        let source = if made.is_some() { FROM_TOPIC } else { DEFAULT };
        let mut synonyms = Vec::new();
        if has_synonyms {
            synonyms.extend(made.map(|value| synonym(setting, value, FROM_TOPIC)));
            synonyms.push(synonym(setting, setting.default, DEFAULT));
        }
        entry(setting.name, topic.config.get(setting.name), source, setting.kind)
            .with_synonyms(synonyms)
    };
    SETTINGS.iter().map(one).collect()
}

fn entry(name: &str, value: &str, source: i8, kind: Kind) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult::default()
        .with_name(text(name))
        .with_value(Some(text(value)))
        .with_config_source(source)
        .with_config_type(kind as i8)
}

fn describe_broker(call: &Call<'_>) -> Vec<DescribeConfigsResourceResult> {
    let config = &call.state.config;
    let partitions = config.partitions_default.to_string();
    let auto_create = config.auto_create_topics.to_string();
    let dir = config.dir.display().to_string();
    let delay = config.initial_rebalance_delay.as_millis().to_string();
    [
        ("auto.create.topics.enable", auto_create.as_str(), Kind::Boolean),
        ("default.replication.factor", "1", Kind::Int),
        ("group.initial.rebalance.delay.ms", &delay, Kind::Int),
        ("log.dirs", &dir, Kind::Text),
        ("num.partitions", &partitions, Kind::Int),
    ]
    .into_iter()
    .map(|(name, value, kind)| entry(name, value, FROM_BROKER, kind).with_read_only(true))
    .collect()
}

/// Replaces all settings of topics.
pub(crate) fn alter(call: &Call<'_>, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let mut answers = Vec::with_capacity(request.resources.len());
    for asked in request.resources {
        let settings = asked.configs.iter();
        let settings = settings
            .filter_map(|setting| {
                Some((setting.name.to_string(), setting.value.as_ref()?.to_string()))
            })
            .collect();
        let altered = change(call, asked.resource_type, &asked.resource_name, |_| Ok(settings))
            .and_then(|change| change.make(call, request.validate_only));
        let answer = AlterConfigsResourceResponse::default()
            .with_resource_type(asked.resource_type)
            .with_resource_name(asked.resource_name);
        answers.push(match altered {
            Ok(()) => answer,
            Err((error, message)) => {
                answer.with_error_code(error.code()).with_error_message(Some(text(message)))
            }
        });
    }
    AlterConfigsResponse::default().with_responses(answers)
}

/// Changes some settings of topics.
pub(crate) fn alter_incrementally(
    call: &Call<'_>,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let mut answers = Vec::with_capacity(request.resources.len());
    for asked in request.resources {
        let altered = change(call, asked.resource_type, &asked.resource_name, |topic| {
            let mut settings = topic.config.made().clone();
            for change in &asked.configs {
                operate(topic, &mut settings, change)?;
            }
            Ok(settings)
        })
        .and_then(|change| change.make(call, request.validate_only));
        let answer = incremental_alter_configs_response::AlterConfigsResourceResponse::default()
            .with_resource_type(asked.resource_type)
            .with_resource_name(asked.resource_name);
        answers.push(match altered {
            Ok(()) => answer,
            Err((error, message)) => {
                answer.with_error_code(error.code()).with_error_message(Some(text(message)))
            }
        });
    }
    IncrementalAlterConfigsResponse::default().with_responses(answers)
}

type Settings = BTreeMap<String, String>;
type Refused = (ResponseError, String);

/// New settings of a topic, found to be good.
struct Change {
    topic: String,
    config: TopicConfig,
}

impl Change {
    fn make(self, call: &Call<'_>, is_only_check: bool) -> Result<(), Refused> {
        if is_only_check {
            return Ok(());
        }
        let configured = call.state.topics.configure(&self.topic, self.config);
        configured.map_err(|error| (error, error.to_string()))
    }
}

fn change(
    call: &Call<'_>,
    resource_type: i8,
    name: &str,
    settings: impl FnOnce(&Topic) -> Result<Settings, Refused>,
) -> Result<Change, Refused> {
    if resource_type != TOPIC {
        let message = "Only settings of topics can be changed.".to_owned();
        return Err((ResponseError::InvalidRequest, message));
    }
    let Some(topic) = call.state.topics.get(name) else {
        let message = format!("The topic '{name}' does not exist.");
        return Err((ResponseError::UnknownTopicOrPartition, message));
    };
    let config = TopicConfig::new(settings(&topic)?)
        .map_err(|invalid| (ResponseError::InvalidConfig, invalid.to_string()))?;
    Ok(Change { topic: topic.name.clone(), config })
}

/// Operations, in the protocol's numbers.
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

fn operate(
    topic: &Topic,
    settings: &mut Settings,
    change: &incremental_alter_configs_request::AlterableConfig,
) -> Result<(), Refused> {
    let name = change.name.to_string();
    let value = change.value.as_ref().map(ToString::to_string).unwrap_or_default();
    let is_list = SETTINGS.iter().any(|s| s.name == name && s.kind == Kind::List);
    let current = settings.get(&name).map_or_else(|| topic.config.get(&name), String::as_str);
    let others = current.split(',').map(str::trim).filter(|one| !one.is_empty() && *one != value);
    let mut others: Vec<String> = others.map(str::to_owned).collect();
    match change.config_operation {
        SET => {
            settings.insert(name, value);
        }
        DELETE => {
            settings.remove(&name);
        }
        APPEND if is_list => {
            others.push(value);
            settings.insert(name, others.join(","));
        }
        SUBTRACT if is_list => {
            settings.insert(name, others.join(","));
        }
        operation => {
            let message = format!("Operation {operation} cannot be used on {name}.");
            return Err((ResponseError::InvalidConfig, message));
        }
    }
    Ok(())
}

//! The kit: plugins whose doings can be watched from outside, as a component. `java/` holds the same, as classes for Kafka Connect.
//!
//! Both have the same class names, settings and events; who changes one changes the other. Not here: what is expected of them, which is the suite's.

mod block;
mod converters;
mod defined;
mod events;
mod faulty;
mod settings;
mod sinks;
mod source;
mod source_connector;
mod tasks;

use converters::{ConverterWithOneSetting, ConverterWithoutSettings, ThrowingConverter};
use defined::DefinedSinkConnector;
use faulty::FaultyPassthrough;
use sinks::{EmptyTaskConfigsConnector, ErrantRecordSinkConnector, MonitorableSinkConnector};
use source::MonitorableSourceConnector;

/// The version that all of them say they have.
const VERSION: &str = "1.0";

tombolo_sdk::export! {
    source: [MonitorableSourceConnector],
    sink: [
        DefinedSinkConnector,
        EmptyTaskConfigsConnector,
        ErrantRecordSinkConnector,
        MonitorableSinkConnector,
    ],
    converter: [ConverterWithOneSetting, ConverterWithoutSettings, ThrowingConverter],
    header_converter: [ConverterWithOneSetting, ConverterWithoutSettings, ThrowingConverter],
    transformation: [FaultyPassthrough],
}

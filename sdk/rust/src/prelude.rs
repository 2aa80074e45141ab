//! What a source or a sink needs, in one `use`. Not here: what converters and transformations need beside it.

pub use crate::connector::{Connector, EveryTask, OneTask, Support};
pub use crate::fault::{Fault, Problem, Result};
pub use crate::host;
pub use crate::plugin::Plugin;
pub use crate::record::{Record, Records};
pub use crate::schema::{SchemaBuilder, SchemaNumber};
pub use crate::settings::{
    ConfigError, Configuration, Definition, Importance, Key, Password, Settings,
};
pub use crate::sink::{PartitionOffset, Sink, SinkContext, TopicPartition};
pub use crate::source::{Acknowledged, Poll, Source, SourceOffset};
pub use crate::source_batch::SourceBatch;

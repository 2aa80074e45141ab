//! A converter of keys or values in a component.
//!
//! Not here: which bytes and which values, which is the worker's pipeline.

use async_trait::async_trait;
use tombolo_model::batch::{Column, Headers, Values};
use tombolo_model::fault::{RowFault, Stage};
use tombolo_model::plugin::Columns;
use tombolo_model::role::{Converter, Result, Topics};

use crate::convert;
use crate::exports::exported;
use crate::instance::Terms;
use crate::role::answer;
use crate::shared::Created;
use crate::v0::tombolo::connect::types;

/// A converter.
pub(crate) struct ConverterRole {
    pub(crate) created: Created,
    pub(crate) reads: Columns,
    pub(crate) stage: Stage,
}

/// The topics, if they are read.
pub(crate) fn topic_column<'a>(
    topics: Topics<'a>,
    names: &'a [&'a str],
    reads: Columns,
) -> types::TopicColumn<'a> {
    if reads.topic {
        types::TopicColumn { topics: names, topic: topics.topic }
    } else {
        types::TopicColumn { topics: &[], topic: &[] }
    }
}

#[async_trait]
impl Converter for ConverterRole {
    async fn to_connect_data(
        &mut self,
        topics: Topics<'_>,
        bytes: &mut Column,
        headers: Option<&mut Headers>,
    ) -> Result<(Values, Vec<RowFault>)> {
        let rows = bytes.rows();
        let names = convert::names(topics.topics);
        let headers = headers.filter(|_| self.reads.headers);
        let headers = headers.as_deref().map(convert::headers);
        let converted = self.created.shared.call(
            Terms::with(self.stage, bytes.data.len()),
            async |store, exports| {
                let topics = topic_column(topics, &names, self.reads);
                let (id, bytes) = (self.created.id, convert::column(bytes));
                let converter = exported(&exports.converter)?;
                converter.call_to_connect_data(store, id, topics, bytes, headers).await
            },
            |data, schemas| answer::connect_data(data, rows, schemas),
        );
        let (values, faults) = converted.await?;
        self.created.shared.gave_out(values.bytes.data.len());
        Ok((values, faults))
    }

    async fn from_connect_data(
        &mut self,
        topics: Topics<'_>,
        values: &mut Values,
    ) -> Result<(Column, Option<Headers>, Vec<RowFault>)> {
        let rows = values.bytes.rows();
        let names = convert::names(topics.topics);
        let converted = self.created.shared.call(
            Terms::with(self.stage, values.bytes.data.len()),
            async |store, exports| {
                let topics = topic_column(topics, &names, self.reads);
                let (id, values) = (self.created.id, convert::values(values));
                let converter = exported(&exports.converter)?;
                converter.call_from_connect_data(store, id, topics, values).await
            },
            |data, schemas| {
                let headers = data.headers.map(convert::taken_headers);
                if let Some(headers) = &headers {
                    answer::headers("headers", headers, rows, schemas)?;
                }
                let (bytes, faults) = answer::bytes(data.bytes, data.faults, rows)?;
                Ok((bytes, headers, faults))
            },
        );
        let (bytes, headers, faults) = converted.await?;
        self.created.shared.gave_out(bytes.data.len());
        Ok((bytes, headers, faults))
    }
}

//! A converter of keys or values in a component.
//!
//! Not here: which bytes and which values, which is the worker's pipeline.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tombolo_model::batch::{Column, Headers, Values};
use tombolo_model::fault::{RowFault, Stage};
use tombolo_model::plugin::Columns;
use tombolo_model::role::{Converter, Result, Topics};

use crate::convert;
use crate::role::answer;
use crate::shared::{Created, not_exported};
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
        let mut call = self.created.shared.enter(self.stage).await?;
        let limit = call.begin(Duration::ZERO, bytes.data.len());
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let converter = exports.converter.as_ref().ok_or_else(not_exported)?;
            let topics = topic_column(topics, &names, self.reads);
            let bytes = convert::column(bytes);
            converter.call_to_connect_data(store, self.created.id, topics, bytes, headers).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |data, schemas| {
            let values = convert::taken_values(data.values);
            let faults = convert::row_faults(data.faults);
            answer::values("values", &values, rows, schemas)?;
            answer::row_faults(&faults, rows)?;
            answer::null_where_faulty("values", &values.bytes, &faults)?;
            Ok((values, faults))
        })
    }

    async fn from_connect_data(
        &mut self,
        topics: Topics<'_>,
        values: &mut Values,
    ) -> Result<(Column, Option<Headers>, Vec<RowFault>)> {
        let rows = values.bytes.rows();
        let names = convert::names(topics.topics);
        let mut call = self.created.shared.enter(self.stage).await?;
        let limit = call.begin(Duration::ZERO, values.bytes.data.len());
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let converter = exports.converter.as_ref().ok_or_else(not_exported)?;
            let topics = topic_column(topics, &names, self.reads);
            let values = convert::values(values);
            converter.call_from_connect_data(store, self.created.id, topics, values).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |data, schemas| {
            let bytes = convert::taken_column(data.bytes);
            let headers = data.headers.map(convert::taken_headers);
            let faults = convert::row_faults(data.faults);
            bytes.check("bytes", rows)?;
            if let Some(headers) = &headers {
                answer::headers("headers", headers, rows, schemas)?;
            }
            answer::row_faults(&faults, rows)?;
            answer::null_where_faulty("bytes", &bytes, &faults)?;
            Ok((bytes, headers, faults))
        })
    }
}

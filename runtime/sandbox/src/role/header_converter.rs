//! A converter of header values in a component.
//!
//! Not here: which headers, which is the worker's pipeline.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tombolo_model::batch::{Column, Values};
use tombolo_model::fault::{RowFault, Stage};
use tombolo_model::plugin::Columns;
use tombolo_model::role::{HeaderConverter, Result, Topics};

use crate::convert;
use crate::role::answer;
use crate::role::converter::topic_column;
use crate::shared::{Created, not_exported};

/// A header converter.
pub(crate) struct HeaderConverterRole {
    pub(crate) created: Created,
    pub(crate) reads: Columns,
}

#[async_trait]
impl HeaderConverter for HeaderConverterRole {
    async fn to_connect_data(
        &mut self,
        topics: Topics<'_>,
        names: &mut Column,
        bytes: &mut Column,
    ) -> Result<(Values, Vec<RowFault>)> {
        let rows = names.rows();
        let topic_names = convert::names(topics.topics);
        let mut call = self.created.shared.enter(Stage::HeaderConverter).await?;
        let limit = call.begin(Duration::ZERO, names.data.len() + bytes.data.len());
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let converter = exports.header_converter.as_ref().ok_or_else(not_exported)?;
            let topics = topic_column(topics, &topic_names, self.reads);
            let (names, bytes) = (convert::column(names), convert::column(bytes));
            converter.call_to_connect_data(store, self.created.id, topics, names, bytes).await
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
        names: &mut Column,
        values: &mut Values,
    ) -> Result<(Column, Vec<RowFault>)> {
        let rows = names.rows();
        let topic_names = convert::names(topics.topics);
        let mut call = self.created.shared.enter(Stage::HeaderConverter).await?;
        let limit = call.begin(Duration::ZERO, names.data.len() + values.bytes.data.len());
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let converter = exports.header_converter.as_ref().ok_or_else(not_exported)?;
            let topics = topic_column(topics, &topic_names, self.reads);
            let (names, values) = (convert::column(names), convert::values(values));
            converter.call_from_connect_data(store, self.created.id, topics, names, values).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |data, _| {
            let bytes = convert::taken_column(data.bytes);
            let faults = convert::row_faults(data.faults);
            bytes.check("bytes", rows)?;
            answer::row_faults(&faults, rows)?;
            answer::null_where_faulty("bytes", &bytes, &faults)?;
            Ok((bytes, faults))
        })
    }
}

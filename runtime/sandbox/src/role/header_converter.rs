//! A converter of header values in a component.
//!
//! Not here: which headers, which is the worker's pipeline.

use async_trait::async_trait;
use tombolo_model::batch::{Column, Values};
use tombolo_model::fault::{RowFault, Stage};
use tombolo_model::plugin::Columns;
use tombolo_model::role::{HeaderConverter, Result, Topics};

use crate::convert;
use crate::exports::exported;
use crate::instance::Terms;
use crate::role::answer;
use crate::role::converter::topic_column;
use crate::shared::Created;

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
        let converted = self.created.shared.call(
            Terms::with(Stage::HeaderConverter, names.data.len() + bytes.data.len()),
            async |store, exports| {
                let topics = topic_column(topics, &topic_names, self.reads);
                let (names, bytes) = (convert::column(names), convert::column(bytes));
                let converter = exported(&exports.header_converter)?;
                converter.call_to_connect_data(store, self.created.id, topics, names, bytes).await
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
        names: &mut Column,
        values: &mut Values,
    ) -> Result<(Column, Vec<RowFault>)> {
        let rows = names.rows();
        let topic_names = convert::names(topics.topics);
        let converted = self.created.shared.call(
            Terms::with(Stage::HeaderConverter, names.data.len() + values.bytes.data.len()),
            async |store, exports| {
                let topics = topic_column(topics, &topic_names, self.reads);
                let (names, values) = (convert::column(names), convert::values(values));
                let (id, converter) = (self.created.id, exported(&exports.header_converter)?);
                converter.call_from_connect_data(store, id, topics, names, values).await
            },
            |data, _| answer::bytes(data.bytes, data.faults, rows),
        );
        let (bytes, faults) = converted.await?;
        self.created.shared.gave_out(bytes.data.len());
        Ok((bytes, faults))
    }
}

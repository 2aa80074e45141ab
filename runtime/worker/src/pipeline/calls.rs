//! The calls of converters and of the chain of transformations, about all rows of a batch or about some of them.
//!
//! Not here: when only some are asked about (`parts`).

use tombolo_model::batch::gather;
use tombolo_model::fault::{Problem, RowFault};
use tombolo_model::role::{Applied, Converter, HeaderConverter, Topics, TransformationChain};
use tombolo_model::transformed::StepFault;
use tombolo_model::{Batch, Column, Fault, Headers, Values};

use super::header_columns::raw;
use super::parts::{Answer, Call};

/// What a converter answers, in either direction: bytes are values without schemas.
#[derive(Default)]
pub(super) struct Converted {
    pub(super) values: Values,
    /// Headers that it adds.
    pub(super) headers: Option<Headers>,
    pub(super) faults: Vec<RowFault>,
}

impl Answer for Converted {
    fn failed(problem: Problem) -> Self {
        let mut bytes = Column::default();
        bytes.push_null();
        let faults = vec![RowFault { row: 0, problem }];
        Self { values: raw(bytes), headers: None, faults }
    }

    fn append(&mut self, rows: u32, next: Self, more: u32) {
        let (before, added) = (rows as usize, more as usize);
        self.values.append(before, &next.values, added);
        if self.headers.is_some() || next.headers.is_some() {
            let headers = self.headers.get_or_insert_default();
            headers.append(before, &next.headers.unwrap_or_default(), added);
        }
        let faults = next.faults.into_iter();
        self.faults.extend(faults.map(|fault| RowFault { row: rows + fault.row, ..fault }));
    }
}

/// Bytes of keys or values to connect data.
pub(super) struct ToConnectData<'a> {
    pub(super) converter: &'a mut dyn Converter,
    pub(super) topics: Topics<'a>,
    pub(super) bytes: &'a mut Column,
    /// Where the converter reads them.
    pub(super) headers: Option<&'a mut Headers>,
}

impl Call for ToConnectData<'_> {
    type Answer = Converted;

    async fn all(&mut self) -> Result<Converted, Fault> {
        let headers = self.headers.as_deref_mut();
        let (values, faults) =
            self.converter.to_connect_data(self.topics, self.bytes, headers).await?;
        Ok(Converted { values, headers: None, faults })
    }

    async fn some(&mut self, rows: &[u32]) -> Result<Converted, Fault> {
        let topic = gather(self.topics.topic, rows);
        let mut headers = self.headers.as_ref().map(|headers| headers.gather(rows));
        let mut part = ToConnectData {
            converter: &mut *self.converter,
            topics: Topics { topic: &topic, ..self.topics },
            bytes: &mut self.bytes.gather(rows),
            headers: headers.as_mut(),
        };
        part.all().await
    }
}

/// Keys or values to bytes.
pub(super) struct FromConnectData<'a> {
    pub(super) converter: &'a mut dyn Converter,
    pub(super) topics: Topics<'a>,
    pub(super) values: &'a mut Values,
}

impl Call for FromConnectData<'_> {
    type Answer = Converted;

    async fn all(&mut self) -> Result<Converted, Fault> {
        let (bytes, headers, faults) =
            self.converter.from_connect_data(self.topics, self.values).await?;
        Ok(Converted { values: raw(bytes), headers, faults })
    }

    async fn some(&mut self, rows: &[u32]) -> Result<Converted, Fault> {
        let topic = gather(self.topics.topic, rows);
        let mut part = FromConnectData {
            converter: &mut *self.converter,
            topics: Topics { topic: &topic, ..self.topics },
            values: &mut self.values.gather(rows),
        };
        part.all().await
    }
}

/// Which way header values go.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    ToConnectData,
    FromConnectData,
}

/// Header values, in one direction. Its rows are headers.
pub(super) struct ConvertHeaders<'a> {
    pub(super) converter: &'a mut dyn HeaderConverter,
    pub(super) direction: Direction,
    pub(super) topics: Topics<'a>,
    pub(super) names: &'a mut Column,
    pub(super) values: &'a mut Values,
}

impl Call for ConvertHeaders<'_> {
    type Answer = Converted;

    async fn all(&mut self) -> Result<Converted, Fault> {
        let (values, faults) = match self.direction {
            Direction::ToConnectData => {
                let bytes = &mut self.values.bytes;
                self.converter.to_connect_data(self.topics, self.names, bytes).await?
            }
            Direction::FromConnectData => {
                let converted =
                    self.converter.from_connect_data(self.topics, self.names, self.values).await;
                converted.map(|(bytes, faults)| (raw(bytes), faults))?
            }
        };
        Ok(Converted { values, headers: None, faults })
    }

    async fn some(&mut self, rows: &[u32]) -> Result<Converted, Fault> {
        let topic = gather(self.topics.topic, rows);
        let mut part = ConvertHeaders {
            converter: &mut *self.converter,
            direction: self.direction,
            topics: Topics { topic: &topic, ..self.topics },
            names: &mut self.names.gather(rows),
            values: &mut self.values.gather(rows),
        };
        part.all().await
    }
}

/// What a chain of transformations answers.
#[derive(Default)]
pub(super) struct Transformed {
    pub(super) batch: Batch,
    pub(super) applied: Applied,
}

impl Answer for Transformed {
    fn failed(problem: Problem) -> Self {
        let faults = vec![StepFault { step: 0, row: 0, problem }];
        Self { batch: Batch::default(), applied: Applied { origin: Some(Vec::new()), faults } }
    }

    fn append(&mut self, rows: u32, next: Self, more: u32) {
        let origin = self.applied.origin.get_or_insert_default();
        match next.applied.origin {
            Some(next) => origin.extend(next.into_iter().map(|row| rows + row)),
            None => origin.extend(rows..rows + more),
        }
        self.batch.append(&next.batch);
        let faults = next.applied.faults.into_iter();
        let shifted = faults.map(|fault| StepFault { row: rows + fault.row, ..fault });
        self.applied.faults.extend(shifted);
    }
}

/// A batch through a chain of transformations. An answer about all rows takes the batch.
pub(super) struct Transform<'a> {
    pub(super) chain: &'a mut dyn TransformationChain,
    pub(super) batch: &'a mut Batch,
}

impl Call for Transform<'_> {
    type Answer = Transformed;

    async fn all(&mut self) -> Result<Transformed, Fault> {
        let applied = self.chain.apply(self.batch).await?;
        Ok(Transformed { batch: std::mem::take(self.batch), applied })
    }

    async fn some(&mut self, rows: &[u32]) -> Result<Transformed, Fault> {
        let mut batch = self.batch.gather(rows);
        let applied = self.chain.apply(&mut batch).await?;
        Ok(Transformed { batch, applied })
    }
}

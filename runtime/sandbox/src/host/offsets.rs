//! `tombolo:connect/offsets`: where a source resumes.
//!
//! Not here: the store of offsets, which is behind `OffsetReader`.

use std::collections::HashMap;

use tombolo_model::Stage;
use tombolo_model::capability::Capability;
use tombolo_model::offset::{SourceOffset, SourcePartition};

use crate::cbor;
use crate::host::{Host, HostFailed};
use crate::v0::tombolo::connect::offsets as contract;

impl contract::Host for Host {
    async fn read(&mut self, partitions: Vec<Vec<u8>>) -> wasmtime::Result<Vec<Option<Vec<u8>>>> {
        self.count_call()?;
        self.cpu.meters.capabilities().uses(Capability::Offsets);
        let asked = cbor::canonical_maps(&partitions).map_err(|(index, wrong)| {
            wasmtime::Error::msg(format!(
                "offsets.read was given partitions of which number {index} is {wrong}"
            ))
        })?;
        // Each is looked for once, however often it is asked for.
        let mut places = HashMap::new();
        let mut wanted = Vec::new();
        let mut place_of = |partition: Vec<u8>| {
            *places.entry(partition).or_insert_with_key(|partition| {
                wanted.push(SourcePartition(partition.clone()));
                wanted.len() - 1
            })
        };
        let asked: Vec<usize> = asked.into_iter().map(&mut place_of).collect();
        match self.offsets.read(&wanted).await {
            Ok(found) => self.answer(&asked, &found),
            Err(fault) => {
                self.call.host_fault = Some(fault.at(Stage::Lifecycle));
                Err(wasmtime::Error::new(HostFailed))
            }
        }
    }
}

impl Host {
    /// An offset for each place that was asked for.
    ///
    /// Errors: they are larger together than the memory that they would have to go into.
    fn answer(
        &self,
        asked: &[usize],
        found: &[Option<SourceOffset>],
    ) -> wasmtime::Result<Vec<Option<Vec<u8>>>> {
        let of = |place: &usize| found.get(*place).and_then(Option::as_ref);
        let bytes: u64 = asked.iter().filter_map(of).map(|offset| offset.0.len() as u64).sum();
        let max = self.budget.max();
        if bytes > max {
            return Err(wasmtime::Error::msg(format!(
                "offsets.read was asked for {bytes} bytes of offsets, which do not fit its memory of {max} bytes"
            )));
        }
        Ok(asked.iter().map(|place| of(place).map(|offset| offset.0.clone())).collect())
    }
}

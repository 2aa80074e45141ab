//! `tombolo:connect/offsets`: where a source resumes.
//!
//! Not here: the store of offsets, which is behind `OffsetReader`.

use tombolo_model::Stage;
use tombolo_model::capability::Capability;
use tombolo_model::offset::SourcePartition;

use crate::cbor;
use crate::host::{Host, HostFailed};
use crate::v0::tombolo::connect::offsets as contract;

impl contract::Host for Host {
    async fn read(&mut self, partitions: Vec<Vec<u8>>) -> wasmtime::Result<Vec<Option<Vec<u8>>>> {
        self.count_call()?;
        self.cpu.meters.capabilities().uses(Capability::Offsets);
        let mut asked = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let partition = cbor::canonical_map(&partition).map_err(|wrong| {
                wasmtime::Error::msg(format!("offsets.read was given a partition that is {wrong}"))
            })?;
            asked.push(SourcePartition(partition));
        }
        match self.offsets.read(&asked).await {
            Ok(offsets) => {
                Ok(offsets.into_iter().map(|found| found.map(|found| found.0)).collect())
            }
            Err(fault) => {
                self.call.host_fault = Some(fault.at(Stage::Lifecycle));
                Err(wasmtime::Error::new(HostFailed))
            }
        }
    }
}

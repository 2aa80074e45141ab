//! What a guest can ask of its host: the interfaces of the contract, and WASI.
//!
//! A capability is there because it was put into a store's [`Host`], never because it was looked up later. Not here: calls into the guest.

use std::sync::Arc;

use tombolo_model::Fault;
use tombolo_model::role::OffsetReader;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::cpu::{CpuMeter, Turns};
use crate::egress::Gate;
use crate::limits::{Budget, Held};
use crate::v0::tombolo::connect as contract;

pub(crate) mod files;
pub(crate) mod http;
mod limited;
mod listing;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod network;
pub(crate) mod offsets;
mod opened;
pub(crate) mod output;
pub(crate) mod quota;
pub(crate) mod schemas;
pub(crate) mod sockets;
pub(crate) mod wasi;

use files::Roots;
use log::Log;
use metrics::Metrics;
use output::LastLines;
use schemas::SharedSchemas;
use sockets::Sockets;

/// Most calls of the contract's host interfaces within one call of a guest. A schema per record of a large batch passes; a loop does not.
pub(crate) const HOST_CALLS_MAX: u32 = 100_000;

/// Most handles of WASI resources: files, streams, pollables.
pub(crate) const HANDLES_MAX: usize = 1_024;

/// What a handle takes of the host, about: its place in the table, and a file or a stream behind it.
const HANDLE_BYTES: usize = 512;

/// Most bytes that the host keeps for one store beside schemas: they count in its memory from its start, whether they are used or not.
pub(crate) const KEPT_BYTES_MAX: usize =
    HANDLES_MAX * HANDLE_BYTES + output::KEPT_BYTES_MAX + metrics::KEPT_BYTES_MAX;

/// What one store has of the host.
pub(crate) struct Host {
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) roots: Roots,
    pub(crate) budget: Budget,
    pub(crate) call: CallState,
    pub(crate) log: Log,
    pub(crate) last_lines: LastLines,
    pub(crate) schemas: SharedSchemas,
    pub(crate) offsets: Arc<dyn OffsetReader>,
    pub(crate) metrics: Metrics,
    pub(crate) cpu: CpuMeter,
    pub(crate) turns: Turns,
    pub(crate) gate: Gate,
    pub(crate) kept: http::Kept,
    pub(crate) sockets: Sockets,
}

/// What is true of the call under way.
pub(crate) struct CallState {
    /// How many more calls of host interfaces it may make.
    pub(crate) host_calls_left: u32,
    /// What the host itself could not do for it; the guest is not to blame.
    pub(crate) host_fault: Option<Fault>,
}

/// The guest asked too much of the host in one call.
#[derive(Debug, thiserror::Error)]
#[error("more than {HOST_CALLS_MAX} calls of the host in one call of the plugin")]
pub(crate) struct TooManyHostCalls;

/// The store has no memory left for what the host was to keep for it; its budget says how much there would have been.
#[derive(Debug, thiserror::Error)]
#[error("no memory is left")]
pub(crate) struct NoMemory;

/// The host could not do what the guest asked for; [`CallState::host_fault`] says why.
#[derive(Debug, thiserror::Error)]
#[error("the host could not answer")]
pub(crate) struct HostFailed;

impl Host {
    /// Counts a call of a host interface.
    ///
    /// Errors: a trap, beyond [`HOST_CALLS_MAX`].
    pub(crate) fn count_call(&mut self) -> wasmtime::Result<()> {
        match self.call.host_calls_left.checked_sub(1) {
            Some(left) => self.call.host_calls_left = left,
            None => return Err(wasmtime::Error::new(TooManyHostCalls)),
        }
        Ok(())
    }

    /// Sets memory aside; where there is none left, connections that are only kept end first.
    ///
    /// Errors: a trap, where there is none even so.
    pub(crate) fn hold(&mut self, bytes: u64) -> Result<Held, NoMemory> {
        let refused = self.budget.refused();
        if let Some(held) = self.budget.hold(bytes) {
            return Ok(held);
        }
        self.kept.clear();
        let held = self.budget.hold(bytes).ok_or(NoMemory)?;
        self.budget.forget_refusals_since(refused);
        Ok(held)
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl contract::types::Host for Host {}

/// Everything a component may import.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    files::add_to_linker(&mut linker)?;
    http::add_to_linker(&mut linker)?;
    sockets::add_to_linker(&mut linker)?;
    contract::types::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host)?;
    contract::log::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host)?;
    contract::schemas::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host)?;
    contract::offsets::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host)?;
    contract::metrics::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host)?;
    contract::network::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host)?;
    Ok(linker)
}

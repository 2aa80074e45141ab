//! What ended a call, told as a fault: which limit, its value, and the setting that raises it.
//!
//! Only the host says that a plugin broke its contract; nothing a guest returns ends up here. Not here: the limits.

use tombolo_model::fault::{Breach, Fault, FaultKind, Stage};
use tombolo_model::policy::Limits;
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::I32Exit;

use crate::cpu::DeadlinePassed;
use crate::host::{HANDLES_MAX, Host, HostFailed, TooManyHostCalls};
use crate::limits::{Budget, Refused};

/// Words of wasmtime's error for data beyond the fuel of host calls; its type is private. A test holds them.
const FUEL_EXHAUSTED: &str = "fuel allocated for hostcalls has been exhausted";

/// Words of wasmtime's error for more handles than a store may have; it has no type. A test holds them.
const HANDLES_EXHAUSTED: &str = "store handle limit exceeded";

/// The fault of a call that ended with an error.
pub(crate) fn explain(
    error: wasmtime::Error,
    host: &mut Host,
    limits: &Limits,
    stage: Stage,
) -> Fault {
    if let Some(fault) = host.call.host_fault.take() {
        return fault;
    }
    if error.is::<PoolConcurrencyLimitError>() {
        let message = "the worker has no room for another sandbox";
        let kind = FaultKind::Retriable { after: None };
        return Fault::new(kind, stage, message).with_source(error.into_boxed_dyn_error());
    }
    let mut fault = match host.budget.refused() {
        Some(_) => memory(&host.budget, stage),
        None => {
            let (breach, message) = told(&error, limits);
            Fault::breach(breach, stage, message)
        }
    };
    fault.trace = host.last_lines.text(&host.log.confided);
    fault.with_source(error.into_boxed_dyn_error())
}

/// The fault of a call that took too long.
pub(crate) fn deadline(passed: &DeadlinePassed, limits: &Limits, stage: Stage) -> Fault {
    let millis = limits.call_timeout.as_millis();
    let mut message =
        format!("the plugin did not return within {millis} ms (sandbox.call.timeout.ms)");
    let parked = passed.parked.as_millis();
    if parked > 0 {
        message += &format!(
            ", held back for {parked} ms beside because its processor time was used up (sandbox.cpu.max)"
        );
    }
    Fault::breach(Breach::Deadline, stage, message)
}

/// The fault of a store whose budget refused more.
pub(crate) fn memory(budget: &Budget, stage: Stage) -> Fault {
    let message = match budget.refused() {
        Some(Refused::Total { wanted, max }) => format!(
            "the plugin asked for memory with which its connector would have {wanted} bytes, above the limit of {max} (sandbox.memory.total.max)"
        ),
        Some(Refused::Own { wanted, max }) => format!(
            "the plugin asked for {wanted} bytes of memory, above its limit of {max} (sandbox.memory.max)"
        ),
        None => "the plugin asked for more memory than it may have (sandbox.memory.max)".to_owned(),
    };
    Fault::breach(Breach::Memory, stage, message)
}

fn told(error: &wasmtime::Error, limits: &Limits) -> (Breach, String) {
    if let Some(error) = error.downcast_ref::<TooManyHostCalls>() {
        return (Breach::HostCalls, format!("the plugin made {error}"));
    }
    if error.is::<HostFailed>() {
        return (Breach::HostCalls, "the host could not answer the plugin".to_owned());
    }
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return (Breach::Exit, format!("the plugin ended its program with code {code}"));
    }
    let text = format!("{error:#}");
    let is_table_full = matches!(error.downcast_ref(), Some(ResourceTableError::Full));
    if is_table_full || text.contains(HANDLES_EXHAUSTED) {
        return (Breach::HostCalls, format!("the plugin holds more than {HANDLES_MAX} handles"));
    }
    if text.contains(FUEL_EXHAUSTED) {
        let max = limits.batch_bytes_max;
        let message = format!(
            "the plugin passed more than twice the {max} bytes that a batch may have (sandbox.batch.bytes.max)"
        );
        return (Breach::Lie, message);
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => (Breach::Trap, format!("the plugin trapped: {trap}")),
        None => (Breach::Lie, format!("the plugin's answer cannot be read: {text}")),
    }
}

//! One running instance of a component: a store of its own, its exports, and what is true of every call.
//!
//! Not here: who shares it (`shared`), and what calls mean (the roles).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tombolo_model::batch::Malformed;
use tombolo_model::fault::{Breach, Fault, FaultKind, Stage};
use tombolo_model::policy::Limits;
use tombolo_model::role::OffsetReader;
use wasmtime::component::{InstancePre, ResourceTable};
use wasmtime::{Store, UpdateDeadline};

use crate::breach;
use crate::cpu::{CpuMeter, DropBegins, DropEnds, Turns, billed_drop, let_pass, metered};
use crate::egress::Gate;
use crate::engine::Guards;
use crate::exports::{Exports, Indices};
use crate::host::files::Roots;
use crate::host::http::Kept;
use crate::host::log::{Confided, Labels, Log, Rate};
use crate::host::metrics::Metrics;
use crate::host::output::{LastLines, Output};
use crate::host::schemas::SharedSchemas;
use crate::host::sockets::Sockets;
use crate::host::wasi::Granted;
use crate::host::{CallState, HANDLES_MAX, HOST_CALLS_MAX, Host, KEPT_BYTES_MAX};
use crate::limits::{Budget, MemoryTotal};
use crate::pool::Pool;
use crate::ticker::Ticker;
use crate::v0::tombolo::connect::log::Level;

/// What a guest passes beside the batch itself: messages of faults, requests, settings.
const BESIDE_THE_BATCH_BYTES: u64 = 1 << 20;

/// A component, ready to be instantiated.
pub(crate) struct Runnable {
    pub(crate) pre: InstancePre<Host>,
    pub(crate) indices: Indices,
    pub(crate) ticker: Ticker,
    pub(crate) pool: Arc<Pool>,
}

/// What a store gets beside the component.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) granted: Arc<Granted>,
    pub(crate) labels: Labels,
    pub(crate) confided: Confided,
    pub(crate) log_rate: Rate,
    pub(crate) schemas: SharedSchemas,
    pub(crate) offsets: Arc<dyn OffsetReader>,
    pub(crate) metrics: Metrics,
    pub(crate) cpu: CpuMeter,
    pub(crate) memory: Arc<MemoryTotal>,
    pub(crate) gate: Gate,
}

/// A running instance. Dropped after anything but a proper answer.
pub(crate) struct Instance {
    _ends: DropBegins,
    store: Store<Host>,
    _ended: DropEnds,
    exports: Exports,
    ticker: Ticker,
}

/// What one call is allowed beside what every call is, and where it stands in a record's path.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) stage: Stage,
    /// How long it may wait by itself, on top of the time that every call has.
    pub(crate) wait: Duration,
    /// Bytes of a batch that go in.
    pub(crate) bytes_in: usize,
    /// Bytes of a batch that may come out: about so many.
    pub(crate) bytes_out: usize,
}

impl Terms {
    /// A call that neither waits nor takes a batch.
    pub(crate) fn at(stage: Stage) -> Self {
        Self::with(stage, 0)
    }

    /// A call that takes a batch.
    pub(crate) fn with(stage: Stage, bytes_in: usize) -> Self {
        Self { stage, wait: Duration::ZERO, bytes_in, bytes_out: bytes_in }
    }
}

impl Instance {
    /// Instantiates a component.
    ///
    /// Cost: 20 µs, and the guest's own initialization.
    pub(crate) async fn start(runnable: &Runnable, setup: &Setup) -> Result<Self, Fault> {
        // Where it does not start either, the store is dropped between these two: what was declared last goes first.
        let (begins, ended) = billed_drop(&setup.cpu);
        let mut store = Self::store(runnable, setup)?;
        let ends = begins;
        let (limits, ticker) = (&setup.limits, runnable.ticker.clone());
        let instantiate = async |store: &mut Store<Host>| {
            let instance = runnable.pre.instantiate_async(&mut *store).await?;
            runnable.indices.load(store, &instance)
        };
        let exports =
            limited(&mut store, &ticker, limits, Terms::at(Stage::Lifecycle), instantiate);
        let exports = exports.await?;
        Ok(Self { _ends: ends, store, _ended: ended, exports, ticker })
    }

    /// Calls a function of the component.
    ///
    /// Errors: what ended it but an answer. Then the instance is of no more use, as it is when this is dropped before it is over.
    pub(crate) async fn call<T>(
        &mut self,
        limits: &Limits,
        terms: Terms,
        function: impl AsyncFnOnce(&mut Store<Host>, &Exports) -> wasmtime::Result<T>,
    ) -> Result<T, Fault> {
        let Self { store, exports, ticker, .. } = self;
        store.data().cpu.meters.called(terms.bytes_in as u64);
        let function = async |store: &mut Store<Host>| function(store, exports).await;
        limited(store, ticker, limits, terms, function).await
    }

    fn store(runnable: &Runnable, setup: &Setup) -> Result<Store<Host>, Fault> {
        runnable.pool.admit().map_err(|full| {
            Fault::new(FaultKind::Retriable { after: None }, Stage::Lifecycle, full.to_string())
        })?;
        let meters = Arc::clone(&setup.cpu.meters);
        let log = Log {
            labels: setup.labels.clone(),
            confided: setup.confided.clone(),
            meters: Arc::clone(&meters),
            rate: setup.log_rate.clone(),
        };
        let last_lines = LastLines::default();
        let out = Output::new(log.clone(), Level::Info, None);
        let err = Output::new(log.clone(), Level::Warn, Some(last_lines.clone()));
        let wasi = setup.granted.context(out, err, &setup.gate).map_err(|error| {
            let message = format!("a directory of sandbox.fs.roots cannot be opened: {error:#}");
            Fault::fatal(Stage::Lifecycle, message)
        })?;
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        let (max, total) = (setup.limits.memory_max, Arc::clone(&setup.memory));
        let mut budget = Budget::new(max, Arc::clone(&meters), total);
        // Schemas outlive the instance that defined them.
        if !budget.charge(KEPT_BYTES_MAX as u64 + setup.schemas.defined_bytes()) {
            return Err(breach::memory(&budget, Stage::Lifecycle));
        }
        let host = Host {
            wasi,
            table,
            roots: Roots::new(setup.granted.quotas()),
            budget,
            call: CallState { host_calls_left: 0, host_fault: None },
            log,
            last_lines,
            schemas: setup.schemas.clone(),
            offsets: Arc::clone(&setup.offsets),
            metrics: setup.metrics.clone(),
            cpu: setup.cpu.clone(),
            turns: Turns::new(setup.limits.cpu.weight),
            gate: setup.gate.clone(),
            kept: Kept::default(),
            sockets: Sockets::default(),
        };
        let mut store = Store::new(runnable.pre.engine(), host);
        meters.instance_started();
        store.set_max_component_handles(HANDLES_MAX);
        if setup.cpu.guards == Guards::Off {
            return Ok(store);
        }
        store.limiter(|host| &mut host.budget);
        store.epoch_deadline_callback(|mut context| {
            let host = context.data_mut();
            host.cpu.yielded.store(true, Ordering::Relaxed);
            let (passed, ticks) = host.turns.next(host.cpu.competing.count());
            Ok(match passed {
                0 => UpdateDeadline::Yield(ticks),
                _ => {
                    let yielded = Arc::clone(&host.cpu.yielded);
                    UpdateDeadline::YieldCustom(ticks, Box::pin(let_pass(passed, yielded)))
                }
            })
        });
        Ok(store)
    }

    /// Bytes it uses, of its limit.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let budget = &self.store.data().budget;
        (budget.used(), budget.max())
    }
}

/// Runs a guest within its limits, and explains what ended it but an answer.
async fn limited<T>(
    store: &mut Store<Host>,
    ticker: &Ticker,
    limits: &Limits,
    terms: Terms,
    guest: impl AsyncFnOnce(&mut Store<Host>) -> wasmtime::Result<T>,
) -> Result<T, Fault> {
    let _under_way = ticker.call();
    let limit = limits.call_timeout.saturating_add(terms.wait);
    let fuel = answer_bytes_max(limits, terms.bytes_out);
    store.set_hostcall_fuel(usize::try_from(fuel).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    let host = store.data_mut();
    host.budget.begin_call();
    host.call = CallState { host_calls_left: HOST_CALLS_MAX, host_fault: None };
    let meter = host.cpu.clone();
    let ended = metered(&meter, limit, guest(&mut *store)).await;
    let host = store.data_mut();
    host.settle_sockets();
    meter.meters.called_host(u64::from(HOST_CALLS_MAX - host.call.host_calls_left));
    match ended {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(breach::explain(error, host, limits, terms.stage)),
        Err(passed) => Err(breach::deadline(&passed, limits, terms.stage)),
    }
}

/// Most bytes that an answer may have, where about so many are to be expected.
pub(crate) fn answer_bytes_max(limits: &Limits, expected: usize) -> u64 {
    // Twice: a converter's answer may be longer than its question.
    limits
        .batch_bytes_max
        .max(expected as u64)
        .saturating_mul(2)
        .saturating_add(BESIDE_THE_BATCH_BYTES)
}

/// The plugin returned what cannot be true.
pub(crate) fn lie(malformed: &Malformed, stage: Stage) -> Fault {
    Fault::breach(Breach::Lie, stage, format!("the plugin returned {malformed}"))
}

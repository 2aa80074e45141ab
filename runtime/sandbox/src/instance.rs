//! One running instance of a component: a store of its own, its exports, and the rules of a call.
//!
//! Not here: who shares it (`shared`), and what calls mean (the roles).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tombolo_model::batch::Malformed;
use tombolo_model::fault::{Breach, Fault, Stage};
use tombolo_model::policy::Limits;
use tombolo_model::role::OffsetReader;
use wasmtime::component::{InstancePre, ResourceTable};
use wasmtime::{Store, UpdateDeadline};

use crate::breach;
use crate::exports::{Exports, Indices};
use crate::host::log::{Labels, Log};
use crate::host::metrics::Metrics;
use crate::host::output::{LastLines, Output};
use crate::host::schemas::SharedSchemas;
use crate::host::wasi::Granted;
use crate::host::{CallState, DeadlinePassed, HANDLES_MAX, HOST_CALLS_MAX, Host};
use crate::limits::Budget;
use crate::ticker::Ticker;
use crate::v0::tombolo::connect::log::Level;

/// What a guest passes beside the batch itself: messages of faults, requests, settings.
const BESIDE_THE_BATCH_BYTES: u64 = 1 << 20;

/// A component, ready to be instantiated.
pub(crate) struct Runnable {
    pub(crate) pre: InstancePre<Host>,
    pub(crate) indices: Indices,
    pub(crate) ticker: Ticker,
}

/// What a store gets beside the component.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) granted: Arc<Granted>,
    pub(crate) labels: Labels,
    pub(crate) schemas: SharedSchemas,
    pub(crate) offsets: Arc<dyn OffsetReader>,
    pub(crate) metrics: Metrics,
}

/// A running instance. Dropped after anything but a proper answer.
pub(crate) struct Instance {
    pub(crate) store: Store<Host>,
    pub(crate) exports: Exports,
}

/// How a call ended: an answer or a trap, unless its deadline passed while it waited for the host.
pub(crate) type Outcome<T> = Result<wasmtime::Result<T>, tokio::time::error::Elapsed>;

impl Instance {
    /// Instantiates a component.
    ///
    /// Cost: 20 µs, and the guest's own initialization.
    pub(crate) async fn start(runnable: &Runnable, setup: &Setup) -> Result<Self, Fault> {
        let _under_way = runnable.ticker.call();
        let mut store = Self::store(runnable, setup)?;
        begin(&mut store, setup.limits.call_timeout, &setup.limits, 0);
        let instance = runnable.pre.instantiate_async(&mut store);
        let outcome = tokio::time::timeout(setup.limits.call_timeout, instance).await;
        let loaded = match outcome {
            Ok(Ok(instance)) => Ok(runnable.indices.load(&mut store, &instance)),
            Ok(Err(error)) => Ok(Err(error)),
            Err(elapsed) => Err(elapsed),
        };
        match loaded {
            Ok(Ok(exports)) => Ok(Self { store, exports }),
            failed => Err(breach::explain(
                failed.map(|result| result.map(drop)),
                store.data_mut(),
                &setup.limits,
                Stage::Lifecycle,
            )),
        }
    }

    fn store(runnable: &Runnable, setup: &Setup) -> Result<Store<Host>, Fault> {
        let log = Log::new(setup.labels.clone(), setup.limits.log_bytes_per_second);
        let last_lines = LastLines::default();
        let out = Output::new(log.clone(), Level::Info, LastLines::default());
        let err = Output::new(log.clone(), Level::Warn, last_lines.clone());
        let wasi = setup.granted.context(out, err).map_err(|error| {
            let message = format!("a directory of sandbox.fs.roots cannot be opened: {error:#}");
            Fault::fatal(Stage::Lifecycle, message)
        })?;
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        let host = Host {
            wasi,
            table,
            budget: Budget::new(setup.limits.memory_max),
            call: CallState { deadline: Instant::now(), host_calls_left: 0, host_fault: None },
            log,
            last_lines,
            schemas: setup.schemas.clone(),
            offsets: Arc::clone(&setup.offsets),
            metrics: setup.metrics.clone(),
        };
        let mut store = Store::new(runnable.pre.engine(), host);
        store.limiter(|host| &mut host.budget);
        store.set_max_component_handles(HANDLES_MAX);
        store.epoch_deadline_callback(|context| {
            if Instant::now() >= context.data().call.deadline {
                return Err(wasmtime::Error::new(DeadlinePassed));
            }
            Ok(UpdateDeadline::Yield(1))
        });
        Ok(store)
    }

    /// Bytes it uses, of its limit.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let budget = &self.store.data().budget;
        (budget.used(), budget.max())
    }
}

/// Sets a store up for one call, with this many bytes of a batch going in.
pub(crate) fn begin(store: &mut Store<Host>, deadline: Duration, limits: &Limits, bytes_in: u64) {
    // Twice: a converter's answer may be longer than its question.
    let fuel = limits.batch_bytes_max.max(bytes_in) * 2 + BESIDE_THE_BATCH_BYTES;
    store.set_hostcall_fuel(usize::try_from(fuel).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    let now = Instant::now();
    store.data_mut().call = CallState {
        deadline: now.checked_add(deadline).unwrap_or(now),
        host_calls_left: HOST_CALLS_MAX,
        host_fault: None,
    };
}

/// The plugin returned what cannot be true.
pub(crate) fn lie(malformed: &Malformed, stage: Stage) -> Fault {
    Fault::breach(Breach::Lie, stage, format!("the plugin returned {malformed}"))
}

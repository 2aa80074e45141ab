//! One instance per task and component: its converters, transformations, predicates and the task itself take turns.
//!
//! It is made when first needed, dropped when a call ends without an answer, and made anew, with the same `create` calls, when its memory
//! passes a mark. Not here: what the calls are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, MutexGuard};
use tombolo_model::batch::Malformed;
use tombolo_model::fault::{Breach, Fault, Stage};
use tombolo_model::policy::RECYCLE_PERCENT;
use tombolo_model::settings::Settings;
use wasmtime::Store;

use crate::exports::Exports;
use crate::host::Host;
use crate::host::log::Labels;
use crate::host::schemas::SharedSchemas;
use crate::instance::{Instance, Outcome, Runnable, Setup, begin, lie};
use crate::ticker::UnderWay;
use crate::v0::tombolo::connect::types;
use crate::{breach, convert};

/// An instance that passes the mark again within this time does not leak: it needs more than it may have.
const RECYCLE_AGAIN: Duration = Duration::from_secs(10);

/// An interface whose functions work on a number that the host chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Numbered {
    Converter { is_key: bool },
    HeaderConverter,
    Transformation,
    Predicate,
}

/// What was created under a number, to be created again after recycling.
#[derive(Clone, Debug)]
struct Creation {
    interface: Numbered,
    class: String,
    settings: Settings,
}

/// The instance of one component in one task.
pub(crate) struct Shared {
    runnable: Arc<Runnable>,
    setup: Setup,
    slot: Mutex<Slot>,
    over_mark: AtomicBool,
    /// Numbers whose owners are gone, to be closed before the next call.
    closing: std::sync::Mutex<Vec<u32>>,
}

#[derive(Default)]
struct Slot {
    instance: State,
    created: BTreeMap<u32, Creation>,
    next_id: u32,
    /// Whether a connector or a task was started in it: the worker plans when that ends.
    has_task: bool,
    recycled: Option<Instant>,
}

#[derive(Default)]
enum State {
    #[default]
    NotMade,
    Running(Box<Instance>),
    /// A call is under way, or ended without an answer.
    Gone,
}

impl Shared {
    pub(crate) fn new(runnable: Arc<Runnable>, setup: Setup) -> Arc<Self> {
        Arc::new(Self {
            runnable,
            setup,
            slot: Mutex::default(),
            over_mark: AtomicBool::new(false),
            closing: std::sync::Mutex::default(),
        })
    }

    /// Whether its memory passed the mark, or the task's table of schemas is full.
    pub(crate) fn is_recycling_due(&self) -> bool {
        self.is_over_mark() || self.setup.schemas.is_full()
    }

    /// Whether its memory passed the mark.
    pub(crate) fn is_over_mark(&self) -> bool {
        self.over_mark.load(Ordering::Relaxed)
    }

    /// Whether the component wants to hear of each row that was written.
    pub(crate) fn exports_acknowledgement(&self) -> bool {
        self.runnable.indices.acknowledgement.is_some()
    }

    /// Begins a call: waits for its turn, and takes the instance out. Whoever drops the call drops the instance.
    pub(crate) async fn enter(&self, stage: Stage) -> Result<Call<'_>, Fault> {
        let mut slot = self.slot.lock().await;
        if !slot.has_task && self.is_over_mark() {
            self.renew(&mut slot, stage).await?;
        }
        let instance = match std::mem::replace(&mut slot.instance, State::Gone) {
            State::Running(instance) => instance,
            State::NotMade => Box::new(
                Instance::start(&self.runnable, &self.setup).await.map_err(|f| f.at(stage))?,
            ),
            State::Gone => {
                let message = "the plugin's sandbox ended with an earlier call";
                return Err(Fault::fatal(stage, message));
            }
        };
        let under_way = self.runnable.ticker.call();
        let mut call = Call { shared: self, slot, instance, stage, _under_way: under_way };
        call.begin(Duration::ZERO, 0);
        call.close_dropped().await?;
        Ok(call)
    }

    /// A fresh instance for a task that starts, unless nothing ran in the present one that would have to be left behind.
    pub(crate) async fn make_room_for_task(&self) -> Result<(), Fault> {
        let mut slot = self.slot.lock().await;
        let used = slot.has_task || matches!(slot.instance, State::Gone);
        if used || self.is_over_mark() {
            self.renew(&mut slot, Stage::Lifecycle).await?;
        }
        slot.has_task = true;
        Ok(())
    }

    /// A fresh instance, whatever state the present one is in.
    pub(crate) async fn recycle(&self) -> Result<(), Fault> {
        let mut slot = self.slot.lock().await;
        self.renew(&mut slot, Stage::Lifecycle).await
    }

    async fn renew(&self, slot: &mut Slot, stage: Stage) -> Result<(), Fault> {
        if self.over_mark.swap(false, Ordering::Relaxed) {
            let again = slot.recycled.is_some_and(|at| at.elapsed() < RECYCLE_AGAIN);
            slot.recycled = Some(Instant::now());
            if again {
                slot.instance = State::Gone;
                return Err(self.needs_more(stage));
            }
            let Labels { connector, task, component } = &self.setup.labels;
            tracing::info!(%connector, %task, %component, "the plugin's memory passed its mark: it gets a fresh instance");
        }
        slot.has_task = false;
        slot.instance = State::Gone;
        if slot.created.is_empty() {
            slot.instance = State::NotMade;
            return Ok(());
        }
        let mut instance = Instance::start(&self.runnable, &self.setup).await?;
        let _under_way = self.runnable.ticker.call();
        for (&id, creation) in &slot.created {
            let limits = &self.setup.limits;
            begin(&mut instance.store, limits.call_timeout, limits, 0);
            let created = create(&mut instance, id, creation);
            let outcome = tokio::time::timeout(limits.call_timeout, created).await;
            match outcome {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(fault))) => return Err(convert::fault(fault, stage)),
                failed => {
                    let failed = failed.map(|result| result.map(drop));
                    return Err(breach::explain(failed, instance.store.data_mut(), limits, stage));
                }
            }
        }
        slot.instance = State::Running(Box::new(instance));
        Ok(())
    }

    fn needs_more(&self, stage: Stage) -> Fault {
        let seconds = RECYCLE_AGAIN.as_secs();
        let max = self.setup.limits.memory_max;
        let message = format!(
            "the plugin used more than {RECYCLE_PERCENT} % of its memory again within {seconds} s of a fresh start; \
             its limit is {max} bytes (sandbox.memory.max)"
        );
        Fault::breach(Breach::Memory, stage, message)
    }

    /// Creates an instance of a numbered interface; it is closed when the answer is dropped.
    pub(crate) async fn create(
        self: &Arc<Self>,
        interface: Numbered,
        class: &str,
        settings: &Settings,
    ) -> Result<Created, Fault> {
        let mut call = self.enter(Stage::Lifecycle).await?;
        let id = call.slot.next_id;
        call.slot.next_id = id.wrapping_add(1);
        let creation = Creation { interface, class: class.to_owned(), settings: settings.clone() };
        let limit = call.begin(Duration::ZERO, 0);
        let outcome = tokio::time::timeout(limit, create(&mut call.instance, id, &creation)).await;
        call.slot.created.insert(id, creation);
        let made = call.finish(outcome, |(), _| Ok(()));
        if made.is_err() {
            self.slot.lock().await.created.remove(&id);
        }
        made.map(|()| Created { shared: Arc::clone(self), id })
    }
}

async fn create(
    instance: &mut Instance,
    id: u32,
    creation: &Creation,
) -> wasmtime::Result<Result<(), types::Fault>> {
    let Instance { store, exports } = instance;
    let Creation { interface, class, settings } = creation;
    let settings = convert::pairs(settings);
    match (interface, exports) {
        (Numbered::Converter { is_key }, Exports { converter: Some(converter), .. }) => {
            converter.call_create(store, id, class, &settings, *is_key).await
        }
        (Numbered::HeaderConverter, Exports { header_converter: Some(converter), .. }) => {
            converter.call_create(store, id, class, &settings).await
        }
        (Numbered::Transformation, Exports { transformation: Some(transformation), .. }) => {
            transformation.call_create(store, id, class, &settings).await
        }
        (Numbered::Predicate, Exports { predicate: Some(predicate), .. }) => {
            predicate.call_create(store, id, class, &settings).await
        }
        _ => Err(not_exported()),
    }
}

async fn close(instance: &mut Instance, id: u32, interface: Numbered) -> wasmtime::Result<()> {
    let Instance { store, exports } = instance;
    match (interface, exports) {
        (Numbered::Converter { .. }, Exports { converter: Some(converter), .. }) => {
            converter.call_close(store, id).await
        }
        (Numbered::HeaderConverter, Exports { header_converter: Some(converter), .. }) => {
            converter.call_close(store, id).await
        }
        (Numbered::Transformation, Exports { transformation: Some(transformation), .. }) => {
            transformation.call_close(store, id).await
        }
        (Numbered::Predicate, Exports { predicate: Some(predicate), .. }) => {
            predicate.call_close(store, id).await
        }
        _ => Err(not_exported()),
    }
}

/// The catalog promised an interface that the component does not export; refused at upload.
pub(crate) fn not_exported() -> wasmtime::Error {
    wasmtime::Error::msg("the interface is not exported")
}

/// A converter, transformation or predicate inside an instance.
pub(crate) struct Created {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: u32,
}

impl Drop for Created {
    fn drop(&mut self) {
        self.shared.closing.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
    }
}

/// A call under way. Dropped before [`Call::finish`], it takes the instance with it.
pub(crate) struct Call<'a> {
    shared: &'a Shared,
    slot: MutexGuard<'a, Slot>,
    instance: Box<Instance>,
    stage: Stage,
    _under_way: UnderWay,
}

impl Call<'_> {
    /// Sets the limits of the call, with the time that it may wait by itself and the bytes of a batch that go in; the answer is its time limit.
    pub(crate) fn begin(&mut self, wait: Duration, bytes_in: usize) -> Duration {
        let limits = &self.shared.setup.limits;
        let limit = limits.call_timeout.saturating_add(wait);
        begin(&mut self.instance.store, limit, limits, bytes_in as u64);
        limit
    }

    /// The time limit of a call that neither waits nor takes a batch.
    pub(crate) fn time_limit(&self) -> Duration {
        self.shared.setup.limits.call_timeout
    }

    /// What to call, and with what.
    pub(crate) fn parts(&mut self) -> (&mut Store<Host>, &Exports) {
        (&mut self.instance.store, &self.instance.exports)
    }

    /// Ends the call: puts the instance back after an answer that `check` takes, or a fault of the plugin's own; else drops it.
    pub(crate) fn finish<T, U>(
        mut self,
        outcome: Outcome<Result<T, types::Fault>>,
        check: impl FnOnce(T, &SharedSchemas) -> Result<U, Malformed>,
    ) -> Result<U, Fault> {
        let result = match outcome {
            Ok(Ok(Ok(answer))) => check(answer, &self.shared.setup.schemas)
                .map_err(|malformed| lie(&malformed, self.stage))?,
            Ok(Ok(Err(fault))) => {
                let fault = convert::fault(fault, self.stage);
                self.put_back();
                return Err(fault);
            }
            failed => {
                let failed = failed.map(|result| result.map(drop));
                let host = self.instance.store.data_mut();
                return Err(breach::explain(failed, host, &self.shared.setup.limits, self.stage));
            }
        };
        self.put_back();
        Ok(result)
    }

    fn put_back(mut self) {
        let (used, max) = self.instance.memory();
        let over = used.saturating_mul(100) > max.saturating_mul(RECYCLE_PERCENT);
        if over {
            self.shared.over_mark.store(true, Ordering::Relaxed);
        }
        self.slot.instance = State::Running(self.instance);
    }

    /// Closes what was dropped since the last call.
    async fn close_dropped(&mut self) -> Result<(), Fault> {
        let dropped = std::mem::take(
            &mut *self.shared.closing.lock().unwrap_or_else(PoisonError::into_inner),
        );
        for id in dropped {
            let Some(creation) = self.slot.created.remove(&id) else { continue };
            let limit = self.begin(Duration::ZERO, 0);
            let closed = close(&mut self.instance, id, creation.interface);
            let outcome = tokio::time::timeout(limit, closed).await;
            if !matches!(outcome, Ok(Ok(()))) {
                let host = self.instance.store.data_mut();
                return Err(breach::explain(outcome, host, &self.shared.setup.limits, self.stage));
            }
        }
        Ok(())
    }
}

//! One instance per task and component: its converters, transformations, predicates and the task itself take turns.
//!
//! It is made when first needed, dropped when a call ends without an answer, and made anew, with the same `create` calls, when its memory
//! passes a mark. Not here: what the calls are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tombolo_model::batch::Malformed;
use tombolo_model::fault::{Breach, Fault, Stage};
use tombolo_model::settings::Settings;
use wasmtime::Store;

use crate::convert;
use crate::exports::{Exports, exported};
use crate::host::Host;
use crate::host::log::Labels;
use crate::host::schemas::SharedSchemas;
use crate::instance::{Instance, Runnable, Setup, Terms, answer_bytes_max, lie};
use crate::v0::tombolo::connect::types;

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

    /// Has what settings hold that must not be seen hidden in what the component says from now on.
    pub(crate) fn confide(&self, settings: &Settings) {
        self.setup.confided.add(settings.secrets());
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

    /// Most bytes that an answer may have, where about so many are to be expected.
    pub(crate) fn answer_bytes_max(&self, expected: usize) -> u64 {
        answer_bytes_max(&self.setup.limits, expected)
    }

    /// Notes bytes of records that came out of a call.
    pub(crate) fn gave_out(&self, bytes: usize) {
        self.setup.cpu.meters.gave_out(bytes as u64);
    }

    /// Calls a function of the component when it is its turn, and gives out its answer once `check` has taken it.
    ///
    /// After a fault of the plugin's own the instance stays; after anything else but a good answer it is gone, as it is when this is dropped.
    pub(crate) async fn call<T, U>(
        &self,
        terms: Terms,
        function: impl AsyncFnOnce(
            &mut Store<Host>,
            &Exports,
        ) -> wasmtime::Result<Result<T, types::Fault>>,
        check: impl FnOnce(T, &SharedSchemas) -> Result<U, Malformed>,
    ) -> Result<U, Fault> {
        let mut slot = self.slot.lock().await;
        let mut instance = self.take(&mut slot, terms.stage).await?;
        let answered = instance.call(&self.setup.limits, terms, function).await?;
        let result = match answered {
            // How long that takes is for the plugin to say.
            Ok(answer) => Ok(self
                .setup
                .cpu
                .billed(|| check(answer, &self.setup.schemas))
                .map_err(|malformed| lie(&malformed, terms.stage))?),
            Err(fault) => Err(convert::fault(fault, terms.stage)),
        };
        self.put_back(&mut slot, instance);
        result
    }

    /// Takes the instance out, with what was dropped closed: whoever drops it has ended it.
    async fn take(&self, slot: &mut Slot, stage: Stage) -> Result<Box<Instance>, Fault> {
        if !slot.has_task && self.is_over_mark() {
            self.renew(slot, stage).await?;
        }
        let mut instance = match std::mem::replace(&mut slot.instance, State::Gone) {
            State::Running(instance) => instance,
            State::NotMade => Box::new(
                Instance::start(&self.runnable, &self.setup).await.map_err(|f| f.at(stage))?,
            ),
            State::Gone => {
                let message = "the plugin's sandbox ended with an earlier call";
                return Err(Fault::fatal(stage, message));
            }
        };
        let dropped =
            std::mem::take(&mut *self.closing.lock().unwrap_or_else(PoisonError::into_inner));
        for id in dropped {
            let Some(Creation { interface, .. }) = slot.created.remove(&id) else { continue };
            let closed =
                instance.call(&self.setup.limits, Terms::at(stage), async |store, exports| {
                    close(store, exports, interface, id).await
                });
            closed.await?;
        }
        Ok(instance)
    }

    fn put_back(&self, slot: &mut Slot, instance: Box<Instance>) {
        let (used, max) = instance.memory();
        let percent = u64::from(self.setup.limits.recycle_percent);
        if used.saturating_mul(100) > max.saturating_mul(percent) {
            self.over_mark.store(true, Ordering::Relaxed);
        }
        slot.instance = State::Running(instance);
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
            tracing::info!(%connector, task, %component, "the plugin's memory passed its mark: it gets a fresh instance");
        }
        slot.has_task = false;
        slot.instance = State::Gone;
        if slot.created.is_empty() {
            slot.instance = State::NotMade;
            return Ok(());
        }
        let mut instance = Instance::start(&self.runnable, &self.setup).await?;
        for (&id, creation) in &slot.created {
            let created =
                instance.call(&self.setup.limits, Terms::at(stage), async |store, exports| {
                    create(store, exports, creation, id).await
                });
            created.await?.map_err(|fault| convert::fault(fault, stage))?;
        }
        slot.instance = State::Running(Box::new(instance));
        Ok(())
    }

    fn needs_more(&self, stage: Stage) -> Fault {
        let seconds = RECYCLE_AGAIN.as_secs();
        let (max, percent) = (self.setup.limits.memory_max, self.setup.limits.recycle_percent);
        let message = format!(
            "the plugin used more than {percent} % of its memory again within {seconds} s of a fresh start; \
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
        self.confide(settings);
        let creation = Creation { interface, class: class.to_owned(), settings: settings.clone() };
        let mut slot = self.slot.lock().await;
        let mut instance = self.take(&mut slot, Stage::Lifecycle).await?;
        let id = slot.next_id;
        slot.next_id = id.wrapping_add(1);
        let terms = Terms::at(Stage::Lifecycle);
        let made = instance.call(&self.setup.limits, terms, async |store, exports| {
            create(store, exports, &creation, id).await
        });
        let made = made.await?;
        self.put_back(&mut slot, instance);
        made.map_err(|fault| convert::fault(fault, Stage::Lifecycle))?;
        slot.created.insert(id, creation);
        Ok(Created { shared: Arc::clone(self), id })
    }
}

async fn create(
    store: &mut Store<Host>,
    exports: &Exports,
    creation: &Creation,
    id: u32,
) -> wasmtime::Result<Result<(), types::Fault>> {
    let Creation { interface, class, settings } = creation;
    let settings = convert::pairs(settings);
    match interface {
        Numbered::Converter { is_key } => {
            let converter = exported(&exports.converter)?;
            converter.call_create(store, id, class, &settings, *is_key).await
        }
        Numbered::HeaderConverter => {
            exported(&exports.header_converter)?.call_create(store, id, class, &settings).await
        }
        Numbered::Transformation => {
            exported(&exports.transformation)?.call_create(store, id, class, &settings).await
        }
        Numbered::Predicate => {
            exported(&exports.predicate)?.call_create(store, id, class, &settings).await
        }
    }
}

async fn close(
    store: &mut Store<Host>,
    exports: &Exports,
    interface: Numbered,
    id: u32,
) -> wasmtime::Result<()> {
    match interface {
        Numbered::Converter { .. } => exported(&exports.converter)?.call_close(store, id).await,
        Numbered::HeaderConverter => {
            exported(&exports.header_converter)?.call_close(store, id).await
        }
        Numbered::Transformation => exported(&exports.transformation)?.call_close(store, id).await,
        Numbered::Predicate => exported(&exports.predicate)?.call_close(store, id).await,
    }
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

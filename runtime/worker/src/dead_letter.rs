//! The dead letter queue of a task: a topic for records that could not be processed, as they were before, with headers that say why.
//!
//! Its producer is made with the first letter, so a queue that is never written to costs nothing. Not here: which records go there
//! (`error_report`), that no offset is committed past a letter that is not written (the tasks), and that the topic is none of the worker's own
//! (`own_topics`): a task whose queue is one does not come this far.
//!
//! Follows `DeadLetterQueueReporter` of Kafka Connect.

mod letter;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tombolo_kafka::{
    Admin, ClientKind, ClientSettings, Delivery, DeliveryError, Error, NewTopic, ProducerSession,
    Producers,
};
use tombolo_model::fault::Problem;
use tombolo_model::offset::TopicPartition;
use tombolo_model::{Fault, Stage};

use crate::client_settings::{admin, translate};
use crate::connector_config::DeadLetterQueueConfig;
use crate::error_counters::ErrorCounters;
use crate::task::TaskParts;
use crate::tolerance::caused_by;

use letter::Columns;
pub(crate) use letter::{Letter, Reason, SourcePlace};
use waiting::Waiting;

/// Most bytes of letters that Kafka has not acknowledged: they are rare, and the task waits where they are not.
const IN_FLIGHT_BYTES_MAX: usize = 1 << 20;
/// Partitions of a queue that is created, as in Kafka Connect.
const PARTITIONS: i32 = 1;
/// Longest wait for one answer about the topic.
const ADMIN_WAIT: Duration = Duration::from_secs(30);
/// Pause before Kafka is asked again about the topic.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// The dead letter queue of a task.
pub(crate) struct DeadLetters {
    config: DeadLetterQueueConfig,
    counters: Arc<ErrorCounters>,
    stopping: CancellationToken,
    producers: Producers,
    settings: ClientSettings,
    /// Made with the first letter.
    session: Option<ProducerSession>,
    /// Letters that the producer does not have yet.
    waiting: Waiting,
    /// Letters on their way, by number.
    sent: BTreeMap<u64, Letter>,
    /// Letters that Kafka does not take.
    refused: Vec<Letter>,
    next_seq: u64,
    /// Reused.
    deliveries: Vec<Delivery>,
}

impl DeadLetters {
    /// The queue of a task. Creates its topic where there is none; waits for a broker that is away.
    ///
    /// Errors: in Kafka Connect's words, where the topic cannot be created or the settings of a client not be used; a fault for now where the task
    /// stops meanwhile.
    pub(crate) async fn open(
        parts: &TaskParts,
        config: &DeadLetterQueueConfig,
    ) -> Result<Self, Fault> {
        let worker = &parts.worker.config;
        let admin = admin(worker, &parts.config.admin_override)?;
        let admin = parts.worker.admins.admin(&admin, ADMIN_WAIT);
        let admin = admin.map_err(|error| not_initialized(&config.topic, error))?;
        while let Err(fault) = create_topic(&admin, config).await {
            if !fault.is_retriable() {
                return Err(fault);
            }
            let stops = !parts.policy().pause(RETRY_PAUSE).await;
            if stops {
                return Err(fault);
            }
            parts.survive("waiting for Kafka to create the dead letter queue", Err(fault))?;
        }
        let mut producer = worker.client(ClientKind::Producer, &parts.config.producer_override)?;
        if !producer.contains("client.id") {
            producer.insert("client.id", format!("connector-dlq-producer-{}", parts.id));
        }
        Ok(Self {
            config: config.clone(),
            counters: Arc::clone(&parts.metrics.errors),
            stopping: parts.control.stopping.clone(),
            producers: parts.worker.producers.clone(),
            settings: translate(ClientKind::Producer, &producer)?,
            session: None,
            waiting: Waiting::default(),
            sent: BTreeMap::new(),
            refused: Vec::new(),
            next_seq: 0,
            deliveries: Vec::new(),
        })
    }

    /// Writes a letter, soon: [`DeadLetters::hand_over`] must follow, and [`DeadLetters::make_room`] before the next one.
    pub(crate) fn write(&mut self, mut letter: Letter, reason: &Reason<'_>) {
        self.counters.dead_letter_requested();
        if self.config.context_headers {
            letter.tell(reason);
        }
        self.waiting.push(letter);
    }

    /// Notes that a record should be here and is gone.
    pub(crate) fn has_nothing_to_write(&mut self) {
        self.counters.dead_letter_requested();
        self.counters.dead_letter_failed();
    }

    /// Gives all letters to the producer; waits where it takes no more for now.
    ///
    /// Errors: a letter that Kafka does not take; a fault for now, where the task stops meanwhile.
    pub(crate) async fn hand_over(&mut self) -> Result<(), Fault> {
        let stopping = self.stopping.clone();
        tokio::select! {
            biased;
            handed_over = self.hand_over_all() => handed_over,
            () = stopping.cancelled() => {
                let message = "the task stops before its dead letters are written";
                Err(Fault::retriable(Stage::KafkaProduce, message))
            }
        }
    }

    /// As [`DeadLetters::hand_over`], once letters that wait take much memory.
    pub(crate) async fn make_room(&mut self) -> Result<(), Fault> {
        match self.waiting.is_full() {
            true => self.hand_over().await,
            false => Ok(()),
        }
    }

    async fn hand_over_all(&mut self) -> Result<(), Fault> {
        self.take_deliveries()?;
        loop {
            self.send()?;
            let Some(session) = self.session.as_mut().filter(|_| !self.waiting.is_empty()) else {
                return Ok(());
            };
            let capacity = session.capacity().await;
            capacity.map_err(|error| not_produced(&self.config.topic, error))?;
            self.take_deliveries()?;
        }
    }

    /// Waits until all letters are written, but no longer than this. Answers whether they are.
    ///
    /// Errors: a letter that Kafka does not take.
    pub(crate) async fn are_written(&mut self, wait: Duration) -> Result<bool, Fault> {
        let written = async {
            loop {
                self.hand_over_all().await?;
                let Some(session) = self.session.as_mut().filter(|_| !self.sent.is_empty()) else {
                    return Ok(self.refused.is_empty());
                };
                let settled = session.deliveries(&mut self.deliveries).await;
                settled.map_err(|error| not_produced(&self.config.topic, error))?;
                self.take_deliveries()?;
            }
        };
        tokio::time::timeout(wait, written).await.unwrap_or(Ok(false))
    }

    /// Takes in which letters were written.
    ///
    /// Errors: a letter that Kafka does not take; the others are taken in all the same.
    pub(crate) fn take_deliveries(&mut self) -> Result<(), Fault> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let taken = session.try_deliveries(&mut self.deliveries);
        taken.map_err(|error| not_produced(&self.config.topic, error))?;
        let mut deliveries = std::mem::take(&mut self.deliveries);
        let mut outcome = Ok(());
        for Delivery { seq, outcome: written } in deliveries.drain(..) {
            let letter = self.sent.remove(&seq);
            if let (Some(letter), Err(error)) = (letter, written) {
                outcome = outcome.and(self.not_written(letter, error));
            }
        }
        self.deliveries = deliveries;
        outcome
    }

    /// The first offset of a partition whose letter is not written: no offset after it may be committed.
    ///
    /// Cost: a walk over the letters that are not written.
    pub(crate) fn first_open(&self, at: &TopicPartition) -> Option<i64> {
        let open = self.waiting.iter().chain(self.sent.values()).chain(&self.refused);
        let of = open.filter_map(|letter| letter.consumed_at.as_ref());
        of.filter(|consumed| consumed.at == *at).map(|consumed| consumed.offset).min()
    }

    /// Gives letters to the producer, as many as it takes.
    fn send(&mut self) -> Result<(), Fault> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let not_produced = |error| not_produced(&self.config.topic, error);
        let session = match &mut self.session {
            Some(session) => session,
            none => {
                let session = self.producers.session(&self.settings, IN_FLIGHT_BYTES_MAX);
                none.insert(session.map_err(not_produced)?)
            }
        };
        let columns = Columns::of(self.waiting.iter(), IN_FLIGHT_BYTES_MAX);
        let topic = std::slice::from_ref(&self.config.topic);
        let sent = session.send(&columns.rows(topic), 0, self.next_seq).map_err(not_produced)?;
        for _ in 0..sent.next_row {
            let Some(letter) = self.waiting.pop() else { break };
            self.sent.insert(self.next_seq, letter);
            self.next_seq += 1;
        }
        Ok(())
    }

    /// A letter that is too large with what it says about its error is sent without that: the record is what matters. Any other that is not taken
    /// ends the task, or its record would be lost.
    fn not_written(&mut self, mut letter: Letter, error: DeliveryError) -> Result<(), Fault> {
        let topic = &self.config.topic;
        if error.is_too_large() && letter.tell_nothing() {
            tracing::warn!(
                topic,
                "a dead letter is too large; it is written without the headers that say why"
            );
            self.waiting.push(letter);
            return Ok(());
        }
        self.counters.dead_letter_failed();
        tracing::error!(topic, %error, "Could not produce message to dead letter queue. topic={topic}");
        self.refused.push(letter);
        Err(not_produced(topic, error.into()))
    }
}

/// Creates the topic, unless it is there.
async fn create_topic(admin: &Admin, config: &DeadLetterQueueConfig) -> Result<(), Fault> {
    let name = &config.topic;
    let failed = |error| not_initialized(name, error);
    if admin.topic(name).await.map_err(failed)?.is_some() {
        return Ok(());
    }
    tracing::info!(topic = name, "Topic {name} doesn't exist. Will attempt to create topic.");
    let topic = NewTopic {
        name: name.clone(),
        partitions: PARTITIONS,
        replication_factor: config.replication_factor,
        settings: Vec::new(),
    };
    admin.create_topic(&topic).await.map_err(failed).map(drop)
}

fn not_initialized(topic: &str, error: Error) -> Fault {
    fault(&format!("Could not initialize dead letter queue with topic={topic}"), error)
}

fn not_produced(topic: &str, error: Error) -> Fault {
    fault(&format!("Could not produce message to dead letter queue. topic={topic}"), error)
}

fn fault(message: &str, error: Error) -> Fault {
    let problem = Problem { message: error.to_string(), class: None, trace: None };
    let mut fault = caused_by(Stage::KafkaProduce, message, &problem);
    if error.is_retriable() {
        fault.kind = Fault::retriable(Stage::KafkaProduce, "").kind;
    }
    fault.with_source(error)
}

//! Carries out attacks, and says of each whether it was contained.
//!
//! Contained: it ended as its row says, within its deadline, and the field holds. Not here: the rows.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use tombolo_harness::wait_for;

use crate::attack::{Attack, Ends, Pairs, Way};
use crate::component::numbered;
use crate::field::{CALL_TIMEOUT, Field, NEIGHBOUR_TOPIC, PATIENCE};
use crate::memory;

/// Attacks that run beside each other.
const BESIDE: usize = 8;

/// Threads that upload.
const UPLOADERS: usize = 4;

/// Longest time from a connector's creation to the status that tells how it ended: its deadline, and what a busy machine takes.
const TOLD_WITHIN: Duration = PATIENCE;

/// Uploads that took longer are not repeated: how long a compiler computes says nothing about what stays behind.
const QUICK: Duration = Duration::from_secs(6);

/// How much more memory the worker may have after all of it.
pub const MEMORY_KEPT_MAX: u64 = 5 << 20;

/// What became of an attack.
pub struct Outcome {
    /// The attack.
    pub attack: Attack,
    /// How long it took, from its beginning to the status or answer that tells its end.
    pub took: Duration,
    /// Why it was not contained, if so.
    pub wrong: Option<String>,
}

/// What became of all of them.
pub struct Outcomes {
    /// One for each attack.
    pub all: Vec<Outcome>,
    /// Memory of the worker before the first of them.
    pub first: u64,
    /// Memory of the worker after all of them, and all but slow uploads once more.
    pub before: u64,
    /// Memory of the worker when these were carried out another time.
    pub after: u64,
}

impl Outcomes {
    /// What was not contained, a line each.
    pub fn wrong(&self) -> Vec<String> {
        let line = |one: &Outcome| {
            let why = one.wrong.as_ref()?;
            Some(format!("{}: {}: {why}", one.attack.class.name(), one.attack.name))
        };
        self.all.iter().filter_map(line).collect()
    }
}

/// Carries out these attacks, and tells of each as it ends.
pub fn run(field: &Field, attacks: &[Attack], tell: &mut dyn FnMut(&Outcome)) -> Result<Outcomes> {
    field.upload(&numbered(0))?;
    let process = field.worker.process_id().context("the worker runs")?;
    let beside: Vec<Attack> = attacks.iter().filter(is_beside).copied().collect();
    let first = memory::settled(process)?;
    let mut all = Vec::new();
    let is_upload = |attack: &&Attack| matches!(attack.way, Way::Upload(_));
    let uploads: Vec<&Attack> = attacks.iter().filter(is_upload).collect();
    std::thread::scope(|scope| -> Result<()> {
        // Beside the others: some are refused only when the worker's own deadline has passed.
        let share = |first| {
            let mine: Vec<&Attack> =
                uploads.iter().skip(first).step_by(UPLOADERS).copied().collect();
            scope.spawn(move || mine.into_iter().map(|one| alone(field, one)).collect::<Vec<_>>())
        };
        let uploading: Vec<_> = (0..UPLOADERS).map(share).collect();
        for batch in beside.chunks(BESIDE) {
            for outcome in together(field, batch)? {
                tell(&outcome);
                all.push(outcome);
            }
        }
        for attack in attacks.iter().filter(|attack| !is_beside(attack) && !is_upload(attack)) {
            let outcome = alone(field, attack);
            tell(&outcome);
            all.push(outcome);
        }
        for uploader in uploading {
            let outcomes = uploader.join().map_err(|_| anyhow!("a thread that uploads failed"))?;
            outcomes.iter().for_each(&mut *tell);
            all.extend(outcomes);
        }
        Ok(())
    })?;
    field.holds()?;
    // What is kept from a first time on, as threads, caches and components, is no leak: whoever comes once more must not add to it.
    let is_slow = |attack: &Attack| {
        let is_it =
            |one: &&Outcome| (one.attack.class, one.attack.name) == (attack.class, attack.name);
        is_upload(&attack) && all.iter().find(is_it).is_none_or(|one| one.took > QUICK)
    };
    let attacks: Vec<Attack> = attacks.iter().filter(|one| !is_slow(one)).copied().collect();
    again(field, &attacks)?;
    let before = memory::settled(process)?;
    again(field, &attacks)?;
    let is_back =
        || memory::resident(process).is_ok_and(|resident| resident <= before + MEMORY_KEPT_MAX);
    // Whoever asks for it judges what is left.
    wait_for(is_back, "memory is given back", PATIENCE / 2).ok();
    let after = memory::settled(process)?;
    Ok(Outcomes { all, first, before, after })
}

/// Whether an attack is a connector's, which others may run beside.
fn is_beside(attack: &&Attack) -> bool {
    matches!(attack.way, Way::Source(_) | Way::Sink(_))
}

/// Carries out attacks once more.
fn again(field: &Field, attacks: &[Attack]) -> Result<()> {
    let beside: Vec<Attack> = attacks.iter().filter(is_beside).copied().collect();
    for batch in beside.chunks(BESIDE) {
        together(field, batch)?;
    }
    for attack in attacks.iter().filter(|attack| !is_beside(attack)) {
        carry_out(field, attack).with_context(|| format!("{} once more", attack.name))?;
    }
    Ok(())
}

/// Attacks of connectors, beside each other.
fn together(field: &Field, attacks: &[Attack]) -> Result<Vec<Outcome>> {
    let begun: Vec<(Instant, Result<()>)> =
        attacks.iter().map(|attack| (Instant::now(), begin(field, attack))).collect();
    let mut outcomes = Vec::new();
    for (attack, (start, begun)) in attacks.iter().zip(begun) {
        let ended = begun.and_then(|()| end(field, attack));
        outcomes.push(outcome(attack, start, ended));
    }
    for attack in attacks {
        field.delete(&attack.connector())?;
    }
    field.holds()?;
    Ok(outcomes)
}

fn outcome(attack: &Attack, start: Instant, ended: Result<()>) -> Outcome {
    let wrong = ended.err().map(|error| format!("{error:#}"));
    Outcome { attack: *attack, took: start.elapsed(), wrong }
}

/// Starts the connector of an attack that sources or sinks carry out.
pub fn begin(field: &Field, attack: &Attack) -> Result<()> {
    let (noun, pairs) = match attack.way {
        Way::Source(pairs) => ("Source", pairs),
        Way::Sink(pairs) => ("Sink", pairs),
        _ => bail!("it is no connector's"),
    };
    create(field, attack, &format!("guest.Attacks0000{noun}"), pairs)
}

/// Creates the connector of an attack.
fn create(field: &Field, attack: &Attack, class: &str, pairs: Pairs) -> Result<()> {
    let mut config = json!({
        "connector.class": class,
        "tasks.max": "1",
        "attack": attack.name,
        // What failed shall stay so.
        "sandbox.restart.max": "0",
        "sandbox.call.timeout.ms": CALL_TIMEOUT.as_millis().to_string(),
    });
    if matches!(attack.way, Way::Sink(_)) {
        merge(&mut config, "topics", NEIGHBOUR_TOPIC);
        merge(&mut config, "consumer.override.auto.offset.reset", "latest");
    }
    for (name, value) in pairs {
        merge(&mut config, name, &filled(field, value)?);
    }
    field.worker.create(&attack.connector(), &config)?;
    Ok(())
}

fn merge(config: &mut Value, name: &str, value: &str) {
    if let Some(all) = config.as_object_mut() {
        all.insert(name.to_owned(), json!(value));
    }
}

/// A setting's value, with what the field has in place of its names.
pub(crate) fn filled(field: &Field, value: &str) -> Result<String> {
    Ok(value
        .replace("{rest}", &field.rest())
        .replace("{broker}", &field.bootstrap()?)
        .replace("{canary}", &field.canary()?.to_string())
        .replace("{open}", &field.open().to_string())
        .replace("{config}", &field.config_topic())
        .replace("{status}", &field.status_topic())
        .replace("{offset}", &field.offset_topic()))
}

/// Waits for the end of a connector's attack.
pub fn end(field: &Field, attack: &Attack) -> Result<()> {
    let name = attack.connector();
    match attack.ends {
        Ends::Failed(words) => {
            let mut trace = None;
            let failed = || {
                trace = field.failure(&name);
                trace.is_some()
            };
            wait_for(failed, "its end is told", TOLD_WITHIN)?;
            holds_all(&trace.unwrap_or_default(), words)
        }
        Ends::Harmless(check) => {
            field.worker.wait_for_state(&name, "RUNNING")?;
            check(field)?;
            ensure!(field.failure(&name).is_none(), "{:?}", field.failure(&name));
            Ok(())
        }
        Ends::Refused(_) => bail!("a connector is not refused"),
    }
}

fn holds_all(text: &str, words: &[&str]) -> Result<()> {
    match words.iter().find(|word| !text.contains(**word)) {
        None => Ok(()),
        Some(word) => bail!("{word:?} is not in: {text:.600}"),
    }
}

/// An attack that has the worker for itself.
fn alone(field: &Field, attack: &Attack) -> Outcome {
    let start = Instant::now();
    let ended = carry_out(field, attack);
    outcome(attack, start, ended)
}

fn carry_out(field: &Field, attack: &Attack) -> Result<()> {
    match (attack.way, attack.ends) {
        (Way::Upload(component), Ends::Refused(words)) => {
            let (status, answer) = field.worker.upload(&component())?;
            ensure!((400..500).contains(&status), "the answer is {status}: {answer:.600}");
            let message = answer.get("message").and_then(Value::as_str).unwrap_or_default();
            holds_all(message, words)
        }
        (Way::Component(component, pairs), _) => {
            let number = number_of(attack);
            field.upload(&component(number))?;
            create(field, attack, &format!("guest.Attacks{number:04}Source"), pairs)?;
            let ended = end(field, attack);
            field.delete(&attack.connector())?;
            ended
        }
        (Way::Course(course), _) => course(field),
        _ => bail!("a row that does not fit together"),
    }
}

/// A number that no other row has: of its place in the table.
fn number_of(attack: &Attack) -> u16 {
    let all = crate::attacks::all();
    let place = all.iter().position(|one| one.class == attack.class && one.name == attack.name);
    place.and_then(|place| u16::try_from(place + 1).ok()).unwrap_or(9_999)
}

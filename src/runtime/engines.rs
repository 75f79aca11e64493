//! One thread per engine: gathers events, steps, carries effects out. Decides nothing itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::Core;
use super::backoff::Backoff;
use crate::domain::{DecisionRequest, PoolLevels, SubjectKind, SubjectKinds, SubjectRef};
use crate::engine::batch::CommitOutcome;
use crate::engine::{Effect, Engine, Event, Loaded, Reply, Settings, Subject, Ticket};
use crate::telemetry::Stopwatch;

/// What is sent to an engine's thread.
#[derive(Debug)]
enum Message {
    Ask(Arc<DecisionRequest>, oneshot::Sender<Reply>),
    Event(Event),
    Stop(oneshot::Sender<()>),
}

/// The engines of a process. Each owns the subjects that hash to it.
#[derive(Debug)]
pub struct Engines {
    inboxes: Vec<mpsc::UnboundedSender<Message>>,
    turn: AtomicU64,
}

impl Engines {
    /// Starts one thread for each of the settings.
    pub(super) fn start(core: &Arc<Core>, settings: Vec<Settings>) -> std::io::Result<Self> {
        let mut inboxes = Vec::new();
        for settings in settings {
            let (inbox, messages) = mpsc::unbounded_channel();
            let engine = Engine::new(settings.clone(), core.snapshot());
            let _ = inbox.send(Message::Event(Event::PoolsRead(core.pools())));
            let carrier = Carrier {
                core: core.clone(),
                node: settings.node.clone(),
                incarnation: settings.incarnation,
                inbox: inbox.clone(),
                runtime: tokio::runtime::Handle::current(),
                tickets: BTreeMap::new(),
                next_ticket: 0,
                #[cfg(debug_assertions)]
                plant: plant::wanted(),
            };
            std::thread::Builder::new()
                .name(format!("engine-{}", settings.node))
                .spawn(move || carrier.run(engine, messages))?;
            inboxes.push(inbox);
        }
        Ok(Self { inboxes, turn: AtomicU64::new(0) })
    }

    fn of(&self, subject: Option<&SubjectRef>) -> Option<&mpsc::UnboundedSender<Message>> {
        let hash = subject.map_or_else(
            || self.turn.fetch_add(1, Ordering::Relaxed),
            // FNV-1a: spreads subjects over engines, nothing more.
            |subject| {
                subject.outside_id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                })
            },
        );
        let engines = self.inboxes.len().max(1) as u64;
        self.inboxes.get(usize::try_from(hash % engines).unwrap_or(0))
    }

    /// Asks the engine that owns the subject. Where rules count for households (`counted`), whoever of one asks is
    /// decided for in one engine, so that its members wait for one another there instead of being decided for again.
    pub async fn ask(&self, request: DecisionRequest, counted: SubjectKinds) -> Reply {
        let household = counted.has(SubjectKind::Household).then(|| request.named(SubjectKind::Household)).flatten();
        let subject = household.or_else(|| request.subject());
        let (answer, answered) = oneshot::channel();
        let sent = self.of(subject.as_ref()).map(|inbox| inbox.send(Message::Ask(Arc::new(request), answer)));
        match sent {
            Some(Ok(())) => answered.await.unwrap_or(Reply::Unavailable),
            _ => Reply::Unavailable,
        }
    }

    /// Tells every engine that somebody else changed a subject: besides the one that owns it those may have it at hand
    /// that own its household.
    pub fn subject_changed(&self, subject: &SubjectRef) {
        for inbox in &self.inboxes {
            let _ = inbox.send(Message::Event(Event::SubjectChanged(subject.clone())));
        }
    }

    /// Tells every engine of a newer snapshot.
    pub(super) fn published(&self, core: &Core) {
        for inbox in &self.inboxes {
            let _ = inbox.send(Message::Event(Event::Published(core.snapshot())));
        }
    }

    /// Tells every engine that the snapshot it may wait for does not come yet.
    pub(super) fn snapshot_refused(&self) {
        for inbox in &self.inboxes {
            let _ = inbox.send(Message::Event(Event::SnapshotRefused));
        }
    }

    /// Tells every engine what is left of what may run out.
    pub(super) fn pools_read(&self, levels: &Arc<PoolLevels>) {
        for inbox in &self.inboxes {
            let _ = inbox.send(Message::Event(Event::PoolsRead(levels.clone())));
        }
    }

    /// Lets everybody who waits be answered, then ends the threads.
    pub async fn stop(&self) {
        for inbox in &self.inboxes {
            let (done, finished) = oneshot::channel();
            if inbox.send(Message::Stop(done)).is_ok() {
                let _ = finished.await;
            }
        }
    }
}

struct Carrier {
    core: Arc<Core>,
    node: String,
    incarnation: u64,
    inbox: mpsc::UnboundedSender<Message>,
    runtime: tokio::runtime::Handle,
    tickets: BTreeMap<Ticket, oneshot::Sender<Reply>>,
    next_ticket: Ticket,
    #[cfg(debug_assertions)]
    plant: Option<plant::Plant>,
}

impl Carrier {
    fn run(mut self, mut engine: Engine, mut messages: mpsc::UnboundedReceiver<Message>) {
        let mut stopping: Option<oneshot::Sender<()>> = None;
        while let Some(first) = messages.blocking_recv() {
            let mut events = Vec::new();
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Event(event) => events.push(event),
                    Message::Ask(_, answer) if stopping.is_some() => drop(answer.send(Reply::Unavailable)),
                    Message::Ask(request, answer) => {
                        self.next_ticket += 1;
                        self.tickets.insert(self.next_ticket, answer);
                        #[cfg(debug_assertions)]
                        plant::asked(&mut self.plant, request.decision_id, self.next_ticket);
                        events.push(Event::Asked { ticket: self.next_ticket, request });
                    }
                    Message::Stop(done) => stopping = Some(done),
                }
                next = messages.try_recv().ok();
            }
            for effect in engine.step(events, self.core.clock.now()) {
                self.carry_out(effect);
            }
            if engine.is_idle()
                && let Some(done) = stopping.take()
            {
                let _ = done.send(());
                return;
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        let (core, inbox) = (self.core.clone(), self.inbox.clone());
        let send = move |event| drop(inbox.send(Message::Event(event)));
        match effect {
            Effect::Reply(ticket, reply) => {
                if let Some(answer) = self.tickets.remove(&ticket) {
                    // Whoever hung up is not told.
                    drop(answer.send(reply));
                }
            }
            Effect::LoadSubjects(references) => {
                self.runtime.spawn(async move {
                    send(match core.load(&references).await {
                        Ok(loaded) => Event::SubjectsLoaded(loaded),
                        Err(error) => {
                            core.metrics.store_failed("load");
                            tracing::warn!(%error, "subjects could not be read");
                            Event::LoadFailed(references)
                        }
                    });
                });
            }
            Effect::Commit(batch) => {
                #[cfg(debug_assertions)]
                plant::acknowledge(&mut self.plant, &batch, &mut self.tickets);
                let node = self.node.clone();
                self.runtime.spawn(async move {
                    let watch = Stopwatch::start();
                    let settled = core.store.commit(&batch).await;
                    let result = match &settled {
                        Ok(CommitOutcome::Stored) => "stored",
                        Ok(CommitOutcome::Refused { .. }) => "refused",
                        Err(_) => "failed",
                    };
                    core.metrics.committed(result, batch.decisions.len(), watch.seconds());
                    send(match settled {
                        Ok(outcome) => {
                            if outcome == CommitOutcome::Stored {
                                core.work.notify_one();
                            }
                            Event::Committed(outcome)
                        }
                        Err(error) => {
                            core.metrics.store_failed("commit");
                            let cause = std::error::Error::source(&error).map(ToString::to_string);
                            tracing::warn!(%error, cause, node, number = batch.number, "a batch was not stored");
                            Event::CommitFailed
                        }
                    });
                });
            }
            Effect::Resync => {
                let (node, incarnation) = (self.node.clone(), self.incarnation);
                self.runtime.spawn(async move {
                    let mut backoff = Backoff::new();
                    loop {
                        match core.store.last_batch(&node, incarnation).await {
                            Ok(last) => return send(Event::Resynced(last)),
                            Err(error) => {
                                core.metrics.store_failed("resync");
                                tracing::warn!(%error, node, "the store is still away");
                            }
                        }
                        backoff.pause().await;
                    }
                });
            }
            Effect::ReloadSnapshot => {
                self.runtime.spawn(async move { core.reload_until_done().await });
            }
        }
    }
}

/// A fault that the crash tests must catch, or they would catch nothing: with `PROFFER_PLANT=acknowledge-before-commit`
/// a debug build answers a batch before it is stored. Release builds do not contain it.
#[cfg(debug_assertions)]
mod plant {
    use super::{BTreeMap, Reply, Ticket, oneshot};
    use crate::domain::DecisionId;
    use crate::engine::batch::Batch;

    /// Who waits for a decision that the caller named.
    pub(super) type Plant = BTreeMap<DecisionId, Vec<Ticket>>;

    pub(super) fn wanted() -> Option<Plant> {
        (std::env::var("PROFFER_PLANT").as_deref() == Ok("acknowledge-before-commit")).then(Plant::new)
    }

    pub(super) fn asked(plant: &mut Option<Plant>, id: Option<DecisionId>, ticket: Ticket) {
        if let (Some(waiting), Some(id)) = (plant, id) {
            waiting.entry(id).or_default().push(ticket);
        }
    }

    pub(super) fn acknowledge(
        plant: &mut Option<Plant>,
        batch: &Batch,
        tickets: &mut BTreeMap<Ticket, oneshot::Sender<Reply>>,
    ) {
        let Some(waiting) = plant else { return };
        for decision in &batch.decisions {
            for ticket in waiting.remove(&decision.decision_id).unwrap_or_default() {
                if let Some(answer) = tickets.remove(&ticket) {
                    drop(answer.send(Reply::Stored(decision.record.clone())));
                }
            }
        }
    }
}

impl Core {
    /// Reads subjects, creating identities for those unknown, and their contacts where counters must be rebuilt.
    async fn load(&self, references: &[SubjectRef]) -> Result<Vec<Loaded>, super::RuntimeError> {
        let snapshot = self.snapshot();
        let mut loaded = Vec::with_capacity(references.len());
        for (reference, opened) in references.iter().zip(self.open_subjects(references).await?) {
            // An engine knows it by the id it was asked for; a customer may have turned out to be another one.
            let subject = Subject { reference: reference.clone(), ..opened };
            let contacts = self.contacts_to_rebuild(&subject, &snapshot.bundle, self.clock.now()).await?;
            loaded.push(Loaded { subject, contacts: contacts.map(|contacts| (snapshot.bundle.cap_set, contacts)) });
        }
        Ok(loaded)
    }
}

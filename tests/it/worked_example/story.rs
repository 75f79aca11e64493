//! What happens in the worked example, computed by the library from the page's own inputs. Renders nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use proffer::bandit::{ArmKey, Features, ModelView, Posterior, features};
use proffer::decision::Snapshot;
use proffer::domain::consent::ConsentEntry;
use proffer::domain::decision::{Private, Skeleton};
use proffer::domain::key::{GeneratorKey, MasterKey, SubjectKey};
use proffer::domain::outcome::{OutcomeFact, OutcomeKind};
use proffer::domain::{
    Catalogue, ConsentRecord, Customer, DecisionId, DecisionRequest, LocalTime, Money, Offer, OfferId, Placement,
    PlacementId, SubjectId, SubjectKind, SubjectRef, SubjectState, Timestamp, Value, VariantId,
};
use proffer::engine::batch::{Batch, CommitOutcome};
use proffer::engine::learner::{Models, Studied};
use proffer::engine::{Effect, Engine, Event, Loaded, Reply, Settings, Subject, open_state};
use proffer::learning::{Applied, Exposed, LearningEvent, Lesson};
use proffer::policy::{Bundle, Source, compile};

use super::page::Page;

pub const TENANT: &str = "shop";
pub const MASTER: MasterKey = MasterKey([0x11; 32]);
pub const GENERATOR: GeneratorKey = GeneratorKey { period: 1, key: [0x22; 32] };
pub const SUBJECT_KEY: SubjectKey = SubjectKey([0x33; 32]);
pub const SUBJECT: SubjectId = SubjectId([0x44; 16]);
const CONTROL_SEQUENCE: u64 = 2;

/// The blocks that the story reads; files of the bundle are those that end in `.yaml`.
pub const INPUTS: [&str; 7] = ["import", "consent", "history", "request", "second-request", "order", "refund"];

/// One decision as it was stored.
pub struct Told {
    pub steps: Vec<String>,
    pub batch: Batch,
    pub skeleton: Skeleton,
    pub private: Private,
}

/// One learning event, with the models after it.
pub struct Learned {
    pub what: &'static str,
    pub sequence: u64,
    pub event: LearningEvent,
    pub sealed: Vec<u8>,
    pub models: Models,
}

/// Everything that happens.
pub struct Story {
    pub bundle: Arc<Bundle>,
    pub catalogue: Arc<Catalogue>,
    pub placement: Placement,
    pub history: Vec<LearningEvent>,
    pub before: Models,
    pub view: Arc<ModelView>,
    pub state: SubjectState,
    pub first: Told,
    pub state_after: SubjectState,
    pub second: Told,
    pub learned: Vec<Learned>,
}

pub fn arm(offer: &str) -> ArmKey {
    ArmKey { offer: OfferId::new(offer).unwrap(), variant: VariantId::new("a").unwrap() }
}

impl Story {
    pub fn tell(page: &Page) -> Self {
        let files: Vec<Source> = page
            .blocks_ending(".yaml")
            .into_iter()
            .map(|(path, text)| Source { path: path.into(), text: text.into() })
            .collect();
        let bundle = Arc::new(compile(&files).unwrap_or_else(|findings| panic!("{findings:#?}")));
        let offers: Vec<Offer> = serde_json::from_str(page.block("import")).unwrap();
        let catalogue = Arc::new(Catalogue::new(1, offers, Vec::new()));
        let placement = bundle.placement("home_banner").unwrap().clone();
        let (history, before) = history(page, &placement, &catalogue);
        let now = json(page, "request")["at"].as_str().map(|at| Timestamp::parse(at).unwrap()).unwrap();
        let view = view(&before, &placement, &catalogue, now);
        let snapshot = Arc::new(Snapshot {
            tenant: TENANT.into(),
            build: "example".into(),
            control_sequence: CONTROL_SEQUENCE,
            bundle: bundle.clone(),
            catalogue: catalogue.clone(),
            models: BTreeMap::from([(placement.id.clone(), vec![view.clone()])]),
            day: now.day(),
            spend: Arc::new(proffer::domain::Spend::none(now.day())),
            approved: Arc::default(),
        });
        let mut state = SubjectState::default();
        let consent: ConsentRecord = serde_json::from_str(page.block("consent")).unwrap();
        let taken_in_at = consent.valid_from.unwrap();
        state.add_consent(ConsentEntry::of(&consent, taken_in_at), taken_in_at);

        let mut engine = Engine::new(settings(), snapshot);
        let first = decide(&mut engine, page, "request", &state);
        let touched = &first.batch.subjects[0];
        let next = touched.next.as_ref().unwrap();
        let state_after = open_state(&SUBJECT_KEY, touched.subject, next.version, &next.state).unwrap();
        let second = decide(&mut engine, page, "second-request", &state);
        let learned = learn(page, &first, &before);
        Self { bundle, catalogue, placement, history, before, view, state, first, state_after, second, learned }
    }

    /// What a view believes of an offer.
    pub fn posterior<'v>(&self, view: &'v ModelView, offer: &str) -> &'v Posterior {
        let named = |at: &usize| self.catalogue.at(*at).is_some_and(|(found, _)| found.offer_id.as_str() == offer);
        view.posterior((0..self.catalogue.candidates().len()).find(named).unwrap())
    }

    /// The feature vector that the first record holds.
    pub fn features(&self) -> Features {
        let context = &self.first.private.context;
        Features::from_sparse(context.dimensions.into(), &context.features).unwrap()
    }
}

pub fn view(models: &Models, placement: &Placement, catalogue: &Catalogue, now: Timestamp) -> Arc<ModelView> {
    let model = &models.by_id[&placement.model_id()];
    let (version, lineup) = (model.version(), model.lineup(catalogue));
    Arc::new(ModelView::derive(version, placement, &placement.champion, lineup, now.day(), None))
}

fn settings() -> Settings {
    Settings {
        node: "example/1".into(),
        incarnation: 1,
        batch_decisions_max: 256,
        waiting_max: 16,
        subjects_max: 16,
        generator: GENERATOR,
        master: MASTER,
    }
}

fn json(page: &Page, label: &str) -> serde_json::Value {
    serde_json::from_str(page.block(label)).unwrap_or_else(|error| panic!("{label}: {error}"))
}

fn instant(value: &serde_json::Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

/// Earlier decisions: each is an exposure of one offer to one customer, accepted or not.
fn history(page: &Page, placement: &Placement, catalogue: &Catalogue) -> (Vec<LearningEvent>, Models) {
    let (mut events, mut models) = (Vec::new(), Models::default());
    for (sequence, row) in (1..).zip(json(page, "history").as_array().unwrap()) {
        let offer = catalogue.offer(row["offer"].as_str().unwrap()).unwrap();
        let tier = Value::Text(row["tier"].as_str().unwrap().into());
        let at = instant(&row["at"]);
        let accepted = row["ordered"].as_bool().unwrap();
        let terms = proffer::domain::decision::Terms::of(placement, &[&offer.offer_id]);
        let (margin_minor, cost_minor) = (offer.margin_minor(), offer.cost_of_showing_minor());
        let lesson = Lesson {
            decision_id: DecisionId::from_parts(at.0, [0; 10]),
            slot: 0,
            model: placement.model_id(),
            arm: arm(offer.offer_id.as_str()),
            features: features(placement, LocalTime::utc(Timestamp(0)), &|_| Some(tier.clone())),
            exposed: Exposed { at, margin_minor, cost_minor, terms },
        };
        let reward_minor = if accepted { margin_minor } else { 0 } - cost_minor;
        let event =
            lesson.event(Applied::default(), Applied { exposed: true, accepted, reward_minor, steps: 0 }).unwrap();
        models.absorb(placement.model_id(), sequence, &event).unwrap();
        events.push(event);
    }
    (events, models)
}

/// Asks the engine, and answers its effects as a store would.
fn decide(engine: &mut Engine, page: &Page, label: &str, state: &SubjectState) -> Told {
    let asked = json(page, label);
    let body = &asked["body"];
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let request = DecisionRequest {
        decision_id: Some(DecisionId::parse(body["decision_id"].as_str().unwrap()).unwrap()),
        customer: Customer {
            id: text(&body["customer"]["id"]),
            attributes: serde_json::from_value(body["customer"]["attributes"].clone()).unwrap(),
            ..Customer::default()
        },
        placement: PlacementId::new(text(&body["placement"]).unwrap()).unwrap(),
        count: Some(1),
        jurisdiction: text(&body["jurisdiction"]),
        time_zone: None,
        context: BTreeMap::new(),
        basket: Vec::new(),
        candidates: None,
        store: None,
        privacy_signal: None,
    };
    let now = instant(&asked["at"]);
    let mut steps = Vec::new();
    let mut events = vec![Event::Asked { ticket: 1, request: Arc::new(request) }];
    let mut stored = None;
    loop {
        let told = events.iter().map(tell_event).collect::<Vec<_>>().join(", ");
        let effects = engine.step(std::mem::take(&mut events), now);
        steps.push(format!("{told:32} -> {}", effects.iter().map(tell_effect).collect::<Vec<_>>().join(", ")));
        for effect in effects {
            match effect {
                Effect::LoadSubjects(wanted) => {
                    events.push(Event::SubjectsLoaded(wanted.into_iter().map(|who| loaded(who, state)).collect()));
                }
                Effect::Commit(batch) => {
                    stored = Some(*batch);
                    events.push(Event::Committed(CommitOutcome::Stored));
                }
                Effect::Reply(_, Reply::Decided(skeleton)) => {
                    let batch = stored.take().unwrap();
                    let record = &batch.decisions[0].record;
                    // What is answered lacks only the commitments, which are made when the record is sealed.
                    let commitments = record.skeleton().unwrap().commitments;
                    assert_eq!(record.skeleton().unwrap(), Skeleton { commitments, ..(*skeleton).clone() });
                    let (skeleton, private) = (record.skeleton().unwrap(), record.private(&SUBJECT_KEY).unwrap());
                    return Told { steps, batch, skeleton, private };
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

fn loaded(reference: SubjectRef, state: &SubjectState) -> Loaded {
    assert_eq!(reference.kind, SubjectKind::Customer);
    let subject = Subject { reference, subject: SUBJECT, key: SUBJECT_KEY, version: 1, state: state.clone() };
    Loaded { subject, contacts: None }
}

fn tell_event(event: &Event) -> String {
    match event {
        Event::Asked { ticket, .. } => format!("asked, ticket {ticket}"),
        Event::SubjectsLoaded(loaded) => format!("subject loaded at version {}", loaded[0].subject.version),
        Event::Committed(outcome) => format!("committed: {outcome:?}"),
        other => panic!("{other:?}"),
    }
}

fn tell_effect(effect: &Effect) -> String {
    match effect {
        Effect::LoadSubjects(wanted) => format!("load subject of customer {}", wanted[0].outside_id),
        Effect::Commit(batch) => format!(
            "commit batch {}: {} decision, subject {} -> {}, control row {}",
            batch.number,
            batch.decisions.len(),
            batch.subjects[0].version,
            batch.subjects[0].next.as_ref().map_or(0, |next| next.version),
            batch.control_sequence
        ),
        Effect::Reply(ticket, Reply::Decided(_)) => format!("answer ticket {ticket}"),
        other => panic!("{other:?}"),
    }
}

/// The exposure, then its order, then the refund of it, each as the learner meets it.
fn learn(page: &Page, told: &Told, before: &Models) -> Vec<Learned> {
    let (order, refund) = (fact(page, "order"), fact(page, "refund"));
    let lesson = Lesson::read(&told.skeleton, &told.private).unwrap().remove(0);
    let (mut applied, mut models) = (Applied::default(), before.clone());
    let mut all = Vec::new();
    for (what, outcomes) in [("exposure", vec![]), ("order", vec![order]), ("refund", vec![refund, order])] {
        let studied =
            Studied { lesson: lesson.clone(), subject: Some(SUBJECT), key: SUBJECT_KEY, before: applied, outcomes };
        let (learned, next) = models.study(&[studied], told.skeleton.at).unwrap();
        let row = &learned.events[0];
        let event = LearningEvent::open(&SUBJECT_KEY, row.decision_id, row.sequence, &row.sealed).unwrap();
        (applied, models) = (learned.applied[0].applied, next.clone());
        all.push(Learned { what, sequence: row.sequence, event, sealed: row.sealed.clone(), models: next });
    }
    all
}

/// An outcome as the fold reads it.
fn fact(page: &Page, label: &str) -> OutcomeFact {
    let body = json(page, label);
    let key = |field: &str| Some(MASTER.event_key(body["source"].as_str()?, body[field].as_str()?));
    OutcomeFact {
        key: key("event_id").unwrap(),
        kind: if body["type"] == "refund" { OutcomeKind::Refund } else { OutcomeKind::Order },
        occurred_at: instant(&body["occurred_at"]),
        refers_to: key("refers_to"),
        revenue_minor: Some(serde_json::from_value::<Money>(body["revenue"].clone()).unwrap().minor),
        margin_minor: None,
        slot: 0,
    }
}

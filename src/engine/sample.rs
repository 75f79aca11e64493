//! A small shop and a store in memory for the engine's tests. The store keeps the contract and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch::{Batch, CommitOutcome, DecisionWrite, Known};
use super::{Loaded, Settings, Subject, open_state, seal_state};
use crate::decision::Snapshot;
use crate::domain::consent::ConsentEntry;
use crate::domain::key::{GeneratorKey, MasterKey, SubjectKey};
use crate::domain::{
    Basis, Catalogue, ConsentState, Customer, Day, DecisionId, DecisionRequest, Offer, PlacementId, PoolKey, PurposeId,
    SubjectId, SubjectKind, SubjectRef, SubjectState, Timestamp,
};
use crate::policy::{Source, compile};
use crate::transparency::merkle_root;

pub const NOW: Timestamp = Timestamp(1_780_000_000_000);

pub fn snapshot(control_sequence: u64, cap: u32) -> Arc<Snapshot> {
    capped(control_sequence, &[("customer", cap)])
}

/// With a cap of a day for each of these.
pub fn capped(control_sequence: u64, caps: &[(&str, u32)]) -> Arc<Snapshot> {
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let cap = |(whose, max): &(&str, u32)| {
        format!(
            "  - {{id: cap.{whose}, why: Contact standard, scope: [{whose}], max: {max}, window: {{rolling: 24h}}, \
             counts: decision}}\n"
        )
    };
    let caps = format!(
        "owner: marketing\nfrequency_caps:\n{}purpose_gates:\n  - id: gate\n    why: Personal offers need consent\n    \
         purpose: offer_personalisation\n",
        caps.iter().map(cap).collect::<String>()
    );
    let placements = "placements:\n  - id: home\n    channel: web\n    purpose: offer_personalisation\n    \
                      currency: USD\n    objective: {kind: margin, window: 7d, reward_cap: 200.00}\n    \
                      strategy: {name: thompson_linear}\n    features: []\n    fallback: {offer: house, variant: a}\n";
    let purposes = "purposes:\n  - id: offer_personalisation\n    dpv: ProvideProductRecommendations\n    \
                    bases: {US: [consent]}\n";
    let bundle = compile(&[
        file("bundle.yaml", "name: sample\nschema: 1\n"),
        file("catalog/purposes.yaml", purposes),
        file("placements.yaml", placements),
        file("rules/10.yaml", &caps),
    ])
    .unwrap_or_else(|findings| panic!("{}", findings.iter().map(ToString::to_string).collect::<String>()));
    let offer = |id: &str| -> Offer {
        let money = r#"{"amount":"10.00","currency":"USD"}"#;
        let json = format!(r#"{{"offer_id":"{id}","price":{money},"variants":[{{"variant_id":"a"}}]}}"#);
        serde_json::from_str(&json).unwrap()
    };

    Arc::new(Snapshot {
        tenant: "default".into(),
        build: "test".into(),
        control_sequence,
        bundle: Arc::new(bundle),
        catalogue: Arc::new(Catalogue::new(1, vec![offer("house"), offer("boots"), offer("tent")], Vec::new())),
        models: BTreeMap::new(),
        day: Day(20_601),
        spend: Arc::new(crate::domain::Spend::none(Day(20_601))),
        approved: Arc::default(),
    })
}

pub fn settings(node: &str) -> Settings {
    Settings {
        node: node.to_owned(),
        incarnation: 1,
        batch_decisions_max: 64,
        waiting_max: 100,
        subjects_max: 100,
        generator: GeneratorKey { period: 1, key: [3; 32] },
        master: MasterKey([4; 32]),
    }
}

pub fn customer(id: &str) -> SubjectRef {
    SubjectRef { kind: SubjectKind::Customer, outside_id: id.to_owned() }
}

pub fn request(customer: &str, id: Option<DecisionId>) -> Arc<DecisionRequest> {
    Arc::new(DecisionRequest {
        decision_id: id,
        customer: Customer { id: Some(customer.to_owned()), ..Customer::default() },
        placement: PlacementId::new("home").unwrap(),
        count: None,
        jurisdiction: Some("US".into()),
        time_zone: None,
        context: BTreeMap::new(),
        basket: Vec::new(),
        candidates: None,
        store: None,
        privacy_signal: None,
    })
}

pub fn consent(state: ConsentState, at: Timestamp) -> ConsentEntry {
    ConsentEntry {
        purpose: PurposeId::new("offer_personalisation").unwrap(),
        state,
        basis: Basis::Consent,
        valid_from: at,
        valid_until: None,
        channel: None,
        jurisdiction: None,
    }
}

/// What is stored: subjects by version, decisions, the control row, and the last batch of each node.
#[derive(Default)]
pub struct Memory {
    pub control_sequence: u64,
    pub subjects: BTreeMap<SubjectId, (u64, Vec<u8>)>,
    pub decisions: BTreeMap<DecisionId, DecisionWrite>,
    pub batches: BTreeMap<String, u64>,
    /// What was given out of what may run out.
    pub gone: BTreeMap<PoolKey, i64>,
    /// Commits that were refused.
    pub refusals: usize,
    /// Commits that checked nothing, to see whether the tests notice.
    pub careless: bool,
}

fn identity(reference: &SubjectRef) -> (SubjectId, SubjectKey) {
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(reference.outside_id.bytes()) {
        *to = from;
    }
    (SubjectId(id), SubjectKey([id[0]; 32]))
}

impl Memory {
    pub fn load(&self, reference: &SubjectRef) -> Loaded {
        let (subject, key) = identity(reference);
        let (version, sealed) = self.subjects.get(&subject).cloned().unwrap_or_default();
        let state = open_state(&key, subject, version, &sealed).unwrap();
        Loaded { subject: Subject { reference: reference.clone(), subject, key, version, state }, contacts: None }
    }

    /// Changes a subject as somebody else would.
    pub fn change(&mut self, reference: &SubjectRef, change: impl FnOnce(&mut SubjectState)) {
        let Subject { subject, key, version, mut state, .. } = self.load(reference).subject;
        change(&mut state);
        let sealed = seal_state(&key, subject, version + 1, &state);
        self.subjects.insert(subject, (version + 1, sealed));
    }

    pub fn commit(&mut self, batch: &Batch) -> CommitOutcome {
        let leaves: Vec<_> = batch.decisions.iter().map(|decision| decision.record.leaf).collect();
        assert_eq!(batch.digest, merkle_root(&leaves), "the digest is over exactly these decisions");
        assert!(batch.subjects.is_sorted_by_key(|touched| touched.subject), "subjects are sorted");
        let last = self.batches.entry(batch.node.clone()).or_default();
        assert_eq!(batch.number, *last + 1, "batch numbers have no gap");
        let gate = (batch.control_sequence != self.control_sequence).then_some(self.control_sequence);
        let version = |subject| self.subjects.get(subject).map_or(0, |(version, _)| *version);
        let stale: Vec<SubjectId> = batch
            .subjects
            .iter()
            .filter(|touched| version(&touched.subject) != touched.version)
            .map(|touched| touched.subject)
            .collect();
        let known: Vec<Known> = batch
            .decisions
            .iter()
            .filter_map(|decision| self.decisions.get(&decision.decision_id))
            .map(|stored| Known {
                decision_id: stored.decision_id,
                request_digest: stored.request_digest,
                record: stored.record.clone(),
            })
            .collect();
        let mut wanted: BTreeMap<&PoolKey, (i64, Option<i64>)> = BTreeMap::new();
        for take in batch.decisions.iter().flat_map(|decision| &decision.takes) {
            let (amount, total) = wanted.entry(&take.pool).or_default();
            (*amount, *total) = (*amount + take.amount, take.total.or(*total));
        }
        let gone = |pool: &PoolKey| self.gone.get(pool).copied().unwrap_or(0);
        let lacks =
            |pool: &PoolKey, (amount, total): (i64, Option<i64>)| total.is_some_and(|t| gone(pool) + amount > t);
        let short = wanted.iter().filter(|(pool, wanted)| lacks(pool, **wanted));
        let short: Vec<(PoolKey, i64)> = short.map(|(pool, _)| ((*pool).clone(), gone(pool))).collect();
        let other = gate.is_some() || !stale.is_empty() || !known.is_empty();
        if (other || !short.is_empty()) && !self.careless {
            self.refusals += 1;
            let short = if other { Vec::new() } else { short };
            return CommitOutcome::Refused { gate, stale, known, short };
        }
        for (pool, (amount, _)) in wanted {
            *self.gone.entry(pool.clone()).or_default() += amount;
        }
        *last += 1;
        for touched in &batch.subjects {
            if let Some(next) = &touched.next {
                self.subjects.insert(touched.subject, (next.version, next.state.clone()));
            }
        }
        for decision in &batch.decisions {
            self.decisions.insert(decision.decision_id, decision.clone());
        }
        CommitOutcome::Stored
    }

    /// Decisions that showed a candidate, of one customer.
    pub fn contacts(&self, reference: &SubjectRef) -> usize {
        let (subject, _) = identity(reference);
        let mine = self.decisions.values().filter(|decision| decision.subject == Some(subject));
        mine.filter(|decision| decision.record.skeleton().unwrap().chosen().next().is_some()).count()
    }
}

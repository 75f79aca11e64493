//! Check: everything that must hold once the dust has settled, against what the clients know. Repairs nothing.

use std::collections::{BTreeMap, BTreeSet};

use proffer::domain::money::print_decimal;
use proffer::domain::{DecisionId, Digest, OfferId, SubjectId, Timestamp};
use proffer::policy::{Bundle, CapBy, CapCounts, CapWindow, RuleKind, compile};
use proffer::runtime::read_policies;
use serde_json::{Value, json};

use super::ground::{self, Digests, Opened};
use super::ledger::{Findings, Trade};
use super::siege::{Siege, policies};
use super::wire::Wire;
use crate::harness::client::json_of;
use crate::harness::server::{Server, until};

/// Threads that send again.
const THREADS: usize = 4;

/// What was checked, for people and against checks that check nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checked {
    /// Candidates that a cap left out.
    pub capped: usize,
    /// Decisions with outcomes.
    pub traded: usize,
    /// Models that were rebuilt from a checkpoint.
    pub checkpoints: usize,
}

/// Checks everything on a service that has recovered and takes no other requests; adds to the ledger's findings.
pub fn check(siege: &Siege, server: &Server) -> Checked {
    let wire = siege.wire(server);
    send_all_again(&wire);
    let (store, keys) = (siege.open(), siege.site.keys());
    let live = learned(siege, &wire);
    let ground = siege.runtime.block_on(ground::read(store.as_ref(), &keys));
    let mut findings = Findings::default();
    counted(siege, &ground, &mut findings);
    let capped = caps(&ground, &mut findings);
    chained(&ground, &mut findings);
    let (of_events, checkpoints) = siege.runtime.block_on(ground::models_of_events(store.as_ref(), &keys));
    models(&live, &ground::models_of(&ground), "its ground state", &mut findings);
    models(&live, &of_events, "its checkpoints and events", &mut findings);
    let traded = reports(&wire, &ground, &mut findings);
    consents(&wire, &mut findings);
    imports(siege, &mut findings);
    log(siege, &mut findings);
    let ledger = &mut wire.ledger().findings;
    ledger.lost += findings.lost;
    ledger.doubled += findings.doubled;
    ledger.told.extend(findings.told);
    Checked { capped, traded, checkpoints }
}

/// Runs over items in several threads.
fn in_threads<T: Sync>(items: &[T], work: impl Fn(&[T]) + Sync) {
    std::thread::scope(|scope| {
        for piece in items.chunks(items.len().div_ceil(THREADS).max(1)) {
            scope.spawn(|| work(piece));
        }
    });
}

/// Every decision answers what it answered before, every outcome is a duplicate: the wire writes down what is not.
fn send_all_again(wire: &Wire<'_>) {
    let ids: Vec<DecisionId> = wire.ledger().decisions.keys().copied().collect();
    in_threads(&ids, |piece| piece.iter().for_each(|id| Wire::insist("a decision asked for again", || wire.ask(*id))));
    let names: Vec<String> = wire.ledger().events.keys().cloned().collect();
    in_threads(&names, |piece| {
        piece.chunks(50).for_each(|names| Wire::insist("outcomes sent again", || wire.tell(names)));
    });
}

/// The digests that the service shows once its learner has nothing left to do.
pub fn learned(siege: &Siege, wire: &Wire<'_>) -> Digests {
    let store = siege.open();
    until("the learner to have learned everything", || {
        let totals = siege.runtime.block_on(store.totals()).unwrap();
        if totals.batches_unlearned > 0 || totals.outcomes_unapplied > 0 {
            return None;
        }
        let heads = siege.runtime.block_on(store.model_heads()).unwrap();
        let listed = json_of(&wire.client.get("/v1/models").unwrap());
        let listed = listed["models"].as_array().unwrap();
        let at = |id: &Value| listed.iter().find(|model| model["model"] == *id).map(|model| &model["sequence"]);
        let all = heads.iter().all(|(id, sequence)| at(&json!(id)) == Some(&json!(sequence)));
        let digest = |model: &Value| Digest::from_hex(model["digest"].as_str().unwrap()).unwrap();
        let named = heads.iter().map(|(id, _)| {
            let shown = listed.iter().find(|model| model["model"] == json!(id));
            (*id, shown.map_or(Digest([0; 32]), digest))
        });
        all.then(|| named.collect())
    })
}

/// Exactly what was sent is stored, each once.
fn counted(siege: &Siege, ground: &[Opened], findings: &mut Findings) {
    let totals = siege.runtime.block_on(siege.open().totals()).unwrap();
    let ledger = siege.ledger.lock().unwrap();
    let stored: BTreeSet<DecisionId> = ground.iter().map(|decision| decision.stored.decision_id).collect();
    for id in ledger.decisions.keys().filter(|id| !stored.contains(*id)) {
        findings.lost(&format!("decision {id} was answered and is not in the store"));
    }
    for id in stored.iter().filter(|id| !ledger.decisions.contains_key(id)) {
        findings.wrong(&format!("nobody asked for decision {id}"));
    }
    let rows = usize::try_from(totals.decisions).unwrap();
    if rows > stored.len() {
        findings.doubled(&format!("{rows} decisions are stored under {} ids", stored.len()));
    }
    let outcomes = usize::try_from(totals.outcomes).unwrap();
    if outcomes > ledger.events.len() {
        findings.doubled(&format!("{outcomes} outcomes are stored; {} were sent", ledger.events.len()));
    } else if outcomes < ledger.events.len() {
        findings.lost(&format!("{outcomes} outcomes are stored; {} were answered", ledger.events.len()));
    }
}

fn bundle() -> Bundle {
    compile(&read_policies(&policies()).unwrap()).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// Counts every window of every cap again, slowly. Says how many candidates caps left out.
fn caps(ground: &[Opened], findings: &mut Findings) -> usize {
    let bundle = bundle();
    let mut capped = 0;
    for (position, rule) in bundle.rules.iter().enumerate() {
        let RuleKind::FrequencyCap(cap) = &rule.kind else { continue };
        let (CapWindow::Rolling(window), CapCounts::Decision) = (cap.window, cap.counts) else {
            panic!("{}: this check knows no such cap", rule.id);
        };
        let (by_offer, max) = (cap.by == CapBy::Offer, cap.max);
        let covered =
            |decision: &&Opened| rule.applies_to.covers_placement(&bundle.placements[&decision.skeleton.placement]);
        let mut contacts: BTreeMap<(SubjectId, Option<&OfferId>), Vec<Timestamp>> = BTreeMap::new();
        for decision in ground.iter().filter(covered) {
            let rows = decision.skeleton.candidates.iter();
            capped += rows.filter(|row| row.failed.iter().any(|failed| usize::from(failed.rule) == position)).count();
            let Some(subject) = decision.stored.subject else { continue };
            for (_, shown, _) in decision.skeleton.chosen() {
                let offer = by_offer.then_some(&shown.offer);
                contacts.entry((subject, offer)).or_default().push(decision.skeleton.at);
            }
        }
        for ((subject, offer), at) in contacts {
            for end in &at {
                let used = at.iter().filter(|at| end.minus(window) < **at && *at <= end).count();
                if used > max as usize {
                    findings
                        .wrong(&format!("cap {} is {max}: {used} of {offer:?} for {subject:?} up to {end}", rule.id));
                }
            }
        }
    }
    capped
}

/// No two contacts of a subject were decided on the same version of its state: none counts for nothing.
fn chained(ground: &[Opened], findings: &mut Findings) {
    let mut read = BTreeSet::new();
    for decision in ground.iter().filter(|decision| !decision.skeleton.slots.is_empty()) {
        let Some(subject) = decision.private.subject.read else { continue };
        if !read.insert((subject.subject, subject.version)) {
            let id = decision.stored.decision_id;
            findings.wrong(&format!("decision {id} read version {} that another one had replaced", subject.version));
        }
    }
}

fn models(live: &Digests, rebuilt: &Digests, what: &str, findings: &mut Findings) {
    if live.is_empty() {
        findings.wrong("no model has learned anything");
    }
    if live != rebuilt {
        findings.wrong(&format!("the models are {live:?}, but rebuilt from {what} {rebuilt:?}"));
    }
}

/// Every report equals what a hand computes from what the clients sent. Says how many decisions have outcomes.
fn reports(wire: &Wire<'_>, ground: &[Opened], findings: &mut Findings) -> usize {
    let trades = wire.ledger().trades.clone();
    // Of those without outcomes a few will do.
    let quiet = ground.iter().filter(|decision| !trades.contains_key(&decision.stored.decision_id)).step_by(20);
    let traded = ground.iter().filter(|decision| trades.contains_key(&decision.stored.decision_id));
    let decisions: Vec<&Opened> = traded.chain(quiet).collect();
    let wrong = std::sync::Mutex::new(Vec::new());
    in_threads(&decisions, |piece| {
        for decision in piece {
            let id = decision.stored.decision_id;
            let expected = expected(decision, &trades.get(&id).copied().unwrap_or_default());
            let shown = json_of(&wire.client.get(&format!("/v1/decisions/{id}")).unwrap());
            if shown["outcomes"] != expected {
                wrong.lock().unwrap().push(format!("decision {id} earned {expected}, shown {}", shown["outcomes"]));
            }
        }
    });
    for told in wrong.into_inner().unwrap() {
        findings.wrong(&told);
    }
    trades.len()
}

fn expected(decision: &Opened, trade: &Trade) -> Value {
    let row = decision.skeleton.chosen().next();
    let (margin, cost) = row.map_or((0, 0), |(_, _, row)| (row.margin_minor, row.cost_minor));
    let (accepted, reward) = trade.earned(margin, cost, decision.skeleton.terms.reward_cap_minor);
    json!({
        "count": usize::from(trade.order.is_some()) + usize::from(trade.refund.is_some()),
        "late": usize::from(trade.order.is_some_and(|order| order.late)),
        "accepted": accepted,
        "reward": {"amount": print_decimal(reward, 2), "currency": "USD"},
    })
}

/// Every consent that was answered is kept; one that was sent once is kept once.
fn consents(wire: &Wire<'_>, findings: &mut Findings) {
    let customers: BTreeSet<String> = wire.ledger().consents.values().map(|put| put.customer.clone()).collect();
    let mut kept: BTreeMap<String, u32> = BTreeMap::new();
    for customer in customers {
        let listed = json_of(&wire.client.get(&format!("/v1/customers/{customer}/consents")).unwrap());
        for record in listed["consents"].as_array().unwrap() {
            *kept.entry(record["evidence_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    for (evidence, put) in &wire.ledger().consents {
        match kept.get(evidence) {
            None => findings.lost(&format!("consent {evidence} of {} was acknowledged", put.customer)),
            Some(times) if *times > put.times => {
                findings.doubled(&format!("consent {evidence} is kept {times} times; it was sent {} times", put.times));
            }
            Some(_) => {}
        }
    }
}

/// What is stored is what the log says, and what has no position yet is what was committed.
fn log(siege: &Siege, findings: &mut Findings) {
    let output = siege.site.command(&["audit", "verify"]).output().unwrap();
    if !output.status.success() {
        let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        findings.wrong(&format!("audit verify: {}{}", told(&output.stdout), told(&output.stderr)));
    }
}

/// Every import that was answered is the catalogue at the revision it was told.
fn imports(siege: &Siege, findings: &mut Findings) {
    let store = siege.open();
    let ledger = siege.ledger.lock().unwrap();
    for (name, made) in &ledger.imports {
        let Some(revision) = made.revision else { continue };
        let stored = siege.runtime.block_on(store.catalogue(revision)).unwrap().offers;
        let is_this = |json: &str| {
            let offer: Value = serde_json::from_str(json).unwrap();
            offer["variants"][0]["content"]["import"] == json!(name)
        };
        if stored.is_empty() || !stored.iter().all(|(offer, _)| is_this(&offer.json)) {
            findings
                .lost(&format!("import {name} was acknowledged as revision {revision}, which holds something else"));
        }
    }
    let revision = siege.runtime.block_on(store.control()).unwrap().catalogue_revision;
    let sent: u32 = ledger.imports.values().map(|made| made.times).sum();
    if revision > u64::from(sent) {
        findings.doubled(&format!("the catalogue is at revision {revision} after {sent} imports"));
    }
}

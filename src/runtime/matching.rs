//! Matching: which decision and slot an outcome belongs to, now or once its decision is known. Stores no outcome.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::subjects::contacts_of;
use super::{Core, RuntimeError};
use crate::domain::decision::{Skeleton, decode_skeleton};
use crate::domain::key::SubjectKey;
use crate::domain::outcome::{Claim, EVERY_SLOT, Outcome, OutcomeFact, OutcomeKind};
use crate::domain::{Currency, DecisionId, Digest, Malformed, OfferId, Span, SubjectId};
use crate::learning::within_window;
use crate::policy::{Contact, EVENTS};
use crate::store::{CountedFor, KeptOutcome, Match, StoredDecision};

/// A subject with its key.
pub(super) type Owner = (SubjectId, SubjectKey);

/// A decision that outcomes belong to.
pub(super) struct Named {
    pub(super) skeleton: Skeleton,
    pub(super) owner: Option<Owner>,
    /// Whether it was for somebody who is erased.
    pub(super) erased: bool,
}

/// Decisions by their ids.
pub(super) type Decisions = BTreeMap<DecisionId, Named>;

/// Where an outcome stands that names a known decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In this slot.
    Slot(u16),
    /// In none: the decision did not show the offer, or what the outcome refers to will say.
    Nowhere,
    /// In none, and it has to say in which.
    Ambiguous,
    /// Its amounts are in another currency than this one.
    Currency(Currency),
}

/// The slot of a decision that an outcome belongs to.
pub(super) fn place(
    skeleton: &Skeleton,
    kind: OutcomeKind,
    offer: Option<&OfferId>,
    refers: bool,
    currency: Option<Currency>,
) -> Place {
    let expected = skeleton.terms.currency;
    if currency.is_some_and(|currency| currency != expected) {
        return Place::Currency(expected);
    }
    let slots = skeleton.chosen().count();
    match offer {
        // House content stands in the first slot.
        Some(offer) if slots == 0 && skeleton.shown.iter().any(|shown| shown.offer == *offer) => Place::Slot(0),
        Some(offer) => skeleton.slot_of(offer).map_or(Place::Nowhere, Place::Slot),
        None if slots <= 1 => Place::Slot(0),
        None if kind == OutcomeKind::Impression => Place::Slot(EVERY_SLOT),
        None if refers => Place::Nowhere,
        None => Place::Ambiguous,
    }
}

impl Core {
    /// Decisions read back, with the subjects whose keys are still there.
    pub(super) async fn named(&self, ids: &[DecisionId]) -> Result<Decisions, RuntimeError> {
        let mut decisions = Decisions::new();
        if !ids.is_empty() {
            for decision in self.store.decisions(ids).await? {
                decisions.insert(decision.decision_id, self.read(decision)?);
            }
        }
        Ok(decisions)
    }

    fn read(&self, decision: StoredDecision) -> Result<Named, RuntimeError> {
        let skeleton = decode_skeleton(&decision.record.skeleton)?;
        let erased = decision.subject.is_some() && decision.wrapped_key.is_none();
        let owner = match decision.subject.zip(decision.wrapped_key) {
            Some((subject, wrapped)) => Some((subject, self.keys.master.unwrap(subject, &wrapped)?)),
            None => None,
        };
        Ok(Named { skeleton, owner, erased })
    }

    /// For outcomes that name neither a decision nor another event: the newest decision that showed the offer to the
    /// customer, within the placement's window, by event time against decision time. Told by the outcomes' positions;
    /// the decisions are added to those known.
    pub(super) async fn shown_to(
        &self,
        outcomes: &[Outcome],
        customers: &BTreeMap<String, Owner>,
        decisions: &mut Decisions,
    ) -> Result<BTreeMap<usize, (DecisionId, u16)>, RuntimeError> {
        let mut wanted: BTreeMap<&str, Vec<(usize, &Outcome, &OfferId)>> = BTreeMap::new();
        for (at, outcome) in outcomes.iter().enumerate() {
            let alone = outcome.decision_id.is_none() && outcome.refers_to.is_none();
            if let (true, Some(customer), Some(offer)) = (alone, &outcome.customer_id, &outcome.offer_id) {
                wanted.entry(customer).or_default().push((at, outcome, offer));
            }
        }
        let windows = self.snapshot().bundle.placements.values().map(|p| p.objective.window).max().unwrap_or(Span(0));
        let mut found = BTreeMap::new();
        for (customer, asked) in wanted {
            let Some((subject, _)) = customers.get(customer) else { continue };
            let Some(first) = asked.iter().map(|(_, outcome, _)| outcome.occurred_at).min() else { continue };
            let after = first.minus(windows).minus(Span(1));
            let shown: Vec<Named> = self
                .store
                .subject_decisions(*subject, after)
                .await?
                .into_iter()
                .map(|decision| self.read(decision))
                .collect::<Result<_, _>>()?;
            let mut used = Vec::new();
            for (at, outcome, offer) in asked {
                if let Some((which, slot)) = newest(&shown, outcome, offer) {
                    used.push(which);
                    found.insert(at, (shown[which].skeleton.decision_id, slot));
                }
            }
            let named = shown.into_iter().enumerate().filter(|(which, _)| used.contains(which));
            decisions.extend(named.map(|(_, named)| (named.skeleton.decision_id, named)));
        }
        Ok(found)
    }

    /// What an outcome claimed itself.
    pub(super) fn open_claim(&self, kept: &KeptOutcome) -> Result<Claim, RuntimeError> {
        let event = &kept.row.fact.key;
        let plain = match (kept.row.subject, &kept.wrapped_key) {
            (Some(subject), Some(wrapped)) => {
                self.keys.master.unwrap(subject, wrapped)?.open("claim", &event.0, 0, &kept.row.claim)?
            }
            (Some(_), None) => return Err(Malformed::new("the customer's key is gone: the claim is unreadable").into()),
            (None, _) => self.keys.master.open_secret(&format!("claim {}", event.hex()), &kept.row.claim)?,
        };
        let claim = minicbor::decode(&plain).map_err(|error| Malformed(format!("a claim does not decode: {error}")))?;
        Ok(claim)
    }

    /// Matches the outcomes that wait for decisions now stored. Says whether there were any. Impressions are confirmed
    /// before they are matched: if the process ends in between they wait still, and are confirmed again.
    pub(super) async fn match_awaiting(&self, ids: &[DecisionId]) -> Result<bool, RuntimeError> {
        let waiting = self.store.outcomes_awaiting(ids).await?;
        if waiting.is_empty() {
            return Ok(false);
        }
        let awaited: Vec<DecisionId> = waiting.iter().filter_map(|kept| kept.row.awaits).collect();
        let decisions = self.named(&awaited).await?;
        let (mut matches, mut seen) = (Vec::new(), Vec::new());
        for kept in &waiting {
            let Some(named) = kept.row.awaits.and_then(|id| decisions.get(&id)) else { continue };
            let fact = kept.row.fact;
            let placed = match self.open_claim(kept) {
                Ok(claim) => {
                    let (offer, refers) = (claim.offer_id.as_ref(), fact.refers_to.is_some());
                    place(&named.skeleton, fact.kind, offer, refers, kept.row.currency)
                }
                // Erased meanwhile: it belongs to nobody any more.
                Err(_) => Place::Nowhere,
            };
            let id = named.skeleton.decision_id;
            let to = match placed {
                Place::Slot(slot) => {
                    seen.push((id, OutcomeFact { slot, ..fact }));
                    Some((id, slot))
                }
                Place::Nowhere | Place::Ambiguous | Place::Currency(_) => None,
            };
            matches.push(Match { key: fact.key, to });
        }
        self.confirm_seen(&seen, &decisions).await?;
        self.store.match_outcomes(&matches).await?;
        // Again for those that waited for these, which only now have a decision; and because a customer's counters may
        // have been rebuilt in between, from outcomes that were not attributed yet.
        self.confirm_seen(&seen, &decisions).await?;
        self.work.notify_one();
        Ok(true)
    }

    /// Outcomes of decisions, and those that refer to them: the store gives them the same decision, whichever came
    /// first.
    async fn with_those_that_refer(
        &self,
        facts: &[(DecisionId, OutcomeFact)],
    ) -> Result<Vec<(DecisionId, OutcomeFact)>, RuntimeError> {
        let ids: BTreeSet<DecisionId> = facts.iter().map(|(id, _)| *id).collect();
        let mut others = self.store.outcomes_of_all(&ids.into_iter().collect::<Vec<_>>()).await?;
        let mut all = facts.to_vec();
        let mut told: BTreeSet<Digest> = facts.iter().map(|(_, fact)| fact.key).collect();
        others.retain(|(_, fact)| !told.contains(&fact.key));
        loop {
            let refers = |(_, fact): &(DecisionId, OutcomeFact)| fact.refers_to.is_some_and(|to| told.contains(&to));
            let (more, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(refers);
            if more.is_empty() {
                return Ok(all);
            }
            told.extend(more.iter().map(|(_, fact)| fact.key));
            all.extend(more);
            others = rest;
        }
    }

    /// Tells caps and cool-downs what was seen and what else followed, given outcomes that are durable with the
    /// decisions they belong to.
    pub(super) async fn confirm_seen(
        &self,
        facts: &[(DecisionId, OutcomeFact)],
        decisions: &Decisions,
    ) -> Result<(), RuntimeError> {
        let known = |id: &DecisionId| decisions.contains_key(id);
        if !facts
            .iter()
            .any(|(id, fact)| known(id) && (EVENTS.contains(&fact.kind) || is_rare(fact.kind) || self.cools()))
        {
            return Ok(());
        }
        // Caps of another bundle are counted from stored outcomes by whoever reads the customer next; but only if that
        // bundle came after them, which this looks for now that they are stored.
        if self.store.control().await?.bundle != Some(self.snapshot().bundle.hash) {
            self.reload().await?;
        }
        let bundle = self.snapshot().bundle.clone();
        let facts = if self.cools() { self.with_those_that_refer(facts).await? } else { facts.to_vec() };
        let ids: BTreeSet<DecisionId> = facts.iter().map(|(id, _)| *id).collect();
        let counted_for = self.store.counted_for(&ids.into_iter().collect::<Vec<_>>()).await?;
        let mut contacts: BTreeMap<SubjectId, (SubjectKey, Vec<Contact>)> = BTreeMap::new();
        // A rare event that nothing counts now will have to be counted if policies of before come back.
        let told = |kind: OutcomeKind| is_rare(kind) || bundle.counts_outcome(kind);
        for (id, fact) in facts.iter().filter(|(_, fact)| told(fact.kind)) {
            let Some(named) = decisions.get(id) else { continue };
            for CountedFor { subject, wrapped_key, stands_for, .. } in
                counted_for.iter().filter(|c| c.decision_id == *id)
            {
                let seen = contacts_of(&named.skeleton, std::slice::from_ref(fact), *stands_for);
                let seen = seen.into_iter().filter(Contact::followed);
                let of = match contacts.entry(*subject) {
                    Entry::Occupied(of) => of.into_mut(),
                    Entry::Vacant(of) => of.insert((self.keys.master.unwrap(*subject, wrapped_key)?, Vec::new())),
                };
                of.1.extend(seen);
            }
        }
        for (subject, (key, contacts)) in contacts {
            if !contacts.is_empty() {
                self.confirm_contacts(subject, &key, &contacts).await?;
            }
        }
        Ok(())
    }

    /// Whether the active bundle counts more than what was seen, so that outcomes which refer to others matter.
    fn cools(&self) -> bool {
        let bundle = &self.snapshot().bundle;
        EVENTS.iter().any(|kind| *kind != OutcomeKind::Impression && bundle.counts_outcome(*kind))
    }
}

/// Whether so few outcomes of a kind come that each may be taken to the counters, whatever is counted now.
fn is_rare(kind: OutcomeKind) -> bool {
    matches!(kind, OutcomeKind::Reject | OutcomeKind::Order | OutcomeKind::Return | OutcomeKind::Release)
}

/// The newest of a customer's decisions, oldest first, that showed the offer before the outcome and within the window.
fn newest(shown: &[Named], outcome: &Outcome, offer: &OfferId) -> Option<(usize, u16)> {
    let currency = outcome.revenue.or(outcome.margin).map(|money| money.currency);
    shown.iter().enumerate().rev().find_map(|(which, Named { skeleton, .. })| {
        let within = within_window(skeleton.at, outcome.occurred_at, &skeleton.terms);
        let placed = place(skeleton, outcome.kind, Some(offer), false, currency);
        match placed {
            Place::Slot(slot) if within && skeleton.chosen().next().is_some() => Some((which, slot)),
            _ => None,
        }
    })
}

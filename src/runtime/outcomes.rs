//! Intake of outcomes: attribute, bound, store under the permanent key, confirm what was seen. Computes no reward.

use std::collections::{BTreeMap, BTreeSet};

use super::matching::{Decisions, Named, Owner, Place, place};
use super::subjects::contacts_of;
use super::{Core, Opened, RuntimeError};
use crate::domain::key::SubjectKey;
use crate::domain::outcome::{Claim, Outcome, OutcomeFact, OutcomeKind};
use crate::domain::{DecisionId, Digest, SubjectKind, SubjectKinds, SubjectRef, Timestamp};
use crate::learning::{Earned, Exposed, fold, within_window};
use crate::store::{KeptOutcome, OutcomeRow, Taken};

/// What became of one outcome, as its source is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    /// Stored and attributed; the learner takes it up.
    Accepted {
        /// To which decision.
        decision_id: DecisionId,
        /// It happened outside the placement's window: kept and counted, not learned.
        late: bool,
        /// It came when the reservation that it would have confirmed had ended: counted all the same.
        after_reservation: bool,
    },
    /// Its event id was taken in before; nothing changed.
    Duplicate,
    /// Stored, but attributed to no decision so far.
    Unmatched(Unmatched),
    /// The decision or the event that it names is of somebody who is erased: nothing more is kept or learned.
    Erased,
    /// Not stored.
    Rejected {
        /// The field that is the reason, as a pointer into the event.
        field: &'static str,
        /// Why, and what to do.
        why: String,
    },
}

/// Why an outcome is attributed to no decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmatched {
    /// Nothing it names is known so far.
    Unknown,
    /// The decision it names is known and showed another offer.
    NotShown,
    /// The decision it names has become known, and has another currency.
    OtherCurrency,
    /// The decision it names has become known, and has several slots.
    NoOffer,
}

impl Unmatched {
    /// In words.
    pub fn why(self) -> &'static str {
        match self {
            Self::Unknown => "it names no decision or event that is known yet; it is kept",
            Self::NotShown => "the decision it names did not show that offer; it is kept and attributed to none",
            Self::OtherCurrency => {
                "its amounts are not in the currency of the decision it names; it is kept and attributed to none"
            }
            Self::NoOffer => {
                "the decision it names has several slots and it names no offer; it is kept and attributed to none"
            }
        }
    }
}

/// What the outcomes of one decision amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutcomesSeen {
    /// How many are attributed.
    pub count: usize,
    /// Their fold, added up over the slots.
    pub earned: Earned,
}

/// What became of an event so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeStatus {
    /// As it stands in the store.
    pub kept: KeptOutcome,
    /// It happened outside the window of its decision.
    pub late: bool,
    /// The learner has taken it up, and learns from the slot it belongs to.
    pub learned: bool,
    /// Why it is attributed to no decision, where it is not.
    pub unmatched: Option<Unmatched>,
}

/// What is to be stored of the outcomes of one call, and what the others are told.
struct Planned {
    answers: Vec<Intake>,
    /// Positions of the rows among the answers.
    places: Vec<usize>,
    rows: Vec<OutcomeRow>,
}

impl Core {
    /// The outcomes of a decision, folded as the learner folds them.
    pub async fn outcomes_of(&self, opened: &Opened) -> Result<OutcomesSeen, RuntimeError> {
        let facts = self.store.outcomes_of(opened.skeleton.decision_id).await?;
        let slots: Vec<u16> = opened.skeleton.chosen().map(|(slot, _, _)| slot).collect();
        let slots = if slots.is_empty() { vec![0] } else { slots };
        let mut earned = Earned::default();
        for slot in slots {
            let of_slot: Vec<OutcomeFact> = facts.iter().filter(|fact| fact.is_of(slot)).copied().collect();
            let of_slot = fold(&Exposed::of(&opened.skeleton, slot), &of_slot);
            earned.exposed |= of_slot.exposed;
            earned.accepted |= of_slot.accepted;
            earned.reward_minor += of_slot.reward_minor;
            earned.late += of_slot.late;
        }
        let count = facts.iter().filter(|fact| fact.kind != OutcomeKind::Release).count();
        Ok(OutcomesSeen { count, earned })
    }

    /// What became of an event; nothing if it was never taken in.
    pub async fn outcome_status(&self, source: &str, event_id: &str) -> Result<Option<OutcomeStatus>, RuntimeError> {
        let key = self.keys.master.event_key(source, event_id);
        let Some(kept) = self.store.outcomes_by_key(&[key]).await?.pop() else { return Ok(None) };
        let fact = kept.row.fact;
        let Some(id) = kept.row.decision_id else {
            let unmatched = Some(self.why_unmatched(&kept).await?);
            return Ok(Some(OutcomeStatus { kept, late: false, learned: false, unmatched }));
        };
        let decisions = self.named(&[id]).await?;
        let (mut late, mut learned) = (false, false);
        if let Some(named) = decisions.get(&id) {
            late = is_late(&fact, named);
            let facts = self.store.outcomes_of(id).await?;
            let exposed = contacts_of(&named.skeleton, &facts, SubjectKinds::NONE).iter().any(|contact| {
                let seen = named.skeleton.terms.exposed_by.is_none() || contact.seen.is_some();
                fact.is_of(contact.chosen.slot) && seen
            });
            learned = kept.applied && !late && exposed;
        }
        Ok(Some(OutcomeStatus { kept, late, learned, unmatched: None }))
    }

    async fn why_unmatched(&self, kept: &KeptOutcome) -> Result<Unmatched, RuntimeError> {
        let Ok(claim) = self.open_claim(kept) else { return Ok(Unmatched::Unknown) };
        let claimed: Vec<DecisionId> = claim.decision_id.into_iter().collect();
        let decisions = self.named(&claimed).await?;
        let Some(named) = decisions.values().next() else { return Ok(Unmatched::Unknown) };
        let (offer, refers) = (claim.offer_id.as_ref(), kept.row.fact.refers_to.is_some());
        Ok(match place(&named.skeleton, kept.row.fact.kind, offer, refers, kept.row.currency) {
            Place::Nowhere if !refers => Unmatched::NotShown,
            Place::Currency(_) => Unmatched::OtherCurrency,
            Place::Ambiguous => Unmatched::NoOffer,
            Place::Nowhere | Place::Slot(_) => Unmatched::Unknown,
        })
    }

    /// Takes in outcomes of one source, in order. When this returns, all that are not rejected are durable, and what of
    /// them was seen is counted by the caps.
    pub async fn take_outcomes(&self, outcomes: &[Outcome]) -> Result<Vec<Intake>, RuntimeError> {
        let ids: Vec<DecisionId> = outcomes.iter().filter_map(|outcome| outcome.decision_id).collect();
        let mut decisions = self.named(&ids).await?;
        let received_at = self.clock.now();
        let strangers = self.owners(outcomes, &decisions).await?;
        let shown = self.shown_to(outcomes, &strangers, &mut decisions).await?;
        let Planned { mut answers, places, rows } = self.plan(outcomes, &decisions, &strangers, &shown, received_at);
        let taken = if rows.is_empty() { Vec::new() } else { self.store.take_outcomes(&rows).await? };
        for (at, taken) in places.iter().zip(&taken) {
            answers[*at] = match taken {
                Taken::Accepted(decision_id) => {
                    Intake::Accepted { decision_id: *decision_id, late: false, after_reservation: false }
                }
                Taken::Duplicate => Intake::Duplicate,
                Taken::Unmatched => {
                    let (outcome, known) = (&outcomes[*at], |id| decisions.contains_key(&id));
                    let settled = outcome.decision_id.is_some_and(known) && outcome.refers_to.is_none();
                    Intake::Unmatched(if settled { Unmatched::NotShown } else { Unmatched::Unknown })
                }
            };
        }
        self.settle(&rows, &places, &mut decisions, &mut answers, received_at).await?;
        self.count_outcomes(outcomes, &answers);
        if answers.iter().any(|answer| matches!(answer, Intake::Accepted { .. })) {
            self.work.notify_one();
        }
        Ok(answers)
    }

    /// The row of each outcome, or why it is rejected.
    fn plan(
        &self,
        outcomes: &[Outcome],
        decisions: &Decisions,
        strangers: &BTreeMap<String, Owner>,
        shown: &BTreeMap<usize, (DecisionId, u16)>,
        received_at: Timestamp,
    ) -> Planned {
        let answers = vec![Intake::Unmatched(Unmatched::Unknown); outcomes.len()];
        let mut planned = Planned { answers, places: Vec::new(), rows: Vec::new() };
        for (at, outcome) in outcomes.iter().enumerate() {
            let named = outcome.decision_id.and_then(|id| decisions.get(&id));
            if named.is_some_and(|named| named.erased) {
                planned.answers[at] = Intake::Erased;
                continue;
            }
            let currency = outcome.revenue.or(outcome.margin).map(|money| money.currency);
            let placed = match named {
                Some(named) => place(
                    &named.skeleton,
                    outcome.kind,
                    outcome.offer_id.as_ref(),
                    outcome.refers_to.is_some(),
                    currency,
                ),
                None => shown.get(&at).map_or(Place::Nowhere, |(_, slot)| Place::Slot(*slot)),
            };
            let found = named.map(|named| named.skeleton.decision_id).or(shown.get(&at).map(|(id, _)| *id));
            let (decision_id, slot) = match placed {
                Place::Slot(slot) => (found, slot),
                Place::Nowhere => (None, 0),
                Place::Currency(expected) => {
                    let sent = currency.unwrap_or(expected);
                    let field = if outcome.revenue.is_some() { "/revenue/currency" } else { "/margin/currency" };
                    let why =
                        format!("amounts are in {sent} but the decision's placement is in {expected}: send {expected}");
                    planned.answers[at] = Intake::Rejected { field, why };
                    continue;
                }
                Place::Ambiguous => {
                    let why = "the decision has several slots: name the `offer_id`".to_owned();
                    planned.answers[at] = Intake::Rejected { field: "/offer_id", why };
                    continue;
                }
            };
            let key = |event_id: &str| self.keys.master.event_key(&outcome.source, event_id);
            let owner = match named {
                Some(named) => named.owner.as_ref(),
                None => outcome.customer_id.as_ref().and_then(|id| strangers.get(id)),
            };
            planned.places.push(at);
            planned.rows.push(OutcomeRow {
                fact: OutcomeFact {
                    key: key(&outcome.event_id),
                    kind: outcome.kind,
                    occurred_at: outcome.occurred_at,
                    refers_to: outcome.refers_to.as_deref().map(key),
                    revenue_minor: outcome.revenue.map(|money| money.minor),
                    margin_minor: outcome.margin.map(|money| money.minor),
                    slot,
                },
                source: outcome.source.clone(),
                received_at,
                decision_id,
                subject: owner.map(|(subject, _)| *subject),
                claim: self.seal_claim(outcome, &key(&outcome.event_id), owner.map(|(_, key)| key)),
                currency,
                awaits: outcome.decision_id.filter(|_| named.is_none()),
            });
        }
        planned
    }

    /// What follows once outcomes are durable, again for those that were taken in before: a decision that has become
    /// known meanwhile is matched, and what was seen is confirmed. All of it may be repeated.
    async fn settle(
        &self,
        rows: &[OutcomeRow],
        places: &[usize],
        decisions: &mut Decisions,
        answers: &mut [Intake],
        received_at: Timestamp,
    ) -> Result<(), RuntimeError> {
        let open = |at: &usize| !matches!(answers[*at], Intake::Accepted { .. });
        let again: Vec<Digest> =
            rows.iter().zip(places).filter(|(_, at)| open(at)).map(|(row, _)| row.fact.key).collect();
        // The decision may have been stored between the look for it and the storing of its outcome, and been studied
        // by the learner before there was anything that waited for it.
        let mut kept = self.kept(&again).await?;
        let awaited: BTreeSet<DecisionId> = kept.values().filter_map(|kept| kept.row.awaits).collect();
        if !awaited.is_empty() && self.match_awaiting(&awaited.into_iter().collect::<Vec<_>>()).await? {
            kept = self.kept(&again).await?;
        }
        let mut seen = Vec::new();
        for (row, at) in rows.iter().zip(places) {
            let fact = kept.get(&row.fact.key).map_or(row.fact, |kept| kept.row.fact);
            let found = match (&answers[*at], kept.get(&row.fact.key)) {
                (Intake::Accepted { decision_id, .. }, _) => Some(*decision_id),
                (_, Some(kept)) => kept.row.decision_id,
                _ => None,
            };
            let Some(decision_id) = found else { continue };
            if let Intake::Unmatched(_) = answers[*at] {
                answers[*at] = Intake::Accepted { decision_id, late: false, after_reservation: false };
            }
            seen.push((*at, decision_id, fact));
        }
        let unread: Vec<DecisionId> =
            seen.iter().map(|(_, id, _)| *id).filter(|id| !decisions.contains_key(id)).collect();
        decisions.extend(self.named(&unread).await?);
        let released = self.released(&seen).await?;
        for (at, decision_id, fact) in &seen {
            let Some(named) = decisions.get(decision_id) else { continue };
            if named.erased {
                answers[*at] = Intake::Erased;
            }
            if let Intake::Accepted { late, after_reservation, .. } = &mut answers[*at] {
                *late = is_late(fact, named);
                let confirms = fact.kind == OutcomeKind::Impression || self.snapshot().bundle.caps_count(fact.kind);
                let until = named.skeleton.reserved_until.filter(|_| confirms);
                *after_reservation = until.is_some_and(|until| until <= received_at || released.contains(decision_id));
            }
        }
        let facts = seen.into_iter().map(|(_, id, fact)| (id, fact)).collect::<Vec<_>>();
        self.confirm_seen(&facts, decisions).await
    }

    async fn kept(&self, keys: &[Digest]) -> Result<BTreeMap<Digest, KeptOutcome>, RuntimeError> {
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let kept = self.store.outcomes_by_key(keys).await?;
        Ok(kept.into_iter().map(|kept| (kept.row.fact.key, kept)).collect())
    }

    /// Customers named by outcomes that name no known decision: their claims are sealed under their keys.
    async fn owners(
        &self,
        outcomes: &[Outcome],
        decisions: &Decisions,
    ) -> Result<BTreeMap<String, Owner>, RuntimeError> {
        let mut references: Vec<SubjectRef> = outcomes
            .iter()
            .filter(|outcome| outcome.decision_id.is_none_or(|id| !decisions.contains_key(&id)))
            .filter_map(|outcome| outcome.customer_id.clone())
            .map(|outside_id| SubjectRef { kind: SubjectKind::Customer, outside_id })
            .collect();
        references.sort();
        references.dedup();
        if references.is_empty() {
            return Ok(BTreeMap::new());
        }
        let opened = self.open_subjects(&references).await?;
        // By the id that was asked for: a customer may have turned out to be another one.
        Ok(references.into_iter().zip(opened).map(|(asked, s)| (asked.outside_id, (s.subject, s.key))).collect())
    }

    /// Of the decisions of which something was seen, those whose reservations were given back before.
    async fn released(&self, seen: &[(usize, DecisionId, OutcomeFact)]) -> Result<BTreeSet<DecisionId>, RuntimeError> {
        let shown = seen.iter().filter(|(_, _, fact)| fact.kind == OutcomeKind::Impression);
        let ids: BTreeSet<DecisionId> = shown.map(|(_, id, _)| *id).collect();
        if ids.is_empty() {
            return Ok(ids);
        }
        let facts = self.store.outcomes_of_all(&ids.into_iter().collect::<Vec<_>>()).await?;
        Ok(facts.into_iter().filter(|(_, fact)| fact.kind == OutcomeKind::Release).map(|(id, _)| id).collect())
    }

    fn seal_claim(&self, outcome: &Outcome, event: &Digest, owner: Option<&SubjectKey>) -> Vec<u8> {
        let claim = Claim {
            decision_id: outcome.decision_id,
            offer_id: outcome.offer_id.clone(),
            coupon: outcome.coupon.clone(),
        };
        self.seal_claimed(&claim, event, owner)
    }

    /// Seals what an outcome says of itself, under the key of whom it is about.
    pub(super) fn seal_claimed(&self, claim: &Claim, event: &Digest, owner: Option<&SubjectKey>) -> Vec<u8> {
        let plain = minicbor::to_vec(claim).unwrap_or_default();
        match owner {
            Some(key) => key.seal("claim", &event.0, 0, &plain),
            None => self.keys.master.seal_secret(&format!("claim {}", event.hex()), &plain),
        }
    }
}

fn is_late(fact: &OutcomeFact, named: &Named) -> bool {
    fact.kind.is_timely() && !within_window(named.skeleton.at, fact.occurred_at, &named.skeleton.terms)
}

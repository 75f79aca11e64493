//! Intake of outcomes: attribute, bound, store under the permanent key. Computes no reward.

use std::collections::BTreeMap;

use super::{Core, Opened, RuntimeError};
use crate::domain::decision::{Skeleton, decode_skeleton};
use crate::domain::key::SubjectKey;
use crate::domain::outcome::{Claim, Outcome, OutcomeFact, OutcomeKind};
use crate::domain::{DecisionId, Digest, SubjectId, SubjectKind, SubjectRef};
use crate::learning::{Earned, Exposed, fold, within_window};
use crate::store::{OutcomeRow, Taken};

/// What became of one outcome, as its source is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    /// Stored and attributed; the learner takes it up.
    Accepted {
        /// To which decision.
        decision_id: DecisionId,
        /// It happened outside the placement's window: kept and counted, not learned.
        late: bool,
    },
    /// Its event id was taken in before; nothing changed.
    Duplicate,
    /// Stored, but it names no decision that is known.
    Unmatched,
    /// Not stored, and why.
    Rejected(String),
}

/// A subject with its key.
type Owner = (SubjectId, SubjectKey);

/// A decision that an outcome names.
struct Named {
    skeleton: Skeleton,
    owner: Option<Owner>,
}

/// What the outcomes of one decision amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutcomesSeen {
    /// How many are attributed.
    pub count: usize,
    /// Their fold, added up over the slots.
    pub earned: Earned,
}

impl Core {
    /// The outcomes of a decision, folded as the learner folds them.
    pub async fn outcomes_of(&self, opened: &Opened) -> Result<OutcomesSeen, RuntimeError> {
        let facts = self.store.outcomes_of(opened.skeleton.decision_id).await?;
        let slots: Vec<u16> = opened.skeleton.chosen().map(|(slot, _, _)| slot).collect();
        let slots = if slots.is_empty() { vec![0] } else { slots };
        let mut earned = Earned::default();
        for slot in slots {
            let of_slot = fold(&Exposed::of(&opened.skeleton, slot), &facts);
            earned.accepted |= of_slot.accepted;
            earned.reward_minor += of_slot.reward_minor;
            earned.late += of_slot.late;
        }
        Ok(OutcomesSeen { count: facts.len(), earned })
    }

    /// Takes in outcomes of one source, in order. When this returns, all that are not rejected are durable.
    pub async fn take_outcomes(&self, outcomes: &[Outcome]) -> Result<Vec<Intake>, RuntimeError> {
        let named: Vec<DecisionId> = outcomes.iter().filter_map(|outcome| outcome.decision_id).collect();
        let mut decisions: BTreeMap<DecisionId, Named> = BTreeMap::new();
        if !named.is_empty() {
            for decision in self.store.decisions(&named).await? {
                let skeleton = decode_skeleton(&decision.record.skeleton)?;
                let owner = match decision.subject.zip(decision.wrapped_key) {
                    Some((subject, wrapped)) => Some((subject, self.keys.master.unwrap(subject, &wrapped)?)),
                    None => None,
                };
                decisions.insert(decision.decision_id, Named { skeleton, owner });
            }
        }
        let strangers = self.owners(outcomes, &decisions).await?;
        let received_at = self.clock.now();
        let mut answers = vec![Intake::Unmatched; outcomes.len()];
        let mut rows = Vec::new();
        for (at, outcome) in outcomes.iter().enumerate() {
            let named = outcome.decision_id.and_then(|id| decisions.get(&id));
            let decision = named.map(|named| &named.skeleton);
            let currency = outcome.revenue.or(outcome.margin).map(|money| money.currency);
            if let (Some(decision), Some(currency)) = (decision, currency)
                && currency != decision.terms.currency
            {
                let expected = decision.terms.currency;
                let why =
                    format!("amounts are in {currency} but the decision's placement is in {expected}: send {expected}");
                answers[at] = Intake::Rejected(why);
                continue;
            }
            let key = |event_id: &str| self.keys.master.event_key(&outcome.source, event_id);
            let owner = match named {
                Some(named) => named.owner.as_ref(),
                None => outcome.customer_id.as_ref().and_then(|id| strangers.get(id)),
            };
            rows.push((
                at,
                OutcomeRow {
                    fact: OutcomeFact {
                        key: key(&outcome.event_id),
                        kind: outcome.kind,
                        occurred_at: outcome.occurred_at,
                        refers_to: outcome.refers_to.as_deref().map(key),
                        revenue_minor: outcome.revenue.map(|money| money.minor),
                        margin_minor: outcome.margin.map(|money| money.minor),
                    },
                    source: outcome.source.clone(),
                    received_at,
                    decision_id: decision.map(|decision| decision.decision_id),
                    subject: owner.map(|(subject, _)| *subject),
                    claim: self.seal_claim(outcome, &key(&outcome.event_id), owner.map(|(_, key)| key)),
                    currency,
                },
            ));
        }
        let (places, rows): (Vec<usize>, Vec<OutcomeRow>) = rows.into_iter().unzip();
        let taken = if rows.is_empty() { Vec::new() } else { self.store.take_outcomes(&rows).await? };
        for ((at, row), taken) in places.into_iter().zip(&rows).zip(taken) {
            answers[at] = match taken {
                Taken::Accepted(decision_id) => {
                    let late = decisions.get(&decision_id).is_some_and(|named| {
                        let decision = &named.skeleton;
                        row.fact.kind == OutcomeKind::Order
                            && !within_window(decision.at, row.fact.occurred_at, &decision.terms)
                    });
                    Intake::Accepted { decision_id, late }
                }
                Taken::Duplicate => Intake::Duplicate,
                Taken::Unmatched => Intake::Unmatched,
            };
        }
        self.count_outcomes(outcomes, &answers);
        if answers.iter().any(|answer| matches!(answer, Intake::Accepted { .. })) {
            self.work.notify_one();
        }
        Ok(answers)
    }

    /// Customers named by outcomes that name no known decision: their claims are sealed under their keys.
    async fn owners(
        &self,
        outcomes: &[Outcome],
        decisions: &BTreeMap<DecisionId, Named>,
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
        Ok(opened.into_iter().map(|s| (s.reference.outside_id, (s.subject, s.key))).collect())
    }

    fn seal_claim(&self, outcome: &Outcome, event: &Digest, owner: Option<&SubjectKey>) -> Vec<u8> {
        let claim = Claim {
            decision_id: outcome.decision_id,
            offer_id: outcome.offer_id.clone(),
            coupon: outcome.coupon.clone(),
        };
        let plain = minicbor::to_vec(&claim).unwrap_or_default();
        match owner {
            Some(key) => key.seal("claim", &event.0, 0, &plain),
            None => self.keys.master.seal_secret(&format!("claim {}", event.hex()), &plain),
        }
    }
}

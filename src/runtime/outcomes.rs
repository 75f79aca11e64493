//! Intake of outcomes: attribute, bound, store under the permanent key. Computes no reward.

use std::collections::BTreeMap;

use super::{Core, Opened, RuntimeError};
use crate::domain::DecisionId;
use crate::domain::decision::{Skeleton, decode_skeleton};
use crate::domain::outcome::{Outcome, OutcomeFact, OutcomeKind};
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

/// What the outcomes of one decision amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutcomesSeen {
    /// How many are attributed.
    pub count: usize,
    /// Their fold.
    pub earned: Earned,
}

impl Core {
    /// The outcomes of a decision, folded as the learner folds them.
    pub async fn outcomes_of(&self, opened: &Opened) -> Result<OutcomesSeen, RuntimeError> {
        let facts = self.store.outcomes_of(opened.skeleton.decision_id).await?;
        let earned = fold(&Exposed::of(&opened.skeleton), &facts);
        Ok(OutcomesSeen { count: facts.len(), earned })
    }

    /// Takes in outcomes of one source, in order. When this returns, all that are not rejected are durable.
    pub async fn take_outcomes(&self, outcomes: &[Outcome]) -> Result<Vec<Intake>, RuntimeError> {
        let named: Vec<DecisionId> = outcomes.iter().filter_map(|outcome| outcome.decision_id).collect();
        let mut decisions: BTreeMap<DecisionId, Skeleton> = BTreeMap::new();
        if !named.is_empty() {
            for decision in self.store.decisions(&named).await? {
                decisions.insert(decision.decision_id, decode_skeleton(&decision.record.skeleton)?);
            }
        }
        let received_at = self.clock.now();
        let mut answers = vec![Intake::Unmatched; outcomes.len()];
        let mut rows = Vec::new();
        for (at, outcome) in outcomes.iter().enumerate() {
            let decision = outcome.decision_id.and_then(|id| decisions.get(&id));
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
                    currency,
                },
            ));
        }
        let (places, rows): (Vec<usize>, Vec<OutcomeRow>) = rows.into_iter().unzip();
        let taken = if rows.is_empty() { Vec::new() } else { self.store.take_outcomes(&rows).await? };
        for ((at, row), taken) in places.into_iter().zip(&rows).zip(taken) {
            answers[at] = match taken {
                Taken::Accepted(decision_id) => {
                    let late = decisions.get(&decision_id).is_some_and(|decision| {
                        row.fact.kind == OutcomeKind::Order
                            && !within_window(decision.at, row.fact.occurred_at, &decision.terms)
                    });
                    Intake::Accepted { decision_id, late }
                }
                Taken::Duplicate => Intake::Duplicate,
                Taken::Unmatched => Intake::Unmatched,
            };
        }
        if answers.iter().any(|answer| matches!(answer, Intake::Accepted { .. })) {
            self.work.notify_one();
        }
        Ok(answers)
    }
}

//! Releases: what was decided is given back because it will not be sent. Takes nothing back that was seen.

use super::matching::Decisions;
use super::{Core, RuntimeError};
use crate::domain::outcome::{Claim, EVERY_SLOT, OutcomeFact, OutcomeKind};
use crate::domain::{DecisionId, Timestamp};
use crate::store::{OutcomeRow, Taken};

/// The source of releases. No other can have its name: an empty one is refused at the door.
const SOURCE: &str = "";

/// What became of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// It is given back, now or before.
    Released,
    /// The decision shows no offer of the catalogue, and reserves nothing.
    NothingReserved,
    /// It was sent after all: this followed, first at this instant. It stays counted.
    Followed(OutcomeKind, Timestamp),
}

impl Core {
    /// Gives the reservation of a decision back; nothing where no such decision is stored. When this returns, the next
    /// decision of everybody it counted for knows of it, whichever node makes it; what it held of stock and budgets is
    /// given back by the learner. Doing so again changes nothing.
    ///
    /// It is kept as an outcome, so that counters built anew know of it, and what was not seen is not learned from. An
    /// impression that comes later, or at the same time, counts all the same.
    pub async fn release(&self, id: DecisionId) -> Result<Option<Release>, RuntimeError> {
        let decisions: Decisions = self.named(&[id]).await?;
        let Some(named) = decisions.get(&id) else { return Ok(None) };
        if named.skeleton.chosen().next().is_none() {
            return Ok(Some(Release::NothingReserved));
        }
        // Whatever follows was shown before: given back, an order would be kept and never learned from.
        let facts = self.store.outcomes_of(id).await?;
        let followed = facts.iter().filter(|fact| fact.kind != OutcomeKind::Release);
        if let Some(first) = followed.min_by_key(|fact| (fact.occurred_at, fact.kind)) {
            return Ok(Some(Release::Followed(first.kind, first.occurred_at)));
        }
        let (key, now) = (self.keys.master.event_key(SOURCE, &id.to_string()), self.clock.now());
        let claim = Claim { decision_id: Some(id), offer_id: None, coupon: None };
        let fact = OutcomeFact {
            key,
            kind: OutcomeKind::Release,
            occurred_at: now,
            refers_to: None,
            revenue_minor: None,
            margin_minor: None,
            slot: EVERY_SLOT,
        };
        let row = OutcomeRow {
            fact,
            source: SOURCE.to_owned(),
            received_at: now,
            decision_id: Some(id),
            subject: named.owner.as_ref().map(|(subject, _)| *subject),
            claim: self.seal_claimed(&claim, &key, named.owner.as_ref().map(|(_, key)| key)),
            currency: None,
            awaits: None,
        };
        let taken = self.store.take_outcomes(std::slice::from_ref(&row)).await?;
        // Again for one given back before: the process may have ended before anybody was told.
        self.confirm_seen(&[(id, fact)], &decisions).await?;
        let new = matches!(taken.as_slice(), [Taken::Accepted(_)]);
        self.metrics.outcome(fact.kind.name(), if new { "accepted" } else { "duplicate" });
        self.work.notify_one();
        Ok(Some(Release::Released))
    }
}

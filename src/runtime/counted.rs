//! What is counted of decisions and outcomes, and what is looked up when somebody asks. Counts nothing personal.

use std::time::Duration;

use super::{Core, Intake};
use crate::domain::PlacementId;
use crate::domain::decision::{FallbackReason, Skeleton};
use crate::domain::outcome::Outcome;
use crate::engine::Reply;

/// How long the store may take to say what waits for the learner: scrapers give up after ten seconds.
const BACKLOG_MS_MAX: u64 = 1_000;

/// What became of a decision, and why the fallback was served if it was.
fn result_of(skeleton: &Skeleton) -> (&'static str, &'static str) {
    let reason = match skeleton.fallback {
        None if skeleton.shows_nothing() => return ("nothing", ""),
        None => return ("chosen", ""),
        Some(FallbackReason::PurposeRefused) => "purpose_refused",
        Some(FallbackReason::NoEligibleCandidate) => "no_eligible_candidate",
        Some(FallbackReason::Holdout) => "holdout",
        Some(FallbackReason::Contention) => "contention",
        Some(FallbackReason::DistributionInvalid) => "distribution_invalid",
    };
    ("fallback", reason)
}

impl Core {
    /// Counts what a request for a decision was answered.
    pub(super) fn count_reply(&self, placement: &PlacementId, reply: &Reply) {
        let (result, reason) = match reply {
            Reply::Decided(skeleton) => {
                self.metrics.redecided(skeleton.attempt);
                result_of(skeleton)
            }
            Reply::Stored(_) => ("repeated", ""),
            Reply::Conflict(_) => ("conflict", ""),
            Reply::Refused(_) => ("refused", ""),
            Reply::Overloaded => ("overloaded", ""),
            Reply::Unavailable => ("unavailable", ""),
        };
        // Callers can name anything: a placement that nobody declared is no label.
        let known = self.snapshot().bundle.placements.contains_key(placement);
        self.metrics.decided(if known { placement.as_str() } else { "" }, result, reason);
    }

    /// Counts what became of outcomes.
    pub(super) fn count_outcomes(&self, outcomes: &[Outcome], answers: &[Intake]) {
        for (outcome, answer) in outcomes.iter().zip(answers) {
            let result = match answer {
                Intake::Accepted { late: false, .. } => "accepted",
                Intake::Accepted { late: true, .. } => "late",
                Intake::Duplicate => "duplicate",
                Intake::Unmatched(_) => "unmatched",
                Intake::Erased => "erased",
                Intake::Rejected { .. } => "rejected",
            };
            self.metrics.outcome(outcome.kind.name(), result);
            if let Intake::Accepted { after_reservation: true, .. } = answer {
                self.metrics.confirmed_late(outcome.kind.name());
            }
        }
    }

    /// Everything counted, with what waits for the learner and how far the models are.
    pub async fn print_metrics(&self) -> String {
        let waiting = tokio::time::timeout(Duration::from_millis(BACKLOG_MS_MAX), self.store.backlog()).await;
        if !matches!(waiting, Ok(Ok(_))) {
            self.metrics.store_failed("metrics");
        }
        let waiting = waiting.ok().and_then(Result::ok);
        self.metrics.backlog(waiting.map(|waiting| (waiting.batches_unlearned, waiting.outcomes_unapplied)));
        let (snapshot, models) = (self.snapshot(), self.models());
        let sequences = snapshot.bundle.placements.values().map(|placement| {
            let model = models.by_id.get(&placement.model_id());
            (placement.id.as_str(), model.map_or(0, |model| model.sequence()))
        });
        self.metrics.models(sequences);
        let today = self.clock.now().day();
        let shares = snapshot.bundle.placements.values().map(|placement| {
            let budget = placement.money.exploration_budget_micros;
            let share = budget.map_or(0.0, |budget| share(snapshot.spend.explored_on(&placement.id, today), budget));
            (placement.id.as_str(), share)
        });
        self.metrics.explored(shares);
        self.metrics.print()
    }
}

/// Of a budget that is nothing all is spent.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn share(spent: i64, budget: i64) -> f64 {
    if budget > 0 { spent as f64 / budget as f64 } else { 1.0 }
}

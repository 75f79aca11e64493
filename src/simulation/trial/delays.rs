//! Delays of a world: as curves that whoever knows the world would declare, and as what a crowd lets anybody watch.
//! Fits nothing and learns nothing.

use std::fmt::Write as _;

use super::Trial;
use super::course::Course;
use crate::domain::{DelayStep, OfferId, PlacementId, Span};
use crate::learning::Watched;
use crate::learning::delay::steps;
use crate::simulation::world::{Delay, World};

/// One decision of a crowd, of an offer picked at random.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedOffer {
    /// Where it was shown.
    pub placement: PlacementId,
    /// What was shown.
    pub offer: OfferId,
    /// What came of it by the end of the crowd's way.
    pub watched: Watched,
}

impl Trial {
    /// What can be watched of a seed's crowd until its last decision, everybody shown some offer in turn.
    pub fn watch(&self, seed: u64, window: Span) -> Vec<WatchedOffer> {
        let course = Course::walk(self, seed);
        let end = course.moments.last().map_or(0, |last| last.step.at.0);
        let one = |(number, moment): (usize, &super::course::Moment)| {
            let picked = number % moment.candidates.len().max(1);
            let (offer, _) = self.catalogue.at(*moment.candidates.get(picked)?)?;
            let accepts = moment.truth.get(picked).is_some_and(|probability| moment.step.luck.accept < *probability);
            let upto = Span((end - moment.step.at.0).min(window.0));
            let happenings = if accepts { self.world.happenings(offer, &moment.step) } else { Vec::new() };
            let ordered = happenings.iter().map(|happening| happening.occurred_at).min();
            let delay = ordered.map(|at| Span(at.0 - moment.step.at.0)).filter(|delay| *delay <= upto);
            let placement = self.world.placements.get(moment.placement)?.id.clone();
            Some(WatchedOffer { placement, offer: offer.offer_id.clone(), watched: Watched { delay, upto } })
        };
        course.moments.iter().enumerate().filter_map(one).collect()
    }
}

/// The `delay` of a placement that knows the delays of its world.
pub(super) fn known(world: &World, window: Span) -> String {
    let curve = |delay: Delay| written(&steps(window, &|age| delay.by(hours(age))));
    let mut yaml = format!("delay: {{version: 1, steps: {}", curve(world.orders.delay));
    let own: Vec<String> = world
        .offers
        .iter()
        .filter_map(|offer| Some((&offer.offer.offer_id, offer.delay?)))
        .map(|(id, delay)| format!("{{offers: [{id}], steps: {}}}", curve(delay)))
        .collect();
    if !own.is_empty() {
        let _ = write!(yaml, ", offers: [{}]", own.join(", "));
    }
    yaml + "}"
}

/// Steps as `placements.yaml` has them.
pub fn written(steps: &[DelayStep]) -> String {
    let step = |step: &DelayStep| {
        let age = if step.age.0 == 0 { "0s".to_owned() } else { step.age.to_string() };
        format!("{{age: {age}, share: {}}}", step.share)
    };
    format!("[{}]", steps.iter().map(step).collect::<Vec<_>>().join(", "))
}

#[expect(clippy::cast_precision_loss, reason = "months in milliseconds")]
fn hours(age: Span) -> f64 {
    age.0 as f64 / 3_600_000.0
}

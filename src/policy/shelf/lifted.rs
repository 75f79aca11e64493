//! What overrides lift of an offer that they put in. Lifts no rule that is not overridable: none that is built in, and
//! none that protects people.

use super::super::bundle::Bundle;
use super::super::condition::Bits;
use super::super::kinds::overrides::OverrideAction;
use super::super::rules::Rule;
use super::super::verdict::Verdict;
use super::{Scoped, Shelf};
use crate::domain::decision::Failed;
use crate::domain::{Offer, Timestamp};

/// The overrides of one sort, with their offers.
pub(super) fn scoped(here: &[(u16, &Rule)], action: OverrideAction, offers: &[Offer]) -> Vec<Scoped<()>> {
    let scoped = here.iter().filter_map(|(at, rule)| {
        let named = rule.overrides(action)?;
        let bits = Bits::of(offers.iter().map(|offer| named.contains(&offer.offer_id)));
        Some(Scoped { rule: *at, scope: Some(bits), of: () })
    });
    scoped.collect()
}

/// The overrides that put offers in now and here.
pub(super) struct Lifting<'a>(Vec<&'a Scoped<()>>);

impl<'a> Lifting<'a> {
    pub(super) fn at(bundle: &Bundle, shelf: &'a Shelf, now: Timestamp, jurisdiction: Option<&str>) -> Self {
        let holds = |of: &&Scoped<()>| bundle.rule(of.rule).is_some_and(|rule| rule.in_force(now, jurisdiction));
        Self(shelf.put_in.iter().filter(holds).collect())
    }

    /// Notes what may be lifted instead of leaving the offer out by it, and behind it every override that does so.
    pub(super) fn lift(&self, bundle: &Bundle, offer: u32, verdict: &mut Verdict) {
        if self.0.is_empty() || verdict.failed.is_empty() || !self.0.iter().any(|of| of.covers(offer)) {
            return;
        }
        let Verdict { failed, noted, .. } = verdict;
        let before = failed.len();
        failed.retain(|failed| {
            let lifted = bundle.rule(failed.rule).is_some_and(|rule| rule.overridable);
            noted.extend(lifted.then_some(*failed));
            !lifted
        });
        let lifted = before - failed.len();
        if lifted > 0 {
            let observed = i64::try_from(lifted).ok();
            let by = self.0.iter().filter(|of| of.covers(offer));
            noted.extend(by.map(|of| Failed { rule: of.rule, observed, limit: None }));
        }
    }
}

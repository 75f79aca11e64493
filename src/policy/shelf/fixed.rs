//! What catalogue and placement settle, whoever asks: switches, currency, floors, prices, category exclusions, offers put out.
//! Asks about no request; whether a rule holds now and here is asked in each decision.

use super::super::condition::Bits;
use super::super::floors::{Compared, FloorOver, Margin};
use super::super::interval::Interval;
use super::super::overrides::OverrideAction;
use super::super::rules::{Rule, RuleKind};
use super::super::switches::{Stop, stopped};
use super::scope;
use crate::domain::decision::Failed;
use crate::domain::{Offer, Placement};

/// The rules of one placement that it settles.
pub(super) struct Fixed<'r> {
    /// Kill switches, asked first.
    switches: Vec<(u16, &'r Stop)>,
    others: Vec<(u16, &'r Rule, Option<Bits>)>,
}

impl<'r> Fixed<'r> {
    /// Those among the rules that apply at a placement.
    pub(super) fn of(here: &[(u16, &'r Rule)], offers: &[Offer]) -> Self {
        let switch = |(at, rule): &(u16, &'r Rule)| match &rule.kind {
            RuleKind::KillSwitch(switch) => Some((*at, &switch.stop)),
            _ => None,
        };
        let others = here.iter().filter(|(_, rule)| settles(rule));
        Self {
            switches: here.iter().filter_map(switch).collect(),
            others: others.map(|(at, rule)| (*at, *rule, scope(rule, offers))).collect(),
        }
    }

    /// Adds every one that leaves out an offer, given with its position. Gives whether some of them hold at some times,
    /// in some regions or in some decisions only.
    pub(super) fn ask(&self, at: u32, offer: &Offer, placement: &Placement, failed: &mut Vec<Failed>) -> bool {
        let before = failed.len();
        stopped(self.switches.iter().copied(), offer, failed);
        let mut partly = failed.len() > before;
        let margin = Margin::of(offer);
        for (rule_at, rule, scope) in &self.others {
            if scope.as_ref().is_some_and(|scope| !scope.has(at as usize)) {
                continue;
            }
            if let Some((observed, limit)) = fails(rule, &margin, offer, placement) {
                failed.push(Failed { rule: *rule_at, observed, limit });
                partly |= depends(rule);
            }
        }
        partly
    }
}

fn settles(rule: &Rule) -> bool {
    let settled = match &rule.kind {
        RuleKind::MarginFloor { over, .. } => *over == FloorOver::Offer,
        kind => matches!(kind, RuleKind::Currency | RuleKind::PriceLimit(_) | RuleKind::CategoryExclusion(_)),
    };
    settled || rule.overrides(OverrideAction::ForceOut).is_some()
}

fn fails(rule: &Rule, margin: &Margin, offer: &Offer, placement: &Placement) -> Option<Compared> {
    match &rule.kind {
        RuleKind::CategoryExclusion(exclusion) => exclusion.names(offer).then_some((None, None)),
        RuleKind::Override(found) => found.offers.contains(&offer.offer_id).then_some((None, None)),
        RuleKind::Currency => (offer.currency() != placement.currency).then_some((None, None)),
        RuleKind::MarginFloor { min, over: FloorOver::Offer } => min.fails(margin),
        RuleKind::PriceLimit(limit) => limit.fails(offer, rule.on_missing),
        _ => None,
    }
}

fn depends(rule: &Rule) -> bool {
    let Interval { from, until, .. } = &rule.effective;
    from.is_some() || until.is_some() || rule.applies_to.regions.is_some() || about_persons(rule)
}

/// Whether a rule holds only where something personal was seen.
pub(super) fn about_persons(rule: &Rule) -> bool {
    matches!(&rule.kind, RuleKind::CategoryExclusion(exclusion) if exclusion.is_about_persons())
}

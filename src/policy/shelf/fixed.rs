//! What catalogue and placement settle, whoever asks: switches, currency, floors, prices, category exclusions, offers
//! put out. Asks about no request; whether a rule holds now and here is asked in each decision.

use super::super::condition::Bits;
use super::super::interval::Interval;
use super::super::kinds::floors::{Compared, FloorOver, Margin};
use super::super::kinds::overrides::OverrideAction;
use super::super::kinds::switches::{Stop, stopped};
use super::super::rules::{Rule, RuleKind};
use super::prices::Spread;
use super::scope;
use crate::domain::decision::Failed;
use crate::domain::{Offer, Placement};

/// The rules of one placement that it settles.
pub(super) struct Fixed<'r> {
    /// Kill switches, asked first.
    switches: Vec<(u16, &'r Stop)>,
    others: Vec<Other<'r>>,
}

/// A rule that is no switch.
struct Other<'r> {
    at: u16,
    rule: &'r Rule,
    scope: Option<Bits>,
    /// Where it is about how far prices lie apart.
    spread: Option<Spread>,
}

impl<'r> Fixed<'r> {
    /// Those among the rules that apply at a placement.
    pub(super) fn of(here: &[(u16, &'r Rule)], placement: &Placement, offers: &[Offer]) -> Self {
        let switch = |(at, rule): &(u16, &'r Rule)| match &rule.kind {
            RuleKind::KillSwitch(switch) => Some((*at, &switch.stop)),
            _ => None,
        };
        let other = |(at, rule): &(u16, &'r Rule)| Other {
            at: *at,
            rule,
            scope: scope(rule, offers),
            spread: Spread::of(rule, placement, offers),
        };
        let others = here.iter().filter(|(_, rule)| settles(rule));
        Self { switches: here.iter().filter_map(switch).collect(), others: others.map(other).collect() }
    }

    /// Adds every one that leaves out an offer, given with its position. Gives whether some of them hold at some times,
    /// in some regions or in some decisions only.
    pub(super) fn ask(&self, at: u32, offer: &Offer, placement: &Placement, failed: &mut Vec<Failed>) -> bool {
        let before = failed.len();
        stopped(self.switches.iter().copied(), offer, failed);
        let mut partly = failed.len() > before;
        let margin = Margin::of(offer);
        for other in &self.others {
            if other.scope.as_ref().is_some_and(|scope| !scope.has(at as usize)) {
                continue;
            }
            if let Some((observed, limit)) = fails(other, (at, offer, &margin), placement) {
                failed.push(Failed { rule: other.at, observed, limit });
                partly |= depends(other.rule);
            }
        }
        partly
    }
}

fn settles(rule: &Rule) -> bool {
    let settled = match &rule.kind {
        RuleKind::MarginFloor { over, .. } => *over == FloorOver::Offer,
        RuleKind::Currency
        | RuleKind::PriceLimit(_)
        | RuleKind::PricePersonalisation(_)
        | RuleKind::CategoryExclusion(_) => true,
        _ => false,
    };
    settled || rule.overrides(OverrideAction::ForceOut).is_some()
}

fn fails(
    Other { rule, spread, .. }: &Other<'_>,
    (at, offer, margin): (u32, &Offer, &Margin),
    placement: &Placement,
) -> Option<Compared> {
    match &rule.kind {
        RuleKind::CategoryExclusion(exclusion) => exclusion.names(offer).then_some((None, None)),
        RuleKind::Override(found) => found.offers.contains(&offer.offer_id).then_some((None, None)),
        RuleKind::Currency => (offer.currency() != placement.currency).then_some((None, None)),
        RuleKind::MarginFloor { min, over: FloorOver::Offer } => min.fails(margin),
        RuleKind::PriceLimit(limit) => limit.fails(offer, rule.on_missing),
        _ => spread.as_ref()?.fails(at, offer, rule.on_missing),
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

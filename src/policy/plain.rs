//! The plain way to judge: every rule asked about every offer, one after another. Not how decisions are made: it is
//! what shelves must agree with.

use super::caps::{self, Cap, CapWindows};
use super::cool_downs::CoolDown;
use super::diversity::{Diversity, Per};
use super::floors::Margin;
use super::rules::{OnMissing, Rule, RuleKind};
use super::stackability::Stackability;
use super::{CategoryExclusion, CategorySort, Override, OverrideAction, Stop};
use super::{Bundle, Reading, Verdict};
use crate::domain::decision::Failed;
use crate::domain::{Offer, Placement, RuleId, SubjectState, Timestamp, Value};

/// Asks every rule that applies about one offer at one placement, whatever its severity. Gates are asked by [`gate`],
/// once per decision, rules with conditions by [`Asked`](super::Asked), for many offers at once, and those about
/// schedules, campaigns and stock by [`Merchandise`](super::Merchandise).
///
/// Usage of caps is personal, so that a failed cap carries its limit only and what was used stands in the readings.
/// Without a subject there is nothing to count by: a cap that applies leaves the offer out unless it says otherwise.
pub(super) fn judge(
    bundle: &Bundle,
    placement: &Placement,
    offer: &Offer,
    state: Option<&SubjectState>,
    windows: &CapWindows,
) -> Verdict {
    judge_from(bundle, (placement, None, false), offer, state, windows)
}

/// As [`judge`], for a request that says where it comes from, where something personal was seen or was not.
pub(super) fn judge_from(
    bundle: &Bundle,
    (placement, jurisdiction, personal): (&Placement, Option<&str>, bool),
    offer: &Offer,
    state: Option<&SubjectState>,
    windows: &CapWindows,
) -> Verdict {
    let mut verdict = Verdict::default();
    outright(bundle, (placement, jurisdiction, personal), offer, windows.now, &mut verdict);
    let Verdict { failed, readings, .. } = ask(bundle, (placement, jurisdiction), offer, None, state, windows);
    verdict.failed.extend(failed);
    Verdict { readings, ..verdict }
}

/// Asks the rules whose answer depends on the slots before: caps (`state` has those contacts counted) and rules about
/// the whole answer, which holds the offers `chosen` so far.
pub(super) fn judge_behind(
    bundle: &Bundle,
    at: (&Placement, Option<&str>),
    offer: &Offer,
    chosen: &[&Offer],
    state: Option<&SubjectState>,
    windows: &CapWindows,
) -> Verdict {
    ask(bundle, at, offer, Some(chosen), state, windows)
}

/// `behind`: what stands in the slots before, for a slot that is not the first.
fn ask(
    bundle: &Bundle,
    (placement, jurisdiction): (&Placement, Option<&str>),
    offer: &Offer,
    behind: Option<&[&Offer]>,
    state: Option<&SubjectState>,
    windows: &CapWindows,
) -> Verdict {
    let mut verdict = Verdict::default();
    for (at, rule) in (0..=u16::MAX).zip(&bundle.rules) {
        let again = matches!(rule.kind, RuleKind::FrequencyCap(_) | RuleKind::Stackability(_) | RuleKind::Diversity(_));
        if (behind.is_some() && !again)
            || !rule.effective.holds(windows.now)
            || rule.applies_to.covers_region(jurisdiction) == Some(false)
            || !rule.applies_to.covers(placement, offer)
        {
            continue;
        }
        if let RuleKind::Stackability(stackability) = &rule.kind {
            verdict.failed.extend(behind.and_then(|chosen| stacks(stackability, at, offer, chosen)));
            continue;
        }
        if let RuleKind::Diversity(diversity) = &rule.kind {
            let refused = behind.and_then(|chosen| varies((at, rule, diversity), placement, offer, chosen));
            verdict.failed.extend(refused);
            continue;
        }
        let failed = match &rule.kind {
            RuleKind::Currency
            | RuleKind::MarginFloor { .. }
            | RuleKind::CategoryExclusion(_)
            | RuleKind::FairnessGate(_)
            | RuleKind::Override(_)
            | RuleKind::KillSwitch(_)
            | RuleKind::PurposeGate { .. }
            | RuleKind::Stackability(_)
            | RuleKind::Diversity(_)
            | RuleKind::LoyaltyEligibility(_)
            | RuleKind::Availability(_)
            | RuleKind::Exclusion { .. }
            | RuleKind::Requirement { .. }
            | RuleKind::Schedule
            | RuleKind::Campaign
            | RuleKind::Stock
            | RuleKind::Budget => None,
            RuleKind::FrequencyCap(cap) => {
                let (used, room) = room((rule, cap), (placement, offer), state, windows);
                let reading = |used| Reading { rule: at, used, limit: cap.max, until: None };
                verdict.readings.extend(used.filter(|used| *used > 0).map(reading));
                (!room).then_some((None, Some(i64::from(cap.max))))
            }
            RuleKind::CoolDown(cool_down) => {
                let (used, until, free) = cooling((&rule.id, cool_down), offer, state, windows.now);
                let reading = Reading { rule: at, used, limit: cool_down.times, until };
                verdict.readings.extend((used > 0).then_some(reading));
                (!free).then_some((None, Some(i64::from(cool_down.times))))
            }
        };
        verdict.failed.extend(failed.map(|(observed, limit)| Failed { rule: at, observed, limit }));
    }
    verdict
}

/// Rules that catalogue and placement settle: switches first, then the others in their order.
fn outright(
    bundle: &Bundle,
    (placement, jurisdiction, personal): (&Placement, Option<&str>, bool),
    offer: &Offer,
    now: Timestamp,
    verdict: &mut Verdict,
) {
    let margin = Margin::of(offer);
    for stops in [true, false] {
        for (at, rule) in (0..=u16::MAX).zip(&bundle.rules) {
            let region = rule.applies_to.covers_region(jurisdiction);
            if !rule.effective.holds(now) || region == Some(false) || !rule.applies_to.covers(placement, offer) {
                continue;
            }
            let failed = match &rule.kind {
                RuleKind::KillSwitch(switch) if stops => match &switch.stop {
                    Stop::All => Some((None, None)),
                    Stop::Named { offers, categories, campaigns } => {
                        let named = offers.iter().any(|id| *id == offer.offer_id)
                            || categories.iter().any(|named| offer.categories().any(|own| own == named))
                            || campaigns.iter().any(|named| offer.campaign.as_ref() == Some(named));
                        named.then_some((None, None))
                    }
                },
                _ if stops => None,
                RuleKind::Override(Override { action: OverrideAction::ForceOut, offers, .. }) => {
                    offers.iter().any(|id| *id == offer.offer_id).then_some((None, None))
                }
                RuleKind::CategoryExclusion(CategoryExclusion { sort, categories, brands }) => {
                    let brand = offer.attributes.get("brand");
                    let named = categories.iter().any(|named| offer.categories().any(|own| own == named))
                        || brands.iter().any(|named| brand == Some(&Value::Text(named.clone())));
                    (named && (personal || *sort != CategorySort::Sensitive)).then_some((None, None))
                }
                kind => margin.fails(kind, placement),
            };
            verdict.failed.extend(failed.map(|(observed, limit)| Failed { rule: at, observed, limit }));
        }
    }
}

/// Lifts what an override in force lifts of an offer: of what has failed, what may be lifted is noted, and then every
/// such override.
pub(super) fn lift(
    bundle: &Bundle,
    (placement, jurisdiction): (&Placement, Option<&str>),
    offer: &Offer,
    now: Timestamp,
    verdict: &mut Verdict,
) {
    let puts_in = |rule: &Rule| match &rule.kind {
        RuleKind::Override(found) => {
            found.action == OverrideAction::ForceIn
                && found.offers.contains(&offer.offer_id)
                && rule.effective.holds(now)
                && rule.applies_to.covers_region(jurisdiction) == Some(true)
                && rule.applies_to.covers_placement(placement)
        }
        _ => false,
    };
    let by: Vec<u16> = (0..).zip(&bundle.rules).filter(|(_, rule)| puts_in(rule)).map(|(at, _)| at).collect();
    if by.is_empty() {
        return;
    }
    let failed = std::mem::take(&mut verdict.failed);
    let (lifted, stay): (Vec<Failed>, Vec<Failed>) =
        failed.into_iter().partition(|failed| bundle.rules[usize::from(failed.rule)].overridable);
    verdict.failed = stay;
    if !lifted.is_empty() {
        let observed = i64::try_from(lifted.len()).ok();
        verdict.noted.extend(lifted);
        verdict.noted.extend(by.into_iter().map(|rule| Failed { rule, observed, limit: None }));
    }
}

/// What a cap counts for an offer, by a search through all counters.
fn used(
    (rule, cap): (&RuleId, &Cap),
    (placement, offer): (&Placement, &Offer),
    state: &SubjectState,
    windows: &CapWindows,
) -> u32 {
    let of = caps::apart(cap.by, placement, offer);
    let counters = state.caps.iter().filter(|counter| counter.rule == *rule);
    // A counter without a name holds contacts of which nobody knows any more what they were: they count for everything.
    let counters = counters.filter(|counter| counter.of.is_none() || counter.of.as_deref() == of);
    let used = counters.map(|counter| caps::counted(counter, windows.of(cap), windows.now));
    u32::try_from(used.sum::<usize>()).unwrap_or(u32::MAX)
}

/// What a cap says of an offer: what is used of it, if anything can be, and whether there is room for one more.
fn room(
    (rule, cap): (&Rule, &Cap),
    (placement, offer): (&Placement, &Offer),
    state: Option<&SubjectState>,
    windows: &CapWindows,
) -> (Option<u32>, bool) {
    let Some(state) = state else { return (None, cap.allow_unidentified) };
    let used = used((&rule.id, cap), (placement, offer), state, windows);
    (Some(used), used < cap.max)
}

/// What a cool-down says of an offer: how many events are counted and until when they leave it out, if they do; and
/// whether it may be shown.
fn cooling(
    (rule, cool_down): (&RuleId, &CoolDown),
    offer: &Offer,
    state: Option<&SubjectState>,
    now: Timestamp,
) -> (u32, Option<Timestamp>, bool) {
    let Some(state) = state else { return (0, None, cool_down.allow_unidentified) };
    let of = caps::rests_with(cool_down.by, offer);
    let counters = state.caps.iter().filter(|c| c.rule == *rule && of.contains(&c.of.as_deref()));
    // What happened to one of its categories is not added to what happened to another.
    let each = counters.map(|counter| caps::cooled(cool_down, counter, now));
    let (until, counted) = each.max().unwrap_or_default();
    (u32::try_from(counted).unwrap_or(u32::MAX), until, until.is_none())
}

/// What an offer would do to an answer that holds others already: how many of its kind are there and how many may
/// be, if that leaves no room.
fn stacks(stackability: &Stackability, rule: u16, offer: &Offer, chosen: &[&Offer]) -> Option<Failed> {
    let (there, most) = match stackability {
        Stackability::Group { at_most, .. } => {
            if !stackability.has(offer) {
                return None;
            }
            (chosen.iter().filter(|other| stackability.has(other)).count(), *at_most)
        }
        Stackability::Pairs(pairs) => {
            let excludes = |other: &&&Offer| {
                let both = (&offer.offer_id, &other.offer_id);
                pairs.iter().any(|(a, b)| both == (a, b) || both == (b, a))
            };
            // The pair has room for one, and that one stands there.
            (chosen.iter().filter(excludes).count(), 1)
        }
    };
    let there = u32::try_from(there).unwrap_or(u32::MAX);
    let failed = Failed { rule, observed: Some(there.into()), limit: Some(most.into()) };
    (there >= most).then_some(failed)
}

/// The kind of one offer.
#[derive(PartialEq)]
enum Kind<'a> {
    Named(&'a str),
    Valued(&'a Value),
}

fn kind<'a>(per: &Per, offer: &'a Offer) -> Option<Kind<'a>> {
    match per {
        Per::Category => offer.category.as_ref().map(|category| Kind::Named(category.as_str())),
        Per::Campaign => offer.campaign.as_ref().map(|campaign| Kind::Named(campaign.as_str())),
        Per::Attribute(id) => offer.attributes.get(id.name()).map(Kind::Valued),
    }
}

/// What an offer would do to an answer that holds others already: how many of its kind are there and how many may
/// be, if that leaves no room. Offers whose kind is not known are one kind together, unless the rule lets them be.
fn varies(
    (at, rule, diversity): (u16, &Rule, &Diversity),
    placement: &Placement,
    offer: &Offer,
    chosen: &[&Offer],
) -> Option<Failed> {
    let own = kind(&diversity.per, offer);
    if own.is_none() && rule.on_missing == OnMissing::Allow {
        return None;
    }
    let same = |other: &&&Offer| kind(&diversity.per, other) == own && rule.applies_to.covers(placement, other);
    let there = u32::try_from(chosen.iter().filter(same).count()).unwrap_or(u32::MAX);
    let failed = Failed { rule: at, observed: Some(there.into()), limit: Some(diversity.at_most.into()) };
    (there >= diversity.at_most).then_some(failed)
}

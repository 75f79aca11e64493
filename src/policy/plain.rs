//! The plain way to judge: every rule asked about every offer, one after another. Not how decisions are made: it is
//! what shelves must agree with.

use std::collections::BTreeSet;

use super::kinds::caps::{self, Cap, CapWindows, WithoutIdentifier};
use super::kinds::cool_downs::CoolDown;
use super::kinds::diversity::{Diversity, Per};
use super::kinds::floors::{FloorLimit, FloorOver, Margin};
use super::kinds::price_limits::PriceLimit;
use super::kinds::stackability::Stackability;
use super::rules::{OnMissing, Rule, RuleKind};
use super::{
    Bundle, CategoryExclusion, CategorySort, Facts, Override, OverrideAction, Reading, Setting, States, Stop, Verdict,
};
use crate::domain::decision::Failed;
use crate::domain::{AttributeId, Money, Offer, OfferStatus, Placement, RuleId, SubjectState, Timestamp, Value};

/// Asks every rule that applies about one offer at one placement, whatever its severity. Gates are asked by [`gate`],
/// once per decision, rules with conditions by [`Asked`](super::Asked), for many offers at once, and those about
/// schedules and campaigns by [`Merchandise`](super::Merchandise), and those about
/// what may run out by [`Pools`](super::Pools).
///
/// Usage of caps is personal, so that a failed cap carries its limit only and what was used stands in the readings.
/// Without a subject there is nothing to count by: a cap that applies leaves the offer out unless it says otherwise.
pub(super) fn judge<'s>(
    bundle: &Bundle,
    placement: &Placement,
    offer: &Offer,
    states: impl Into<States<'s>>,
    windows: &CapWindows,
) -> Verdict {
    judge_from(bundle, (placement, None, false), offer, states, windows)
}

/// As [`judge`], for a request that says where it comes from, where something personal was seen or was not.
pub(super) fn judge_from<'s>(
    bundle: &Bundle,
    at: (&Placement, Option<&str>, bool),
    offer: &Offer,
    states: impl Into<States<'s>>,
    windows: &CapWindows,
) -> Verdict {
    ask(bundle, at, offer, None, states.into(), windows)
}

/// Asks the rules whose answer depends on the slots before: caps (the states have those contacts counted) and rules
/// about the whole answer, which holds the offers `chosen` so far.
pub(super) fn judge_behind<'s>(
    bundle: &Bundle,
    setting: Setting<'_>,
    offer: &Offer,
    chosen: &[&Offer],
    states: impl Into<States<'s>>,
    windows: &CapWindows,
) -> Verdict {
    let at = (setting.placement, setting.jurisdiction, false);
    let mut verdict = ask(bundle, at, offer, Some(chosen), states.into(), windows);
    verdict.failed.extend(judge_sums(bundle, setting, offer, chosen, windows.now));
    verdict
}

/// Asks the floors over the answer and over the basket, which are asked in front of the first slot too.
pub(super) fn judge_sums(
    bundle: &Bundle,
    setting: Setting<'_>,
    offer: &Offer,
    chosen: &[&Offer],
    now: Timestamp,
) -> Vec<Failed> {
    let mut found = Vec::new();
    for (at, rule) in (0..=u16::MAX).zip(&bundle.rules) {
        let RuleKind::MarginFloor { min, over } = rule.kind else { continue };
        if over == FloorOver::Offer
            || !rule.in_force(now, setting.jurisdiction)
            || !rule.applies_to.covers(setting.placement, offer)
        {
            continue;
        }
        let standing = chosen.iter().chain([&offer]).filter(|other| rule.applies_to.covers(setting.placement, other));
        let (mut margin, mut price, mut unknown) = (0_i64, 0_i64, false);
        for offer in standing {
            margin += offer.margin_minor();
            price += offer.net_price_minor();
        }
        for line in setting.basket.iter().filter(|_| over == FloorOver::Basket) {
            let here = |money: Option<Money>| money.filter(|money| money.currency == setting.placement.currency);
            let quantity = i64::from(line.quantity);
            unknown |= here(line.margin).is_none();
            unknown |= here(line.price).is_none() && matches!(min, FloorLimit::Percent(_));
            margin += quantity * here(line.margin).map_or(0, |money| money.minor);
            price += quantity * here(line.price).map_or(0, |money| money.minor);
        }
        let (observed, limit) = match min {
            FloorLimit::Percent(min) => ((price > 0).then(|| (margin * 10_000).div_euclid(price)), i64::from(min.0)),
            FloorLimit::Amount(min) => (Some(margin), min.minor),
        };
        let fails = if unknown {
            rule.on_missing == OnMissing::Exclude
        } else {
            observed.is_none_or(|observed| observed < limit)
        };
        let public = observed.filter(|_| over == FloorOver::Answer && !unknown);
        found.extend(fails.then_some(Failed { rule: at, observed: public, limit: Some(limit) }));
    }
    found
}

/// `behind`: what stands in the slots before, for a slot that is not the first.
fn ask(
    bundle: &Bundle,
    (placement, jurisdiction, personal): (&Placement, Option<&str>, bool),
    offer: &Offer,
    behind: Option<&[&Offer]>,
    states: States<'_>,
    windows: &CapWindows,
) -> Verdict {
    let mut verdict = Verdict::default();
    let margin = Margin::of(offer);
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
            RuleKind::Currency => (offer.currency() != placement.currency).then_some((None, None)),
            RuleKind::MarginFloor { min, over: FloorOver::Offer } => min.fails(&margin),
            RuleKind::PriceLimit(limit) => price(*limit, offer, rule.on_missing),
            RuleKind::KillSwitch(switch) => match &switch.stop {
                Stop::All => Some((None, None)),
                Stop::Named { offers, categories, campaigns } => {
                    let named = offers.contains(&offer.offer_id)
                        || categories.iter().any(|named| offer.categories().any(|own| own == named))
                        || campaigns.iter().any(|named| offer.campaign.as_ref() == Some(named));
                    named.then_some((None, None))
                }
            },
            RuleKind::Override(Override { action: OverrideAction::ForceOut, offers, .. }) => {
                offers.contains(&offer.offer_id).then_some((None, None))
            }
            RuleKind::CategoryExclusion(CategoryExclusion { sort, categories, brands }) => {
                let brand = offer.attributes.get("brand");
                let named = categories.iter().any(|named| offer.categories().any(|own| own == named))
                    || brands.iter().any(|named| brand == Some(&Value::Text(named.clone())));
                (named && (personal || *sort != CategorySort::Sensitive)).then_some((None, None))
            }
            RuleKind::MarginFloor { .. }
            | RuleKind::FairnessGate(_)
            | RuleKind::Override(_)
            | RuleKind::PurposeGate(_)
            | RuleKind::Stackability(_)
            | RuleKind::Diversity(_)
            | RuleKind::LoyaltyEligibility(_)
            | RuleKind::PricePersonalisation(_)
            | RuleKind::Availability(_)
            | RuleKind::AudienceGuard(_)
            | RuleKind::Exclusion { .. }
            | RuleKind::Requirement { .. }
            | RuleKind::Schedule
            | RuleKind::Campaign
            | RuleKind::Stock
            | RuleKind::Budget
            | RuleKind::Budgeted(_)
            | RuleKind::Stocked(_) => None,
            RuleKind::FrequencyCap(_) if !placement.obeys_caps => None,
            RuleKind::FrequencyCap(cap) => {
                let (used, room) = room((rule, cap), (placement, offer), states, windows);
                let reading = |used| Reading { rule: at, used, limit: cap.max, until: None };
                verdict.readings.extend(used.filter(|used| *used > 0).map(reading));
                (!room).then_some((None, Some(i64::from(cap.max))))
            }
            RuleKind::CoolDown(cool_down) => {
                let (used, until, free) = cooling((&rule.id, cool_down), offer, states.customer(), windows.now);
                let reading = Reading { rule: at, used, limit: cool_down.times, until };
                verdict.readings.extend((used > 0).then_some(reading));
                (!free).then_some((None, Some(i64::from(cool_down.times))))
            }
        };
        verdict.failed.extend(failed.map(|(observed, limit)| Failed { rule: at, observed, limit }));
    }
    verdict
}

/// Asks the rules about personalised prices about one of the offers of a catalogue, for a placement whose strategies
/// weigh no features.
pub(super) fn judge_prices(
    bundle: &Bundle,
    placement: &Placement,
    facts: &Facts<'_>,
    (offers, offer): (&[Offer], &Offer),
) -> Vec<Failed> {
    let here = || bundle.rules.iter().filter(|rule| rule.applies_to.covers_placement(placement));
    let stands = |other: &&Offer| other.status == OfferStatus::Active && other.offer_id != placement.fallback.offer;
    let same = |id: &AttributeId, other: &Offer| {
        offer.attribute(id.name()).is_some() && offer.attribute(id.name()) == other.attribute(id.name())
    };
    let products = || {
        here().filter_map(|rule| match &rule.kind {
            RuleKind::PricePersonalisation(personalisation) => personalisation.same_as.as_ref(),
            _ => None,
        })
    };
    let net = |offer: &Offer| offer.price.minor - offer.discount.map_or(0, |discount| discount.minor);
    let special = offer.discount.is_some_and(|discount| discount.minor > 0)
        || products().any(|id| offers.iter().filter(stands).any(|other| same(id, other) && net(other) != net(offer)));
    let mut moved: BTreeSet<AttributeId> = BTreeSet::new();
    for rule in here().filter(|rule| special && rule.in_force(facts.now, facts.jurisdiction)) {
        let about = |other: &Offer| other.offer_id == offer.offer_id || products().any(|id| same(id, other));
        if offers.iter().any(|other| about(other) && rule.applies_to.covers_offer(other)) {
            let read = rule.kind.reads_of_customer();
            moved.extend(read.into_iter().filter(|id| facts.attributes.get(id).is_some()));
        }
    }
    let mut found = Vec::new();
    for (at, rule) in (0..=u16::MAX).zip(&bundle.rules) {
        let RuleKind::PricePersonalisation(personalisation) = &rule.kind else { continue };
        if !rule.in_force(facts.now, facts.jurisdiction) || !rule.applies_to.covers(placement, offer) {
            continue;
        }
        let mut compared = None;
        if let (Some(id), Some(most)) = (&personalisation.same_as, personalisation.max_spread) {
            let counts = |other: &&Offer| {
                same(id, other) && rule.applies_to.covers_offer(other) && other.currency() == placement.currency
            };
            let dearest = offers.iter().filter(stands).filter(counts).map(net).max().filter(|dearest| *dearest > 0);
            // The least share in hundredths of a percent that it does not lie further apart than.
            let apart = |dearest: i64| (0..=40_000).find(|share| (dearest - net(offer)) * 10_000 <= dearest * share);
            compared = match (offer.attribute(id.name()), dearest.and_then(apart)) {
                (None, _) => (rule.on_missing == OnMissing::Exclude).then_some((None, None)),
                (_, Some(apart)) => (apart > i64::from(most.0)).then_some((Some(apart), Some(i64::from(most.0)))),
                (_, None) => None,
            };
        }
        let barred = moved.iter().filter(|id| !personalisation.allows(id, facts.jurisdiction)).count();
        let barred = (barred > 0).then(|| (i64::try_from(barred).ok(), Some(0)));
        found.extend(compared.or(barred).map(|(observed, limit)| Failed { rule: at, observed, limit }));
    }
    found
}

/// What a price does not keep to, read off the page for authors.
fn price(limit: PriceLimit, offer: &Offer, on_missing: OnMissing) -> Option<(Option<i64>, Option<i64>)> {
    let (price, discount) = (offer.price.minor, offer.discount.map_or(0, |discount| discount.minor));
    let known = |money: Option<Money>| money.map(|money| money.minor);
    let (observed, limit, wrong) = match limit {
        PriceLimit::AdvertisedPriceMin => {
            let least = known(offer.advertised_price_min);
            (least.map(|_| price - discount), least, least.map(|least| price - discount < least))
        }
        PriceLimit::PriorPrice => {
            let prior = known(offer.prior_price);
            let wrong = if discount == 0 { Some(false) } else { prior.map(|prior| price > prior) };
            (prior.map(|_| price), prior, wrong)
        }
        PriceLimit::MinPrice(least) if offer.currency() != least.currency => (None, Some(least.minor), Some(true)),
        PriceLimit::MinPrice(least) => {
            (Some(price - discount), Some(least.minor), Some(price - discount < least.minor))
        }
        PriceLimit::MaxDiscount(FloorLimit::Percent(most)) => {
            let most = i64::from(most.0);
            // The least share in hundredths of a percent that the discount is not above.
            let share = (0..=10_000).find(|share| discount * 10_000 <= price * share).unwrap_or(0);
            (Some(share), Some(most), Some(discount * 10_000 > price * most))
        }
        PriceLimit::MaxDiscount(FloorLimit::Amount(most)) if offer.currency() != most.currency => {
            (None, Some(most.minor), Some(true))
        }
        PriceLimit::MaxDiscount(FloorLimit::Amount(most)) => {
            (Some(discount), Some(most.minor), Some(discount > most.minor))
        }
    };
    match wrong {
        Some(wrong) => wrong.then_some((observed, limit)),
        None => (on_missing == OnMissing::Exclude).then_some((None, None)),
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
    states: States<'_>,
    windows: &CapWindows,
) -> (Option<u32>, bool) {
    let Some(state) = states.state_of(cap) else { return (None, cap.without_identifier == WithoutIdentifier::Allow) };
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

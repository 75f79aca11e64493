//! Verdicts: every rule that applies is asked, and every failure kept with what was compared. Integers only, no draw.
//!
//! A missing value fails closed. Counters are read as they stand: a state whose `cap_set` is not the bundle's is first
//! rebuilt from contacts with [`rebuild_caps`].

use super::bundle::Bundle;
use super::rules::{FloorLimit, Rule, RuleKind};
use crate::domain::consent::in_force;
use crate::domain::decision::{ConsentReading, Failed};
use crate::domain::{
    CapCounter, Catalogue, ConsentState, Money, Offer, OfferId, Percent, Placement, PlacementId, PurposeId, Span,
    SubjectState, Timestamp,
};

/// What the gates of a purpose said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateVerdict {
    /// One per gate that was asked.
    pub readings: Vec<ConsentReading>,
    /// Position of the first gate that refused.
    pub refused_by: Option<u16>,
}

/// What the rules said about one offer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Every rule that leaves the offer out; empty means eligible.
    pub failed: Vec<Failed>,
    /// Caps that counted something: (position of the rule, used, limit).
    pub readings: Vec<(u16, u32, u32)>,
}

/// A contact that caps count: one decision that chose an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// When it was decided.
    pub at: Timestamp,
    /// Where.
    pub placement: PlacementId,
    /// What was chosen.
    pub offer: OfferId,
}

/// The rules with their positions, as records name them.
fn numbered(bundle: &Bundle) -> impl Iterator<Item = (u16, &Rule)> {
    (0..=u16::MAX).zip(&bundle.rules)
}

/// Asks every gate of a purpose at a placement. Without a gate the purpose is allowed. A gate lets through a consent
/// that was granted, has not expired, and rests on a basis that the jurisdiction allows for the purpose.
pub fn gate(
    bundle: &Bundle,
    placement: &Placement,
    purpose: &PurposeId,
    state: Option<&SubjectState>,
    jurisdiction: Option<&str>,
    now: Timestamp,
) -> GateVerdict {
    let mut verdict = GateVerdict::default();
    for (at, rule) in numbered(bundle) {
        let guards = matches!(&rule.kind, RuleKind::PurposeGate { purpose: guarded } if guarded == purpose);
        if !guards || !rule.applies_to.covers_placement(placement) {
            continue;
        }
        let entry = state.and_then(|state| in_force(&state.consents, purpose, now));
        let bases = bundle.purposes.get(purpose).map(|spec| spec.bases_in(jurisdiction)).unwrap_or_default();
        let open = entry.is_some_and(|entry| {
            entry.state == ConsentState::Granted
                && entry.valid_until.is_none_or(|until| until > now)
                && bases.contains(&entry.basis)
        });
        verdict.readings.push(ConsentReading {
            purpose: purpose.clone(),
            state: entry.map(|entry| entry.state),
            basis: entry.map(|entry| entry.basis),
            valid_from: entry.map(|entry| entry.valid_from),
            valid_until: entry.and_then(|entry| entry.valid_until),
        });
        if !open && verdict.refused_by.is_none() {
            verdict.refused_by = Some(at);
        }
    }
    verdict
}

/// Asks every rule that applies about one offer at one placement. Gates are asked by [`gate`], once per decision.
///
/// Usage of caps is personal, so that a failed cap carries its limit only and what was used stands in the readings.
/// Without a subject there is nothing to count by: every cap that applies leaves the offer out.
pub fn judge(
    bundle: &Bundle,
    placement: &Placement,
    offer: &Offer,
    state: Option<&SubjectState>,
    now: Timestamp,
) -> Verdict {
    ask(bundle, placement, offer, None, state, now)
}

/// Asks the rules whose answer depends on the slots before: caps (`state` has those contacts counted) and rules about
/// the whole answer, which holds the offers `chosen` so far.
pub fn judge_behind(
    bundle: &Bundle,
    placement: &Placement,
    offer: &Offer,
    chosen: &[&Offer],
    state: Option<&SubjectState>,
    now: Timestamp,
) -> Verdict {
    ask(bundle, placement, offer, Some(chosen), state, now)
}

/// `behind`: what stands in the slots before, for a slot that is not the first.
fn ask(
    bundle: &Bundle,
    placement: &Placement,
    offer: &Offer,
    behind: Option<&[&Offer]>,
    state: Option<&SubjectState>,
    now: Timestamp,
) -> Verdict {
    let mut verdict = Verdict::default();
    for (at, rule) in numbered(bundle) {
        let again = matches!(rule.kind, RuleKind::FrequencyCap { .. } | RuleKind::Stackability(_));
        if (behind.is_some() && !again) || !rule.applies_to.covers(placement, offer) {
            continue;
        }
        if let RuleKind::Stackability(stackability) = &rule.kind {
            verdict.failed.extend(behind.and_then(|chosen| stackability.refuses(at, offer, chosen)));
            continue;
        }
        let failed = match &rule.kind {
            RuleKind::Currency => (offer.currency() != placement.currency).then_some((None, None)),
            RuleKind::PurposeGate { .. } | RuleKind::Stackability(_) => None,
            RuleKind::MarginFloor { min: FloorLimit::Percent(min) } => under_percent(offer, *min),
            RuleKind::MarginFloor { min: FloorLimit::Amount(min) } => under_amount(offer, *min),
            RuleKind::FrequencyCap { by_offer, max, window } => {
                let counted = by_offer.then_some(&offer.offer_id);
                let used = state.map(|state| state.cap_used(&rule.id, counted, now, *window));
                let used = used.map(|used| u32::try_from(used).unwrap_or(u32::MAX));
                if let Some(used) = used.filter(|used| *used > 0) {
                    verdict.readings.push((at, used, *max));
                }
                used.is_none_or(|used| used >= *max).then_some((None, Some(i64::from(*max))))
            }
        };
        verdict.failed.extend(failed.map(|(observed, limit)| Failed { rule: at, observed, limit }));
    }
    verdict
}

type Compared = (Option<i64>, Option<i64>);

/// Margin in basis points of the net price, rounded down. A net price of zero or less has no such share.
fn under_percent(offer: &Offer, min: Percent) -> Option<Compared> {
    let (margin, price) = (i128::from(offer.margin_minor()), i128::from(offer.net_price_minor()));
    let limit = i64::from(min.0);
    if price <= 0 {
        return Some((None, Some(limit)));
    }
    let points = (margin * 10_000).div_euclid(price);
    let observed = i64::try_from(points).unwrap_or(if points < 0 { i64::MIN } else { i64::MAX });
    (observed < limit).then_some((Some(observed), Some(limit)))
}

fn under_amount(offer: &Offer, min: Money) -> Option<Compared> {
    if offer.currency() != min.currency {
        return Some((None, Some(min.minor)));
    }
    let margin = offer.margin_minor();
    (margin < min.minor).then_some((Some(margin), Some(min.minor)))
}

/// Counts a contact for every cap that applies, and tidies the counters: at most the newest `max` contacts inside the
/// window, no empty counter, none of a rule that the bundle does not have. Marks the state with the bundle's cap set.
pub fn count_contact(bundle: &Bundle, placement: &Placement, offer: &Offer, state: &mut SubjectState, now: Timestamp) {
    for (rule, by_offer, _, _) in caps(bundle) {
        if rule.applies_to.covers(placement, offer) {
            add(state, rule, by_offer.then_some(&offer.offer_id), now);
        }
    }
    tidy(bundle, state, now);
}

/// Builds every counter anew from contacts, in any order. A contact whose placement or offer is gone counts wherever it
/// cannot be shown to fall outside.
pub fn rebuild_caps(
    bundle: &Bundle,
    catalogue: &Catalogue,
    contacts: &[Contact],
    state: &mut SubjectState,
    now: Timestamp,
) {
    state.caps.clear();
    for contact in contacts {
        let placement = (&contact.placement, bundle.placements.get(&contact.placement));
        let offer = (&contact.offer, catalogue.offer(contact.offer.as_str()));
        for (rule, by_offer, _, _) in caps(bundle) {
            if rule.applies_to.covers_contact(placement, offer) {
                add(state, rule, by_offer.then_some(&contact.offer), contact.at);
            }
        }
    }
    tidy(bundle, state, now);
}

fn caps(bundle: &Bundle) -> impl Iterator<Item = (&Rule, bool, u32, Span)> {
    bundle.rules.iter().filter_map(|rule| match rule.kind {
        RuleKind::FrequencyCap { by_offer, max, window } => Some((rule, by_offer, max, window)),
        _ => None,
    })
}

fn add(state: &mut SubjectState, rule: &Rule, offer: Option<&OfferId>, at: Timestamp) {
    match state.caps.iter_mut().find(|counter| counter.rule == rule.id && counter.offer.as_ref() == offer) {
        Some(counter) => counter.at.push(at),
        None => state.caps.push(CapCounter { rule: rule.id.clone(), offer: offer.cloned(), at: vec![at] }),
    }
}

fn tidy(bundle: &Bundle, state: &mut SubjectState, now: Timestamp) {
    state.caps.retain_mut(|counter| {
        let cap =
            caps(bundle).find(|(rule, by_offer, _, _)| rule.id == counter.rule && *by_offer == counter.offer.is_some());
        let Some((_, _, max, window)) = cap else { return false };
        let since = now.minus(window);
        counter.at.retain(|at| *at > since);
        counter.at.sort_unstable();
        let surplus = counter.at.len().saturating_sub(usize::try_from(max).unwrap_or(usize::MAX));
        counter.at.drain(..surplus);
        !counter.at.is_empty()
    });
    // One order whatever the history, so that equal counts are equal bytes.
    state.caps.sort_by(|a, b| (&a.rule, &a.offer).cmp(&(&b.rule, &b.offer)));
    state.cap_set = Some(bundle.cap_set);
}

//! Verdicts: what gates said of a purpose and rules of an offer, every failure kept with what was compared. Integers
//! only, no draw.
//!
//! A missing value fails closed. Counters are read as they stand: a state whose `cap_set` is not the bundle's is first
//! rebuilt from contacts with [`rebuild_caps`](super::rebuild_caps).

use super::bundle::Bundle;
use super::rules::{FloorLimit, RuleKind};
use crate::domain::consent::in_force;
use crate::domain::decision::{CapReading, ConsentReading, Failed};
use crate::domain::{ConsentState, Currency, Money, Offer, Percent, Placement, PurposeId, SubjectState, Timestamp};

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
    /// Caps and cool-downs that counted something.
    pub readings: Vec<Reading>,
}

/// What a cap or a cool-down counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Position of the rule.
    pub rule: u16,
    /// Contacts or events counted.
    pub used: u32,
    /// How many a cap allows; how many start a cool-down.
    pub limit: u32,
    /// Until when a cool-down leaves the offer out, if it does.
    pub until: Option<Timestamp>,
}

impl Reading {
    /// As it stands in a record.
    pub fn of(self, candidate: u32, slot: u16) -> CapReading {
        let Self { rule, used, limit, until } = self;
        CapReading { candidate, rule, used, limit, slot, until }
    }
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
    for (at, rule) in (0..=u16::MAX).zip(&bundle.rules) {
        let guards = matches!(&rule.kind, RuleKind::PurposeGate { purpose: guarded } if guarded == purpose);
        if !guards || !rule.effective.holds(now) || !rule.applies_to.covers_placement(placement) {
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

pub(super) type Compared = (Option<i64>, Option<i64>);

/// What floors compare of an offer, computed once for all of them.
pub(super) struct Margin {
    currency: Currency,
    minor: i64,
    /// In basis points of the net price, rounded down. A net price of zero or less has no such share.
    points: Option<i64>,
}

impl Margin {
    pub(super) fn of(offer: &Offer) -> Self {
        let (minor, price) = (offer.margin_minor(), offer.net_price_minor());
        let points = (price > 0).then(|| {
            let points = (i128::from(minor) * 10_000).div_euclid(i128::from(price));
            i64::try_from(points).unwrap_or(if points < 0 { i64::MIN } else { i64::MAX })
        });
        Self { currency: offer.currency(), minor, points }
    }

    /// What a rule about currency or margin compared, if that leaves the offer out.
    pub(super) fn fails(&self, kind: &RuleKind, placement: &Placement) -> Option<Compared> {
        match kind {
            RuleKind::Currency => (self.currency != placement.currency).then_some((None, None)),
            RuleKind::MarginFloor { min: FloorLimit::Percent(min) } => self.under_percent(*min),
            RuleKind::MarginFloor { min: FloorLimit::Amount(min) } => self.under_amount(*min),
            _ => None,
        }
    }

    fn under_percent(&self, min: Percent) -> Option<Compared> {
        let limit = i64::from(min.0);
        self.points.is_none_or(|points| points < limit).then_some((self.points, Some(limit)))
    }

    fn under_amount(&self, min: Money) -> Option<Compared> {
        if self.currency != min.currency {
            return Some((None, Some(min.minor)));
        }
        (self.minor < min.minor).then_some((Some(self.minor), Some(min.minor)))
    }
}

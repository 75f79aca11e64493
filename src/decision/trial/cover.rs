//! Coverage: how often each rule left something out, and how often it was asked and did not. Tries no case.

use super::Cover;
use crate::decision::purpose::Purpose;
use crate::domain::decision::RefusedPurpose;
use crate::domain::{Offer, Placement, PurposeId, Timestamp};
use crate::policy::{Bundle, Rule, RuleKind};

/// Counts by the rule's position in the bundle.
pub(super) struct Counts {
    left_out: Vec<usize>,
    let_through: Vec<usize>,
}

/// When something is asked, and for a request from which jurisdiction.
pub(super) type Asked<'a> = (Timestamp, Option<&'a str>);

/// Whether a rule is asked about an offer: a rule about whole answers only where something stands before.
pub(super) fn asked(rule: &Rule, placement: &Placement, offer: &Offer, behind: bool, (now, from): Asked<'_>) -> bool {
    let asked = match &rule.kind {
        RuleKind::PurposeGate(_) => false,
        kind => behind || !kind.is_about_answers(),
    };
    asked && rule.in_force(now, from) && rule.applies_to.covers(placement, offer)
}

/// Whether a gate was asked for a purpose.
pub(super) fn guards(rule: &Rule, placement: &Placement, purpose: &PurposeId, (now, from): Asked<'_>) -> bool {
    matches!(&rule.kind, RuleKind::PurposeGate(gate) if gate.purpose == *purpose)
        && rule.in_force(now, from)
        && rule.applies_to.covers_placement(placement)
}

impl Counts {
    pub(super) fn new(bundle: &Bundle) -> Self {
        Self { left_out: vec![0; bundle.rules.len()], let_through: vec![0; bundle.rules.len()] }
    }

    /// Counts what the gates of one decision said.
    pub(super) fn gates(&mut self, bundle: &Bundle, placement: &Placement, purpose: &Purpose, when: Asked<'_>) {
        let refused = purpose.refused.as_ref();
        let own: Vec<u16> = refused.into_iter().flat_map(RefusedPurpose::rules).collect();
        let mut purposes = vec![(&placement.purpose, own)];
        if purpose.decided_under != placement.purpose {
            purposes.push((&purpose.decided_under, purpose.closed_by.into_iter().collect()));
        }
        for (asked_for, refused_by) in purpose.prices.iter().chain(&purpose.aside) {
            if purposes.iter().all(|(known, _)| *known != asked_for) {
                purposes.push((asked_for, refused_by.clone()));
            }
        }
        for (asked_for, refused_by) in purposes {
            for (at, rule) in bundle.rules.iter().enumerate() {
                if !guards(rule, placement, asked_for, when) {
                    continue;
                }
                if refused_by.iter().any(|by| usize::from(*by) == at) {
                    count(&mut self.left_out, at);
                } else if refused_by.is_empty() {
                    // Of the purpose decided under only the first that refuses is named: of others nothing is shown.
                    count(&mut self.let_through, at);
                }
            }
        }
    }

    /// Counts which rules left an offer out, and which were asked and did not. Where nobody is known a cap counts
    /// nothing, so that nothing is shown of it.
    pub(super) fn offer(&mut self, bundle: &Bundle, failed: &[u16], nobody: bool, asked: impl Fn(&Rule) -> bool) {
        for (at, rule) in bundle.rules.iter().enumerate() {
            match &rule.kind {
                RuleKind::PurposeGate(_) => continue,
                RuleKind::FrequencyCap(_) if nobody => continue,
                _ => {}
            }
            if failed.iter().any(|rule| usize::from(*rule) == at) {
                count(&mut self.left_out, at);
            } else if asked(rule) {
                count(&mut self.let_through, at);
            }
        }
    }

    pub(super) fn finish(self, bundle: &Bundle) -> Vec<Cover> {
        let counts = self.left_out.into_iter().zip(self.let_through);
        let rules = bundle.rules.iter().zip(counts).filter(|(rule, _)| rule.is_for_cases());
        let made = rules.map(|(rule, (left_out, let_through))| Cover {
            rule: rule.id.clone(),
            path: rule.place.0.clone(),
            line: rule.place.1,
            left_out,
            let_through,
        });
        made.collect()
    }
}

fn count(counts: &mut [usize], at: usize) {
    if let Some(count) = counts.get_mut(at) {
        *count += 1;
    }
}

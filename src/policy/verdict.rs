//! Verdicts: what rules said of an offer, every failure kept with what was compared. Integers only, no draw.
//!
//! A missing value fails closed. Counters are read as they stand: a state whose `cap_set` is not the bundle's is first
//! rebuilt from contacts with [`rebuild_caps`](super::rebuild_caps).

use super::bundle::Bundle;
use super::rules::Rule;
use crate::domain::Timestamp;
use crate::domain::decision::{CapReading, Failed};

/// What the rules said about one offer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Every rule that leaves the offer out; empty means eligible.
    pub failed: Vec<Failed>,
    /// Every rule that speaks against the offer and lets it be: it only warns, or is on trial.
    pub noted: Vec<Failed>,
    /// Caps and cool-downs that counted something.
    pub readings: Vec<Reading>,
}

impl Verdict {
    /// Takes what leaves nothing out from the failures, and notes it in the place of what was noted before. To be
    /// called where an offer has been asked about: a note among the failures would leave it out.
    pub(super) fn settle(&mut self, bundle: &Bundle) {
        if bundle.only_blocks {
            return;
        }
        let Self { failed, noted, .. } = self;
        noted.clear();
        failed.retain(|failed| {
            let blocks = bundle.rule(failed.rule).is_none_or(Rule::blocks);
            noted.extend((!blocks).then_some(*failed));
            blocks
        });
    }
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
    /// How many of them one more joins, where that has to be known.
    pub joined: Option<u32>,
}

impl Reading {
    /// As it stands in a record.
    pub fn of(self, candidate: u32, slot: u16) -> CapReading {
        let Self { rule, used, limit, until, joined } = self;
        CapReading { candidate, rule, used, limit, slot, until, joined }
    }
}

//! Availability: where and when an offer may be shown at all. Knows no customer.

use super::applies;
use super::codes;
use super::condition::Facts;
use super::finding::Report;
use super::interval;
use super::jurisdiction;
use super::read::{self, Fields};
use super::rules::{Known, RuleKind};
use crate::domain::Placement;

/// Fields of a rule of this kind.
pub(super) const FIELDS: [&str; 3] = ["regions", "channels", "dates"];

/// Fields of the language that are not available yet.
pub(super) const FIELDS_LATER: [&str; 2] = ["dayparts", "stores"];

/// Reads what a rule of availability says.
pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    if FIELDS.iter().all(|name| fields.get(name).is_none()) {
        let later = FIELDS_LATER.iter().any(|name| fields.get(name).is_some());
        if !later {
            report
                .add(codes::AVAILABILITY_EMPTY, fields.place, format!("{what}: it says neither where nor when"), "here")
                .with_help("say where or when, such as `regions: [US, CA]`, `channels: [web]` or `dates: {from: ...}`");
        }
        return None;
    }
    let regions = fields.get("regions").map(|node| {
        let empty = "the offer would be available nowhere; leave the list out to allow any region";
        read::list_of(report, what, node, empty, |report, node| {
            read::parsed(report, what, node, "`EU`, `US` or `US-NY`", jurisdiction::check)
        })
    });
    let channels = fields.get("channels").map(|node| applies::channels(report, what, node, known));
    let dates = fields.get("dates").map(|node| interval::read(report, &format!("{what}: dates"), node));
    // A field not given is fine, a field given and broken is not.
    Some(RuleKind::Availability {
        regions: regions.map_or(Some(None), |regions| regions.map(Some))?,
        channels: channels.map_or(Some(None), |channels| channels.map(Some))?,
        dates: dates.map_or(Some(None), |dates| dates.map(Some))?,
    })
}

impl RuleKind {
    /// Whether a rule of availability lets its offers be shown; nothing where too little is known of the jurisdiction.
    pub(super) fn available(&self, placement: &Placement, facts: &Facts<'_>) -> Option<bool> {
        let Self::Availability { regions, channels, dates } = self else { return None };
        let on_channel = channels.as_ref().is_none_or(|channels| channels.contains(&placement.channel));
        let in_time = dates.as_ref().is_none_or(|dates| dates.holds(facts.now));
        if !on_channel || !in_time {
            return Some(false);
        }
        let Some(regions) = regions else { return Some(true) };
        let mut found = Some(false);
        for region in regions {
            match jurisdiction::covers(region, facts.jurisdiction?) {
                Some(true) => return Some(true),
                None => found = None,
                Some(false) => {}
            }
        }
        found
    }
}

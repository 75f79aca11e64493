//! Availability: where and when an offer may be shown at all. Knows no customer.

use super::applies;
use super::codes;
use super::condition::{Facts, and};
use super::daypart;
use super::finding::Report;
use super::interval;
use super::jurisdiction;
use super::read::{self, Fields};
use super::rules::{Known, RuleKind};
use crate::domain::{Placement, StoreId};

/// Fields of a rule of this kind.
pub(super) const FIELDS: [&str; 6] = ["regions", "channels", "dates", "dayparts", "time_zone", "stores"];

/// Reads what a rule of availability says.
pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    if FIELDS.iter().all(|name| fields.get(name).is_none()) {
        if !fields.misspelt(&FIELDS) {
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
    let dayparts = fields.get("dayparts").map(|node| daypart::read(report, fields, node));
    if dayparts.is_none() {
        daypart::without(report, fields);
    }
    let stores = fields.get("stores").map(|node| {
        let empty = "the offer would be available nowhere; leave the list out to allow any store";
        read::list_of(report, what, node, empty, |report, node| {
            read::parsed(report, what, node, "a store such as `s-12`", StoreId::new)
        })
    });
    // A field not given is fine, a field given and broken is not.
    Some(RuleKind::Availability {
        regions: regions.map_or(Some(None), |regions| regions.map(Some))?,
        channels: channels.map_or(Some(None), |channels| channels.map(Some))?,
        dates: dates.map_or(Some(None), |dates| dates.map(Some))?,
        dayparts: dayparts.map_or(Some(None), |dayparts| dayparts.map(Some))?,
        stores: stores.map_or(Some(None), |stores| stores.map(Some))?,
    })
}

impl RuleKind {
    /// Whether a rule of availability lets its offers be shown; nothing where too little is known of the request. What
    /// is known to be elsewhere or at another time settles it, whatever else is not known.
    pub(super) fn available(&self, placement: &Placement, facts: &Facts<'_>) -> Option<bool> {
        let Self::Availability { regions, channels, dates, dayparts, stores } = self else { return None };
        let on_channel = channels.as_ref().is_none_or(|channels| channels.contains(&placement.channel));
        let on_date = dates.as_ref().is_none_or(|dates| dates.holds(facts.now));
        if !on_channel || !on_date {
            return Some(false);
        }
        let in_time = dayparts.as_ref().map_or(Some(true), |parts| parts.holds(facts.now, facts.time_zone));
        let in_store = stores.as_ref().map_or(Some(true), |stores| facts.store.map(|store| stores.contains(store)));
        let in_region = regions.as_ref().map_or(Some(true), |regions| in_regions(regions, facts.jurisdiction));
        and(and(in_time, in_store), in_region)
    }
}

fn in_regions(regions: &[String], asked: Option<&str>) -> Option<bool> {
    let mut found = Some(false);
    for region in regions {
        match jurisdiction::covers(region, asked?) {
            Some(true) => return Some(true),
            None => found = None,
            Some(false) => {}
        }
    }
    found
}

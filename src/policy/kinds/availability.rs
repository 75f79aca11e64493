//! Availability: where and when an offer may be shown at all. Knows no customer.

use super::daypart::{self, Dayparts};
use crate::domain::{Placement, StoreId};
use crate::policy::applies;
use crate::policy::codes;
use crate::policy::condition::{Facts, and};
use crate::policy::declared::jurisdiction;
use crate::policy::finding::Report;
use crate::policy::interval::{self, Interval};
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, OnMissing, RuleKind};

/// Where and when offers are shown. All of it must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// Jurisdictions such as `EU`, `US` or `US-NY`.
    pub regions: Option<Vec<String>>,
    /// Channels.
    pub channels: Option<Vec<String>>,
    /// The time.
    pub dates: Option<Interval>,
    /// The times of day and of the week.
    pub dayparts: Option<Dayparts>,
    /// Stores.
    pub stores: Option<Vec<StoreId>>,
}

/// Fields of a rule of this kind.
pub(in crate::policy) const FIELDS: [&str; 6] = ["regions", "channels", "dates", "dayparts", "time_zone", "stores"];

/// Reads what a rule of availability says.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
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
    let dayparts = fields.get("dayparts").map(|node| daypart::read(report, fields, node, known));
    if dayparts.is_none() {
        daypart::without(report, fields);
    }
    let stores = fields.get("stores").map(|node| {
        let empty = "the offer would be available nowhere; leave the list out to allow any store";
        read::list_of(report, what, node, empty, |report, node| {
            let store = read::parsed(report, what, node, "a store such as `s-12`", StoreId::new)?;
            known.stores.refer(report, what, node, &store).then_some(store)
        })
    });
    // A field not given is fine, a field given and broken is not.
    Some(RuleKind::Availability(Availability {
        regions: regions.map_or(Some(None), |regions| regions.map(Some))?,
        channels: channels.map_or(Some(None), |channels| channels.map(Some))?,
        dates: dates.map_or(Some(None), |dates| dates.map(Some))?,
        dayparts: dayparts.map_or(Some(None), |dayparts| dayparts.map(Some))?,
        stores: stores.map_or(Some(None), |stores| stores.map(Some))?,
    }))
}

impl Availability {
    /// Whether it lets its offers be shown; nothing where too little is known of the request. What is known to be
    /// elsewhere or at another time settles it, whatever else is not known.
    pub(in crate::policy) fn holds(&self, placement: &Placement, facts: &Facts<'_>) -> Option<bool> {
        let Self { regions, channels, dates, dayparts, stores } = self;
        let on_channel = channels.as_ref().is_none_or(|channels| channels.contains(&placement.channel));
        let on_date = dates.as_ref().is_none_or(|dates| dates.holds(facts.now));
        if !on_channel || !on_date {
            return Some(false);
        }
        let in_time =
            dayparts.as_ref().map_or(Some(true), |parts| parts.holds(facts.now, facts.time_zone, facts.store));
        let in_store = stores.as_ref().map_or(Some(true), |stores| facts.store.map(|store| stores.contains(store)));
        let in_region =
            regions.as_ref().map_or(Some(true), |regions| jurisdiction::covered(regions, facts.jurisdiction));
        and(and(in_time, in_store), in_region)
    }

    /// That it leaves an offer out, in words.
    pub(in crate::policy) fn told(&self, on_missing: OnMissing) -> String {
        let Self { regions, channels, dates, dayparts, stores } = self;
        let list = |names: &[String]| format!("`{}`", names.join("`, `"));
        let said = [
            regions.as_ref().map(|regions| format!("in {}", list(regions))),
            channels.as_ref().map(|channels| format!("on {}", list(channels))),
            dates.as_ref().map(|dates| dates.text.clone()),
            dayparts.as_ref().map(ToString::to_string),
            stores.as_ref().map(|stores| {
                format!("in the stores {}", list(&stores.iter().map(ToString::to_string).collect::<Vec<_>>()))
            }),
        ];
        let only = said.into_iter().flatten().collect::<Vec<_>>().join(" and ");
        let (there, then) =
            (regions.is_some() || stores.is_some(), dayparts.as_ref().is_some_and(Dayparts::asks_request));
        let unknown = match (there, then) {
            _ if on_missing == OnMissing::Allow => "",
            (true, true) => ", or it is not known whether this is there and then",
            (true, false) => ", or it is not known whether this is there",
            (false, true) => ", or it is not known what time it is there",
            (false, false) => "",
        };
        format!("the offer is available only {only}{unknown}")
    }
}

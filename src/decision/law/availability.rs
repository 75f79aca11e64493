//! The plain reading of where and when offers are available. Reads no customer.

use chrono::{DateTime, Datelike as _, Timelike as _};
use chrono_tz::Tz;

use super::asked::Asked;
use super::chance::Chance;
use super::town::{HOUR, NOW};
use super::written::{Kind, Says, Written, lies_in};
use crate::domain::{Offer, Timestamp};

#[derive(Default)]
struct Available {
    regions: Option<&'static [&'static str]>,
    channels: Option<&'static [&'static str]>,
    stores: Option<&'static [&'static str]>,
    from: Option<i64>,
    until: Option<i64>,
    /// Parts of the week and whose clock.
    parts: Option<(Vec<Part>, &'static str)>,
}

/// Days from 0 for Monday, minutes of the day.
#[derive(PartialEq)]
struct Part {
    days: Vec<usize>,
    from: usize,
    until: usize,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(super) fn any(chance: &mut Chance) -> Box<dyn Kind> {
    let mut rule = Available::default();
    for _ in 0..=chance.below(2) {
        match chance.below(5) {
            0 => rule.regions = Some(chance.one(&[&["US"] as &[&str], &["US-NY", "DE"], &["EU"], &["GB"]])),
            1 => rule.channels = Some(chance.one(&[&["web"], &["email"]])),
            2 => rule.stores = Some(chance.one(&[&["s-1"] as &[&str], &["s-1", "s-2"]])),
            3 => {
                rule.from = chance.maybe(5, &[NOW, NOW + 1, NOW - HOUR]);
                rule.until = if rule.from.is_none() { Some(chance.one(&[NOW, NOW + 1, NOW + HOUR])) } else { None };
            }
            _ => {
                let part = |chance: &mut Chance| Part {
                    days: (0..7).filter(|_| chance.often(4)).collect(),
                    from: chance.one(&[0, 5 * 60, 16 * 60 + 26, 16 * 60 + 27, 20 * 60 + 26]),
                    until: chance.one(&[6 * 60, 16 * 60 + 28, 22 * 60 + 30, 2 * 60, 5 * 60 + 26]),
                };
                let mut parts: Vec<Part> = (0..=chance.below(2)).map(|_| part(chance)).collect();
                parts.dedup();
                rule.parts = Some((parts, chance.one(&["customer", "store", "Europe/Berlin", "Asia/Tokyo"])));
            }
        }
    }
    Box::new(rule)
}

impl Part {
    fn text(&self) -> String {
        let clock = |minute: usize| format!("\"{:02}:{:02}\"", minute / 60, minute % 60);
        let days: Vec<&str> = self.days.iter().map(|day| DAYS[*day]).collect();
        let days = if days.is_empty() { String::new() } else { format!("days: [{}], ", days.join(", ")) };
        format!("{{{days}from: {}, until: {}}}", clock(self.from), clock(self.until))
    }

    /// Whether it lasts at a minute of a day: whether it began so many minutes ago as it lasts at most.
    fn lasts(&self, day: usize, minute: usize) -> bool {
        let length = if self.from < self.until { self.until - self.from } else { self.until + 1_440 - self.from };
        let begins = |day: usize| self.days.is_empty() || self.days.contains(&day);
        let today = begins(day) && minute >= self.from && minute - self.from < length;
        let yesterday = begins((day + 6) % 7) && minute + 1_440 - self.from < length;
        today || yesterday
    }
}

impl Available {
    /// Each thing it asks, answered or not.
    fn answers(&self, asked: &Asked<'_>) -> Vec<Option<bool>> {
        let mut found = Vec::new();
        found.extend(self.regions.map(|named| lies_in(named, asked.from.as_deref())));
        found.extend(self.channels.map(|named| Some(named.contains(&asked.channel()))));
        let store = asked.request.store.as_ref();
        found.extend(self.stores.map(|named| Some(named.contains(&store?.as_str()))));
        found.extend(self.from.map(|from| Some(from <= asked.now)));
        found.extend(self.until.map(|until| Some(asked.now < until)));
        found.extend(self.parts.as_ref().map(|(parts, clock)| {
            let zone: Tz = match *clock {
                "customer" => asked.zone()?,
                "store" => asked.store_zone()?,
                name => name.parse().unwrap(),
            };
            let there = DateTime::from_timestamp_millis(asked.now).unwrap().with_timezone(&zone);
            let day = usize::try_from(there.weekday().num_days_from_monday()).unwrap();
            let minute = usize::try_from(there.hour() * 60 + there.minute()).unwrap();
            Some(parts.iter().any(|part| part.lasts(day, minute)))
        }));
        found
    }
}

impl Kind for Available {
    fn text(&self) -> String {
        let mut fields = Vec::new();
        for (name, names) in [("regions", self.regions), ("channels", self.channels), ("stores", self.stores)] {
            fields.extend(names.map(|names| format!("{name}: [{}]", names.join(", "))));
        }
        fields.extend(self.from.map(|from| format!("dates: {{from: {}}}", Timestamp(from))));
        fields.extend(self.until.map(|until| format!("dates: {{until: {}}}", Timestamp(until))));
        fields.extend(self.parts.as_ref().map(|(parts, clock)| {
            let parts: Vec<String> = parts.iter().map(Part::text).collect();
            format!("dayparts: [{}], time_zone: {clock}", parts.join(", "))
        }));
        fields.join(", ")
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, _: &Offer) -> Says {
        let answers = self.answers(asked);
        let elsewhere = answers.contains(&Some(false));
        let unknown = answers.contains(&None);
        Says::plainly(elsewhere || unknown && !rule.allows_missing)
    }

    fn reads(&self) -> bool {
        true
    }
}

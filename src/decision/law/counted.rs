//! The plain reading of caps and cool-downs: every contact of the past looked at anew. Keeps no counter.

use chrono::{DateTime, Datelike as _};
use chrono_tz::Tz;

use super::asked::Asked;
use super::chance::Chance;
use super::town::{HOUR, RESERVED};
use super::written::{Kind, Reading, Says, When, Written, categories};
use crate::domain::outcome::OutcomeKind;
use crate::domain::{Offer, SubjectKind};
use crate::policy::Contact;

#[derive(Clone, Copy)]
enum Window {
    Hours(i64),
    /// `day`, `week` from a weekday (0 for Monday) or `month`, and whose clock.
    Calendar(&'static str, u32, &'static str),
    Lifetime,
    /// As long as a session lasts, whoever it is that has it.
    Session,
}

struct Capped {
    whose: SubjectKind,
    by: &'static str,
    max: u32,
    window: Window,
    counts: &'static str,
    /// What becomes of whom it cannot count for.
    nobody: &'static str,
}

const WEEK: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

pub(super) fn any_cap(chance: &mut Chance) -> Box<dyn Kind> {
    use SubjectKind::{Customer, Device, Household, Session};
    let clock = chance.one(&["customer", "store", "Europe/Berlin", "America/New_York"]);
    let whose = chance.one(&[Customer, Customer, Customer, Household, Device, Session]);
    let of_session = [Customer, Session].contains(&whose);
    Box::new(Capped {
        whose,
        by: chance.one(&["all", "offer", "category", "campaign", "channel"]),
        max: 1 + u32::try_from(chance.below(4)).unwrap(),
        window: match chance.below(7) {
            6 if of_session => Window::Session,
            0 => Window::Hours(5),
            1 => Window::Hours(72),
            2 => Window::Lifetime,
            3 => Window::Calendar("day", 0, clock),
            4 => Window::Calendar("week", u32::try_from(chance.below(7)).unwrap(), clock),
            _ => Window::Calendar("month", 0, clock),
        },
        counts: chance.one(&["decision", "impression", "click", "redemption"]),
        nobody: chance.one(&["", "session_cap", "exclude", "allow", "allow", "allow"]),
    })
}

impl Window {
    fn text(self) -> String {
        match self {
            Self::Hours(hours) => format!("{{rolling: {hours}h}}"),
            Self::Lifetime => "lifetime".to_owned(),
            Self::Session => "session".to_owned(),
            Self::Calendar("week", 0, clock) => format!("{{calendar: week, time_zone: {clock}}}"),
            Self::Calendar("week", starts, clock) => {
                format!("{{calendar: week, time_zone: {clock}, week_starts: {}}}", WEEK[starts as usize])
            }
            Self::Calendar(unit, _, clock) => format!("{{calendar: {unit}, time_zone: {clock}}}"),
        }
    }

    /// Whether something of the past lies in it.
    fn holds(self, at: i64, asked: &Asked<'_>) -> bool {
        match self {
            Self::Hours(hours) => asked.now - at < hours * HOUR,
            Self::Lifetime | Self::Session => true,
            Self::Calendar(unit, starts, clock) => {
                let zone: Tz = match clock {
                    "customer" => asked.zone().unwrap_or(Tz::UTC),
                    "store" => asked.store_zone().unwrap_or(Tz::UTC),
                    name => name.parse().unwrap(),
                };
                let date = |at: i64| DateTime::from_timestamp_millis(at).unwrap().with_timezone(&zone).date_naive();
                let period = |at: i64| match unit {
                    "day" => date(at).num_days_from_ce(),
                    // The first day of all was a Monday.
                    "week" => (date(at).num_days_from_ce() - 1 - i32::try_from(starts).unwrap()).div_euclid(7),
                    _ => date(at).year() * 12 + i32::try_from(date(at).month()).unwrap(),
                };
                period(at) == period(asked.now)
            }
        }
    }
}

fn scope(whose: &str, by: &str) -> String {
    if by == "all" { format!("[{whose}]") } else { format!("[{by}, {whose}]") }
}

impl Capped {
    /// What an offer shown in a placement counts as; nothing for everything, where that is gone.
    fn apart(&self, asked: &Asked<'_>, placement: &str, offer: &str) -> Option<String> {
        let found = asked.town.offers.get(offer);
        match self.by {
            "offer" => Some(offer.to_owned()),
            "channel" => asked.town.channel_of(placement).map(str::to_owned),
            "category" => found.map(|offer| offer.category.as_ref().map(ToString::to_string).unwrap_or_default()),
            "campaign" => found.map(|offer| offer.campaign.as_ref().map(ToString::to_string).unwrap_or_default()),
            _ => None,
        }
    }

    /// Whether a contact counts now.
    fn counts(&self, asked: &Asked<'_>, contact: &Contact) -> bool {
        let at = contact.chosen.at.0;
        let happened = match self.counts {
            "decision" => Some(at),
            "impression" => contact.seen.map(|seen| seen.0.max(at)),
            "click" => contact.clicked.map(|clicked| clicked.0.max(at)),
            _ => contact.redeemed.map(|redeemed| redeemed.0.max(at)),
        };
        match happened {
            Some(happened) => self.window.holds(happened, asked),
            // What was given back is reserved no more.
            None => !contact.released && contact.chosen.reserved_until.0 > asked.now,
        }
    }
}

impl Kind for Capped {
    fn text(&self) -> String {
        let nobody =
            if self.nobody.is_empty() { String::new() } else { format!(", without_identifier: {}", self.nobody) };
        let (scope, window) = (scope(self.whose.name(), self.by), self.window.text());
        format!("scope: {scope}, max: {}, window: {window}, counts: {}{nobody}", self.max, self.counts)
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        let spot = &asked.town.spots[asked.spot];
        if !spot.obeys_caps {
            return Says::default();
        }
        let limit = Some(i64::from(self.max));
        let whose = if matches!(self.window, Window::Session) { SubjectKind::Session } else { self.whose };
        let contacts = match asked.folk.contacts(whose, self.nobody == "exclude") {
            Some(contacts) => contacts,
            // For whom it cannot count it holds within one answer.
            None if self.nobody == "allow" => Vec::new(),
            None => return Says { against: Some((None, limit)), reading: None },
        };
        let own = self.apart(asked, spot.id, offer.offer_id.as_str());
        let mut used = 0;
        for contact in contacts {
            let counting =
                asked.town.spots.iter().all(|spot| spot.id != contact.placement.as_str() || spot.counts_toward_caps);
            let covered = rule.covers_contact(asked, &contact.placement, contact.offer.as_str());
            let of = self.apart(asked, contact.placement.as_str(), contact.offer.as_str());
            let same = of.is_none() || of == own;
            used += u32::from(counting && covered && same && self.counts(asked, contact));
        }
        // What stands in the slots before is reserved now.
        const { assert!(RESERVED > 0) }
        for chosen in &asked.chosen {
            let same = self.apart(asked, spot.id, chosen.offer_id.as_str()) == own;
            used += u32::from(spot.counts_toward_caps && rule.covers_offer(chosen) && same);
        }
        let reading = Reading { used, limit: self.max, until: None }.seen();
        Says { against: (used >= self.max).then_some((None, limit)), reading: Some(reading) }
    }

    fn when(&self) -> When {
        When::BeforeAndBehind
    }
}

struct Cooled {
    by: &'static str,
    event: OutcomeKind,
    unless: Option<OutcomeKind>,
    times: usize,
    within: i64,
    hours: i64,
    allows_nobody: bool,
}

pub(super) fn any_cool_down(chance: &mut Chance) -> Box<dyn Kind> {
    use OutcomeKind::{Click, Impression, Order, Reject, Return};
    let (event, unless) = chance.one(&[
        (Reject, None),
        (Order, None),
        (Return, None),
        (Click, None),
        (Impression, Some(Click)),
        (Reject, Some(Order)),
        (Click, Some(Order)),
    ]);
    Box::new(Cooled {
        by: chance.one(&["all", "offer", "category", "campaign"]),
        event,
        unless,
        times: 1 + chance.below(3),
        within: chance.one(&[6, 48]),
        hours: chance.one(&[1, 24, 72]),
        allows_nobody: chance.often(5),
    })
}

impl Cooled {
    /// What an offer counts as, and rests with.
    fn keys(&self, offer: &Offer) -> Vec<String> {
        match self.by {
            "offer" => vec![offer.offer_id.to_string()],
            "category" => categories(offer).into_iter().map(str::to_owned).collect(),
            "campaign" => offer.campaign.iter().map(ToString::to_string).collect(),
            _ => vec![String::new()],
        }
    }

    fn contact_keys(&self, asked: &Asked<'_>, contact: &Contact) -> Vec<String> {
        match (asked.town.offers.get(contact.offer.as_str()), self.by) {
            (Some(offer), _) => self.keys(offer),
            (None, "offer") => vec![contact.offer.to_string()],
            (None, "all") => vec![String::new()],
            (None, _) => Vec::new(),
        }
    }

    /// Until when what counts as `key` rests, if it does, and of how many events.
    fn rests(&self, rule: &Written, asked: &Asked<'_>, contacts: &[&Contact], key: &str) -> (Option<i64>, u32) {
        let (mut events, mut undone) = (Vec::new(), i64::MIN);
        let counts = |contact: &&&Contact| {
            rule.covers_contact(asked, &contact.placement, contact.offer.as_str())
                && self.contact_keys(asked, contact).iter().any(|of| of == key)
        };
        for contact in contacts.iter().filter(counts) {
            for (kind, at) in &contact.events {
                let at = at.0.max(contact.chosen.at.0);
                if *kind == self.event {
                    events.push(at);
                } else if Some(*kind) == self.unless {
                    undone = undone.max(at);
                }
            }
        }
        let within = if self.times == 1 { 0 } else { self.within * HOUR };
        let oldest = asked.now - self.hours * HOUR - within;
        events.retain(|at| *at > undone && *at >= oldest);
        events.sort_unstable();
        let mut until = None;
        for last in self.times - 1..events.len() {
            if events[last] - events[last + 1 - self.times] <= within {
                until = Some(events[last] + self.hours * HOUR);
            }
        }
        (until.filter(|until| *until > asked.now), u32::try_from(events.len()).unwrap())
    }
}

impl Kind for Cooled {
    fn text(&self) -> String {
        let times =
            if self.times == 1 { String::new() } else { format!(", times: {}, within: {}h", self.times, self.within) };
        let unless = self.unless.map_or_else(String::new, |kind| format!(", unless: {}", kind.name()));
        let nobody = if self.allows_nobody { ", without_identifier: allow" } else { "" };
        let after = format!("{{event: {}{times}{unless}}}", self.event.name());
        format!("scope: {}, after: {after}, suppress_for: {}h{nobody}", scope("customer", self.by), self.hours)
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        let times = u32::try_from(self.times).unwrap();
        let compared = (None, Some(i64::from(times)));
        let Some(contacts) = asked.folk.contacts(SubjectKind::Customer, false) else {
            return Says { against: (!self.allows_nobody).then_some(compared), reading: None };
        };
        let keys = self.keys(offer);
        let each = keys.iter().map(|key| self.rests(rule, asked, &contacts, key));
        let (until, used) = each.max().unwrap_or_default();
        let reading = Reading { used, limit: times, until };
        Says { against: until.is_some().then_some(compared), reading: Some(reading.seen()) }
    }
}

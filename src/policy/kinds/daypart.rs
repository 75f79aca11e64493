//! Parts of the day and of the week, by the clock on the wall. Knows no rule and reads no clock.
//!
//! What the clock shows is what counts: a part from 17:00 until 21:00 is that by the clock on days of 23 and of 25
//! hours too. An hour that the clock shows twice belongs twice, one that it leaps over never comes.

use super::caps::{self, Zone};
use crate::domain::time::WEEKDAYS;
use crate::domain::{LocalTime, Malformed, StoreId, Timestamp};
use crate::policy::codes;
use crate::policy::condition::local_time;
use crate::policy::declared::stores::Stores;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::Known;
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::Node;

/// Minutes of a day on the clock.
const DAY_MINUTES: u16 = 24 * 60;

/// One part of the day, on some days of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daypart {
    /// The days on which it begins, from 0 for Monday; every day where none is named.
    pub days: Vec<u8>,
    /// The first minute of it.
    pub from: u16,
    /// The first minute behind it; on the next day where it is not behind `from`.
    pub until: u16,
}

impl Daypart {
    fn begins_on(&self, weekday: u8) -> bool {
        self.days.is_empty() || self.days.contains(&weekday)
    }

    /// Whether a time belongs to it. What runs past midnight belongs to the day on which it began.
    fn holds(&self, at: LocalTime) -> bool {
        let (today, yesterday) = (at.weekday(), (at.weekday() + 6) % 7);
        if self.from < self.until {
            return self.begins_on(today) && (self.from..self.until).contains(&at.minute);
        }
        self.begins_on(today) && at.minute >= self.from || self.begins_on(yesterday) && at.minute < self.until
    }
}

impl std::fmt::Display for Daypart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let days: Vec<&str> = self.days.iter().filter_map(|day| WEEKDAYS.get(usize::from(*day))).copied().collect();
        f.write_str(&days.join(", "))?;
        if (self.from, self.until) == (0, DAY_MINUTES) {
            return Ok(());
        }
        let space = if days.is_empty() { "" } else { " " };
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(f, "{space}from {} until {}", clock(self.from), clock(self.until))
    }
}

/// Parts of the week, by the clock of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dayparts {
    /// One of them is enough.
    pub parts: Vec<Daypart>,
    /// Whose clock.
    pub zone: Zone,
    /// The clocks of stores; none where nobody asks for them.
    pub stores: Stores,
}

impl Dayparts {
    /// Whether an instant belongs to them; nothing where it is the clock of the customer or of the store and nobody
    /// knows where that is.
    pub(in crate::policy) fn holds(
        &self,
        now: Timestamp,
        customer: Option<&str>,
        store: Option<&StoreId>,
    ) -> Option<bool> {
        let zone = match self.zone {
            Zone::Customer => customer?.parse().ok()?,
            Zone::Store => self.stores.zone(store)?,
            Zone::Named(zone) => zone,
        };
        let at = local_time(now, zone, true)?;
        Some(self.parts.iter().any(|part| part.holds(at)))
    }

    /// Whether they ask what time it is where the customer is.
    pub(in crate::policy) fn asks_customer(&self) -> bool {
        self.zone == Zone::Customer
    }

    /// Whether they ask what time it is where the request comes from, which may not be known.
    pub(in crate::policy) fn asks_request(&self) -> bool {
        matches!(self.zone, Zone::Customer | Zone::Store)
    }
}

impl std::fmt::Display for Dayparts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.parts.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join(" or "))?;
        match self.zone {
            Zone::Customer => f.write_str(" where the customer is"),
            Zone::Store => f.write_str(" at the store"),
            Zone::Named(zone) => write!(f, " ({})", zone.name()),
        }
    }
}

const EXAMPLE: &str = "`dayparts: [{days: [mon, fri], from: \"17:00\", until: \"21:00\"}]`";

/// Says that a `time_zone` stands in a rule without parts of the day, if one does.
pub(in crate::policy) fn without(report: &mut Report<'_>, fields: &Fields<'_>) {
    let what = fields.what.as_str();
    if let Some(node) = fields.get("time_zone") {
        report
            .add(codes::DAYPART, node.place, format!("{what}: no part of the day is given"), "read by nothing")
            .with_help(format!("add {EXAMPLE}, or remove it; `dates` have a `time_zone` of their own"));
    }
}

/// Reads `dayparts` and the `time_zone` that goes with them.
pub(in crate::policy) fn read(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    node: &Node,
    known: Known<'_>,
) -> Option<Dayparts> {
    let what = fields.what.as_str();
    let parts = parts(report, what, node);
    let zone = fields.need(report, "time_zone", "time_zone: customer");
    let zone = zone.and_then(|node| caps::time_zone(report, what, node, known))?;
    let stores = if zone == Zone::Store { known.stores.stores.clone() } else { Stores::default() };
    Some(Dayparts { parts: parts?, zone, stores })
}

fn parts(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Vec<Daypart>> {
    let items = read::list(report, what, node)?;
    if items.is_empty() {
        report
            .add(codes::LIST_EMPTY, node.place, format!("{what}: an empty list"), "nothing in it")
            .with_help("the offer would be available never; leave the list out to allow any time");
        return None;
    }
    let mut parts: Vec<Daypart> = Vec::new();
    let mut whole = true;
    for item in items {
        match part(report, what, item) {
            Some(part) if parts.contains(&part) => {
                report
                    .add(codes::ENTRY_TWICE, item.place, format!("{what}: `{part}` appears twice in the list"), "again")
                    .with_help("keep one of them");
            }
            Some(part) => parts.push(part),
            None => whole = false,
        }
    }
    whole.then_some(parts)
}

fn part(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Daypart> {
    let fields = Fields::open(report, format!("{what}: dayparts"), node, &["days", "from", "until"], &[])?;
    let what = fields.what.as_str();
    if fields.entries().is_empty() {
        report
            .add(codes::DAYPART, node.place, format!("{what}: a part of the day without days and times"), "always")
            .with_help(format!("write {EXAMPLE}"));
        return None;
    }
    let days = fields.get("days").map_or(Some(Vec::new()), |node| {
        let empty = "it would begin on no day; leave the list out for every day";
        read::list_of(report, what, node, empty, |report, node| weekday(report, what, node))
    });
    let mut time = |name: &str, otherwise: u16| {
        let Some(node) = fields.get(name) else { return Some(otherwise) };
        read::parsed(report, what, node, "a time of day such as `17:00`", time_of_day)
    };
    let (from, until) = (time("from", 0), time("until", DAY_MINUTES));
    let (from, until) = (from?, until?);
    if from == DAY_MINUTES || from == until {
        let place = fields.get("from").or_else(|| fields.get("until")).map_or(fields.place, |node| node.place);
        report.add(codes::DAYPART, place, format!("{what}: it ends where it begins"), "nothing in between").with_help(
            "leave `from` and `until` out for whole days; a part that runs past midnight ends before it begins",
        );
        return None;
    }
    Some(Daypart { days: days?, from, until })
}

fn weekday(report: &mut Report<'_>, what: &str, node: &Node) -> Option<u8> {
    let text = read::text(report, what, node)?;
    if let Some(at) = WEEKDAYS.iter().position(|known| *known == text) {
        return u8::try_from(at).ok();
    }
    // Whoever writes the whole name means its first letters.
    let lower = text.to_lowercase();
    let begins = WEEKDAYS.iter().find(|known| lower.starts_with(**known));
    let meant = begins
        .map_or_else(|| did_you_mean(text, WEEKDAYS.iter().copied()), |known| format!("; did you mean `{known}`?"));
    report
        .add(codes::CHOICE, node.place, format!("{what}: unknown day `{text}`{meant}"), "unknown day")
        .with_help(format!("expected one of `{}`", WEEKDAYS.join("`, `")));
    None
}

fn time_of_day(text: &str) -> Result<u16, Malformed> {
    let digits = |text: &str, most: u16| -> Option<u16> {
        let fits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|number| fits && *number <= most)
    };
    let minutes = text.split_once(':').and_then(|(hours, minutes)| {
        let minutes = digits(minutes, 59).filter(|_| minutes.len() == 2)?;
        Some(digits(hours, 24)? * 60 + minutes)
    });
    minutes.filter(|minutes| *minutes <= DAY_MINUTES).ok_or_else(|| {
        Malformed::new(format!("`{text}` is not a time of day: expected `00:00` to `24:00`, such as `17:30`"))
    })
}

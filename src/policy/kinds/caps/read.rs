//! Caps: from `frequency_caps` in `rules/*.yaml` to [`Cap`]. Counts nothing.

use chrono::Weekday;
use chrono_tz::{TZ_VARIANTS, Tz};

use super::{CalendarUnit, Cap, CapBy, CapCounts, CapWindow, WithoutIdentifier, Zone};
use crate::domain::{Malformed, Span, SubjectKind};
use crate::policy::codes;
use crate::policy::declared::stores::STORES;
use crate::policy::finding::{Place, Report};
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, RuleKind};
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::{Node, Yaml};

/// The fields of a cap.
pub(in crate::policy) const FIELDS: [&str; 5] = ["scope", "max", "window", "counts", "without_identifier"];

/// The most contacts a cap may allow: its newest ones are kept with the customer.
const CAP_MAX: u32 = 10_000;

/// Reads a cap.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let scope = fields.need(report, "scope", "scope: [customer, offer]");
    let scope = scope.and_then(|node| Some((scoped(report, what, node, "a cap", &WHOSE)?, node.place)));
    let max = fields.need(report, "max", "max: 2").and_then(|node| {
        if matches!(&node.value, Yaml::Scalar { text, plain: true } if text == "0") {
            report
                .add(codes::CAP_ZERO, node.place, format!("{what}: a cap of 0 would exclude everything"), "at least 1")
                .with_help("use `max: 1` or more; to stop offers altogether, pause them in the catalogue");
            return None;
        }
        read::whole(report, what, node, 1, CAP_MAX)
    });
    let window =
        fields.need(report, "window", "window: {rolling: 24h}").and_then(|node| window(report, what, node, known));
    let counts = fields.need(report, "counts", "counts: decision").and_then(|node| {
        let name = read::choice(report, what, node, "kind of contact", &CapCounts::ALL.map(CapCounts::name), &[])?;
        CapCounts::ALL.into_iter().find(|counts| counts.name() == name)
    });
    let without_identifier = fields.get("without_identifier").map_or(Some(WithoutIdentifier::SessionCap), |node| {
        Some(match read::choice(report, what, node, "answer", &["session_cap", "exclude", "allow"], &[])? {
            "exclude" => WithoutIdentifier::Exclude,
            "allow" => WithoutIdentifier::Allow,
            _ => WithoutIdentifier::SessionCap,
        })
    });
    let (((whose, by), place), window) = (scope?, window?);
    Some(RuleKind::FrequencyCap(Cap {
        whose: if window == CapWindow::Session { in_session(report, what, place, whose)? } else { whose },
        by,
        max: max?,
        window,
        counts: counts?,
        without_identifier: without_identifier?,
    }))
}

/// For whom a cap may count.
const WHOSE: [SubjectKind; 4] =
    [SubjectKind::Customer, SubjectKind::Household, SubjectKind::Device, SubjectKind::Session];

const SCOPES: &str = "write `[customer]` for all offers together, or `[customer, offer]`, `[customer, category]`, \
                      `[customer, campaign]` or `[customer, channel]` for each of these by itself";

const OF_ALL: &str = "write for whom it counts, and what is counted apart: `[customer]`, `[household, offer]`, \
                      `[device, category]`, `[session, campaign]` or `[customer, channel]`";

/// What lasts as long as a session is counted for the session, which belongs to one customer.
fn in_session(report: &mut Report<'_>, what: &str, place: Place, whose: SubjectKind) -> Option<SubjectKind> {
    if matches!(whose, SubjectKind::Customer | SubjectKind::Session) {
        return Some(SubjectKind::Session);
    }
    let message = format!("{what}: a session belongs to a customer and not to a {}", whose.name());
    let help = "write `scope: [session]`, or another window for this scope";
    report.add(codes::CAP_SESSION, place, message, "with `window: session`").with_help(help);
    None
}

/// Reads what is counted apart for a customer; `kind` is what counts, such as `a cool-down`.
pub(in crate::policy) fn scope(report: &mut Report<'_>, what: &str, node: &Node, kind: &str) -> Option<CapBy> {
    scoped(report, what, node, kind, &[SubjectKind::Customer]).map(|(_, by)| by)
}

/// Reads for whom and what is counted apart; `kind` is what counts, such as `a cap`.
fn scoped(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    kind: &str,
    whose: &[SubjectKind],
) -> Option<(SubjectKind, CapBy)> {
    let mut known: Vec<&'static str> = whose.iter().map(|kind| kind.name()).collect();
    known.extend(["offer", "category", "channel", "campaign", "all"]);
    let names = read::list_of(report, what, node, "expected `[customer]` or `[customer, offer]`", |report, node| {
        read::choice(report, what, node, "scope", &known, &[])
    })?;
    let counted: Vec<SubjectKind> = whose.iter().copied().filter(|kind| names.contains(&kind.name())).collect();
    let [counted] = counted.as_slice() else {
        let all = if whose.len() > 1 { "one customer, household, device or session" } else { "a customer" };
        let label = match (counted.as_slice(), whose) {
            ([], [_]) => "no `customer`",
            ([], _) => "for nobody",
            _ => "more than one",
        };
        let message = format!("{what}: {kind} counts for {all}");
        report.add(codes::CHOICE, node.place, message, label).with_help(if whose.len() > 1 { OF_ALL } else { SCOPES });
        return None;
    };
    let by: Vec<CapBy> = [CapBy::All, CapBy::Offer, CapBy::Category, CapBy::Channel, CapBy::Campaign]
        .into_iter()
        .filter(|by| names.contains(&by.name().unwrap_or("all")))
        .collect();
    match by.as_slice() {
        [] => Some((*counted, CapBy::All)),
        [by] => Some((*counted, *by)),
        _ => {
            let message = format!("{what}: {kind} counts one thing apart, not several at once");
            let help = "write one rule for each of them; every one that applies must leave room";
            report.add(codes::CHOICE, node.place, message, "more than one").with_help(help);
            None
        }
    }
}

fn window(report: &mut Report<'_>, what: &str, node: &Node, all: Known<'_>) -> Option<CapWindow> {
    if let Yaml::Scalar { text, .. } = &node.value {
        if text == "lifetime" {
            return Some(CapWindow::Lifetime);
        }
        if text == "session" {
            return Some(CapWindow::Session);
        }
        if let Ok(span) = Span::parse(text) {
            return missing_rolling(report, what, node.place, span);
        }
        if ["day", "week", "month"].contains(&text.as_str()) {
            return missing_calendar(report, what, node.place, text);
        }
    }
    let known = ["rolling", "calendar", "time_zone", "week_starts"];
    let fields = Fields::open(report, format!("{what}: window"), node, &known, &[])?;
    let zone = fields.get("time_zone");
    let Some(calendar) = fields.get("calendar") else {
        let rolling = fields.need(report, "rolling", "window: {rolling: 24h}")?;
        if let Some(node) = zone {
            let message = format!("{what}: a rolling window has no time zone");
            let help = "remove `time_zone`; only a calendar window begins at somebody's midnight";
            report.add(codes::FIELD_UNKNOWN, node.place, message, "not used").with_help(help);
        }
        only_weeks_start(report, what, &fields);
        return read::span(report, what, rolling).map(CapWindow::Rolling);
    };
    if let Some(node) = fields.get("rolling") {
        let message = format!("{what}: a window is either rolling or of the calendar");
        let help = "keep one of them; for both limits write two caps";
        report.add(codes::FIELD_UNKNOWN, node.place, message, "the other is given too").with_help(help);
    }
    let unit = calendar_unit(report, what, &fields, calendar);
    let zone = fields.need(report, "time_zone", "window: {calendar: day, time_zone: customer}");
    let zone = zone.and_then(|node| time_zone(report, what, node, all));
    Some(CapWindow::Calendar(unit?, zone?))
}

/// Reads the period of a window, with the day on which a week starts.
pub(in crate::policy) fn calendar_unit(
    report: &mut Report<'_>,
    what: &str,
    fields: &Fields<'_>,
    calendar: &Node,
) -> Option<CalendarUnit> {
    let unit = read::choice(report, what, calendar, "calendar period", &["day", "week", "month"], &[]);
    Some(match unit? {
        "week" => {
            let starts = fields.get("week_starts").map_or(Some(Weekday::Mon), |node| weekday(report, what, node));
            CalendarUnit::Week(starts?)
        }
        name => {
            only_weeks_start(report, what, fields);
            if name == "day" { CalendarUnit::Day } else { CalendarUnit::Month }
        }
    })
}

/// Says that `week_starts` stands in a window that is no week, if it does.
fn only_weeks_start(report: &mut Report<'_>, what: &str, fields: &Fields<'_>) {
    if let Some(node) = fields.get("week_starts") {
        let message = format!("{what}: only a week starts on a day of the week");
        let help = "remove `week_starts`, or write `calendar: week`";
        report.add(codes::FIELD_UNKNOWN, node.place, message, "not used").with_help(help);
    }
}

/// Days of the week from Monday, as `week_starts` names them.
pub(super) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

fn weekday(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Weekday> {
    let chosen = read::choice(report, what, node, "day of the week", &WEEKDAYS.map(|(name, _)| name), &[])?;
    WEEKDAYS.into_iter().find(|(name, _)| *name == chosen).map(|(_, day)| day)
}

/// Reads `customer`, `store` or an IANA name.
pub(in crate::policy) fn time_zone(report: &mut Report<'_>, what: &str, node: &Node, known: Known<'_>) -> Option<Zone> {
    let zone = read::parsed(report, what, node, "`customer`, `store` or an IANA time zone", zone)?;
    if zone == Zone::Store && !known.stores.given() {
        let message = format!("{what}: nobody knows what time it is at a store");
        let help = format!("declare the stores in {STORES}, such as `- {{id: s-12, time_zone: America/New_York}}`");
        report.add(codes::ZONE_STORE, node.place, message, format!("no {STORES}")).with_help(help);
        return None;
    }
    Some(zone)
}

fn zone(text: &str) -> Result<Zone, Malformed> {
    match text {
        "customer" => return Ok(Zone::Customer),
        "store" => return Ok(Zone::Store),
        _ => {}
    }
    text.parse().map(Zone::Named).map_err(|_| {
        let known = ["customer", "store"].into_iter().chain(TZ_VARIANTS.iter().map(|zone: &Tz| zone.name()));
        let meant = did_you_mean(text, known);
        Malformed::new(format!(
            "`{text}` is not a time zone{meant}: expected `customer`, `store`, or an IANA name such as `Europe/Berlin`"
        ))
    })
}

fn missing_rolling(report: &mut Report<'_>, what: &str, place: Place, span: Span) -> Option<CapWindow> {
    report
        .add(codes::TYPE, place, format!("{what}: a window says how it is counted"), "expected `{rolling: ...}`")
        .with_help(format!("write `window: {{rolling: {span}}}`"));
    None
}

fn missing_calendar(report: &mut Report<'_>, what: &str, place: Place, unit: &str) -> Option<CapWindow> {
    report
        .add(codes::TYPE, place, format!("{what}: a window says how it is counted"), "expected `{calendar: ...}`")
        .with_help(format!("write `window: {{calendar: {unit}, time_zone: customer}}`"));
    None
}

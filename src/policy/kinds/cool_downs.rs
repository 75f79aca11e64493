//! Cool-downs: what a customer is spared for a while after dismissing, buying or sending back. Keeps no events:
//! they are counted beside the caps.
//!
//! A cool-down starts with the last of `times` events that lie `within` a span of one another, and holds for
//! `suppress_for`, by the time of the events and not of their arrival. Of one offer shown once (one slot of one
//! decision) an event counts once, at its newest instant; so duplicates and reordering change nothing. `unless` names
//! an event that undoes all that happened up to it, a cool-down that has begun included.

use super::caps::{CapBy, scope};
use crate::domain::outcome::OutcomeKind;
use crate::domain::{Span, Timestamp};
use crate::policy::codes;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::RuleKind;
use crate::policy::syntax::Node;

/// An event counts when it happened at most this long after its decision: 90 days. So what has to be looked through to
/// count again is bounded.
pub const EVENT_AFTER_MAX: Span = Span(90 * 86_400_000);

/// What may start a cool-down.
pub const EVENTS: [OutcomeKind; 5] =
    [OutcomeKind::Reject, OutcomeKind::Order, OutcomeKind::Return, OutcomeKind::Click, OutcomeKind::Impression];

/// What may undo events that have not led to more.
const UNDOING: [OutcomeKind; 2] = [OutcomeKind::Click, OutcomeKind::Order];

/// What an event may be undone by: whoever clicks has looked, whoever buys has looked and clicked.
fn undone_by(event: OutcomeKind) -> &'static [OutcomeKind] {
    match event {
        OutcomeKind::Impression | OutcomeKind::Reject => &UNDOING,
        OutcomeKind::Click => &[OutcomeKind::Order],
        OutcomeKind::Order | OutcomeKind::Return | OutcomeKind::Refund | OutcomeKind::Release => &[],
    }
}

/// The most events that a rule may ask for.
const TIMES_MAX: u32 = 20;

/// The newest events kept of each thing counted apart.
pub(in crate::policy) const EVENTS_KEPT_MAX: usize = 64;

/// Leaves offers out for a while after something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoolDown {
    /// What is counted, and left out, apart.
    pub by: CapBy,
    /// What starts it.
    pub event: OutcomeKind,
    /// How many of them it takes, at least one.
    pub times: u32,
    /// How far apart the first and the last of them may be.
    pub within: Span,
    /// What undoes all of them that happened up to it.
    pub unless: Option<OutcomeKind>,
    /// How long offers are left out, from the last of them.
    pub suppress_for: Span,
    /// Whether somebody without an identifier, for whom nothing can be counted, is let through.
    pub allow_unidentified: bool,
}

impl CoolDown {
    /// An event before this instant can be part of no cool-down that holds now or later.
    pub(in crate::policy) fn kept_from(&self, now: Timestamp) -> Timestamp {
        now.minus(self.suppress_for).minus(self.within)
    }

    /// Until when the cool-down holds that these events start last; they come in order. The end does not belong to it.
    pub(in crate::policy) fn ends(&self, events: &[Timestamp]) -> Option<Timestamp> {
        let times = usize::try_from(self.times).unwrap_or(usize::MAX).max(1);
        let runs = events.windows(times).filter_map(|run| run.first().zip(run.last()));
        let close = runs.filter(|(first, last)| **last <= first.plus(self.within));
        close.map(|(_, last)| last.plus(self.suppress_for)).max()
    }

    /// What starts it, for sentences: `3 rejects within 30d`, `an order` or `a click without an order`.
    fn starts(&self, apart: &str) -> String {
        let one = |kind: OutcomeKind| {
            let article = if matches!(kind, OutcomeKind::Order | OutcomeKind::Impression) { "an" } else { "a" };
            format!("{article} {}", kind.name())
        };
        let starts = match self.times {
            1 => format!("{}{apart}", one(self.event)),
            times => format!("{times} {}s within {}{apart}", self.event.name(), self.within),
        };
        match self.unless {
            Some(kind) => format!("{starts} without {} since,", one(kind)),
            None => starts,
        }
    }

    /// That it leaves an offer out, in words: until `observed`, where the reader may know it.
    pub(in crate::policy) fn told(&self, observed: Option<i64>) -> String {
        let apart = self.by.name().map_or_else(String::new, |name| format!(" of this {name}"));
        let told = format!("after {} nothing of it is shown for {}", self.starts(&apart), self.suppress_for);
        match observed {
            Some(until) => format!("{told}, until {}", Timestamp(until)),
            None => told,
        }
    }
}

/// The fields of a cool-down.
pub(in crate::policy) const FIELDS: [&str; 4] = ["scope", "after", "suppress_for", "without_identifier"];

/// Reads a cool-down.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let by = fields.need(report, "scope", "scope: [customer, offer]");
    let by = by.and_then(|node| scope(report, what, node, "a cool-down")).and_then(|by| {
        if by == CapBy::Channel {
            let message = format!("{what}: a cool-down is about offers, not about a channel");
            let place = fields.get("scope").map_or(fields.place, |node| node.place);
            report.add(codes::CHOICE, place, message, "no `channel` here").with_help(
                "write `[customer]`, `[customer, offer]`, `[customer, category]` or `[customer, campaign]`; to limit \
                 it to a channel name it in `applies_to: {channels: [...]}`",
            );
            return None;
        }
        Some(by)
    });
    let after = fields.need(report, "after", "after: {event: reject, times: 3, within: 30d}");
    let after = after.and_then(|node| after_what(report, what, node));
    let suppress_for = fields.need(report, "suppress_for", "suppress_for: 14d");
    let suppress_for = suppress_for.and_then(|node| read::span(report, what, node));
    let allow_unidentified = fields.get("without_identifier").map_or(Some(false), |node| {
        read::choice(report, what, node, "answer", &["exclude", "allow"], &[]).map(|name| name == "allow")
    });
    let After { event, times, within, unless } = after?;
    Some(RuleKind::CoolDown(CoolDown {
        by: by?,
        event,
        times,
        within,
        unless,
        suppress_for: suppress_for?,
        allow_unidentified: allow_unidentified?,
    }))
}

/// What a cool-down starts after.
struct After {
    event: OutcomeKind,
    times: u32,
    within: Span,
    unless: Option<OutcomeKind>,
}

fn after_what(report: &mut Report<'_>, what: &str, node: &Node) -> Option<After> {
    let fields = Fields::open(report, format!("{what}: after"), node, &["event", "times", "within", "unless"], &[])?;
    let what = fields.what.as_str();
    let event = fields.need(report, "event", "event: reject").and_then(|node| {
        let names = EVENTS.map(OutcomeKind::name);
        let chosen = read::choice(report, what, node, "event", &names, &["unsubscribe"])?;
        EVENTS.into_iter().find(|kind| kind.name() == chosen)
    });
    let times = fields.get("times").map_or(Some(1), |node| read::whole(report, what, node, 1, TIMES_MAX));
    let within = fields.get("within").map(|node| read::span(report, what, node));
    let within = match (times?, within) {
        (1, None) => Some(Span(0)),
        (1, Some(_)) => {
            let place = fields.get("within").map_or(fields.place, |node| node.place);
            let message = format!("{what}: one event is within any span");
            let help = "remove `within`, or say how many events it takes, such as `times: 3`";
            report.add(codes::FIELD_UNKNOWN, place, message, "not used").with_help(help);
            None
        }
        (_, Some(within)) => within,
        (times, None) => {
            let message = format!("{what}: it is not said within what span the {times} events lie");
            let help = "add it, such as `within: 30d`";
            report.add(codes::FIELD_MISSING, fields.place, message, "no `within` here").with_help(help);
            None
        }
    };
    let event = event?;
    let unless = fields.get("unless").map_or(Some(None), |node| unless(report, what, node, event).map(Some));
    Some(After { event, times: times?, within: within?, unless: unless? })
}

fn unless(report: &mut Report<'_>, what: &str, node: &Node, event: OutcomeKind) -> Option<OutcomeKind> {
    let chosen = read::choice(report, what, node, "event", &UNDOING.map(OutcomeKind::name), &[])?;
    let kind = UNDOING.into_iter().find(|kind| kind.name() == chosen)?;
    if undone_by(event).contains(&kind) {
        return Some(kind);
    }
    let message = format!("{what}: a `{chosen}` does not undo `{}`", event.name());
    let help = match undone_by(event) {
        [] => format!("remove `unless`: nothing makes it as if there had been no `{}`", event.name()),
        kinds => format!("expected `{}`", kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join("` or `")),
    };
    report.add(codes::COOL_DOWN_UNLESS, node.place, message, "does not follow from it").with_help(help);
    None
}

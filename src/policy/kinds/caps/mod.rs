//! Frequency caps: what they count, in which window, and how a subject's counters follow, cool-downs' too. Draws
//! nothing, reads no clock.
//!
//! A cap counts *contacts*: offers chosen for a customer. One that counts decisions counts a contact at once. One that
//! counts impressions, clicks or redemptions *reserves* it when decided, until the placement's reservation ends; that
//! event confirms it, and without one it is released. Used is what is confirmed within the window plus every
//! reservation that has not ended, so that the cap cannot be passed however late events are reported; an event that
//! comes after its reservation has ended counts all the same.
//!
//! A placement may keep its contacts out of all caps, and may be asked whatever caps say (`counts_toward_caps`,
//! `obeys_caps`).

mod count;
mod read;
mod recorded;
mod window;

#[cfg(test)]
mod calendar_tests;
#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod scope_tests;
#[cfg(test)]
pub(in crate::policy) mod tests;

pub use count::{Chosen, Contact, confirm_contact, count_contact, outdate_caps, rebuild_caps};
pub(in crate::policy) use count::{cooled, counted};
pub(in crate::policy) use read::{FIELDS, calendar_unit, read, scope, time_zone};
pub use recorded::{ReadOf, counters_read};
pub use window::{CalendarUnit, CapWindow, CapWindows, Zone};

use std::collections::BTreeMap;

use super::cool_downs::{CoolDown, EVENT_AFTER_MAX};
use crate::domain::outcome::OutcomeKind;
use crate::domain::{CategoryId, Digest, OfferId, Placement, PlacementId, Span, SubjectKind, SubjectKinds, Timestamp};
use crate::policy::bundle::Bundle;
use crate::policy::rules::{Rule, RuleKind};

/// What a cap counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapBy {
    /// All offers together.
    All,
    /// Each offer by itself.
    Offer,
    /// Each category by itself; offers without one count together.
    Category,
    /// Each channel by itself.
    Channel,
    /// Each campaign by itself; offers of none count together.
    Campaign,
}

impl CapBy {
    /// Its name in `scope`; nothing where everything counts together.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Offer => Some("offer"),
            Self::Category => Some("category"),
            Self::Channel => Some("channel"),
            Self::Campaign => Some("campaign"),
        }
    }
}

/// What makes a contact count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapCounts {
    /// That it was decided.
    Decision,
    /// That it was seen; reserved until then.
    Impression,
    /// That the customer followed it; reserved until then.
    Click,
    /// That the customer bought what was offered; reserved until then.
    Redemption,
}

impl CapCounts {
    /// Everything that may count.
    pub const ALL: [Self; 4] = [Self::Decision, Self::Impression, Self::Click, Self::Redemption];

    /// Its name in `counts`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Impression => "impression",
            Self::Click => "click",
            Self::Redemption => "redemption",
        }
    }

    /// The outcome that confirms a contact; nothing where it counts as soon as it is decided.
    pub fn event(self) -> Option<OutcomeKind> {
        match self {
            Self::Decision => None,
            Self::Impression => Some(OutcomeKind::Impression),
            Self::Click => Some(OutcomeKind::Click),
            Self::Redemption => Some(OutcomeKind::Order),
        }
    }
}

/// What becomes of somebody who cannot be counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutIdentifier {
    /// The session is counted in their place; without one they are left out.
    SessionCap,
    /// They are left out, whatever session it is.
    Exclude,
    /// The session is counted in their place; without one they are let through.
    Allow,
}

/// A frequency cap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// For whom it counts.
    pub whose: SubjectKind,
    /// What is counted apart.
    pub by: CapBy,
    /// The most contacts allowed in a window.
    pub max: u32,
    /// Since when contacts count.
    pub window: CapWindow,
    /// What makes a contact count.
    pub counts: CapCounts,
    /// What becomes of a request that does not name for whom to count.
    pub without_identifier: WithoutIdentifier,
}

impl Cap {
    /// Whether a subject that stands for these kinds is whom it counts for.
    pub fn counts_for(&self, stands_for: SubjectKinds) -> bool {
        match self.without_identifier {
            WithoutIdentifier::Exclude => stands_for.own().has(self.whose),
            WithoutIdentifier::SessionCap | WithoutIdentifier::Allow => stands_for.has(self.whose),
        }
    }

    /// That it leaves an offer out, in words: `observed` contacts are counted, where the reader may know them.
    pub(in crate::policy) fn told(&self, observed: Option<i64>, limit: Option<i64>) -> String {
        let max = limit.unwrap_or_else(|| i64::from(self.max));
        let apart = self.by.name().map_or_else(String::new, |name| format!(" and {name}"));
        let plural = if max == 1 { "" } else { "s" };
        let (counts, whose, window) = (self.counts.name(), self.whose.name(), &self.window);
        let cap = format!("the cap of {max} {counts}{plural} per {whose}{apart} in {window}");
        match observed {
            Some(used) => format!("{cap} is reached: {used} counted"),
            None => format!("{cap} leaves no room"),
        }
    }
}

/// The caps of a bundle.
fn caps(bundle: &Bundle) -> impl Iterator<Item = (&Rule, &Cap)> {
    bundle.rules.iter().filter_map(|rule| match &rule.kind {
        RuleKind::FrequencyCap(cap) => Some((rule, cap)),
        _ => None,
    })
}

/// The cool-downs of a bundle.
fn cool_downs(bundle: &Bundle) -> impl Iterator<Item = (&Rule, &CoolDown)> {
    bundle.rules.iter().filter_map(|rule| match &rule.kind {
        RuleKind::CoolDown(cool_down) => Some((rule, cool_down)),
        _ => None,
    })
}

/// The kinds of subject that caps count for.
pub(in crate::policy) fn counted_kinds(rules: &[Rule]) -> SubjectKinds {
    let caps = rules.iter().filter_map(|rule| match &rule.kind {
        RuleKind::FrequencyCap(cap) => Some(cap.whose),
        _ => None,
    });
    caps.fold(SubjectKinds::NONE, SubjectKinds::and)
}

impl Bundle {
    /// From when on decisions may hold a contact that some cap or cool-down counts; nothing where there is neither.
    pub fn contacts_since(&self, now: Timestamp) -> Option<Timestamp> {
        let windows = self.placements.values().map(|placement| placement.objective.window);
        let seen_after = windows.max().unwrap_or(Span(0));
        let since = caps(self).map(|(_, cap)| {
            let kept_from = cap.window.kept_from(now);
            // An offer may be seen, followed or bought as long after its decision as its placement's window allows.
            if cap.counts.event().is_some() { kept_from.minus(seen_after) } else { kept_from }
        });
        let cooling = cool_downs(self).map(|(_, cool_down)| cool_down.kept_from(now).minus(EVENT_AFTER_MAX));
        since.chain(cooling).min()
    }

    /// Whether any cap or cool-down counts outcomes of this kind.
    pub fn counts_outcome(&self, kind: OutcomeKind) -> bool {
        cool_downs(self).any(|(_, cool_down)| cool_down.event == kind || cool_down.unless == Some(kind))
            || self.caps_count(kind)
    }

    /// Whether any cap lets through whom it cannot count for where nobody stands for these kinds.
    pub fn lets_through(&self, unknown: SubjectKinds) -> bool {
        caps(self).any(|(_, cap)| cap.without_identifier == WithoutIdentifier::Allow && unknown.has(cap.whose))
    }

    /// Whether any cap holds contacts reserved until outcomes of this kind.
    pub fn caps_count(&self, kind: OutcomeKind) -> bool {
        caps(self).any(|(_, cap)| cap.counts.event() == Some(kind))
    }

    /// Whether any cap or cool-down counts outcomes, so that contacts are read with theirs.
    pub fn counts_outcomes(&self) -> bool {
        OutcomeKind::ALL.iter().any(|kind| self.counts_outcome(*kind))
    }
}

/// Feeds texts to a hash so that no two lists of texts give the same bytes.
fn feed(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_be_bytes()).update(text.as_bytes());
}

fn list<'a>(names: Option<impl Iterator<Item = &'a str>>) -> String {
    names.map_or_else(|| "*".to_owned(), |names| names.collect::<Vec<_>>().join(" "))
}

/// Everything that decides what each cap and cool-down counts; a channel counts as the placements that use it.
pub(in crate::policy) fn cap_set(rules: &[Rule], placements: &BTreeMap<PlacementId, Placement>) -> Digest {
    let mut hasher = blake3::Hasher::new();
    feed(&mut hasher, "proffer/cap-set/2");
    for rule in rules {
        let (by, counted, window) = match &rule.kind {
            RuleKind::FrequencyCap(cap) => {
                let mut counted = format!("{} {}", cap.max, cap.counts.name());
                // Told only where it is not as it always was, so that counters from before are still good.
                if cap.whose != SubjectKind::Customer {
                    counted = format!("{counted} of a {}", cap.whose.name());
                }
                if cap.without_identifier == WithoutIdentifier::Exclude {
                    counted.push_str(" named");
                }
                (cap.by, counted, cap.window.to_string())
            }
            RuleKind::CoolDown(cool) => {
                let unless = cool.unless.map_or_else(String::new, |kind| format!(" unless {}", kind.name()));
                let counted = format!("cool-down {} {}{unless}", cool.times, cool.event.name());
                (cool.by, counted, format!("{} {}", cool.within, cool.suppress_for))
            }
            _ => continue,
        };
        let applies = &rule.applies_to;
        let on_channels = applies.channels.as_ref().map(|channels| {
            placements.values().filter(|placement| channels.contains(&placement.channel)).map(|p| p.id.as_str())
        });
        let channel_of = |placement: &Placement| format!("{}={}", placement.id, placement.channel);
        let channels: Vec<String> = match by {
            CapBy::Channel => placements.values().map(channel_of).collect(),
            CapBy::All | CapBy::Offer | CapBy::Category | CapBy::Campaign => Vec::new(),
        };
        for text in [
            rule.id.as_str(),
            by.name().unwrap_or("all"),
            &counted,
            &window,
            &list(applies.placements.as_ref().map(|named| named.iter().map(PlacementId::as_str))),
            &list(applies.offers.as_ref().map(|named| named.iter().map(OfferId::as_str))),
            &list(applies.categories.as_ref().map(|named| named.iter().map(CategoryId::as_str))),
            &list(on_channels),
            &channels.join(" "),
        ] {
            feed(&mut hasher, text);
        }
    }
    // Only where there are any: nobody's counters are built anew because a word has come to be known.
    let uncounted: Vec<&str> =
        placements.values().filter(|placement| !placement.counts_toward_caps).map(|p| p.id.as_str()).collect();
    if !uncounted.is_empty() {
        feed(&mut hasher, &format!("uncounted {}", uncounted.join(" ")));
    }
    Digest(*hasher.finalize().as_bytes())
}

//! What decisions came to: a fold over records and their outcomes, group by group. Computes rewards as the learner does
//! and models nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::decision::{FallbackReason, Shown, Skeleton};
use crate::domain::outcome::OutcomeFact;
use crate::domain::{Catalogue, Currency, Day};
use crate::learning::{Exposed, fold};

/// What decisions are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Where they were asked for.
    Placement,
    /// How they were made, as the bundle of the time said.
    Strategy,
    /// What was shown.
    Offer,
    /// What was shown, and in which variant.
    Variant,
    /// The UTC day on which they were made.
    Day,
    /// The campaign that what was shown belonged to.
    Campaign,
    /// Who decided: `placement/champion`, or the placement and its challenger.
    Contender,
}

/// What the champion of a placement is called among its contenders.
pub const CHAMPION: &str = "champion";

impl By {
    /// Every grouping with its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("placement", Self::Placement),
        ("strategy", Self::Strategy),
        ("offer", Self::Offer),
        ("variant", Self::Variant),
        ("day", Self::Day),
        ("campaign", Self::Campaign),
        ("contender", Self::Contender),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, by)| *by == self).map_or("", |(name, _)| name)
    }

    /// Whether a decision belongs to one group with all that it shows.
    pub fn is_of_decisions(self) -> bool {
        matches!(self, Self::Placement | Self::Strategy | Self::Day | Self::Contender)
    }
}

/// A group: its name, and the currency of its money. Without a name it is what shows nothing, or belongs to none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Such as an offer's id.
    pub name: Option<String>,
    /// Amounts of different currencies are never added up.
    pub currency: Currency,
}

/// One decision as the fold reads it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its public part.
    pub skeleton: &'a Skeleton,
    /// Whether it was made for somebody in particular: nobody else can be in the holdout.
    pub known: bool,
    /// The strategy of its placement at the time, where its bundle can still be read.
    pub strategy: Option<&'static str>,
    /// The catalogue of the time, where campaigns are asked for.
    pub catalogue: Option<&'a Catalogue>,
    /// Every outcome attributed to it.
    pub outcomes: &'a [OutcomeFact],
}

/// One side of the comparison with the holdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Side {
    /// Decisions.
    pub decisions: u64,
    /// Decisions of which something was accepted.
    pub accepted: u64,
    /// Their rewards added up, in minor units.
    pub reward_minor: i128,
    /// The squares of their rewards added up.
    pub reward_squared: i128,
}

impl Side {
    fn add(&mut self, accepted: bool, reward_minor: i128) {
        self.decisions += 1;
        self.accepted += u64::from(accepted);
        self.reward_minor += reward_minor;
        self.reward_squared += reward_minor * reward_minor;
    }
}

/// What the decisions of a group came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Decisions, those that showed nothing among them.
    pub decisions: u64,
    /// Contents answered with, house content among them.
    pub shown: u64,
    /// Contents that count as seen.
    pub exposed: u64,
    /// Contents seen and accepted.
    pub accepted: u64,
    /// Realised margin less the cost of showing, in minor units.
    pub reward_minor: i128,
    /// Decisions answered with house content.
    pub fallback: u64,
    /// Customers who always get house content, for comparison.
    pub holdout: Side,
    /// The decisions that they are compared with: those that would have been in the holdout had chance said so.
    pub rest: Side,
}

/// One content of a decision and what came of it.
struct Content<'a> {
    shown: &'a Shown,
    exposed: bool,
    accepted: bool,
    reward_minor: i64,
}

/// The fold. Memory: one tally per group.
#[derive(Debug)]
pub struct Performance {
    by: By,
    groups: BTreeMap<Group, Tally>,
}

impl Performance {
    /// Nothing yet.
    pub fn new(by: By) -> Self {
        Self { by, groups: BTreeMap::new() }
    }

    /// Adds a decision, in any order.
    pub fn add(&mut self, seen: &Seen<'_>) {
        let skeleton = seen.skeleton;
        let contents = contents(skeleton, seen.outcomes);
        let group = |name| Group { name, currency: skeleton.terms.currency };
        let mut touched = BTreeSet::new();
        for content in &contents {
            let group = group(self.name(seen, Some(content.shown)));
            let tally = self.groups.entry(group.clone()).or_default();
            tally.shown += 1;
            tally.exposed += u64::from(content.exposed);
            tally.accepted += u64::from(content.exposed && content.accepted);
            tally.reward_minor += i128::from(content.reward_minor);
            touched.insert(group);
        }
        if contents.is_empty() {
            touched.insert(group(self.name(seen, None)));
        }
        let side = side(seen).filter(|_| self.by.is_of_decisions());
        for group in touched {
            let tally = self.groups.entry(group).or_default();
            tally.decisions += 1;
            tally.fallback += u64::from(skeleton.fallback.is_some());
            if let Some(holdout) = side {
                let side = if holdout { &mut tally.holdout } else { &mut tally.rest };
                let accepted = contents.iter().any(|content| content.exposed && content.accepted);
                side.add(accepted, contents.iter().map(|content| i128::from(content.reward_minor)).sum());
            }
        }
    }

    fn name(&self, seen: &Seen<'_>, shown: Option<&Shown>) -> Option<String> {
        match self.by {
            By::Placement => Some(seen.skeleton.placement.to_string()),
            By::Strategy => seen.strategy.map(str::to_owned),
            By::Contender => {
                let challenger = seen.skeleton.challenger.as_ref().map(ToString::to_string);
                Some(format!("{}/{}", seen.skeleton.placement, challenger.as_deref().unwrap_or(CHAMPION)))
            }
            By::Day => Some(date(seen.skeleton.at.day())),
            By::Offer => shown.map(|shown| shown.offer.to_string()),
            By::Variant => shown.map(|shown| format!("{}/{}", shown.offer, shown.variant)),
            By::Campaign => {
                let offer = seen.catalogue?.offer(shown?.offer.as_str())?;
                offer.campaign.as_ref().map(ToString::to_string)
            }
        }
    }

    /// The champion that a challenger's group is compared with: of the same placement and in the same currency. Only
    /// by contender, and not of the champion itself.
    pub fn champion_of(&self, group: &Group) -> Option<&Tally> {
        let (placement, contender) = group.name.as_deref().filter(|_| self.by == By::Contender)?.rsplit_once('/')?;
        let champion = Group { name: Some(format!("{placement}/{CHAMPION}")), currency: group.currency };
        self.groups.get(&champion).filter(|_| contender != CHAMPION)
    }

    /// Every group with what it came to, in the order of the names.
    pub fn groups(&self) -> impl Iterator<Item = (&Group, &Tally)> {
        self.groups.iter()
    }
}

/// What a decision showed, slot by slot. House content counts as what it earned by itself: orders that name a margin.
fn contents<'a>(skeleton: &'a Skeleton, outcomes: &[OutcomeFact]) -> Vec<Content<'a>> {
    let content = |slot: u16, shown| {
        let of_slot: Vec<OutcomeFact> = outcomes.iter().filter(|fact| fact.is_of(slot)).copied().collect();
        let earned = fold(&Exposed::of(skeleton, slot), &of_slot);
        let (exposed, accepted, reward_minor) = (earned.exposed, earned.accepted, earned.reward_minor);
        Content { shown, exposed, accepted, reward_minor }
    };
    if skeleton.fallback.is_some() {
        return skeleton.shown.iter().take(1).map(|shown| content(0, shown)).collect();
    }
    skeleton.chosen().map(|(slot, shown, _)| content(slot, shown)).collect()
}

/// Whether a decision was in the holdout; nothing where chance did not say, so that it is on neither side.
fn side(seen: &Seen<'_>) -> Option<bool> {
    match seen.skeleton.fallback {
        _ if !seen.known => None,
        Some(FallbackReason::Holdout) => Some(true),
        Some(FallbackReason::PurposeRefused | FallbackReason::Contention) => None,
        None | Some(FallbackReason::NoEligibleCandidate | FallbackReason::DistributionInvalid) => Some(false),
    }
}

/// A day as it is written.
pub(super) fn date(day: Day) -> String {
    let instant = crate::domain::Timestamp(i64::from(day.0) * 86_400_000).to_string();
    instant.split('T').next().unwrap_or_default().to_owned()
}

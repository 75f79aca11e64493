//! The plain reading of what acts at once: switches, and overrides that put offers in, out or first. Reads no customer.

use super::asked::Asked;
use super::chance::Chance;
use super::written::{Kind, Says, Written, categories};
use crate::domain::Offer;

const APPROVED: &str = "approver: Jane Doe, ticket: T-1";

struct Switch {
    all: bool,
    offers: &'static [&'static str],
    categories: &'static [&'static str],
    campaigns: &'static [&'static str],
}

pub(super) fn any_switch(chance: &mut Chance) -> Box<dyn Kind> {
    let mut switch = Switch { all: chance.often(1), offers: &[], categories: &[], campaigns: &[] };
    for _ in 0..=chance.below(2) {
        match chance.below(3) {
            0 => switch.offers = chance.one(&[&["o1"] as &[&str], &["o2", "gone"]]),
            1 => switch.categories = chance.one(&[&["garden"] as &[&str], &["toys", "home"]]),
            _ => switch.campaigns = chance.one(&[&["autumn"] as &[&str], &["unknown", "spring"]]),
        }
    }
    Box::new(switch)
}

impl Kind for Switch {
    fn text(&self) -> String {
        let lists = [("offers", self.offers), ("categories", self.categories), ("campaigns", self.campaigns)];
        let lists = lists.iter().filter(|(_, names)| !names.is_empty());
        let lists: Vec<String> = lists.map(|(name, names)| format!("{name}: [{}]", names.join(", "))).collect();
        let stop = if self.all { "all".to_owned() } else { format!("{{{}}}", lists.join(", ")) };
        format!("stop: {stop}, {APPROVED}")
    }

    fn says(&self, _: &Written, _: &Asked<'_>, offer: &Offer) -> Says {
        let campaign = offer.campaign.as_ref().map(ToString::to_string).unwrap_or_default();
        Says::plainly(
            self.all
                || self.offers.contains(&offer.offer_id.as_str())
                || self.campaigns.contains(&campaign.as_str())
                || categories(offer).iter().any(|category| self.categories.contains(category)),
        )
    }

    fn acts_at_once(&self) -> bool {
        true
    }
}

/// What an override does with its offers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    In,
    Out,
    First,
}

struct Override(Act, &'static [&'static str]);

/// No two of them contradict each other: what is put in or first is never put out, and first are always the same.
pub(super) fn any_override(chance: &mut Chance) -> Box<dyn Kind> {
    let lists: [(Act, &[&str]); 9] = [
        (Act::In, &["o1", "o3", "o4"]),
        (Act::In, &["gone", "o4"]),
        (Act::In, &["o1", "o6", "o7"]),
        (Act::In, &["house", "o1", "o3", "o6", "o7"]),
        (Act::Out, &["o0"]),
        (Act::Out, &["o2", "o5", "gone_too"]),
        (Act::First, &["o1", "o3"]),
        (Act::First, &["o3", "o1"]),
        (Act::First, &["o1", "o3"]),
    ];
    let (act, offers) = chance.one(&lists);
    Box::new(Override(act, offers))
}

impl Kind for Override {
    fn text(&self) -> String {
        let action = match self.0 {
            Act::In => "force_in",
            Act::Out => "force_out",
            Act::First => "pin",
        };
        format!("action: {action}, offers: [{}], {APPROVED}", self.1.join(", "))
    }

    fn says(&self, _: &Written, _: &Asked<'_>, offer: &Offer) -> Says {
        Says::plainly(self.0 == Act::Out && self.1.contains(&offer.offer_id.as_str()))
    }

    fn acts_at_once(&self) -> bool {
        true
    }

    fn favours(&self) -> Option<(Act, &'static [&'static str])> {
        (self.0 != Act::Out).then_some((self.0, self.1))
    }
}

/// The rules that put an offer in, or first.
pub(super) fn favouring<'a>(asked: &Asked<'a>, act: Act, offer: &Offer) -> Vec<&'a Written> {
    let named = |rule: &&Written| {
        let of = rule.kind.favours().filter(|(own, _)| *own == act);
        of.is_some_and(|(_, offers)| offers.contains(&offer.offer_id.as_str()))
    };
    let here = |rule: &&Written| rule.holds(asked) && rule.applies_here(asked.placement(), asked.channel());
    asked.town.rules.iter().filter(named).filter(here).collect()
}

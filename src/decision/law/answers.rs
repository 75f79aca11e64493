//! The plain reading of what does not stand in one answer together. Reads no request.

use super::asked::Asked;
use super::chance::Chance;
use super::written::{Kind, Says, When, Written};
use crate::domain::Offer;

enum Stack {
    Group { offers: &'static [&'static str], categories: &'static [&'static str], at_most: usize },
    Pairs(&'static [(&'static str, &'static str)]),
}

pub(super) fn any_stackability(chance: &mut Chance) -> Box<dyn Kind> {
    Box::new(match chance.below(4) {
        0 => Stack::Group { offers: &["o1", "o2", "gone"], categories: &[], at_most: 1 },
        1 => Stack::Group { offers: &["o4"], categories: &["toys", "garden"], at_most: 1 + chance.below(2) },
        2 => Stack::Group { offers: &[], categories: &["shoes", "home"], at_most: 1 },
        _ => Stack::Pairs(&[("o1", "o2"), ("o3", "o1"), ("o0", "o5"), ("gone", "o4")]),
    })
}

/// There are so many, and there may be so many.
fn too_many(there: usize, most: usize) -> Says {
    let counts = (Some(i64::try_from(there).unwrap()), Some(i64::try_from(most).unwrap()));
    Says { against: (there >= most).then_some(counts), reading: None }
}

impl Kind for Stack {
    fn text(&self) -> String {
        match self {
            Self::Group { offers, categories, at_most } => {
                let mut lists = Vec::new();
                for (name, names) in [("offers", offers), ("categories", categories)] {
                    if !names.is_empty() {
                        lists.push(format!("{name}: [{}]", names.join(", ")));
                    }
                }
                format!("group: {{{}}}, at_most: {at_most}", lists.join(", "))
            }
            Self::Pairs(pairs) => {
                let pairs: Vec<String> = pairs.iter().map(|(a, b)| format!("[{a}, {b}]")).collect();
                format!("exclusive_pairs: [{}]", pairs.join(", "))
            }
        }
    }

    fn says(&self, _: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        if asked.chosen.is_empty() {
            return Says::default();
        }
        match self {
            Self::Group { offers, categories: named, at_most } => {
                // Of its categories the first one counts, as it does for diversity.
                let first = |offer: &Offer| offer.category.as_ref().map(ToString::to_string).unwrap_or_default();
                let member =
                    |offer: &Offer| offers.contains(&offer.offer_id.as_str()) || named.contains(&&*first(offer));
                let there = asked.chosen.iter().filter(|chosen| member(chosen)).count();
                if member(offer) { too_many(there, *at_most) } else { Says::default() }
            }
            Self::Pairs(pairs) => {
                let own = offer.offer_id.as_str();
                let paired = |chosen: &&&Offer| {
                    let other = chosen.offer_id.as_str();
                    pairs.contains(&(own, other)) || pairs.contains(&(other, own))
                };
                too_many(asked.chosen.iter().filter(paired).count(), 1)
            }
        }
    }

    fn when(&self) -> When {
        When::EverySlot
    }
}

struct Diverse {
    per: &'static str,
    at_most: usize,
}

pub(super) fn any_diversity(chance: &mut Chance) -> Box<dyn Kind> {
    let per = chance.one(&["category", "campaign", "offer.brand", "offer.rank"]);
    Box::new(Diverse { per, at_most: 1 + chance.below(2) })
}

impl Diverse {
    fn kind(&self, offer: &Offer) -> Option<String> {
        match self.per {
            "category" => offer.category.as_ref().map(ToString::to_string),
            "campaign" => offer.campaign.as_ref().map(ToString::to_string),
            name => offer.attributes.get(&name["offer.".len()..]).map(|value| format!("{value:?}")),
        }
    }
}

impl Kind for Diverse {
    fn text(&self) -> String {
        format!("per: {}, at_most: {}", self.per, self.at_most)
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        let own = self.kind(offer);
        if asked.chosen.is_empty() || own.is_none() && rule.allows_missing {
            return Says::default();
        }
        let same = |chosen: &&&Offer| rule.covers_offer(chosen) && self.kind(chosen) == own;
        too_many(asked.chosen.iter().filter(same).count(), self.at_most)
    }

    fn when(&self) -> When {
        When::EverySlot
    }

    fn reads(&self) -> bool {
        true
    }
}

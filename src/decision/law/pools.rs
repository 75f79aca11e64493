//! The plain reading of budgets and stock of which nothing is gone but what the answer itself takes. Reads no request
//! but its store.

use super::asked::Asked;
use super::chance::Chance;
use super::written::{Kind, Says, When, Written};
use crate::domain::Offer;

struct Budget {
    /// Units, or cents where they are of money.
    total: i64,
    money: bool,
    by: &'static str,
}

pub(super) fn any_budget(chance: &mut Chance) -> Box<dyn Kind> {
    let money = chance.often(5);
    let total = if money { chance.within(0, 1_500) } else { chance.within(0, 2) };
    Box::new(Budget { total, money, by: chance.one(&["all", "offer", "category", "campaign", "placement"]) })
}

impl Budget {
    fn takes(&self, offer: &Offer) -> i64 {
        let of = |money: Option<crate::domain::Money>| money.map_or(0, |money| money.minor);
        if self.money { of(offer.discount) + of(offer.cost_of_showing) } else { 1 }
    }

    fn apart(&self, offer: &Offer) -> String {
        let named = |id: Option<String>| id.unwrap_or_default();
        match self.by {
            "offer" => offer.offer_id.to_string(),
            "category" => named(offer.category.as_ref().map(ToString::to_string)),
            "campaign" => named(offer.campaign.as_ref().map(ToString::to_string)),
            _ => String::new(),
        }
    }
}

impl Kind for Budget {
    fn text(&self) -> String {
        let Self { total, by, .. } = self;
        let much = if self.money {
            format!("amount: {}.{:02} USD", total / 100, total % 100)
        } else {
            format!("units: {total}")
        };
        format!("{much}, by: {by}, window: lifetime")
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        let same = |chosen: &&&Offer| rule.covers_offer(chosen) && self.apart(chosen) == self.apart(offer);
        let gone: i64 = asked.chosen.iter().filter(same).map(|chosen| self.takes(chosen)).sum();
        let takes = self.takes(offer);
        let against = takes > 0 && gone + takes > self.total;
        Says { against: against.then_some((Some(gone), Some(self.total))), reading: None }
    }

    fn when(&self) -> When {
        When::BeforeAndBehind
    }
}

struct Stock {
    units: i64,
    in_stores: bool,
}

pub(super) fn any_stock(chance: &mut Chance) -> Box<dyn Kind> {
    Box::new(Stock { units: chance.within(0, 2), in_stores: chance.often(5) })
}

impl Kind for Stock {
    fn text(&self) -> String {
        format!("units: {}, per: {}", self.units, if self.in_stores { "store" } else { "offer" })
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, _: &Offer) -> Says {
        if self.in_stores && asked.request.store.is_none() {
            return Says::plainly(!rule.allows_missing);
        }
        // An offer stands in one slot at most, so that an answer takes one unit of it.
        Says { against: (self.units < 1).then_some((Some(0), Some(self.units))), reading: None }
    }

    fn when(&self) -> When {
        When::BeforeAndBehind
    }

    fn reads(&self) -> bool {
        true
    }
}

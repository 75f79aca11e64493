//! The plain reading of floors under the margin and of the placement's currency. Reads no request.

use super::chance::Chance;
use super::town::Asked;
use super::written::{Kind, Says, Written};
use crate::domain::Offer;

/// What an offer earns, and its price without the discount.
pub(super) fn earns(offer: &Offer) -> (i64, i64) {
    let of = |money: Option<crate::domain::Money>| money.map_or(0, |money| money.minor);
    let net = offer.price.minor - of(offer.discount);
    let costs = of(offer.cost_of_goods) + of(offer.shipping) + of(offer.expected_return_cost);
    (net - costs + of(offer.vendor_funding), net)
}

enum Floor {
    Percent(i64),
    Cents(i64),
}

pub(super) fn any(chance: &mut Chance) -> Box<dyn Kind> {
    Box::new(if chance.often(6) { Floor::Percent(chance.within(0, 60)) } else { Floor::Cents(chance.within(0, 900)) })
}

impl Kind for Floor {
    fn text(&self) -> String {
        match self {
            Self::Percent(least) => format!("min_margin: {least}%"),
            Self::Cents(least) => format!("min_margin: {}.{:02} USD", least / 100, least % 100),
        }
    }

    fn says(&self, _: &Written, _: &Asked<'_>, offer: &Offer) -> Says {
        let (margin, net) = earns(offer);
        let against = match self {
            // A share of nothing is no share.
            Self::Percent(least) if net <= 0 => Some((None, Some(least * 100))),
            Self::Percent(least) => {
                let points = (margin * 10_000).div_euclid(net);
                (points < least * 100).then_some((Some(points), Some(least * 100)))
            }
            Self::Cents(least) if offer.price.currency.to_string() != "USD" => Some((None, Some(*least))),
            Self::Cents(least) => (margin < *least).then_some((Some(margin), Some(*least))),
        };
        Says { against, reading: None }
    }
}

struct OwnCurrency;

pub(super) fn currency(_: &mut Chance) -> Box<dyn Kind> {
    Box::new(OwnCurrency)
}

impl Kind for OwnCurrency {
    fn text(&self) -> String {
        String::new()
    }

    fn says(&self, _: &Written, _: &Asked<'_>, offer: &Offer) -> Says {
        Says::plainly(offer.price.currency.to_string() != "USD")
    }
}

//! The plain reading of floors under the margin and of the placement's currency. Reads no request.

use super::asked::Asked;
use super::chance::Chance;
use super::written::{Kind, Says, When, Written};
use crate::domain::Offer;

/// What an offer earns, and its price without the discount.
pub(super) fn earns(offer: &Offer) -> (i64, i64) {
    let of = |money: Option<crate::domain::Money>| money.map_or(0, |money| money.minor);
    let net = offer.price.minor - of(offer.discount);
    let costs = of(offer.cost_of_goods) + of(offer.shipping) + of(offer.expected_return_cost) + of(offer.loyalty_cost);
    (net - costs + of(offer.vendor_funding), net)
}

enum Limit {
    Percent(i64),
    Cents(i64),
}

impl Limit {
    fn any(chance: &mut Chance, percent: i64) -> Self {
        if chance.often(6) { Self::Percent(chance.within(0, percent)) } else { Self::Cents(chance.within(0, 900)) }
    }

    fn text(&self) -> String {
        match self {
            Self::Percent(percent) => format!("{percent}%"),
            Self::Cents(cents) => format!("{}.{:02} USD", cents / 100, cents % 100),
        }
    }

    /// In basis points or cents.
    fn number(&self) -> i64 {
        match self {
            Self::Percent(percent) => percent * 100,
            Self::Cents(cents) => *cents,
        }
    }

    /// That something earns less; `money` has what it earns and its price, where the currency is that of the limit.
    fn under(&self, (margin, net): (i64, i64), ours: bool) -> Option<(Option<i64>, Option<i64>)> {
        let observed = match self {
            // A share of nothing is no share.
            Self::Percent(_) => (net > 0).then(|| (margin * 10_000).div_euclid(net)),
            Self::Cents(_) => ours.then_some(margin),
        };
        let reached = observed.is_some_and(|observed| observed >= self.number());
        (!reached).then_some((observed, Some(self.number())))
    }
}

struct Floor {
    least: Limit,
    over: &'static str,
}

pub(super) fn any(chance: &mut Chance) -> Box<dyn Kind> {
    Box::new(Floor { least: Limit::any(chance, 60), over: chance.one(&["offer", "offer", "answer", "basket"]) })
}

impl Floor {
    /// What lies in the basket earns and costs, where that is known.
    fn basket(&self, asked: &Asked<'_>) -> Option<(i64, i64)> {
        let (mut margin, mut price) = (0, 0);
        for line in &asked.request.basket {
            let known = |money: Option<crate::domain::Money>| money.filter(|money| money.currency.to_string() == "USD");
            let times = i64::from(line.quantity);
            margin += times * known(line.margin)?.minor;
            price += times
                * match (known(line.price), &self.least) {
                    (Some(price), _) => price.minor,
                    (None, Limit::Cents(_)) => 0,
                    (None, Limit::Percent(_)) => return None,
                };
        }
        Some((margin, price))
    }
}

impl Kind for Floor {
    fn text(&self) -> String {
        let over = if self.over == "offer" { String::new() } else { format!(", over: {}", self.over) };
        format!("min_margin: {}{over}", self.least.text())
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        let ours = self.over != "offer" || offer.price.currency.to_string() == "USD";
        let (mut margin, mut net) = earns(offer);
        if self.over != "offer" {
            for (more, price) in asked.chosen.iter().filter(|chosen| rule.covers_offer(chosen)).map(|o| earns(o)) {
                (margin, net) = (margin + more, net + price);
            }
        }
        let mut against = None;
        let mut unknown = false;
        if self.over == "basket" {
            match self.basket(asked) {
                Some((more, price)) => (margin, net) = (margin + more, net + price),
                None => unknown = true,
            }
        }
        if unknown {
            against = (!rule.allows_missing).then_some((None, Some(self.least.number())));
        } else if let Some((observed, limit)) = self.least.under((margin, net), ours) {
            // What lies in a basket is personal.
            against = Some((observed.filter(|_| self.over != "basket"), limit));
        }
        Says { against, reading: None }
    }

    fn when(&self) -> When {
        if self.over == "offer" { When::Before } else { When::EverySlot }
    }

    fn reads(&self) -> bool {
        self.over == "basket"
    }
}

/// What a price keeps to.
enum Priced {
    Advertised,
    Prior,
    Least(i64),
    Discount(Limit),
}

pub(super) fn any_price(chance: &mut Chance) -> Box<dyn Kind> {
    Box::new(match chance.below(4) {
        0 => Priced::Advertised,
        1 => Priced::Prior,
        2 => Priced::Least(chance.within(0, 3_000)),
        _ => Priced::Discount(Limit::any(chance, 100)),
    })
}

impl Kind for Priced {
    fn text(&self) -> String {
        match self {
            Self::Advertised => "respect: advertised_price_min".to_owned(),
            Self::Prior => "respect: prior_price".to_owned(),
            Self::Least(cents) => format!("min_price: {}", Limit::Cents(*cents).text()),
            Self::Discount(most) => format!("max_discount: {}", most.text()),
        }
    }

    fn says(&self, rule: &Written, _: &Asked<'_>, offer: &Offer) -> Says {
        let (_, net) = earns(offer);
        let discount = offer.price.minor - net;
        let ours = offer.price.currency.to_string() == "USD";
        let missing = (!rule.allows_missing).then_some((None, None));
        let if_so = |against: bool, observed: i64, limit: i64| against.then_some((Some(observed), Some(limit)));
        let against = match self {
            Self::Advertised => match offer.advertised_price_min {
                Some(least) => if_so(net < least.minor, net, least.minor),
                None => missing,
            },
            Self::Prior if discount == 0 => None,
            Self::Prior => match offer.prior_price {
                Some(prior) => if_so(offer.price.minor > prior.minor, offer.price.minor, prior.minor),
                None => missing,
            },
            Self::Least(least) if ours => if_so(net < *least, net, *least),
            Self::Least(least) => Some((None, Some(*least))),
            Self::Discount(most @ Limit::Percent(percent)) => {
                // Rounded up; the share of nothing is nothing.
                let points = if offer.price.minor == 0 {
                    0
                } else {
                    (discount * 10_000 + offer.price.minor - 1) / offer.price.minor
                };
                if_so(discount * 100 > percent * offer.price.minor, points, most.number())
            }
            Self::Discount(most) if ours => if_so(discount > most.number(), discount, most.number()),
            Self::Discount(most) => Some((None, Some(most.number()))),
        };
        Says { against, reading: None }
    }

    fn reads(&self) -> bool {
        matches!(self, Self::Advertised | Self::Prior)
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

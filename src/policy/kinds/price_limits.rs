//! Limits of prices: from `price_limits` in `rules/*.yaml` to what is compared with the catalogue's prices. Asked once
//! for each offer when it is put on a shelf; reads no customer and no request.

use super::floors::{self, Compared, FloorLimit};
use crate::domain::{Currency, Malformed, Money, Offer};
use crate::policy::applies::AppliesTo;
use crate::policy::codes;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{self, Known, OnMissing, RuleKind};
use crate::policy::syntax::Node;

/// What the price of an offer keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceLimit {
    /// Its net price is not under the lowest at which it may be advertised, as agreed with the vendor.
    AdvertisedPriceMin,
    /// A discount is taken off a price that is not above the lowest of the 30 days before.
    PriorPrice,
    /// Its net price is not under an amount.
    MinPrice(Money),
    /// Its discount is not above a share of its price, or an amount.
    MaxDiscount(FloorLimit),
}

impl PriceLimit {
    /// What was compared, in minor units or basis points of the price, if that leaves the offer out.
    pub(in crate::policy) fn fails(self, offer: &Offer, on_missing: OnMissing) -> Option<Compared> {
        let net = offer.net_price_minor();
        let under = |observed: i64, limit: i64| (observed < limit).then_some((Some(observed), Some(limit)));
        let above = |observed: i64, limit: i64| (observed > limit).then_some((Some(observed), Some(limit)));
        let missing = (on_missing == OnMissing::Exclude).then_some((None, None));
        let in_currency = |limit: Money, compared: Option<Compared>| {
            if offer.currency() == limit.currency { compared } else { Some((None, Some(limit.minor))) }
        };
        match self {
            Self::AdvertisedPriceMin => match offer.advertised_price_min {
                Some(least) => under(net, least.minor),
                None => missing,
            },
            // What is not announced as cheaper needs nothing to compare with.
            Self::PriorPrice if offer.discount_minor() <= 0 => None,
            Self::PriorPrice => match offer.prior_price {
                Some(prior) => above(offer.price.minor, prior.minor),
                None => missing,
            },
            Self::MinPrice(least) => in_currency(least, under(net, least.minor)),
            Self::MaxDiscount(FloorLimit::Percent(most)) => above(discount_points(offer), i64::from(most.0)),
            Self::MaxDiscount(FloorLimit::Amount(most)) => in_currency(most, above(offer.discount_minor(), most.minor)),
        }
    }

    /// That it leaves an offer out, in words: `observed` and `limit` as [`Self::fails`] gives them, amounts in the
    /// placement's currency.
    pub(in crate::policy) fn told(self, observed: Option<i64>, limit: Option<i64>, currency: Currency) -> String {
        let money = |minor: i64| Money { minor, currency };
        match (self, observed, limit) {
            (Self::AdvertisedPriceMin, Some(net), Some(least)) => {
                format!("its net price {} is under the {} at which it may be advertised", money(net), money(least))
            }
            (Self::AdvertisedPriceMin, ..) => {
                "the catalogue does not say at what price it may be advertised".to_owned()
            }
            (Self::PriorPrice, Some(price), Some(prior)) => format!(
                "its discount is taken off {}, and its lowest price of the 30 days before was {}",
                money(price),
                money(prior)
            ),
            (Self::PriorPrice, ..) => {
                "it has a discount, and the catalogue does not say its lowest price of the 30 days before".to_owned()
            }
            (Self::MinPrice(_), Some(net), Some(least)) => {
                format!("its net price {} is under {}", money(net), money(least))
            }
            (Self::MaxDiscount(FloorLimit::Percent(_)), Some(share), Some(most)) => {
                format!("its discount of {} is above {}", floors::percent(share), floors::percent(most))
            }
            (Self::MaxDiscount(FloorLimit::Amount(_)), Some(discount), Some(most)) => {
                format!("its discount of {} is above {}", money(discount), money(most))
            }
            (Self::MinPrice(limit) | Self::MaxDiscount(FloorLimit::Amount(limit)), ..) => {
                format!("it is not priced in {}, so that its price cannot keep to {limit}", limit.currency)
            }
            (Self::MaxDiscount(limit), ..) => format!("its discount is above {limit}"),
        }
    }
}

/// The discount in basis points of the price, rounded up, so that what is above a limit looks above it.
fn discount_points(offer: &Offer) -> i64 {
    let (discount, price) = (i128::from(offer.discount_minor()), i128::from(offer.price.minor));
    if price <= 0 {
        return 0;
    }
    i64::try_from(-(-discount * 10_000).div_euclid(price)).unwrap_or(i64::MAX)
}

/// The fields of a price limit.
pub(in crate::policy) const FIELDS: [&str; 3] = ["respect", "min_price", "max_discount"];

const RESPECTED: [&str; 2] = ["advertised_price_min", "prior_price"];

/// Reads what a price keeps to: one thing, so that every exclusion says what was compared.
pub(in crate::policy) fn read(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    known: Known<'_>,
    applies_to: Option<&AppliesTo>,
) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let given: Vec<&str> = FIELDS.into_iter().filter(|name| fields.get(name).is_some()).collect();
    let [name] = given.as_slice() else {
        if !fields.misspelt(&FIELDS) {
            let (message, label) = if given.is_empty() {
                (format!("{what}: what its price keeps to is missing"), "one of `respect`, `min_price`, `max_discount`")
            } else {
                (format!("{what}: it keeps to `{}` at once", given.join("` and `")), "one limit for each rule")
            };
            report.add(codes::PRICE_LIMIT_ONE, fields.place, message, label).with_help(
                "write `respect: advertised_price_min`, `respect: prior_price`, `min_price: 5.00 USD` or \
                 `max_discount: 50%`; a second limit is a rule of its own",
            );
        }
        return None;
    };
    let node = fields.get(name)?;
    if *name != "respect" && !rules::reads_nothing(report, fields, "those with `respect`") {
        return None;
    }
    let limit = match *name {
        "respect" => match read::choice(report, what, node, "price", &RESPECTED, &[])? {
            "prior_price" => PriceLimit::PriorPrice,
            _ => PriceLimit::AdvertisedPriceMin,
        },
        "min_price" => PriceLimit::MinPrice(amount(report, what, node, (known, applies_to?))?),
        _ => PriceLimit::MaxDiscount(discount(report, what, node, (known, applies_to?))?),
    };
    Some(RuleKind::PriceLimit(limit))
}

fn amount(report: &mut Report<'_>, what: &str, node: &Node, within: (Known<'_>, &AppliesTo)) -> Option<Money> {
    let money =
        read::parsed(report, what, node, "an amount such as `5.00 USD`", |text| {
            match floors::percent_or_amount(text)? {
                FloorLimit::Amount(money) => Ok(money),
                FloorLimit::Percent(_) => Err(Malformed::new(format!("`{text}` is a percent and no amount"))),
            }
        })?;
    bounded(report, what, node, money)?;
    let told = (what, "limit", "write it in the currency of the placement", codes::PRICE_CURRENCY);
    floors::fits_currency(report, told, node, money, within)
}

fn discount(report: &mut Report<'_>, what: &str, node: &Node, within: (Known<'_>, &AppliesTo)) -> Option<FloorLimit> {
    let limit = read::parsed(report, what, node, "`50%` or `20.00 USD`", floors::percent_or_amount)?;
    match limit {
        FloorLimit::Percent(percent) if !(0..=10_000).contains(&percent.0) => {
            read::out_of_range(report, what, node, "0% to 100%");
            None
        }
        FloorLimit::Percent(_) => Some(limit),
        FloorLimit::Amount(money) => {
            bounded(report, what, node, money)?;
            let told = (what, "limit", "use a percent", codes::PRICE_CURRENCY);
            floors::fits_currency(report, told, node, money, within).map(FloorLimit::Amount)
        }
    }
}

fn bounded(report: &mut Report<'_>, what: &str, node: &Node, money: Money) -> Option<()> {
    if money.minor < 0 {
        read::out_of_range(report, what, node, "0.00 or more");
        return None;
    }
    Some(())
}

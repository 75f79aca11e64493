//! What a condition reads: declared attributes and built-in names, from a request or from an offer. Compares nothing.

use super::value::{Datum, SCALE, date, local};
use crate::domain::money::MINOR_MAX;
use crate::domain::{AttributeId, AttributeScope, BasketLine, Currency, Offer, StoreId, Timestamp, Value};
use crate::policy::minimise::Seen;

/// What conditions may know of one request. Attributes that were withheld are not in it, and so are missing.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Attributes of customer and context that rules may see.
    pub attributes: &'a Seen,
    /// What lies in the basket.
    pub basket: &'a [BasketLine],
    /// The currency of the placement.
    pub currency: Currency,
    /// Such as `US-NY`.
    pub jurisdiction: Option<&'a str>,
    /// An IANA name; UTC where absent.
    pub time_zone: Option<&'a str>,
    /// The store asked in.
    pub store: Option<&'a StoreId>,
    /// The instant decided at.
    pub now: Timestamp,
}

/// What one name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) enum Read {
    /// A declared attribute; a value that its declaration does not allow counts as missing.
    Attribute(AttributeId, Accepts),
    /// A name that every bundle has.
    BuiltIn(BuiltIn),
}

/// Which values an attribute takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) enum Accepts {
    Bool,
    Number,
    Date,
    Text,
    Names(Vec<String>),
}

/// Names that every bundle has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum BuiltIn {
    Today,
    HourOfDay,
    BasketTotal,
    BasketSize,
    OfferPrice,
    OfferDiscount,
    OfferNetPrice,
    OfferMargin,
}

/// Every built-in name.
pub(super) const BUILT_IN: [(&str, BuiltIn); 8] = [
    ("context.today", BuiltIn::Today),
    ("hour_of_day", BuiltIn::HourOfDay),
    ("basket.total", BuiltIn::BasketTotal),
    ("basket.size", BuiltIn::BasketSize),
    ("offer.price", BuiltIn::OfferPrice),
    ("offer.discount", BuiltIn::OfferDiscount),
    ("offer.net_price", BuiltIn::OfferNetPrice),
    ("offer.margin", BuiltIn::OfferMargin),
];

impl Read {
    /// The attribute that it stands for, if it does.
    pub(in crate::policy) fn attribute(&self) -> Option<&AttributeId> {
        match self {
            Self::Attribute(id, _) => Some(id),
            Self::BuiltIn(_) => None,
        }
    }

    /// Whether it is the same for every request.
    pub(in crate::policy) fn of_offer(&self) -> bool {
        match self {
            Self::Attribute(id, _) => id.scope() == AttributeScope::Offer,
            Self::BuiltIn(name) => matches!(
                name,
                BuiltIn::OfferPrice | BuiltIn::OfferDiscount | BuiltIn::OfferNetPrice | BuiltIn::OfferMargin
            ),
        }
    }

    /// The value, or nothing where it is missing.
    pub(super) fn value<'a>(&self, facts: Option<&Facts<'a>>, offer: Option<&'a Offer>) -> Option<Datum<&'a str>> {
        match self {
            Self::Attribute(id, accepts) if id.scope() == AttributeScope::Offer => match (offer?, id.name()) {
                (offer, "category") => accepts.text(offer.category.as_ref()?.as_str()),
                (offer, name) => accepts.value(offer.attributes.get(name)?),
            },
            Self::Attribute(id, accepts) => accepts.value(facts?.attributes.get(id)?),
            Self::BuiltIn(name) => name.value(facts, offer),
        }
    }
}

impl Accepts {
    fn value<'a>(&self, value: &'a Value) -> Option<Datum<&'a str>> {
        match (self, value) {
            (Self::Bool, Value::Bool(truth)) => Some(Datum::Bool(*truth)),
            (Self::Number, Value::Number(number)) => Some(Datum::Number(i128::from(number.0))),
            (_, Value::Text(text)) => self.text(text),
            _ => None,
        }
    }

    fn text<'a>(&self, text: &'a str) -> Option<Datum<&'a str>> {
        match self {
            Self::Text => Some(Datum::Text(text)),
            Self::Names(names) => names.iter().any(|name| name == text).then_some(Datum::Text(text)),
            Self::Date => date(text).map(|ms| Datum::Date(i128::from(ms))),
            Self::Bool | Self::Number => None,
        }
    }
}

impl BuiltIn {
    fn value<'a>(self, facts: Option<&Facts<'a>>, offer: Option<&'a Offer>) -> Option<Datum<&'a str>> {
        let money = |offer: &Offer, minor: i64| Datum::money(minor, offer.currency());
        match self {
            Self::Today | Self::HourOfDay => {
                let facts = facts?;
                let (day, hour) = local(facts.now, facts.time_zone)?;
                Some(match self {
                    Self::Today => Datum::Date(i128::from(day)),
                    _ => Datum::Number(i128::from(hour) * SCALE),
                })
            }
            Self::BasketTotal => basket_total(facts?),
            Self::BasketSize => {
                let size: u64 = facts?.basket.iter().map(|line| u64::from(line.quantity)).sum();
                Some(Datum::Number(i128::from(size.min(MINOR_MAX.unsigned_abs())) * SCALE))
            }
            Self::OfferPrice => offer.map(|offer| money(offer, offer.price.minor)),
            Self::OfferDiscount => offer.map(|offer| money(offer, offer.discount.map_or(0, |discount| discount.minor))),
            Self::OfferNetPrice => offer.map(|offer| money(offer, offer.net_price_minor())),
            Self::OfferMargin => offer.map(|offer| money(offer, offer.margin_minor())),
        }
    }
}

/// The price of everything in the basket. Missing where a line has no price, or one in another currency than the
/// placement's. A total beyond any amount counts as the largest, so that it is no way around a rule.
fn basket_total<'a>(facts: &Facts<'_>) -> Option<Datum<&'a str>> {
    let mut total = 0_i128;
    for line in facts.basket {
        let price = line.price.filter(|price| price.currency == facts.currency)?;
        total = total.saturating_add(i128::from(price.minor) * i128::from(line.quantity));
    }
    let bound = i128::from(MINOR_MAX);
    Some(Datum::Money(total.clamp(-bound, bound) * SCALE, facts.currency))
}

//! Offers and their variants. Judges no offer: floors and caps are policy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::schedule::{self, Pause, Standing};
use super::{CampaignId, CategoryId, Currency, Money, OfferId, Timestamp, Value, VariantId};

/// Whether an offer may be shown at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferStatus {
    /// A candidate wherever rules allow it.
    #[default]
    Active,
    /// Kept, but no candidate.
    Paused,
}

/// One rendering of an offer's content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a variant as a JSON object")]
pub struct Variant {
    /// Unique within the offer.
    pub variant_id: VariantId,
    /// What the shop renders; passed through unread.
    #[serde(default)]
    pub content: serde_json::Map<String, serde_json::Value>,
}

/// What may be shown, with what it earns and costs. All money is of one currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an offer as a JSON object")]
pub struct Offer {
    /// Unique within the tenant.
    pub offer_id: OfferId,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// Read by rules and features as `offer.category`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryId>,
    /// Further categories in which rules find it by `applies_to`; caps and features read `category` alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_categories: Vec<CategoryId>,
    /// The campaign it belongs to; it runs only while that does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// Active unless said otherwise.
    #[serde(default)]
    pub status: OfferStatus,
    /// Not shown before; at once where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Not shown from then on; never ends where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Announced times in which it is not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// Units left, as merchandising said last; at 0 it is not shown. Unlimited where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<u32>,
    /// List price of what is sold if the offer is accepted.
    pub price: Money,
    /// Taken off the price if accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Money>,
    /// Paid for the goods if accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_of_goods: Option<Money>,
    /// Paid for delivery if accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Money>,
    /// Expected cost of returns if accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_return_cost: Option<Money>,
    /// What points, tiers and other promises to members cost if accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loyalty_cost: Option<Money>,
    /// Paid by the vendor if accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_funding: Option<Money>,
    /// Paid for showing it once, accepted or not (e-mail, print).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_of_showing: Option<Money>,
    /// The lowest net price at which it may be advertised, as agreed with the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advertised_price_min: Option<Money>,
    /// The lowest net price that was asked for it in the 30 days before its discount began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_price: Option<Money>,
    /// Declared offer attributes, read as `offer.NAME`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Value>,
    /// At least one.
    pub variants: Vec<Variant>,
}

/// Its amounts of money by the names of their fields, in the order of [`Offer::amounts`].
pub const AMOUNTS: [&str; 10] = [
    "price",
    "discount",
    "cost_of_goods",
    "shipping",
    "expected_return_cost",
    "loyalty_cost",
    "vendor_funding",
    "cost_of_showing",
    "advertised_price_min",
    "prior_price",
];

fn minor(money: Option<Money>) -> i64 {
    money.map_or(0, |m| m.minor)
}

impl Offer {
    /// Currency of all its money.
    pub fn currency(&self) -> Currency {
        self.price.currency
    }

    /// Its amounts, in the order of [`AMOUNTS`].
    pub fn amounts(&self) -> [Option<Money>; 10] {
        [
            Some(self.price),
            self.discount,
            self.cost_of_goods,
            self.shipping,
            self.expected_return_cost,
            self.loyalty_cost,
            self.vendor_funding,
            self.cost_of_showing,
            self.advertised_price_min,
            self.prior_price,
        ]
    }

    /// Price after discount, in minor units.
    pub fn net_price_minor(&self) -> i64 {
        self.price.minor - minor(self.discount)
    }

    /// `m_a`: net price - cost of goods - shipping - expected returns - loyalty cost + vendor funding, in minor units.
    pub fn margin_minor(&self) -> i64 {
        let costs = [self.cost_of_goods, self.shipping, self.expected_return_cost, self.loyalty_cost];
        self.net_price_minor() - costs.into_iter().map(minor).sum::<i64>() + minor(self.vendor_funding)
    }

    /// `s_a`: taken off the price if accepted, in minor units.
    pub fn discount_minor(&self) -> i64 {
        minor(self.discount)
    }

    /// `c_a`: cost of showing it once, in minor units.
    pub fn cost_of_showing_minor(&self) -> i64 {
        minor(self.cost_of_showing)
    }

    /// Its category and the further ones.
    pub fn categories(&self) -> impl Iterator<Item = &CategoryId> {
        self.category.iter().chain(&self.more_categories)
    }

    /// Whether its own schedule lets it be shown at an instant. Its campaign and its stock are asked apart.
    pub fn standing(&self, at: Timestamp) -> Standing {
        schedule::standing(self.status, (self.starts_at, self.ends_at), &self.pauses, at)
    }

    /// The value of `offer.NAME`; `category` is the offer's own field, the rest its attributes.
    pub fn attribute(&self, name: &str) -> Option<Value> {
        if name == "category" {
            return self.category.as_ref().map(|c| Value::Text(c.as_str().to_owned()));
        }
        self.attributes.get(name).cloned()
    }

    /// Everything wrong with the offer by itself, each with a JSON pointer below the offer.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let named = AMOUNTS.into_iter().zip(self.amounts());
        for (field, money) in named.filter_map(|(field, money)| Some((field, money?))) {
            if money.minor < 0 {
                found.push((
                    format!("/{field}/amount"),
                    format!("{field} `{}` is negative: expected 0.00 or more", money.amount()),
                ));
            }
            if money.currency != self.currency() {
                found.push((
                    format!("/{field}/currency"),
                    format!(
                        "{field} is in {} but the price is in {}: use one currency for the whole offer",
                        money.currency,
                        self.currency()
                    ),
                ));
            }
        }
        if let Some(discount) = self.discount.filter(|discount| discount.minor > self.price.minor.max(0)) {
            let (off, price) = (discount.amount(), self.price.amount());
            let message =
                format!("the discount `{off}` is larger than the price `{price}`: expected at most the price");
            found.push(("/discount/amount".into(), message));
        }
        found.extend(schedule::problems((self.starts_at, self.ends_at), &self.pauses));
        if !self.more_categories.is_empty() && self.category.is_none() {
            let message = "further categories need a first one: name it in `category`";
            found.push(("/more_categories".into(), message.into()));
        }
        if self.variants.is_empty() {
            found.push(("/variants".into(), "an offer needs at least one variant".into()));
        }
        for (at, variant) in self.variants.iter().enumerate() {
            if self.variants.iter().take(at).any(|other| other.variant_id == variant.variant_id) {
                found.push((
                    format!("/variants/{at}/variant_id"),
                    format!("variant `{}` appears twice: variant ids are unique within an offer", variant.variant_id),
                ));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(json: &str) -> Offer {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn margin_is_net_price_less_costs_plus_funding() {
        let offer = offer(
            r#"{"offer_id":"a","price":{"amount":"20.00","currency":"USD"},
            "discount":{"amount":"2.00","currency":"USD"},"vendor_funding":{"amount":"1.25","currency":"USD"},
            "cost_of_goods":{"amount":"9.00","currency":"USD"},"shipping":{"amount":"1.00","currency":"USD"},
            "expected_return_cost":{"amount":"0.50","currency":"USD"},"loyalty_cost":{"amount":"0.15","currency":"USD"},
            "cost_of_showing":{"amount":"0.30","currency":"USD"},"prior_price":{"amount":"19.00","currency":"USD"},
            "variants":[{"variant_id":"b"},{"variant_id":"a"}]}"#,
        );
        assert_eq!((offer.net_price_minor(), offer.margin_minor()), (1800, 860));
    }

    #[test]
    fn an_offer_is_written_with_what_it_says_and_nothing_else() {
        // Stores compare the text: a field that appeared would be another offer, and a new revision.
        let text = concat!(
            r#"{"offer_id":"a","name":"","status":"active","price":{"amount":"20.00","currency":"USD"},"#,
            r#""variants":[{"variant_id":"b","content":{}}]}"#,
        );
        assert_eq!(serde_json::to_string(&offer(text)).unwrap(), text);
    }

    #[test]
    fn all_problems_of_an_offer_are_named_at_once() {
        let offer = offer(
            r#"{"offer_id":"a","price":{"amount":"-1.00","currency":"USD"},"shipping":{"amount":"1","currency":"EUR"},
            "variants":[]}"#,
        );
        let found: Vec<String> = offer.problems().iter().map(|(at, text)| format!("{at}: {text}")).collect();
        assert_eq!(
            found,
            [
                "/price/amount: price `-1.00` is negative: expected 0.00 or more",
                "/shipping/currency: shipping is in EUR but the price is in USD: use one currency for the whole offer",
                "/variants: an offer needs at least one variant",
            ]
        );
    }
}

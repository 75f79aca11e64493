//! Offers and campaigns in tests: fields that may be inherited and overridden, and the offer they make. Judges none.

use std::collections::BTreeMap;

use super::super::applies::category_known;
use super::super::finding::{Place, Report};
use super::super::read;
use super::super::syntax::{Key, Node};
use super::moment::{MOMENT, Moment};
use super::{Ground, attributes};
use crate::domain::offer::AMOUNTS;
use crate::domain::{
    Campaign, CampaignId, CategoryId, Currency, Malformed, Money, Offer, OfferId, OfferStatus, Timestamp, Value,
    Variant, VariantId,
};

/// What an offer has besides its id and its attributes.
pub(in crate::policy) const FIELDS: [&str; 17] = [
    "name",
    "category",
    "more_categories",
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
    "status",
    "starts_at",
    "ends_at",
    "stock",
];

/// What a campaign has besides its id.
pub(in crate::policy) const CAMPAIGN_FIELDS: [&str; 4] = ["name", "status", "starts_at", "ends_at"];

/// What one field holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Amount(Money),
    Category(CategoryId),
    Categories(Vec<CategoryId>),
    Campaign(CampaignId, Place),
    Status(OfferStatus),
    Moment(Moment),
    Stock(u32),
    Text(String),
    Attribute(Value),
    /// Taken away again.
    Nothing,
}

/// Fields by name; an attribute by its full name.
pub(super) type Draft = BTreeMap<String, Field>;

/// Reads one field. True unless something is wrong.
pub(super) fn put(
    report: &mut Report<'_>,
    what: &str,
    (key, node): (&Key, &Node),
    ground: Ground<'_>,
    draft: &mut Draft,
) -> bool {
    let name = key.text.strip_prefix("offer.").unwrap_or(&key.text);
    let own = FIELDS.contains(&name) || name == "campaign";
    if !own {
        let mut values = attributes::Values::new();
        let whole = attributes::put(report, what, (key, node), ground, &mut values);
        draft.extend(
            values
                .into_iter()
                .map(|(name, value)| (format!("offer.{name}"), value.known().map_or(Field::Nothing, Field::Attribute))),
        );
        return whole;
    }
    let field = if read::kind(node) == "nothing" {
        Some(Field::Nothing)
    } else {
        field(report, &format!("{what}: `{name}`"), name, node, ground)
    };
    let whole = field.is_some();
    // What cannot be read is told once, and not missing as well.
    draft.insert(name.to_owned(), field.unwrap_or(Field::Nothing));
    whole
}

fn field(report: &mut Report<'_>, what: &str, name: &str, node: &Node, ground: Ground<'_>) -> Option<Field> {
    let category = |report: &mut Report<'_>, node: &Node| {
        let id = read::parsed(report, what, node, "a category", CategoryId::new)?;
        category_known(report, what, node, id.as_str(), ground.known).then_some(id)
    };
    Some(match name {
        "name" => Field::Text(read::text(report, what, node)?.to_owned()),
        "category" => Field::Category(category(report, node)?),
        "more_categories" => Field::Categories(read::list_of(report, what, node, "leave the field out", category)?),
        "campaign" => Field::Campaign(read::parsed(report, what, node, "a campaign", CampaignId::new)?, node.place),
        "status" => {
            let paused = read::choice(report, what, node, "status", &["active", "paused"], &[])? == "paused";
            Field::Status(if paused { OfferStatus::Paused } else { OfferStatus::Active })
        }
        "starts_at" | "ends_at" => Field::Moment(read::parsed(report, what, node, MOMENT, Moment::parse)?),
        "stock" => Field::Stock(read::whole(report, what, node, 0, u32::MAX)?),
        _ => Field::Amount(amount(report, what, node)?),
    })
}

/// An amount such as `20.00 USD`.
pub(super) fn amount(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Money> {
    let money = signed(report, what, node)?;
    if money.minor < 0 {
        read::out_of_range(report, what, node, "0.00 or more");
        return None;
    }
    Some(money)
}

/// An amount that may be negative.
pub(super) fn signed(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Money> {
    read::parsed(report, what, node, "an amount such as `20.00 USD`", |text| {
        let split = text.split_once(' ').ok_or_else(|| {
            Malformed::new(format!(
                "`{text}` is not an amount with its currency: expected an amount such as `20.00 USD`"
            ))
        })?;
        Money::parse(split.0, Currency::parse(split.1.trim())?)
    })
}

fn moment(draft: &Draft, name: &str, now: Timestamp) -> Option<Timestamp> {
    match draft.get(name) {
        Some(Field::Moment(moment)) => Some(moment.at(now)),
        _ => None,
    }
}

fn text(draft: &Draft, name: &str) -> String {
    match draft.get(name) {
        Some(Field::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

fn status(draft: &Draft) -> OfferStatus {
    match draft.get("status") {
        Some(Field::Status(status)) => *status,
        _ => OfferStatus::default(),
    }
}

/// The offer that the fields make for a case at `now`; nothing without a price.
pub(super) fn offer(id: &str, draft: &Draft, now: Timestamp) -> Option<Offer> {
    let amount = |name: &str| match draft.get(name) {
        Some(Field::Amount(money)) => Some(*money),
        _ => None,
    };
    let amounts = AMOUNTS.map(amount);
    let [price, discount, cost_of_goods, shipping, expected_return_cost, loyalty_cost, vendor_funding, ..] = amounts;
    let [.., cost_of_showing, advertised_price_min, prior_price] = amounts;
    let attributes = draft.iter().filter_map(|(name, field)| match field {
        Field::Attribute(value) => Some((name.strip_prefix("offer.")?.to_owned(), value.clone())),
        _ => None,
    });
    Some(Offer {
        offer_id: OfferId::new(id).ok()?,
        name: text(draft, "name"),
        category: match draft.get("category") {
            Some(Field::Category(category)) => Some(category.clone()),
            _ => None,
        },
        more_categories: match draft.get("more_categories") {
            Some(Field::Categories(categories)) => categories.clone(),
            _ => Vec::new(),
        },
        campaign: match draft.get("campaign") {
            Some(Field::Campaign(campaign, _)) => Some(campaign.clone()),
            _ => None,
        },
        status: status(draft),
        starts_at: moment(draft, "starts_at", now),
        ends_at: moment(draft, "ends_at", now),
        pauses: Vec::new(),
        stock: match draft.get("stock") {
            Some(Field::Stock(stock)) => Some(*stock),
            _ => None,
        },
        price: price?,
        discount,
        cost_of_goods,
        shipping,
        expected_return_cost,
        loyalty_cost,
        vendor_funding,
        cost_of_showing,
        advertised_price_min,
        prior_price,
        attributes: attributes.collect(),
        variants: vec![Variant { variant_id: VariantId::new("a").ok()?, content: serde_json::Map::new() }],
    })
}

/// The campaign that the fields make for a case at `now`.
pub(super) fn campaign(id: &str, draft: &Draft, now: Timestamp) -> Option<Campaign> {
    Some(Campaign {
        campaign_id: CampaignId::new(id).ok()?,
        name: text(draft, "name"),
        owner: "tests".into(),
        status: status(draft),
        starts_at: moment(draft, "starts_at", now),
        ends_at: moment(draft, "ends_at", now),
        pauses: Vec::new(),
        budget: None,
    })
}

//! A catalogue as YAML or JSON, campaigns first, everything in the order of its id. Leaves out what says nothing.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::domain::{Campaign, Catalogue, Money, Offer, OfferStatus, Pause, Timestamp, Value};

#[derive(Serialize)]
struct Document<C, O> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    campaigns: Vec<C>,
    offers: Vec<O>,
}

/// As JSON, as `POST /v1/offers:import` takes it.
pub fn write_json(catalogue: &Catalogue) -> String {
    let document =
        Document { campaigns: catalogue.campaigns().values().collect(), offers: catalogue.offers().iter().collect() };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// As YAML, with money as `59.90 USD`.
pub fn write_yaml(catalogue: &Catalogue) -> String {
    let document = Document {
        campaigns: catalogue.campaigns().values().map(CampaignText::of).collect(),
        offers: catalogue.offers().iter().map(OfferText::of).collect(),
    };
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false, compact_list_indent: false };
    serde_saphyr::to_string_with_options(&document, options).unwrap_or_default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_active(status: &OfferStatus) -> bool {
    *status == OfferStatus::Active
}

/// A campaign as people write it.
#[derive(Serialize)]
struct CampaignText<'a> {
    campaign_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    owner: &'a str,
    #[serde(skip_serializing_if = "is_active")]
    status: OfferStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pauses: &'a [Pause],
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<String>,
}

impl<'a> CampaignText<'a> {
    fn of(campaign: &'a Campaign) -> Self {
        Self {
            campaign_id: campaign.campaign_id.as_str(),
            name: &campaign.name,
            owner: &campaign.owner,
            status: campaign.status,
            starts_at: campaign.starts_at,
            ends_at: campaign.ends_at,
            pauses: &campaign.pauses,
            budget: short(campaign.budget),
        }
    }
}

/// An offer as people write it.
#[derive(Serialize)]
struct OfferText<'a> {
    offer_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more_categories: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<&'a str>,
    #[serde(skip_serializing_if = "is_active")]
    status: OfferStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pauses: &'a [Pause],
    #[serde(skip_serializing_if = "Option::is_none")]
    stock: Option<u32>,
    price: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_of_goods: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_return_cost: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loyalty_cost: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_funding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_of_showing: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advertised_price_min: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prior_price: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: &'a BTreeMap<String, Value>,
    variants: Vec<VariantText<'a>>,
}

#[derive(Serialize)]
struct VariantText<'a> {
    variant_id: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    content: &'a Map<String, Json>,
}

impl<'a> OfferText<'a> {
    fn of(offer: &'a Offer) -> Self {
        let variant = |variant: &'a crate::domain::Variant| VariantText {
            variant_id: variant.variant_id.as_str(),
            content: &variant.content,
        };
        Self {
            offer_id: offer.offer_id.as_str(),
            name: &offer.name,
            category: offer.category.as_ref().map(crate::domain::CategoryId::as_str),
            more_categories: offer.more_categories.iter().map(crate::domain::CategoryId::as_str).collect(),
            campaign: offer.campaign.as_ref().map(crate::domain::CampaignId::as_str),
            status: offer.status,
            starts_at: offer.starts_at,
            ends_at: offer.ends_at,
            pauses: &offer.pauses,
            stock: offer.stock,
            price: offer.price.to_string(),
            discount: short(offer.discount),
            cost_of_goods: short(offer.cost_of_goods),
            shipping: short(offer.shipping),
            expected_return_cost: short(offer.expected_return_cost),
            loyalty_cost: short(offer.loyalty_cost),
            vendor_funding: short(offer.vendor_funding),
            cost_of_showing: short(offer.cost_of_showing),
            advertised_price_min: short(offer.advertised_price_min),
            prior_price: short(offer.prior_price),
            attributes: &offer.attributes,
            variants: offer.variants.iter().map(variant).collect(),
        }
    }
}

/// `59.90 USD`.
fn short(money: Option<Money>) -> Option<String> {
    money.map(|money| money.to_string())
}

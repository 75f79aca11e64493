//! Campaigns and offers read from a tree. What could not be read is stood in for, so that the rest is judged too; such
//! an offer never leaves the reader without the mistakes that explain it.

use super::fields::{Fields, Reader};
use super::tree::{Node, Raw};
use crate::domain::money::MINOR_MAX;
use crate::domain::offer::AMOUNTS;
use crate::domain::{Campaign, CampaignId, CategoryId, Currency, Malformed, Money, Offer, OfferId, Variant, VariantId};

/// Every field of an offer, as JSON has them.
pub(super) const OFFER: [&str; 22] = [
    "offer_id",
    "name",
    "category",
    "more_categories",
    "campaign",
    "status",
    "starts_at",
    "ends_at",
    "pauses",
    "stock",
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
    "attributes",
    "variants",
];

/// Every field of a campaign, as JSON has them.
pub(super) const CAMPAIGN: [&str; 8] =
    ["campaign_id", "name", "owner", "status", "starts_at", "ends_at", "pauses", "budget"];

/// What YAML and CSV have besides.
const TIME_ZONE: &str = "time_zone";

fn known(fields: &[&'static str], strict: bool) -> Vec<&'static str> {
    fields.iter().copied().chain((!strict).then_some(TIME_ZONE)).collect()
}

/// A name that no file may use by chance, for what has none.
fn stand_in(at: &str) -> String {
    format!("_{}", at.trim_start_matches('/').replace('/', "-"))
}

/// Reads a campaign.
pub(super) fn campaign(reader: &mut Reader<'_>, at: &str, node: &Node) -> Option<Campaign> {
    let fields = reader.open(at, node, "a campaign as an object", &known(&CAMPAIGN, reader.strict))?;
    for name in ["campaign_id", "owner"] {
        reader.require(&fields, name);
    }
    let id = reader.parsed(&fields, "campaign_id", |text| CampaignId::new(text));
    Some(Campaign {
        campaign_id: id.or_else(|| CampaignId::new(stand_in(at)).ok())?,
        name: reader.text(&fields, "name").unwrap_or_default().to_owned(),
        owner: reader.text(&fields, "owner").unwrap_or_default().to_owned(),
        status: reader.status(&fields),
        starts_at: reader.instant(&fields, "starts_at"),
        ends_at: reader.instant(&fields, "ends_at"),
        pauses: reader.pauses(&fields),
        budget: reader.money(&fields, "budget"),
    })
}

/// Reads an offer.
pub(super) fn offer(reader: &mut Reader<'_>, at: &str, node: &Node) -> Option<Offer> {
    let fields = reader.open(at, node, "an offer as an object", &known(&OFFER, reader.strict))?;
    for name in ["offer_id", "price", "variants"] {
        reader.require(&fields, name);
    }
    let id = reader.parsed(&fields, "offer_id", |text| OfferId::new(text));
    let amounts = AMOUNTS.map(|name| reader.money(&fields, name));
    // So much that nothing else looks wrong beside it.
    let currency = amounts.iter().flatten().map(|money| money.currency).next().or_else(|| Currency::parse("USD").ok());
    let [price, discount, cost_of_goods, shipping, expected_return_cost, loyalty_cost, vendor_funding, ..] = amounts;
    let [.., cost_of_showing, advertised_price_min, prior_price] = amounts;
    let price = price.or_else(|| currency.map(|currency| Money { minor: MINOR_MAX, currency }));
    let categories = |text: &str| {
        CategoryId::new(text).map_err(|error| {
            let several = text.contains([',', ';', ' ']);
            let way = if several { "; name several as a list, in a sheet with `|` between them" } else { "" };
            Malformed(format!("{error}{way}"))
        })
    };
    Some(Offer {
        offer_id: id.or_else(|| OfferId::new(stand_in(at)).ok())?,
        name: reader.text(&fields, "name").unwrap_or_default().to_owned(),
        category: reader.parsed(&fields, "category", |text| CategoryId::new(text)),
        more_categories: reader.list(&fields, "more_categories", |reader, at, node| reader.item(at, node, categories)),
        campaign: reader.parsed(&fields, "campaign", |text| CampaignId::new(text)),
        status: reader.status(&fields),
        starts_at: reader.instant(&fields, "starts_at"),
        ends_at: reader.instant(&fields, "ends_at"),
        pauses: reader.pauses(&fields),
        stock: reader.count(&fields, "stock"),
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
        attributes: reader.attributes(&fields, "attributes"),
        variants: variants(reader, &fields),
    })
}

fn variants(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<Variant> {
    reader.list(fields, "variants", |reader, at, node| {
        let variant = reader.open(at, node, "a variant as an object", &["variant_id", "content"])?;
        reader.require(&variant, "variant_id");
        let id = reader.parsed(&variant, "variant_id", |text| VariantId::new(text));
        let content = reader.content(&variant);
        Some(Variant { variant_id: id.or_else(|| VariantId::new(stand_in(at)).ok())?, content })
    })
}

/// The id under which offers name a campaign, whether it could be read or not.
pub(super) fn campaign_named(node: &Node) -> Option<String> {
    let Raw::Map(fields) = &node.raw else { return None };
    let (_, _, id) = fields.iter().find(|(name, _, _)| name == "campaign_id")?;
    let Raw::Text { text, .. } = &id.raw else { return None };
    Some(text.clone())
}

//! A catalogue as sheets: one of offers with a row for each variant, one of campaigns. Writes every documented column,
//! so that people see what they may fill in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::columns;
use super::decode;
use super::tree::{Node, Spot};
use crate::domain::money::print_decimal;
use crate::domain::{AttributeId, Campaign, Catalogue, Currency, Money, Offer, OfferStatus, Pause, Timestamp, Value};
use crate::policy::AttributeSpec;

/// The campaigns as a sheet.
pub fn write_campaigns_csv(catalogue: &Catalogue) -> String {
    let header: Vec<String> = columns::CAMPAIGN.iter().map(|name| (*name).to_owned()).collect();
    let rows = catalogue
        .campaigns()
        .values()
        .map(|campaign| columns::CAMPAIGN.iter().map(|column| campaign_cell(campaign, column)).collect());
    sheet(header, rows.collect())
}

/// The offers as a sheet; the declared attributes say which can be written as plain words.
pub fn write_offers_csv(catalogue: &Catalogue, specs: &BTreeMap<AttributeId, AttributeSpec>) -> String {
    let offers = catalogue.offers();
    let variants = || offers.iter().flat_map(|offer| &offer.variants);
    let contents: BTreeSet<&String> = variants()
        .flat_map(|variant| &variant.content)
        .filter_map(|(name, json)| content_cell(name, json).map(|_| name))
        .collect();
    let plain = |name: &str, value: &Value| attribute_cell(name, value, specs);
    let attributes: BTreeSet<&String> = offers
        .iter()
        .flat_map(|offer| &offer.attributes)
        .filter_map(|(name, value)| plain(name, value).map(|_| name))
        .collect();
    let other_contents = variants().any(|variant| !other_content(&variant.content).is_empty());
    let other_attributes = offers.iter().any(|offer| !other_attributes_of(offer, specs).is_empty());
    // Two columns for what has no column of its own, only where something has none.
    let fixed: Vec<&str> = columns::OFFER
        .into_iter()
        .filter(|name| (*name != "content" || other_contents) && (*name != "attributes" || other_attributes))
        .filter(|name| *name != "time_zone")
        .collect();
    let named = contents.iter().map(|name| format!("content.{name}"));
    let named = named.chain(attributes.iter().map(|name| format!("attribute.{name}")));
    let header = fixed.iter().map(|name| (*name).to_owned()).chain(named).collect();
    let mut rows = Vec::new();
    for offer in offers {
        for (position, variant) in offer.variants.iter().enumerate() {
            let own = |cell: String| if position == 0 { cell } else { String::new() };
            let mut row: Vec<String> = Vec::new();
            for column in &fixed {
                row.push(match *column {
                    "offer_id" => offer.offer_id.to_string(),
                    "variant_id" => variant.variant_id.to_string(),
                    "content" => object(other_content(&variant.content)),
                    "attributes" => own(object(other_attributes_of(offer, specs))),
                    column => own(offer_cell(offer, column)),
                });
            }
            let content = |name: &String| variant.content.get(name).and_then(|json| content_cell(name, json));
            row.extend(contents.iter().map(|name| content(name).unwrap_or_default().to_owned()));
            let attribute = |name: &String| offer.attributes.get(name).and_then(|value| plain(name, value));
            row.extend(attributes.iter().map(|name| own(attribute(name).unwrap_or_default())));
            rows.push(row);
        }
    }
    sheet(header, rows)
}

fn sheet(header: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in [header].into_iter().chain(rows) {
        // Memory takes everything.
        let _ = writer.write_record(row);
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn offer_cell(offer: &Offer, column: &str) -> String {
    let money = |money: Option<Money>| money.map(|money| amount(money, offer.currency())).unwrap_or_default();
    match column {
        "name" => offer.name.clone(),
        "category" => offer.category.as_ref().map(ToString::to_string).unwrap_or_default(),
        "more_categories" => offer.more_categories.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"),
        "campaign" => offer.campaign.as_ref().map(ToString::to_string).unwrap_or_default(),
        "status" => status(offer.status),
        "starts_at" => instant(offer.starts_at),
        "ends_at" => instant(offer.ends_at),
        "pauses" => pauses(&offer.pauses),
        "currency" => offer.currency().to_string(),
        "price" => money(Some(offer.price)),
        "discount" => money(offer.discount),
        "cost_of_goods" => money(offer.cost_of_goods),
        "shipping" => money(offer.shipping),
        "expected_return_cost" => money(offer.expected_return_cost),
        "loyalty_cost" => money(offer.loyalty_cost),
        "vendor_funding" => money(offer.vendor_funding),
        "cost_of_showing" => money(offer.cost_of_showing),
        "advertised_price_min" => money(offer.advertised_price_min),
        "prior_price" => money(offer.prior_price),
        "stock" => offer.stock.map(|units| units.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

fn campaign_cell(campaign: &Campaign, column: &str) -> String {
    match column {
        "campaign_id" => campaign.campaign_id.to_string(),
        "name" => campaign.name.clone(),
        "owner" => campaign.owner.clone(),
        "status" => status(campaign.status),
        "starts_at" => instant(campaign.starts_at),
        "ends_at" => instant(campaign.ends_at),
        "pauses" => pauses(&campaign.pauses),
        "currency" => campaign.budget.map(|budget| budget.currency.to_string()).unwrap_or_default(),
        "budget" => campaign.budget.map(|budget| budget.amount()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// An amount, with its currency where that is not the offer's.
fn amount(money: Money, currency: Currency) -> String {
    if money.currency == currency { money.amount() } else { money.to_string() }
}

fn status(status: OfferStatus) -> String {
    match status {
        OfferStatus::Active => "active".to_owned(),
        OfferStatus::Paused => "paused".to_owned(),
    }
}

fn instant(at: Option<Timestamp>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

fn pauses(pauses: &[Pause]) -> String {
    pauses.iter().map(|pause| format!("{}/{}", pause.from, pause.until)).collect::<Vec<_>>().join("|")
}

/// What a content has in a column of its own: text that a cell can hold, under a name that a header can.
fn content_cell<'a>(name: &str, json: &'a Json) -> Option<&'a str> {
    let named = !name.is_empty() && name.trim() == name;
    json.as_str().filter(|text| named && !text.trim().is_empty())
}

fn other_content(content: &Map<String, Json>) -> Map<String, Json> {
    let others = content.iter().filter(|(name, json)| content_cell(name, json).is_none());
    others.map(|(name, json)| (name.clone(), json.clone())).collect()
}

/// An attribute as the words that mean it when they are read again.
fn attribute_cell(name: &str, value: &Value, specs: &BTreeMap<AttributeId, AttributeSpec>) -> Option<String> {
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => {
            let text = print_decimal(number.0, 6);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    };
    let spec = specs.get(format!("offer.{name}").as_str());
    let named = !name.is_empty() && name.trim() == name;
    let absent = text.trim().is_empty() || Node::plain(text.as_str(), &Spot::default()).is_absent();
    (named && !absent && decode::attribute(&text, spec).as_ref() == Ok(value)).then_some(text)
}

fn other_attributes_of(offer: &Offer, specs: &BTreeMap<AttributeId, AttributeSpec>) -> Map<String, Json> {
    let others = offer.attributes.iter().filter(|(name, value)| attribute_cell(name, value, specs).is_none());
    others.map(|(name, value)| (name.clone(), serde_json::to_value(value).unwrap_or_default())).collect()
}

fn object(fields: Map<String, Json>) -> String {
    if fields.is_empty() { String::new() } else { Json::Object(fields).to_string() }
}

//! Shapes of values that the domain reads and writes itself, as the document shows them. No value is read through them;
//! tests hold them to what is.

#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]
#![expect(clippy::struct_field_names, reason = "fields have the names that stand in JSON")]

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// An instant.
pub struct Instant(String);

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339. Answers are in UTC with milliseconds."))
            .examples(["2026-03-01T09:30:00.000Z"]);
        RefOr::T(schema.into())
    }
}

impl ToSchema for Instant {}

/// The value of an attribute.
pub struct AttributeValue(String);

impl PartialSchema for AttributeValue {
    fn schema() -> RefOr<Schema> {
        let types = [Type::String, Type::Number, Type::Boolean];
        let schema = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter(types))
            .max_length(Some(256))
            .description(Some("Text, a number, true or false, as declared in `catalog/attributes.yaml`."))
            .examples([Value::from("gold")]);
        RefOr::T(schema.into())
    }
}

impl ToSchema for AttributeValue {}

/// An attribute as it is sent to be kept.
pub struct GivenAttribute(String);

impl PartialSchema for GivenAttribute {
    fn schema() -> RefOr<Schema> {
        let schema = AnyOfBuilder::new()
            .item(super::reference("AttributeValue"))
            .item(super::reference("TimedAttribute"))
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .description(Some("A value, a value with its times, or `null`, which removes it."));
        RefOr::T(schema.into())
    }
}

impl ToSchema for GivenAttribute {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        super::gather::<AttributeValue>(schemas);
        super::gather::<crate::api::attributes::TimedWire>(schemas);
    }
}

/// An amount of money of one currency.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Decimal text with at most as many digits behind the point as the currency has.
    #[schema(example = "59.90")]
    amount: String,
    /// ISO 4217.
    #[schema(example = "USD", min_length = 3, max_length = 3)]
    currency: String,
}

/// What the customer said.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum ConsentState {
    Granted,
    Unknown,
    Refused,
    Withdrawn,
}

/// The lawful basis a record claims.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Basis {
    Consent,
    LegitimateInterest,
    Contract,
    LegalObligation,
}

/// One append-only consent record, in the shape of ISO/IEC TS 27560.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentRecord {
    /// What it is about: a purpose of `catalog/purposes.yaml`.
    #[schema(example = "offer_personalisation")]
    purpose: String,
    /// What was said.
    state: ConsentState,
    /// The basis claimed; `consent` unless said otherwise.
    #[schema(required = false)]
    basis: Basis,
    /// From when it counts; the time of intake unless given.
    valid_from: Option<Instant>,
    /// Until when it counts; open unless given.
    valid_until: Option<Instant>,
    /// Hash of the notice shown.
    notice_hash: Option<String>,
    /// Where the evidence lies.
    evidence_id: Option<String>,
    /// Who sent it, such as the consent platform's name.
    source: Option<String>,
    /// The channel it is about, such as `email`: one that a placement uses. Every channel unless given; the newest
    /// record that is about a channel counts there, whether it is about that one alone or about every one.
    #[schema(example = "email")]
    channel: Option<String>,
    /// Where it was given, such as `EU` or `US-NY`: a yes then counts for requests from there alone. A no counts
    /// wherever they come from.
    #[schema(example = "EU")]
    jurisdiction: Option<String>,
}

/// Whether an offer may be shown at all.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum OfferStatus {
    Active,
    Paused,
}

/// One rendering of an offer's content.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Unique within the offer.
    #[schema(example = "a")]
    variant_id: String,
    /// What the shop renders; passed through unread.
    #[schema(required = false)]
    content: BTreeMap<String, Value>,
}

/// What may be shown, with what it earns and costs. All money is of one currency.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Unique within the tenant.
    #[schema(example = "free-shipping")]
    offer_id: String,
    /// For people.
    #[schema(required = false)]
    name: String,
    /// Read by rules and features as `offer.category`.
    category: Option<String>,
    /// Further categories in which rules find it by `applies_to`; caps and features read `category` alone.
    #[schema(required = false)]
    more_categories: Vec<String>,
    /// The campaign it belongs to; it is shown only while that runs.
    campaign: Option<String>,
    /// `active` unless said otherwise.
    #[schema(required = false)]
    status: OfferStatus,
    /// Not shown before; at once where absent.
    starts_at: Option<Instant>,
    /// Not shown from then on; never ends where absent.
    ends_at: Option<Instant>,
    /// Announced times in which it is not shown.
    #[schema(required = false)]
    pauses: Vec<Pause>,
    /// Units left, as merchandising said last; at 0 it is not shown. Unlimited where absent.
    stock: Option<u32>,
    /// List price of what is sold if the offer is accepted.
    price: Money,
    /// Taken off the price if accepted.
    discount: Option<Money>,
    /// Paid for the goods if accepted.
    cost_of_goods: Option<Money>,
    /// Paid for delivery if accepted.
    shipping: Option<Money>,
    /// Expected cost of returns if accepted.
    expected_return_cost: Option<Money>,
    /// What points, tiers and other promises to members cost if accepted.
    loyalty_cost: Option<Money>,
    /// Paid by the vendor if accepted.
    vendor_funding: Option<Money>,
    /// Paid for showing it once, accepted or not (e-mail, print).
    cost_of_showing: Option<Money>,
    /// The lowest net price at which it may be advertised, as agreed with the vendor.
    advertised_price_min: Option<Money>,
    /// The lowest net price that was asked for it in the 30 days before its discount began.
    prior_price: Option<Money>,
    /// Declared offer attributes, read as `offer.NAME`.
    #[schema(required = false)]
    attributes: BTreeMap<String, AttributeValue>,
    /// At least one.
    #[schema(min_items = 1)]
    variants: Vec<Variant>,
}

/// A time in which something is not shown: from its start, until just before its end.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The first instant of the pause.
    from: Instant,
    /// The first instant after the pause.
    until: Instant,
}

/// A named group of offers.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Unique within the tenant.
    #[schema(example = "spring")]
    campaign_id: String,
    /// For people.
    #[schema(required = false)]
    name: String,
    /// Who answers for it, such as a team.
    owner: String,
    /// `active` unless said otherwise; its offers are not shown while it is paused.
    #[schema(required = false)]
    status: OfferStatus,
    /// Its offers are not shown before; at once where absent.
    starts_at: Option<Instant>,
    /// Its offers are not shown from then on; never ends where absent.
    ends_at: Option<Instant>,
    /// Announced times in which its offers are not shown.
    #[schema(required = false)]
    pauses: Vec<Pause>,
    /// What discounts and costs of showing of its offers may come to; once it is spent, offers that would spend more of
    /// it are not shown. With a start and an end it is paced, to be spent evenly between them.
    budget: Option<Money>,
}

/// Campaigns and offers together.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Offers of the same import may name them.
    #[schema(required = false)]
    campaigns: Vec<Campaign>,
    /// Offers.
    #[schema(required = false)]
    offers: Vec<Offer>,
}

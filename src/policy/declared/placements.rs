//! Placements: from `placements.yaml` to [`Placement`]. Decides nothing at them.

use std::collections::BTreeMap;

use super::contenders;
use super::delay;
use super::features::{self, Catalog};
use super::money;
use crate::domain::placement::Fallback;
use crate::domain::{
    Currency, Exposure, Malformed, Money, Objective, ObjectiveKind, OfferId, Percent, Placement, PlacementId,
    PurposeId, Span, ValueSource, VariantId,
};
use crate::policy::codes;
use crate::policy::declare::{self, Declared};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::syntax::Node;

/// Life of a reservation where none is given: ten minutes.
const RESERVATION_DEFAULT: Span = Span(600_000);

/// The most slots of a placement.
const SLOTS_MAX: u32 = 20;

/// Reads `placements.yaml`.
pub(in crate::policy) fn read(
    report: &mut Report<'_>,
    root: &Node,
    attributes: Catalog<'_>,
    purposes: &Declared,
) -> (BTreeMap<PlacementId, Placement>, Declared) {
    let mut placements = BTreeMap::new();
    let mut declared = Declared::default();
    for item in declare::items(report, root, "placements", "placements: [...]", &mut declared) {
        if let Some(placement) = placement(report, item, &mut declared, attributes, purposes) {
            placements.insert(placement.id.clone(), placement);
        }
    }
    (placements, declared)
}

/// The fields of a placement.
pub(in crate::policy) const KNOWN: [&str; 19] = [
    "id",
    "channel",
    "purpose",
    "currency",
    "slots",
    "nothing_allowed",
    "objective",
    "exposure",
    "delay",
    "reservation",
    "obeys_caps",
    "counts_toward_caps",
    "strategy",
    "challengers",
    "features",
    "holdout",
    "fallback",
    "cheapest",
    "exploration_budget",
];

fn placement(
    report: &mut Report<'_>,
    node: &Node,
    declared: &mut Declared,
    attributes: Catalog<'_>,
    purposes: &Declared,
) -> Option<Placement> {
    let fields = declare::item(report, "placement", node, &KNOWN, declared)?;
    let what = fields.what.as_str();
    let id = ("placement", "a placement id", "id: home_banner");
    let id = declare::declare(report, &fields, id, |text| PlacementId::new(text), declared);
    let channel = fields
        .need(report, "channel", "channel: web")
        .and_then(|node| read::parsed(report, what, node, "a name such as `web`", channel_name));
    let purpose = fields.need(report, "purpose", "purpose: offer_personalisation").and_then(|node| {
        let purpose = read::parsed(report, what, node, "a purpose id", PurposeId::new)?;
        let home = (codes::PURPOSE_UNKNOWN, "purpose", "catalog/purposes.yaml");
        declare::refer(report, home, what, (node.place, purpose.as_str()), purposes).then_some(purpose)
    });
    let currency = fields
        .need(report, "currency", "currency: USD")
        .and_then(|node| read::parsed(report, what, node, "an ISO 4217 code such as `USD`", Currency::parse));
    let slots = fields.get("slots").map_or(Some(1), |node| read::whole(report, what, node, 1, SLOTS_MAX));
    let nothing_allowed = fields.get("nothing_allowed").map_or(Some(false), |node| read::flag(report, what, node));
    let objective = fields
        .need(report, "objective", "objective: {kind: margin, window: 7d, reward_cap: 200.00}")
        .and_then(|node| objective(report, what, node, currency));
    let exposure = fields.get("exposure").map_or(Some(Exposure::Decision), |node| {
        let chosen = read::choice(report, what, node, "exposure", &["decision", "impression"], &["send"])?;
        Some(if chosen == "decision" { Exposure::Decision } else { Exposure::Impression })
    });
    let delay = match (fields.get("delay"), objective) {
        (None, _) => Some(None),
        (Some(node), Some(objective)) => delay::read(report, what, node, objective.window).map(Some),
        (Some(_), None) => None,
    };
    let reservation =
        fields.get("reservation").map_or(Some(RESERVATION_DEFAULT), |node| read::span(report, what, node));
    let mut switch = |name: &str| fields.get(name).map_or(Some(true), |node| read::flag(report, what, node));
    let (obeys_caps, counts_toward_caps) = (switch("obeys_caps"), switch("counts_toward_caps"));
    let strategy = fields.need(report, "strategy", "strategy: {name: thompson_linear}");
    let champion = strategy.and_then(|node| contenders::champion(report, what, node));
    let half_life_days = champion.map(|(_, half_life_days)| half_life_days);
    let champion = champion.map(|(champion, _)| champion);
    let challengers =
        fields.get("challengers").map_or(Some(Vec::new()), |node| contenders::challengers(report, what, node));
    let features =
        fields.get("features").map_or(Some(Vec::new()), |node| features::read(report, what, node, attributes));
    let holdout = fields.get("holdout").map_or(Some(Percent(0)), |node| read::percent(report, what, node));
    let fallback = fields
        .need(report, "fallback", "fallback: {offer: house-welcome, variant: a}")
        .and_then(|node| fallback(report, what, node));
    let money = money::read(report, &fields, objective, currency);
    Some(Placement {
        id: id?,
        channel: channel?,
        purpose: purpose?,
        currency: currency?,
        slots: u16::try_from(slots?).ok()?,
        nothing_allowed: nothing_allowed?,
        objective: objective?,
        exposure: exposure?,
        delay: delay?,
        reservation: reservation?,
        obeys_caps: obeys_caps?,
        counts_toward_caps: counts_toward_caps?,
        champion: champion?,
        challengers: challengers?,
        half_life_days: half_life_days?,
        features: features?,
        holdout: holdout?,
        fallback: fallback?,
        money: money?,
    })
}

pub(in crate::policy) fn channel_name(text: &str) -> Result<String, Malformed> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if fits {
        return Ok(text.to_owned());
    }
    Err(Malformed::new(format!("`{text}` is not a channel: expected 1 to 64 letters, digits, `_`, `-` or `.`")))
}

/// The fields of an objective.
pub(in crate::policy) const OBJECTIVE: [&str; 5] = ["kind", "window", "reward_cap", "value", "value_orders"];

/// As many orders the catalogue's margin counts for where nothing is declared.
const VALUE_ORDERS_DEFAULT: u32 = 20;

fn objective(report: &mut Report<'_>, what: &str, node: &Node, currency: Option<Currency>) -> Option<Objective> {
    let fields = Fields::open(report, format!("{what}: objective"), node, &OBJECTIVE, &[])?;
    let what = fields.what.as_str();
    let kind = fields.need(report, "kind", "kind: margin").and_then(|node| {
        Some(match read::choice(report, what, node, "objective", &["margin", "conversion", "click"], &[])? {
            "margin" => ObjectiveKind::Margin,
            "conversion" => ObjectiveKind::Conversion,
            _ => ObjectiveKind::Click,
        })
    });
    let window = fields.need(report, "window", "window: 7d").and_then(|node| read::span(report, what, node));
    let cap = fields.need(report, "reward_cap", "reward_cap: 200.00").and_then(|node| {
        let currency = currency?;
        let cap = read::parsed(report, what, node, "an amount such as `200.00`", |text| Money::parse(text, currency))?;
        if cap.minor <= 0 {
            read::out_of_range(report, what, node, "an amount above zero");
            return None;
        }
        Some(cap.minor)
    });
    let value = value(report, &fields, kind);
    Some(Objective { kind: kind?, window: window?, reward_cap_minor: cap?, value: value? })
}

fn value(report: &mut Report<'_>, fields: &Fields<'_>, kind: Option<ObjectiveKind>) -> Option<ValueSource> {
    let what = fields.what.as_str();
    let source = fields
        .get("value")
        .map_or(Some("catalogue"), |node| read::choice(report, what, node, "value", &["catalogue", "learned"], &[]));
    let orders = fields.get("value_orders").map(|node| (node, read::whole(report, what, node, 1, 100_000)));
    let learned = source? == "learned";
    if let (true, Some(ObjectiveKind::Conversion | ObjectiveKind::Click)) = (learned, kind) {
        let message = format!("{what}: a learned value that nothing is ranked by");
        report
            .add(codes::VALUE_UNUSED, fields.place, message, "every acceptance counts alike")
            .with_help("write `kind: margin`, or leave `value` out");
        return None;
    }
    if let (false, Some((node, _))) = (learned, orders) {
        let message = format!("{what}: `value_orders` without `value: learned`");
        report.add(codes::VALUE_UNUSED, node.place, message, "not used").with_help("add it, or leave this out");
        return None;
    }
    let orders = orders.map_or(Some(VALUE_ORDERS_DEFAULT), |(_, orders)| orders);
    Some(if learned { ValueSource::Learned { orders: orders? } } else { ValueSource::Catalogue })
}

fn fallback(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Fallback> {
    let fields = Fields::open(report, format!("{what}: fallback"), node, &["offer", "variant"], &[])?;
    let what = fields.what.as_str();
    let offer = fields
        .need(report, "offer", "offer: house-welcome")
        .and_then(|node| read::parsed(report, what, node, "an offer id", OfferId::new));
    let variant = fields
        .need(report, "variant", "variant: a")
        .and_then(|node| read::parsed(report, what, node, "a variant id", VariantId::new));
    Some(Fallback { offer: offer?, variant: variant? })
}

//! Placements: from `placements.yaml` to [`Placement`]. Decides nothing at them.

use std::collections::BTreeMap;

use super::codes;
use super::declare::{self, Declared};
use super::features::{self, Catalog};
use super::finding::Report;
use super::read::{self, Fields};
use super::syntax::Node;
use crate::domain::placement::Fallback;
use crate::domain::{
    Currency, Exposure, Malformed, Money, Objective, ObjectiveKind, OfferId, Percent, Placement, PlacementId,
    PurposeId, Span, Strategy, VariantId,
};

/// Exploration mass where none is given.
const EXPLORATION_DEFAULT: f64 = 0.05;

/// Life of a reservation where none is given: ten minutes.
const RESERVATION_DEFAULT: Span = Span(600_000);

/// The most slots of a placement.
const SLOTS_MAX: u32 = 10;

/// The longest half-life, in days.
const HALF_LIFE_DAYS_MAX: u32 = 365;

/// Reads `placements.yaml`.
pub(super) fn read(
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

const KNOWN: [&str; 13] = [
    "id",
    "channel",
    "purpose",
    "currency",
    "slots",
    "nothing_allowed",
    "objective",
    "exposure",
    "reservation",
    "strategy",
    "features",
    "holdout",
    "fallback",
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
    let reservation =
        fields.get("reservation").map_or(Some(RESERVATION_DEFAULT), |node| read::span(report, what, node));
    let learning = fields
        .need(report, "strategy", "strategy: {name: thompson_linear}")
        .and_then(|node| strategy(report, what, node));
    let features =
        fields.get("features").map_or(Some(Vec::new()), |node| features::read(report, what, node, attributes));
    let holdout = fields.get("holdout").map_or(Some(Percent(0)), |node| read::percent(report, what, node));
    let fallback = fields
        .need(report, "fallback", "fallback: {offer: house-welcome, variant: a}")
        .and_then(|node| fallback(report, what, node));
    let learning = learning?;
    Some(Placement {
        id: id?,
        channel: channel?,
        purpose: purpose?,
        currency: currency?,
        slots: u16::try_from(slots?).ok()?,
        nothing_allowed: nothing_allowed?,
        objective: objective?,
        exposure: exposure?,
        reservation: reservation?,
        strategy: learning.strategy,
        lambda: learning.lambda,
        half_life_days: learning.half_life_days,
        exploration: learning.exploration,
        features: features?,
        holdout: holdout?,
        fallback: fallback?,
    })
}

pub(super) fn channel_name(text: &str) -> Result<String, Malformed> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if fits {
        return Ok(text.to_owned());
    }
    Err(Malformed::new(format!("`{text}` is not a channel: expected 1 to 64 letters, digits, `_`, `-` or `.`")))
}

fn objective(report: &mut Report<'_>, what: &str, node: &Node, currency: Option<Currency>) -> Option<Objective> {
    let fields = Fields::open(report, format!("{what}: objective"), node, &["kind", "window", "reward_cap"], &[])?;
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
    Some(Objective { kind: kind?, window: window?, reward_cap_minor: cap? })
}

struct Learning {
    strategy: Strategy,
    lambda: f64,
    half_life_days: Option<u32>,
    exploration: f64,
}

fn strategy(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Learning> {
    let known = ["name", "half_life", "exploration", "alpha", "lambda"];
    let fields = Fields::open(report, format!("{what}: strategy"), node, &known, &[])?;
    let what = fields.what.as_str();
    let name = fields
        .need(report, "name", "name: thompson_linear")
        .and_then(|node| read::choice(report, what, node, "strategy", &Strategy::NAMES, &[]));
    let half_life = fields.get("half_life").map_or(Some(None), |node| half_life(report, what, node).map(Some));
    let default = if name == Some("greedy") { 0.0 } else { EXPLORATION_DEFAULT };
    let exploration = fields.get("exploration").map_or(Some(default), |node| {
        let mass = read::number(report, what, node, 0.0, 1.0, "a share from 0 to 1")?;
        match name {
            Some(name @ ("linucb" | "epsilon_greedy")) if mass <= 0.0 => {
                let instead = if name == "linucb" { "thompson_linear" } else { "greedy" };
                report
                    .add(
                        codes::EXPLORATION_ZERO,
                        node.place,
                        format!("{what}: {name} needs exploration above 0"),
                        "zero",
                    )
                    .with_help(format!(
                        "{name} alone always takes the same candidate, so that nothing could be estimated later; \
                         write `exploration: 0.05` or choose {instead}"
                    ));
                None
            }
            _ => Some(mass),
        }
    });
    let alpha = fields.get("alpha").map_or(Some(1.0), |node| {
        if name.is_some_and(|name| name != "linucb") {
            report
                .add(codes::ALPHA_UNUSED, node.place, format!("{what}: only linucb has a width `alpha`"), "not used")
                .with_help("remove it, or write `name: linucb`");
        }
        read::number(report, what, node, 0.0, 100.0, "a width from 0 to 100")
    });
    let lambda = fields
        .get("lambda")
        .map_or(Some(1.0), |node| read::number(report, what, node, 1e-3, 1e6, "a ridge prior from 0.001 to 1000000"));
    let strategy = match name? {
        "thompson_beta" => Strategy::ThompsonBeta,
        "linucb" => Strategy::Linucb { alpha: alpha? },
        "greedy" => Strategy::Greedy,
        "epsilon_greedy" => Strategy::EpsilonGreedy,
        "uniform" => Strategy::Uniform,
        _ => Strategy::ThompsonLinear,
    };
    Some(Learning { strategy, lambda: lambda?, half_life_days: half_life?, exploration: exploration? })
}

fn half_life(report: &mut Report<'_>, what: &str, node: &Node) -> Option<u32> {
    let span = read::span(report, what, node)?;
    let days = span.whole_days().filter(|days| (1..=HALF_LIFE_DAYS_MAX).contains(days));
    if days.is_none() {
        read::out_of_range(report, what, node, "whole days from `1d` to `365d`");
    }
    days
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

#[cfg(test)]
mod tests {
    use crate::domain::Strategy;
    use crate::policy::{Source, compile};

    fn strategy(text: &str) -> (Strategy, f64) {
        let file = |path: &str, text: String| Source { path: path.to_owned(), text };
        let bundle = compile(&[
            file("bundle.yaml", "name: sample\nschema: 1\n".into()),
            file("catalog/attributes.yaml", "attributes: []\n".into()),
            file(
                "catalog/purposes.yaml",
                "purposes:\n  - {id: p, dpv: ProvideProductRecommendations, bases: {US: [consent]}}\n".into(),
            ),
            file(
                "placements.yaml",
                format!(
                    "placements:\n  - id: home\n    channel: web\n    purpose: p\n    currency: USD\n    objective: \
                     {{kind: margin, window: 7d, reward_cap: 200.00}}\n    strategy: {{{text}}}\n    \
                     fallback: {{offer: house, variant: a}}\n"
                ),
            ),
        ])
        .unwrap_or_else(|findings| panic!("{}", findings.iter().map(ToString::to_string).collect::<String>()));
        let placement = bundle.placement("home").unwrap();
        (placement.strategy, placement.exploration)
    }

    #[test]
    fn every_strategy_is_read_by_its_name_and_explores_unless_it_is_greedy() {
        for name in Strategy::NAMES {
            let (read, exploration) = strategy(&format!("name: {name}"));
            assert_eq!(read.name(), name);
            assert_eq!(exploration, if name == "greedy" { 0.0 } else { 0.05 }, "{name}");
        }
        assert_eq!(strategy("name: greedy, exploration: 0.2"), (Strategy::Greedy, 0.2));
        assert_eq!(strategy("name: epsilon_greedy, exploration: 0.2"), (Strategy::EpsilonGreedy, 0.2));
        assert_eq!(strategy("name: linucb, alpha: 2"), (Strategy::Linucb { alpha: 2.0 }, 0.05));
    }
}

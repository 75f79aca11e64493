//! The bundle made for a world: its attributes declared, a set of placements for every strategy. Has no rule.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::json;

use super::delays;
use crate::domain::{AttributeScope, Placement, Span};
use crate::policy::{self, Finding, Source};
use crate::simulation::compare::{Delays, Settings, SettingsError};
use crate::simulation::replay::told;
use crate::simulation::world::{Drawn, World};

/// What was made.
pub(super) struct Made {
    /// For each strategy the placements in the order of the world's file.
    pub(super) placements: Vec<Vec<Placement>>,
    /// What is learned from, as `placements.yaml` names it.
    pub(super) features: Vec<String>,
}

/// Makes a bundle for every strategy and compiles it.
pub(super) fn make(world: &World, settings: &Settings, features: Option<&str>) -> Result<Made, SettingsError> {
    let all = || world.population.attributes.keys().map(ToString::to_string).collect();
    let features: Vec<String> = match features {
        None => all(),
        Some("none") => Vec::new(),
        Some(list) => list.split(',').map(|name| name.trim().to_owned()).collect(),
    };
    let attributes = attributes(world);
    let mut placements = Vec::new();
    for strategy in &settings.strategies {
        let files = [
            ("bundle.yaml", "name: world\nschema: 1\n".to_owned()),
            ("catalog/purposes.yaml", PURPOSES.to_owned()),
            ("catalog/attributes.yaml", attributes.clone()),
            ("placements.yaml", yaml(world, &strategy.yaml(), &features, settings.delay)),
        ];
        let files: Vec<Source> = files.into_iter().map(|(path, text)| Source { path: path.to_owned(), text }).collect();
        let compiled = policy::compile(&files).map_err(|findings| refused(world, &features, &findings))?;
        let of_strategy = world.placements.iter().filter_map(|place| compiled.placement(place.id.as_str()).cloned());
        placements.push(of_strategy.collect());
    }
    Ok(Made { placements, features })
}

/// An order counts when it happened at most this long after the decision.
pub(super) const WINDOW: Span = Span(30 * 86_400_000);

const PURPOSES: &str = "\
purposes:
  - id: offer_personalisation
    dpv: ProvideProductRecommendations
    bases: {EU: [consent], US: [consent, legitimate_interest]}
";

fn attributes(world: &World) -> String {
    let mut yaml = String::from("attributes:\n");
    for (id, drawn) in &world.population.attributes {
        let kind = match drawn {
            Drawn::Shares(shares) => enumeration(shares.keys().map(String::as_str)),
            Drawn::Number { mean, deviation, .. } => {
                format!("{{number: {{mean: {mean:.6}, scale: {:.6}}}}}", deviation.max(1e-6))
            }
        };
        let _ = write!(yaml, "  - id: {id}\n    type: {kind}\n");
        if id.scope() == AttributeScope::Customer {
            yaml.push_str("    class: personal\n    time_to_live: 365d\n");
        }
        yaml.push_str("    source: world\n    owner: world\n\n");
    }
    let categories: BTreeSet<&str> = world
        .offers
        .iter()
        .filter_map(|offer| offer.offer.category.as_ref())
        .map(crate::domain::CategoryId::as_str)
        .collect();
    if !categories.is_empty() {
        let kind = enumeration(categories.into_iter());
        let _ = write!(yaml, "  - id: offer.category\n    type: {kind}\n    source: world\n    owner: world\n");
    }
    yaml
}

fn enumeration<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.map(|name| json!(name).to_string()).collect();
    format!("{{enum: [{}]}}", quoted.join(", "))
}

fn yaml(world: &World, strategy: &str, features: &[String], delay: Delays) -> String {
    let currency = world.offers.first().map_or_else(|| "USD".to_owned(), |offer| offer.offer.currency().to_string());
    let features = features.join(", ");
    let delay = match delay {
        Delays::Ignored => String::new(),
        Delays::Known => format!("\n    {}", delays::known(world, WINDOW)),
    };
    let mut yaml = String::from("placements:\n");
    for place in &world.placements {
        let budget = place.exploration_budget.as_ref();
        let budget = budget.map_or_else(String::new, |amount| format!("\n    exploration_budget: {amount}"));
        let cheapest = place.cheapest.as_ref();
        let cheapest =
            cheapest.map_or_else(String::new, |reaching| format!("\n    cheapest: {{share: {}}}", reaching.share));
        let _ = write!(
            yaml,
            "  - id: {id}
    channel: web
    purpose: offer_personalisation
    currency: {currency}
    objective: {{kind: margin, window: {WINDOW}, reward_cap: 1000000}}{delay}{budget}{cheapest}
    strategy: {{{strategy}}}
    features: [{features}]
    fallback: {{offer: house, variant: a}}
",
            id = place.id
        );
    }
    yaml
}

/// Mistakes of the compiler, each once: they stand in every placement.
fn refused(world: &World, features: &[String], findings: &[Finding]) -> SettingsError {
    let known: Vec<String> = world.population.attributes.keys().map(|id| format!("`{id}`")).collect();
    let known = |name: &str| {
        let parts = name.split('*').map(str::trim);
        let unknown = parts
            .filter(|part| part.contains('.') && !part.starts_with("holiday.") && *part != "offer.category")
            .filter(|part| !known.contains(&format!("`{part}`")));
        unknown.map(|part| (part.to_owned(), known.join(", "))).collect::<Vec<_>>()
    };
    let unknown: BTreeSet<String> = features
        .iter()
        .flat_map(|name| known(name))
        .map(|(name, known)| format!("the world has no attribute `{name}` to learn from; it has {known}"))
        .collect();
    let told: BTreeSet<String> = if unknown.is_empty() { findings.iter().map(told).collect() } else { unknown };
    SettingsError(told.into_iter().collect::<Vec<_>>().join("; "))
}

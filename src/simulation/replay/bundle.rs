//! The bundle made for one feedback file: its attributes declared as they are found. Compiles nothing.
//!
//! Which names an attribute has, and the mean and scale of a number, are taken from the whole file: that looks ahead,
//! as a shop that declares its attributes from last year's data does not have to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::json;

use super::feedback::Offers;
use crate::domain::Value;
use crate::policy::Source;

/// Components of a feature vector at most, the intercept included.
const DIMENSIONS_MAX: usize = 512;
/// Texts with more values than this are declared as free text, which no feature reads.
const NAMES_MAX: usize = 40;
/// Smallest scale of a number.
const SCALE_MIN: f64 = 1e-6;

/// A bundle made for a file.
#[derive(Debug)]
pub struct Made {
    /// Its files.
    pub policies: Vec<Source>,
    /// What it learns from.
    pub features: Vec<String>,
    /// What it could not learn from.
    pub left_out: Vec<String>,
    /// Components of the feature vector, the intercept included.
    pub dimensions: usize,
}

/// What the values of one key are.
enum Kind {
    Names(BTreeSet<String>),
    Number { count: f64, mean: f64, squares: f64 },
    Flag,
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Text(_) => Self::Names(BTreeSet::new()),
            Value::Number(_) => Self::Number { count: 0.0, mean: 0.0, squares: 0.0 },
            Value::Bool(_) => Self::Flag,
        }
    }

    /// Takes in one value; numbers by Welford's recurrence for mean and sum of squared deviations.
    fn add(&mut self, value: &Value) {
        match (self, value) {
            (Self::Names(names), Value::Text(name)) => {
                names.insert(name.clone());
            }
            (Self::Number { count, mean, squares }, Value::Number(number)) => {
                *count += 1.0;
                let away = number.to_f64() - *mean;
                *mean += away / *count;
                *squares += away * (number.to_f64() - *mean);
            }
            _ => {}
        }
    }

    fn yaml(&self) -> String {
        match self {
            Self::Names(names) if names.len() <= NAMES_MAX => {
                let quoted: Vec<String> = names.iter().map(|name| json!(name).to_string()).collect();
                format!("{{enum: [{}]}}", quoted.join(", "))
            }
            Self::Names(_) => "text".to_owned(),
            Self::Number { count, mean, squares } => {
                let scale = (squares / count.max(1.0)).sqrt().max(SCALE_MIN);
                format!("{{number: {{mean: {mean:.6}, scale: {scale:.6}}}}}")
            }
            Self::Flag => "bool".to_owned(),
        }
    }

    /// Components as a feature; nothing where it can be none.
    fn width(&self) -> Option<usize> {
        match self {
            Self::Names(names) => (names.len() <= NAMES_MAX).then_some(names.len()),
            Self::Number { .. } | Self::Flag => Some(1),
        }
    }
}

/// A feature is asked for that the file does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no event has `{key}` in its context; it has {known}")]
pub struct UnknownFeature {
    /// As given.
    pub key: String,
    /// What there is.
    pub known: String,
}

/// A placement of the bundle: its id and its strategy as `placements.yaml` has it, between the braces.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its id.
    pub placement: &'a str,
    /// Such as `name: linucb, alpha: 1`.
    pub strategy: &'a str,
}

/// Makes the bundle: conversion, no margin floor, no cap, consent for personalisation needed. Learns from the keys
/// asked for, otherwise from all that fit.
pub fn make<'a>(
    contexts: impl Iterator<Item = &'a BTreeMap<String, Value>>,
    placements: &[Asked<'_>],
    features: Option<&str>,
    fallback: &str,
) -> Result<Made, UnknownFeature> {
    let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
    for (key, value) in contexts.flatten() {
        kinds.entry(key).or_insert_with(|| Kind::of(value)).add(value);
    }
    let wanted: Vec<&str> = match features {
        None => kinds.keys().copied().collect(),
        Some("none") => Vec::new(),
        Some(list) => list.split(',').map(str::trim).collect(),
    };
    let (mut features, mut left_out, mut dimensions) = (Vec::new(), Vec::new(), 1);
    for key in wanted {
        let Some(kind) = kinds.get(key) else {
            let known = kinds.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            return Err(UnknownFeature { key: key.to_owned(), known });
        };
        match kind.width() {
            Some(width) if dimensions + width <= DIMENSIONS_MAX => {
                dimensions += width;
                features.push(key.to_owned());
            }
            _ => left_out.push(key.to_owned()),
        }
    }
    let mut attributes = String::from("attributes:\n");
    for (key, kind) in &kinds {
        let _ = write!(attributes, "  - id: context.{key}\n    type: {}\n    source: replay\n\n", kind.yaml());
    }
    let listed: String = placements.iter().map(|asked| placement(asked, &features, fallback)).collect();
    let mut files = vec![
        ("bundle.yaml", "name: replay\nschema: 1\n".to_owned()),
        ("catalog/purposes.yaml", PURPOSES.to_owned()),
        ("placements.yaml", format!("placements:\n{listed}")),
        ("rules/10-consent.yaml", CONSENT.to_owned()),
    ];
    if !kinds.is_empty() {
        files.push(("catalog/attributes.yaml", attributes));
    }
    let policies = files.into_iter().map(|(path, text)| Source { path: path.to_owned(), text }).collect();
    Ok(Made { policies, features, left_out, dimensions })
}

const PURPOSES: &str = "\
purposes:
  - id: offer_personalisation
    dpv: ProvideProductRecommendations
    bases: {EU: [consent], US: [consent, legitimate_interest]}
";

const CONSENT: &str = "\
owner: replay

purpose_gates:
  - id: consent.personal
    why: Personal offers need a consent in force
    purpose: offer_personalisation
";

fn placement(asked: &Asked<'_>, features: &[String], fallback: &str) -> String {
    let features = features.iter().map(|key| format!("context.{key}")).collect::<Vec<_>>().join(", ");
    let Asked { placement, strategy } = asked;
    format!(
        "  - id: {placement}
    channel: web
    purpose: offer_personalisation
    currency: USD
    objective: {{kind: conversion, window: 30d, reward_cap: 1000000.00}}
    strategy: {{{strategy}}}
    features: [{features}]
    fallback: {{offer: {fallback}, variant: a}}
"
    )
}

/// An id for the fallback that no offer of the file has.
pub fn fallback_id(offers: &Offers) -> String {
    let mut id = "house".to_owned();
    while offers.keys().any(|offer| offer.as_str() == id) {
        id.push_str("-x");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AttributeId;
    use crate::domain::placement::Encoder;

    const PLACEMENT: &str = "replay";

    fn event(context: &str) -> BTreeMap<String, Value> {
        serde_json::from_str(context).unwrap()
    }

    fn make(contexts: &[BTreeMap<String, Value>], strategy: &str, asked: Option<&str>) -> Result<Made, UnknownFeature> {
        super::make(contexts.iter(), &[Asked { placement: PLACEMENT, strategy }], asked, "house")
    }

    #[test]
    fn the_bundle_of_a_file_compiles_with_what_was_found_in_it() {
        let mut events = vec![
            event(r#"{"age": 20, "town": "A: \"b\" #1", "member": true, "note": "n0", "flat": 3}"#),
            event(r#"{"age": 40, "town": "no", "flat": 3}"#),
        ];
        events.extend((1..=NAMES_MAX).map(|n| event(&format!(r#"{{"note": "n{n}"}}"#))));
        let made = make(&events, "name: linucb", None).unwrap();
        assert_eq!((made.features.join(" "), made.left_out.join(" ")), ("age flat member town".into(), "note".into()));
        let bundle = crate::policy::compile(&made.policies).unwrap();
        let placement = bundle.placement(PLACEMENT).unwrap();
        assert_eq!(placement.dimensions(), made.dimensions);
        assert_eq!(placement.champion.strategy.name(), "linucb");
        let encoder = |at: usize| placement.features[at].atoms[0].encoder.clone();
        assert_eq!(encoder(0), Encoder::Standardised { mean: 30.0, scale: 10.0 });
        assert_eq!(encoder(1), Encoder::Standardised { mean: 3.0, scale: SCALE_MIN });
        assert_eq!(encoder(3), Encoder::OneHot(vec!["A: \"b\" #1".into(), "no".into()]));
        assert!(bundle.attributes.contains_key(&AttributeId::parse("context.note").unwrap()));
    }

    #[test]
    fn features_asked_for_replace_all_and_an_unknown_one_is_refused() {
        let events = [event(r#"{"age": 20, "town": "x"}"#)];
        let asked = |list: &str| make(&events, "name: uniform", Some(list));
        assert_eq!(asked("town").unwrap().features, ["town"]);
        assert_eq!(asked("none").unwrap().dimensions, 1);
        assert_eq!(asked("twon").unwrap_err().to_string(), "no event has `twon` in its context; it has `age`, `town`");
    }
}

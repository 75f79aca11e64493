//! The bundle and the offers made for one full-feedback file. Checks neither: the service does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proffer::domain::Value;
use proffer::policy::Source;
use serde_json::{Value as Json, json};

use super::file::{Event, ReplayError, ReplayFile};

/// The placement that a replay asks at.
pub const PLACEMENT: &str = "replay";
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

/// Makes the bundle: conversion, no margin floor, no cap, consent for personalisation needed. Learns from the keys
/// asked for, otherwise from all that fit.
pub fn make(events: &[Event], strategy: &str, asked: Option<&str>, fallback: &str) -> Result<Made, ReplayError> {
    let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
    for (key, value) in events.iter().flat_map(|event| &event.context) {
        kinds.entry(key).or_insert_with(|| Kind::of(value)).add(value);
    }
    let wanted: Vec<&str> = match asked {
        None => kinds.keys().copied().collect(),
        Some("none") => Vec::new(),
        Some(list) => list.split(',').map(str::trim).collect(),
    };
    let (mut features, mut left_out, mut dimensions) = (Vec::new(), Vec::new(), 1);
    for key in wanted {
        let Some(kind) = kinds.get(key) else {
            let known = kinds.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            return Err(ReplayError::Feature { key: key.to_owned(), known });
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
    let mut files = vec![
        ("bundle.yaml", "name: replay\nschema: 1\n".to_owned()),
        ("catalog/purposes.yaml", PURPOSES.to_owned()),
        ("placements.yaml", placement(strategy, &features, fallback)),
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

fn placement(strategy: &str, features: &[String], fallback: &str) -> String {
    let features = features.iter().map(|key| format!("context.{key}")).collect::<Vec<_>>().join(", ");
    format!(
        "\
placements:
  - id: {PLACEMENT}
    channel: web
    purpose: offer_personalisation
    currency: USD
    objective: {{kind: conversion, window: 30d, reward_cap: 1000000.00}}
    strategy: {{name: {strategy}}}
    features: [{features}]
    fallback: {{offer: {fallback}, variant: a}}
"
    )
}

/// An id for the fallback that no offer of the file has.
pub fn fallback_id(file: &ReplayFile) -> String {
    let mut id = "house".to_owned();
    while file.offers.keys().any(|offer| offer.as_str() == id) {
        id.push_str("-x");
    }
    id
}

/// The offers in the form of the import: price 1, one variant; their attributes in the file are not used.
pub fn offers(file: &ReplayFile, fallback: &str) -> Json {
    let one = |id: &str, name: &str| {
        json!({
            "offer_id": id, "name": name, "price": {"amount": "1.00", "currency": "USD"},
            "variants": [{"variant_id": "a"}],
        })
    };
    let mut offers: Vec<Json> = file.offers.iter().map(|(id, name)| one(id.as_str(), name)).collect();
    offers.push(one(fallback, "House content"));
    Json::Array(offers)
}

#[cfg(test)]
mod tests {
    use proffer::domain::placement::Encoder;
    use proffer::domain::{AttributeId, Timestamp};

    use super::*;

    fn event(context: &str) -> Event {
        Event {
            id: String::new(),
            at: Timestamp(0),
            customer_id: String::new(),
            context: serde_json::from_str(context).unwrap(),
            rewards: BTreeMap::new(),
        }
    }

    #[test]
    fn the_bundle_of_a_file_compiles_with_what_was_found_in_it() {
        let mut events = vec![
            event(r#"{"age": 20, "town": "A: \"b\" #1", "member": true, "note": "n0", "flat": 3}"#),
            event(r#"{"age": 40, "town": "no", "flat": 3}"#),
        ];
        events.extend((1..=NAMES_MAX).map(|n| event(&format!(r#"{{"note": "n{n}"}}"#))));
        let made = make(&events, "linucb", None, "house").unwrap();
        assert_eq!((made.features.join(" "), made.left_out.join(" ")), ("age flat member town".into(), "note".into()));
        let bundle = proffer::policy::compile(&made.policies).unwrap();
        let placement = bundle.placement(PLACEMENT).unwrap();
        assert_eq!(placement.dimensions(), made.dimensions);
        assert_eq!(placement.strategy.name(), "linucb");
        let encoder = |at: usize| placement.features[at].atoms[0].encoder.clone();
        assert_eq!(encoder(0), Encoder::Standardised { mean: 30.0, scale: 10.0 });
        assert_eq!(encoder(1), Encoder::Standardised { mean: 3.0, scale: SCALE_MIN });
        assert_eq!(encoder(3), Encoder::OneHot(vec!["A: \"b\" #1".into(), "no".into()]));
        assert!(bundle.attributes.contains_key(&AttributeId::parse("context.note").unwrap()));
    }

    #[test]
    fn features_asked_for_replace_all_and_an_unknown_one_is_refused() {
        let events = [event(r#"{"age": 20, "town": "x"}"#)];
        let asked = |list: &str| make(&events, "uniform", Some(list), "house");
        assert_eq!(asked("town").unwrap().features, ["town"]);
        assert_eq!(asked("none").unwrap().dimensions, 1);
        assert_eq!(asked("twon").unwrap_err().to_string(), "no event has `twon` in its context; it has `age`, `town`");
    }
}

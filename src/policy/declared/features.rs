//! Features of a placement: names and products of names, bound to declared attributes. Computes no vector.

use std::collections::BTreeMap;

use super::attributes::{AttributeClass, AttributeKind, AttributeSpec};
use super::calendars::{self, Calendars};
use super::lineage;
use crate::domain::placement::Encoder;
use crate::domain::{AttributeId, Feature, FeatureAtom, Holidays};
use crate::policy::codes;
use crate::policy::declare::Declared;
use crate::policy::finding::Report;
use crate::policy::read;
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::Node;

/// The most components of a feature vector, the intercept included.
pub(in crate::policy) const DIMENSIONS_MAX: usize = 512;

/// The features that are no attributes, but read the calendar and the clock.
const CLOCK: [(&str, Encoder); 4] = [
    ("hour_of_day", Encoder::HourOfDay),
    ("day_of_week", Encoder::DayOfWeek),
    ("weekend", Encoder::Weekend),
    ("season", Encoder::Season),
];

/// The encoder of a feature that is no attribute.
fn clock(name: &str, calendars: &Calendars) -> Option<Encoder> {
    let read = CLOCK.iter().find(|(known, _)| *known == name).map(|(_, encoder)| encoder.clone());
    let of_country = || Holidays::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, holidays)| holidays);
    read.or_else(|| Some(Encoder::Holiday(of_country().or_else(|| calendars.of(name))?)))
}

fn clock_names<'a>() -> impl Iterator<Item = &'a str> {
    CLOCK.iter().map(|(name, _)| *name).chain(Holidays::ALL.into_iter().map(|(name, _)| name))
}

/// The attributes that features are bound to.
#[derive(Clone, Copy)]
pub(in crate::policy) struct Catalog<'a> {
    pub(in crate::policy) specs: &'a BTreeMap<AttributeId, AttributeSpec>,
    pub(in crate::policy) declared: &'a Declared,
    pub(in crate::policy) calendars: &'a Calendars,
}

/// Reads the list of features.
pub(in crate::policy) fn read(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    catalog: Catalog<'_>,
) -> Option<Vec<Feature>> {
    let mut features: Vec<Feature> = Vec::new();
    let mut whole = true;
    let mut width = 1;
    for item in read::list(report, what, node)? {
        let Some(feature) = feature(report, what, item, catalog) else {
            whole = false;
            continue;
        };
        if features.iter().any(|other| other.text == feature.text) {
            let message = format!("{what}: feature `{}` appears twice", feature.text);
            report.add(codes::ENTRY_TWICE, item.place, message, "again").with_help("keep one of them");
            continue;
        }
        let before = width;
        width += feature.width();
        if before <= DIMENSIONS_MAX && width > DIMENSIONS_MAX {
            let message =
                format!("{what}: with this feature there are {width} dimensions: at most {DIMENSIONS_MAX} are allowed");
            report.add(codes::FEATURE_WIDE, item.place, message, format!("{} dimensions", feature.width())).with_help(
                "leave a product or an enum with many names out; each name is a dimension, and products multiply",
            );
        }
        features.push(feature);
    }
    whole.then_some(features)
}

fn feature(report: &mut Report<'_>, what: &str, node: &Node, catalog: Catalog<'_>) -> Option<Feature> {
    let text = read::text(report, what, node)?;
    let names: Vec<&str> = text.split('*').map(str::trim).collect();
    if names.len() > 2 {
        report
            .add(
                codes::FEATURE_FACTORS,
                node.place,
                format!("{what}: feature `{text}` has {} factors", names.len()),
                "at most two",
            )
            .with_help("multiply two at most, such as `customer.tier * offer.category`");
        return None;
    }
    let atoms: Option<Vec<FeatureAtom>> = names.iter().map(|name| atom(report, what, node, name, catalog)).collect();
    Some(Feature { text: names.join(" * "), atoms: atoms? })
}

fn atom(report: &mut Report<'_>, what: &str, node: &Node, name: &str, catalog: Catalog<'_>) -> Option<FeatureAtom> {
    if let Some(encoder) = clock(name, catalog.calendars) {
        return Some(FeatureAtom { attribute: None, encoder });
    }
    if name.starts_with(calendars::PREFIX) {
        catalog.calendars.unknown(report, what, node.place, name);
        return None;
    }
    let Some(spec) = catalog.specs.get(name) else {
        // A declared attribute without a spec has a finding of its own.
        if catalog.declared.lacks(name) {
            let meant = did_you_mean(name, catalog.declared.names().chain(clock_names()));
            report
                .add(
                    codes::ATTRIBUTE_UNKNOWN,
                    node.place,
                    format!("{what}: unknown attribute `{name}`{meant}"),
                    "not in catalog/attributes.yaml",
                )
                .with_help(
                    "a feature is a declared attribute, `hour_of_day`, `day_of_week`, `weekend`, `season`, \
                     `holiday.us` (`gb`, `de`, `fr`, a calendar of your own), or a product such as `customer.tier * offer.category`",
                );
        }
        return None;
    };
    if spec.class >= AttributeClass::Sensitive {
        let (class, because) = (spec.class.name(), lineage::because(catalog.specs, spec));
        report
            .add(
                codes::FEATURE_CLASS,
                node.place,
                format!("{what}: `{name}` is {class}{because} and can never be a feature"),
                format!("class {class}"),
            )
            .with_help("remove it: sensitive and protected attributes must not steer what is shown");
        return None;
    }
    let encoder = match &spec.kind {
        AttributeKind::Enum(names) => Encoder::OneHot(names.clone()),
        AttributeKind::Number { mean, scale } => Encoder::Standardised { mean: *mean, scale: *scale },
        AttributeKind::Bool => Encoder::Flag,
        AttributeKind::Date => {
            let message = format!("{what}: `{name}` is a date and cannot be a feature");
            report
                .add(codes::FEATURE_TEXT, node.place, message, "a date")
                .with_help("declare a number of days as an attribute of its own, or remove it");
            return None;
        }
        AttributeKind::Text => {
            report
                .add(
                    codes::FEATURE_TEXT,
                    node.place,
                    format!("{what}: `{name}` is free text and cannot be a feature"),
                    "free text",
                )
                .with_help("declare it as `{enum: [...]}` if it has few values, or remove it");
            return None;
        }
    };
    Some(FeatureAtom { attribute: Some(spec.id.clone()), encoder })
}

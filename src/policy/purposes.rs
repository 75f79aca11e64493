//! Purposes of processing, with the lawful bases allowed per jurisdiction. Judges no consent.

use std::collections::BTreeMap;

use super::codes;
use super::declare::{self, Declared};
use super::finding::{Place, Report};
use super::jurisdiction;
use super::read;
use super::syntax::{Node, Yaml};
use crate::domain::{Basis, PurposeId};

/// A declared purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurposeSpec {
    /// Unique within the bundle.
    pub id: PurposeId,
    /// Its name in the W3C Data Privacy Vocabulary; empty where not said.
    pub dpv: String,
    /// Lawful bases by jurisdiction (`EU`, `US`, `US-NY`).
    pub bases: BTreeMap<String, Vec<Basis>>,
    /// The purpose decided under when this one is refused.
    pub fallback: Option<PurposeId>,
}

impl PurposeSpec {
    /// The bases allowed in a jurisdiction: its own entry, else its country's, else that of the EU for the EU and the
    /// EEA; where absent or unknown, only those that every listed jurisdiction allows.
    pub fn bases_in(&self, jurisdiction: Option<&str>) -> Vec<Basis> {
        jurisdiction::bases(&self.bases, jurisdiction)
    }
}

/// The fields of a purpose.
pub(super) const FIELDS: [&str; 4] = ["id", "dpv", "bases", "fallback"];

/// Reads `catalog/purposes.yaml`.
pub(super) fn read(report: &mut Report<'_>, root: &Node) -> (BTreeMap<PurposeId, PurposeSpec>, Declared) {
    let mut specs = BTreeMap::new();
    let mut declared = Declared::default();
    let mut fallbacks: Vec<(PurposeId, Place)> = Vec::new();
    for item in declare::items(report, root, "purposes", "purposes: [...]", &mut declared) {
        let Some((spec, fallback)) = purpose(report, item, &mut declared) else { continue };
        fallbacks.extend(fallback.map(|place| (spec.id.clone(), place)));
        specs.insert(spec.id.clone(), spec);
    }
    for (id, place) in fallbacks {
        check_fallback(report, &specs, &declared, &id, place);
    }
    (specs, declared)
}

fn purpose(report: &mut Report<'_>, node: &Node, declared: &mut Declared) -> Option<(PurposeSpec, Option<Place>)> {
    let fields = declare::item(report, "purpose", node, &FIELDS, declared)?;
    let what = fields.what.as_str();
    let id = ("purpose", "a purpose id", "id: offer_personalisation");
    let id = declare::declare(report, &fields, id, |text| PurposeId::new(text), declared);
    let dpv = fields.get("dpv").and_then(|node| read::text(report, what, node));
    let bases = fields.get("bases").map(|node| bases(report, what, node)).unwrap_or_default();
    let fallback = fields.get("fallback");
    let named = fallback.and_then(|node| read::parsed(report, what, node, "a purpose id", PurposeId::new));
    let place = fallback.filter(|_| named.is_some()).map(|node| node.place);
    let spec = PurposeSpec { id: id?, dpv: dpv.unwrap_or_default().to_owned(), bases, fallback: named };
    Some((spec, place))
}

fn bases(report: &mut Report<'_>, what: &str, node: &Node) -> BTreeMap<String, Vec<Basis>> {
    let Yaml::Map(entries) = &node.value else {
        read::expected(report, what, node, "a mapping such as `{EU: [consent]}`");
        return BTreeMap::new();
    };
    let names = Basis::ALL.map(|(_, name)| name);
    let mut listed = BTreeMap::new();
    for (key, node) in entries {
        if let Err(error) = jurisdiction::check(&key.text) {
            read::unreadable(report, what, key.place, &error, "`EU`, `US` or `US-NY`");
            continue;
        }
        let allowed =
            read::list_of(report, what, node, "name a lawful basis, or leave the jurisdiction out", |report, node| {
                let chosen = read::choice(report, what, node, "lawful basis", &names, &[])?;
                Basis::ALL.iter().find(|(_, name)| *name == chosen).map(|(basis, _)| *basis)
            });
        listed.extend(allowed.map(|allowed| (key.text.clone(), allowed)));
    }
    listed
}

fn check_fallback(
    report: &mut Report<'_>,
    specs: &BTreeMap<PurposeId, PurposeSpec>,
    declared: &Declared,
    id: &PurposeId,
    place: Place,
) {
    let next = |id: &PurposeId| specs.get(id).and_then(|spec| spec.fallback.as_ref());
    let what = format!("purpose `{id}`");
    let Some(fallback) = next(id) else { return };
    let home = (codes::PURPOSE_UNKNOWN, "purpose", "catalog/purposes.yaml");
    if !declare::refer(report, home, &what, (place, fallback.as_str()), declared) {
        return;
    }
    // A circle is found by its members: each returns to itself within as many steps as there are purposes.
    let circle = std::iter::successors(Some(fallback), |at| next(at)).take(specs.len()).any(|at| at == id);
    if circle {
        report
            .add(codes::PURPOSE_CIRCLE, place, format!("{what}: its fallbacks lead back to itself"), "leads back")
            .with_help("let the last purpose of the chain have no fallback");
    }
}

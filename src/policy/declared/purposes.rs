//! Purposes of processing, with the lawful bases allowed per jurisdiction. Judges no consent.

use std::collections::BTreeMap;

use super::dpv;
use super::jurisdiction;
use crate::domain::{Basis, PurposeId};
use crate::policy::codes;
use crate::policy::declare::{self, Declared};
use crate::policy::finding::{Place, Report};
use crate::policy::read;
use crate::policy::rules::{Rule, RuleKind};
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::{Node, Yaml};

/// A declared purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurposeSpec {
    /// Unique within the bundle.
    pub id: PurposeId,
    /// Its IRI in the W3C Data Privacy Vocabulary, or in another one; empty where not said.
    pub dpv: String,
    /// Lawful bases by jurisdiction (`EU`, `US`, `US-NY`).
    pub bases: BTreeMap<String, Vec<Basis>>,
    /// The purpose decided under when this one is refused.
    pub fallback: Option<PurposeId>,
    /// Whether its gates refuse a request that carries the signal of Global Privacy Control, whatever was granted.
    pub obeys_signal: bool,
}

impl PurposeSpec {
    /// The bases allowed in a jurisdiction: its own entry, else its country's, else that of the EU for the EU and the
    /// EEA; where absent or unknown, only those that every listed jurisdiction allows.
    pub fn bases_in(&self, jurisdiction: Option<&str>) -> Vec<Basis> {
        jurisdiction::bases(&self.bases, jurisdiction)
    }
}

/// What `catalog/purposes.yaml` declares.
pub(in crate::policy) struct Purposes {
    pub(in crate::policy) specs: BTreeMap<PurposeId, PurposeSpec>,
    pub(in crate::policy) declared: Declared,
    /// Those that obey a signal, with the place that says so.
    pub(in crate::policy) obeying: Vec<(PurposeId, Place)>,
}

/// Reads `catalog/purposes.yaml`.
pub(in crate::policy) fn read(report: &mut Report<'_>, root: &Node) -> Purposes {
    let mut specs = BTreeMap::new();
    let mut obeying = Vec::new();
    let mut declared = Declared::default();
    let mut fallbacks: Vec<(PurposeId, Place)> = Vec::new();
    for item in declare::items(report, root, "purposes", "purposes: [...]", &mut declared) {
        let Some((spec, fallback, signal)) = purpose(report, item, &mut declared) else { continue };
        fallbacks.extend(fallback.map(|place| (spec.id.clone(), place)));
        obeying.extend(signal.filter(|_| spec.obeys_signal).map(|place| (spec.id.clone(), place)));
        specs.insert(spec.id.clone(), spec);
    }
    for (id, place) in fallbacks {
        check_fallback(report, &specs, &declared, &id, place);
    }
    Purposes { specs, declared, obeying }
}

/// The fields of a purpose.
pub(in crate::policy) const FIELDS: [&str; 5] = ["id", "dpv", "bases", "fallback", "gpc"];

/// A purpose, with the places of its fallback and of its answer to a signal.
fn purpose(
    report: &mut Report<'_>,
    node: &Node,
    declared: &mut Declared,
) -> Option<(PurposeSpec, Option<Place>, Option<Place>)> {
    let fields = declare::item(report, "purpose", node, &FIELDS, declared)?;
    let what = fields.what.as_str();
    let id = ("purpose", "a purpose id", "id: offer_personalisation");
    let id = declare::declare(report, &fields, id, |text| PurposeId::new(text), declared);
    let dpv = fields.get("dpv").and_then(|node| {
        let text = read::text(report, what, node)?;
        iri(report, what, node, text)
    });
    let gpc = fields.get("gpc").and_then(|node| read::choice(report, what, node, "answer", &["ignore", "refuse"], &[]));
    let bases = fields.get("bases").map(|node| bases(report, what, node)).unwrap_or_default();
    let fallback = fields.get("fallback");
    let named = fallback.and_then(|node| read::parsed(report, what, node, "a purpose id", PurposeId::new));
    let place = fallback.filter(|_| named.is_some()).map(|node| node.place);
    let spec = PurposeSpec {
        id: id?,
        dpv: dpv.unwrap_or_default(),
        bases,
        fallback: named,
        obeys_signal: gpc == Some("refuse"),
    };
    Some((spec, place, fields.get("gpc").map(|node| node.place)))
}

fn bases(report: &mut Report<'_>, what: &str, node: &Node) -> BTreeMap<String, Vec<Basis>> {
    let Yaml::Map(entries) = &node.value else {
        read::expected(report, what, node, "a mapping such as `{EU: [consent]}`");
        return BTreeMap::new();
    };
    let mut listed = BTreeMap::new();
    for (key, node) in entries {
        if let Err(error) = jurisdiction::check(&key.text) {
            read::unreadable(report, what, key.place, &error, "`EU`, `US` or `US-NY`");
            continue;
        }
        let allowed =
            read::list_of(report, what, node, "name a lawful basis, or leave the jurisdiction out", |report, node| {
                basis(report, what, node)
            });
        listed.extend(allowed.map(|allowed| (key.text.clone(), allowed)));
    }
    listed
}

/// A lawful basis by its name.
pub(in crate::policy) fn basis(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Basis> {
    let chosen = read::choice(report, what, node, "lawful basis", &Basis::ALL.map(|(_, name)| name), &[])?;
    Basis::ALL.iter().find(|(_, name)| *name == chosen).map(|(basis, _)| *basis)
}

/// The IRI of a purpose: of a term of the vocabulary, or one written out.
fn iri(report: &mut Report<'_>, what: &str, node: &Node, text: &str) -> Option<String> {
    if let Some(iri) = dpv::iri(text) {
        return Some(iri);
    }
    let term = dpv::term(text);
    let meant = did_you_mean(term, dpv::PURPOSES);
    let message = format!("{what}: `{text}` is no purpose of the W3C Data Privacy Vocabulary{meant}");
    report.add(codes::DPV_UNKNOWN, node.place, message, "not a purpose there").with_help(
        "write a term of https://w3id.org/dpv#vocab-purposes, its IRI, or the IRI of a purpose in another vocabulary",
    );
    None
}

/// Says which purposes obey a signal and have no gate that could.
pub(in crate::policy) fn check_signals(report: &mut Report<'_>, obeying: &[(PurposeId, Place)], rules: &[Rule]) {
    for (id, place) in obeying {
        let guards = |rule: &Rule| matches!(&rule.kind, RuleKind::PurposeGate(gate) if gate.purpose == *id);
        if !rules.iter().any(guards) {
            let message = format!("purpose `{id}`: it obeys a signal, and no gate asks for it");
            report
                .add(codes::SIGNAL_UNUSED, *place, message, "nobody would refuse")
                .with_help("add a gate for the purpose to `purpose_gates`, or leave `gpc` out");
        }
    }
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

//! Lineage: what attributes are derived from, the class that follows, and which rules may then read them. Holds no
//! value.
//!
//! An attribute is handled as carefully as the strictest of what it is derived from, however far back. So nothing
//! protected comes in by a detour.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes::{AttributeClass, AttributeSpec};
use crate::domain::AttributeId;
use crate::policy::codes;
use crate::policy::declare::{self, Declared};
use crate::policy::finding::{Place, Report};
use crate::policy::read::{self, Fields};

type Specs = BTreeMap<AttributeId, AttributeSpec>;

/// Where an attribute says what it is derived from.
pub(in crate::policy) struct Written {
    id: AttributeId,
    from: Vec<Place>,
    /// Where it says its class itself.
    class: Option<Place>,
}

/// Reads `derived_from`; nothing where it is broken.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<(Vec<AttributeId>, Vec<Place>)> {
    let Some(node) = fields.get("derived_from") else { return Some((Vec::new(), Vec::new())) };
    let what = fields.what.as_str();
    let empty = "leave the list out where the attribute is derived from no other";
    let mut places = Vec::new();
    let ids = read::list_of(report, what, node, empty, |report, node| {
        places.push(node.place);
        read::parsed(report, what, node, "a name such as `customer.tier`", AttributeId::parse)
    })?;
    Some((ids, places))
}

impl Written {
    pub(in crate::policy) fn new(id: &AttributeId, fields: &Fields<'_>, from: Vec<Place>) -> Self {
        Self { id: id.clone(), from, class: fields.get("class").map(|node| node.place) }
    }
}

/// Gives every attribute the class that follows from its sources. One that says less of itself is a finding, and so is
/// one that leads back to itself.
pub(in crate::policy) fn derive(report: &mut Report<'_>, specs: &mut Specs, written: &[Written], declared: &Declared) {
    let home = (codes::ATTRIBUTE_UNKNOWN, "attribute", "catalog/attributes.yaml");
    let mut raised = Vec::new();
    for Written { id, from, class: stated } in written {
        let Some(spec) = specs.get(id) else { continue };
        let what = format!("attribute `{id}`");
        for (source, place) in spec.derived_from.iter().zip(from) {
            declare::refer(report, home, &what, (*place, source.as_str()), declared);
        }
        let sources = sources(specs, id);
        if let (true, Some(place)) = (sources.contains(id), from.first()) {
            report
                .add(codes::LINEAGE_CIRCLE, *place, format!("{what}: it is derived from itself"), "leads back")
                .with_help("name only what it is computed from: somewhere there is a first value");
            continue;
        }
        let strictest = sources.iter().filter_map(|id| specs.get(id)).max_by_key(|spec| spec.class);
        let Some(strictest) = strictest.filter(|strictest| strictest.class > spec.class) else { continue };
        let (class, own, source) = (strictest.class, spec.class.name(), &strictest.id);
        if let Some(place) = stated {
            let name = class.name();
            let message = format!("{what}: it is {own} by its own word, and derived from `{source}`, which is {name}");
            report
                .add(codes::LINEAGE_CLASS, *place, message, format!("at least `{name}`"))
                .with_help(format!("write `class: {name}`, or leave the field out"));
        }
        raised.push((id.clone(), class));
    }
    for (id, class) in raised {
        if let Some(spec) = specs.get_mut(&id) {
            spec.class = class;
        }
    }
}

/// Everything that an attribute is derived from, however far back; itself among it where that leads in a circle.
fn sources(specs: &Specs, id: &AttributeId) -> BTreeSet<AttributeId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&AttributeId> = vec![id];
    while let Some(next) = open.pop() {
        for source in specs.get(next).into_iter().flat_map(|spec| &spec.derived_from) {
            if found.insert(source.clone()) {
                open.push(source);
            }
        }
    }
    found
}

/// What reads an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum ReadBy {
    /// A guard of an audience, which keeps offers from whom it protects.
    Guard,
    /// An exclusion.
    Exclusion,
    /// Any other rule.
    Other,
}

/// What may never read an attribute, with what it is told.
pub(in crate::policy) struct Barred {
    pub(in crate::policy) message: String,
    pub(in crate::policy) label: String,
    pub(in crate::policy) help: &'static str,
}

/// Whether an attribute is kept from what would read it. A protected one is read by guards of audiences alone: whoever
/// is a minor is protected by it. A sensitive one is read by `exclusions` too, which can keep an offer from somebody
/// and give none to anybody.
pub(in crate::policy) fn barred(specs: &Specs, spec: &AttributeSpec, reader: ReadBy) -> Option<Barred> {
    let (id, class) = (&spec.id, spec.class.name());
    let (told, help) = match spec.class {
        AttributeClass::Protected if reader != ReadBy::Guard => (
            "no rule but a guard may read it",
            "remove it: what the law protects must not decide who is shown what; `audience_guards` may keep an offer \
             from those whom it protects",
        ),
        AttributeClass::Sensitive if reader == ReadBy::Other => (
            "only guards and rules of `exclusions` may read it",
            "remove it, or write a rule of `exclusions` that spares people an offer",
        ),
        _ => return None,
    };
    Some(Barred {
        message: format!("`{id}` is {class}{}: {told}", because(specs, spec)),
        label: format!("class {class}"),
        help,
    })
}

/// Where an attribute has its class from, if not from itself.
pub(in crate::policy) fn because(specs: &Specs, spec: &AttributeSpec) -> String {
    let sources = sources(specs, &spec.id);
    let first = |source: &&AttributeSpec| source.class == spec.class && source.derived_from.is_empty();
    let found = sources.iter().filter_map(|id| specs.get(id)).find(first);
    found.map_or_else(String::new, |source| format!(", being derived from `{}`", source.id))
}

//! Cases: one file of tests to checked cases, each complete in itself. Tries none.

use std::collections::{BTreeMap, BTreeSet};

use super::super::codes;
use super::super::declare::Declared;
use super::super::finding::{Place, Report};
use super::super::read::{self, Fields};
use super::super::suggest::did_you_mean;
use super::super::syntax::{Node, Yaml};
use super::attributes::Said;
use super::fields::CASE;
use super::fixtures::{self, LISTS, Shelf};
use super::given::{Given, Who};
use super::{Case, Expected, Ground, attributes, offer};
use crate::domain::{Malformed, Offer, OfferId, Placement, RuleId, Timestamp};

/// Reads the cases of one file.
pub(super) fn read(report: &mut Report<'_>, path: &str, root: &Node, ground: Ground<'_>, shared: &Shelf) -> Vec<Case> {
    let top = [&["given", "cases"][..], &LISTS].concat();
    let Some(file) = Fields::open(report, "tests", root, &top, &[]) else { return Vec::new() };
    let mut shelf = shared.clone();
    shelf.take(report, &file, ground);
    shelf.settle(report);
    let given = file.get("given").and_then(|node| {
        let fields = Given::open(report, "given", node, &[], ground)?;
        Some(Given::read(report, &fields, ground, &shelf))
    });
    let given = given.unwrap_or_else(|| Given { broken: file.get("given").is_some(), ..Given::default() });
    let cases = file.need(report, "cases", "cases: [{name: ..., expect: {boots: []}}]");
    let mut names = Declared::default();
    let mut read = Vec::new();
    for node in cases.and_then(|node| read::list(report, "cases", node)).into_iter().flatten() {
        read.extend(case(report, (path, node), ground, (&given, &shelf), &mut names));
    }
    read
}

/// What a case is called in messages.
fn title(node: &Node) -> String {
    let name = match &node.value {
        Yaml::Map(entries) => entries.iter().find(|(key, _)| key.text == "name").and_then(|(_, name)| read::raw(name)),
        _ => None,
    };
    name.map_or_else(|| "a case".to_owned(), |name| format!("case `{name}`"))
}

fn case(
    report: &mut Report<'_>,
    (path, node): (&str, &Node),
    ground: Ground<'_>,
    (shared, shelf): (&Given, &Shelf),
    names: &mut Declared,
) -> Option<Case> {
    let fields = Given::open(report, &title(node), node, &CASE, ground)?;
    let what = fields.what.as_str();
    let name = fields.need(report, "name", "name: boots are shown to gold customers").and_then(|node| {
        let text = read::parsed(report, what, node, "a few words", |text| {
            let fits = !text.trim().is_empty();
            fits.then_some(text).ok_or_else(|| Malformed::new("a name says what the case is about"))
        })?;
        names.add(report, "case", text, node.place).then_some(text)
    });
    let given = Given::read(report, &fields, ground, shelf).over(shared);
    let expected = fields.need(report, "expect", "expect: {boots: []}");
    let expected = expected.and_then(|node| expect(report, &format!("{what}: expect"), node, ground, shelf));
    let expected = expected.and_then(|expected| notes(report, &fields, expected, ground, shelf));
    let refused_by = fields.get("refused_by").map_or(Some(Vec::new()), |node| {
        let what = format!("{what}: refused_by");
        let rules = read::list(report, &what, node)?;
        rule_names(report, &what, rules, ground)
    });
    let placement = placement(report, &fields, &given, ground);
    let at = now(report, &fields, &given);
    let (name, expected, refused_by) = (name?, expected?, refused_by?);
    let (placement, at) = (placement?, at?);
    behind_others(report, what, &given, placement, &expected)?;
    if given.broken {
        return None;
    }
    let draft = match &given.customer {
        Some(Who::Somebody(name, draft)) => Some((name.as_str(), given.own.over(draft))),
        _ => None,
    };
    let customer = draft.map(|(name, draft)| draft.person(name, placement, ground, at));
    let past = customer.iter().flat_map(|person| person.history.iter().map(|contact| &contact.offer));
    let before = given.behind.iter().flatten().map(|(_, offer)| offer);
    let asked = expected.iter().map(|(_, expected)| &expected.offer);
    let named: BTreeSet<&OfferId> = asked.chain(before).chain(past).collect();
    let offers = offers(report, what, &named, &given, shelf, at)?;
    Some(Case {
        name: name.to_owned(),
        place: (path.to_owned(), fields.place.line),
        placement: placement.id.clone(),
        at,
        time_zone: given.time_zone.clone().and_then(Said::known),
        jurisdiction: given.jurisdiction.clone().and_then(Said::known),
        gpc: given.gpc.unwrap_or(false),
        store: given.store.clone().and_then(Said::known),
        context: attributes::known(&given.context),
        basket: given.basket.clone().unwrap_or_default(),
        attributes: if customer.is_some() { BTreeMap::new() } else { attributes::known(&given.own.attributes) },
        customer,
        behind: given.behind.iter().flatten().map(|(_, offer)| offer.clone()).collect(),
        gone: given.gone.clone().unwrap_or_default(),
        offers,
        campaigns: shelf.campaigns(at),
        expected: expected.into_iter().map(|(_, expected)| expected).collect(),
        refused_by,
    })
}

/// The placement given, or the only one that there is.
fn placement<'a>(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    given: &Given,
    ground: Ground<'a>,
) -> Option<&'a Placement> {
    let placements = ground.known.placements;
    if let Some(id) = &given.placement {
        return placements.get(id);
    }
    if given.broken || !ground.known.placement_names.are(placements.len()) {
        return None;
    }
    let mut all = placements.values();
    let (first, second) = (all.next(), all.next());
    if first.is_some() && second.is_none() {
        return first;
    }
    let ids: Vec<&str> = placements.keys().map(crate::domain::PlacementId::as_str).collect();
    let example = ids.first().unwrap_or(&"home");
    let message = format!("{}: which placement asks?", fields.what);
    report.add(codes::CASE_PLACEMENT, fields.place, message, "no `placement` here or in `given`").with_help(format!(
        "add `placement: {example}` to the case, or once to `given`; there are `{}`",
        ids.join("`, `")
    ));
    None
}

fn now(report: &mut Report<'_>, fields: &Fields<'_>, given: &Given) -> Option<Timestamp> {
    let what = fields.what.as_str();
    let Some((place, now)) = given.at else {
        if !given.broken {
            report
                .add(codes::CASE_TIME, fields.place, format!("{what}: when is it?"), "no `at` here or in `given`")
                .with_help("add `at: 2026-11-27 12:00` to the case, or once to `given`");
        }
        return None;
    };
    let zone =
        given.time_zone.clone().and_then(Said::known).and_then(|name| name.parse().ok()).unwrap_or(chrono_tz::UTC);
    let at = now.at(zone);
    if at.is_none() {
        let message = format!("{what}: clocks in {zone} leap over this time");
        report.add(codes::CASE_TIME, place, message, "never on a clock").with_help("choose an hour before or later");
    }
    at
}

/// What is expected of each offer.
fn expect(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    ground: Ground<'_>,
    shelf: &Shelf,
) -> Option<Vec<(Place, Expected)>> {
    let Yaml::Map(entries) = &node.value else {
        let wanted = "offers with the rules that leave them out, such as `{boots: [], perfume: [margin.floor]}`";
        read::expected(report, what, node, wanted);
        return None;
    };
    if entries.is_empty() {
        report
            .add(codes::LIST_EMPTY, node.place, format!("{what}: nothing is expected"), "nothing in it")
            .with_help("name an offer and the rules that leave it out: `{boots: []}` says that boots may be shown");
        return None;
    }
    let mut found = Vec::new();
    let mut whole = true;
    for (key, node) in entries {
        let known = shelf.refer_offer(report, what, (key.place, &key.text));
        let what = format!("{what}: `{}`", key.text);
        let rules = match &node.value {
            Yaml::List(rules) => rule_names(report, &what, rules, ground),
            // A single rule needs no brackets.
            Yaml::Scalar { .. } if read::kind(node) == "text" => {
                rule_names(report, &what, std::slice::from_ref(node), ground)
            }
            _ => {
                read::expected(report, &what, node, "a list of rules, `[]` where it may be shown");
                None
            }
        };
        match (OfferId::new(key.text.as_str()), rules) {
            (Ok(offer), Some(excluded_by)) if known => {
                found.push((key.place, Expected { offer, excluded_by, noted: Vec::new() }));
            }
            _ => whole = false,
        }
    }
    whole.then_some(found)
}

/// With what is expected of rules that speak and leave nothing out.
fn notes(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    mut expected: Vec<(Place, Expected)>,
    ground: Ground<'_>,
    shelf: &Shelf,
) -> Option<Vec<(Place, Expected)>> {
    let Some(node) = fields.get("notes") else { return Some(expected) };
    let what = format!("{}: notes", fields.what);
    let mut whole = true;
    for (place, said) in expect(report, &what, node, ground, shelf)? {
        if let Some((_, expected)) = expected.iter_mut().find(|(_, expected)| expected.offer == said.offer) {
            expected.noted = said.excluded_by;
            continue;
        }
        let message = format!("{what}: nothing is expected of `{}` otherwise", said.offer);
        report
            .add(codes::CASE_NOTES, place, message, "not in `expect`")
            .with_help(format!("add it there: `expect: {{{}: []}}` says that it may be shown", said.offer));
        whole = false;
    }
    whole.then_some(expected)
}

/// Names of rules that the bundle has, in order.
fn rule_names(report: &mut Report<'_>, what: &str, nodes: &[Node], ground: Ground<'_>) -> Option<Vec<RuleId>> {
    let mut names: Vec<RuleId> = Vec::new();
    let mut whole = true;
    for node in nodes {
        let id = read::parsed(report, what, node, "the id of a rule", RuleId::new);
        let id = id.filter(|id| known_rule(report, what, (node.place, id.as_str()), ground));
        match id {
            Some(id) if names.contains(&id) => {
                let message = format!("{what}: `{id}` appears twice in the list");
                report.add(codes::ENTRY_TWICE, node.place, message, "again").with_help("keep one of them");
                whole = false;
            }
            Some(id) => names.push(id),
            None => whole = false,
        }
    }
    names.sort();
    whole.then_some(names)
}

pub(super) fn known_rule(
    report: &mut Report<'_>,
    what: &str,
    (place, name): (Place, &str),
    ground: Ground<'_>,
) -> bool {
    if !ground.rules.lacks(name) {
        return true;
    }
    let meant = did_you_mean(name, ground.rules.names());
    let message = format!("{what}: unknown rule `{name}`{meant}");
    let finding = report.add(codes::RULE_UNKNOWN, place, message, "not in rules/*.yaml");
    if meant.is_empty() {
        finding.with_help("write the ids of the rules that leave it out, and `[]` where none does");
    }
    false
}

/// An offer stands in one slot at most, and before the last slot stand fewer than there are.
fn behind_others(
    report: &mut Report<'_>,
    what: &str,
    given: &Given,
    placement: &Placement,
    expected: &[(Place, Expected)],
) -> Option<()> {
    let mut whole = true;
    let slots = usize::from(placement.slots);
    if let Some((place, _)) = given.behind.iter().flatten().nth(slots.saturating_sub(1)) {
        let plural = if slots == 1 { "" } else { "s" };
        let message = format!("{what}: behind: `{}` has {slots} slot{plural}", placement.id);
        report
            .add(codes::CASE_BEHIND, *place, message, "no slot is left")
            .with_help("name another placement, or give this one more `slots` in placements.yaml");
        whole = false;
    }
    for (place, expected) in expected {
        if given.behind.iter().flatten().any(|(_, other)| *other == expected.offer) {
            let message = format!("{what}: `{}` stands in a slot before and is not asked about again", expected.offer);
            report
                .add(codes::CASE_BEHIND, *place, message, "named in `behind`")
                .with_help("take it out of `behind`, or ask about another offer");
            whole = false;
        }
    }
    whole.then_some(())
}

/// The offers of a case, with what it changes of them.
fn offers(
    report: &mut Report<'_>,
    what: &str,
    named: &BTreeSet<&OfferId>,
    given: &Given,
    shelf: &Shelf,
    at: Timestamp,
) -> Option<Vec<Offer>> {
    let (changes, place) = &given.offers;
    let mut made = Vec::new();
    for id in named {
        let mut draft = shelf.offer(id.as_str())?.clone();
        draft.extend(changes.clone());
        if let Some(place) = place {
            let what = format!("{what}: offer `{id}`");
            fixtures::check(report, &what, (id.as_str(), &draft), *place).then_some(())?;
        }
        made.push(offer::offer(id.as_str(), &draft, at)?);
    }
    Some(made)
}

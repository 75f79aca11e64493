//! Customers in tests: attributes, consents and what was shown before. Counts nothing.

use std::collections::BTreeMap;

use super::super::applies::channel;
use super::super::codes;
use super::super::declare;
use super::super::declared::jurisdiction;
use super::super::declared::purposes;
use super::super::finding::{Place, Report};
use super::super::kinds::caps::{Chosen, Contact};
use super::super::kinds::cool_downs::EVENTS;
use super::super::read::{self, Fields};
use super::super::syntax::{Key, Node, Yaml};
use super::attributes::{self, Values};
use super::moment::{MOMENT, Moment};
use super::{Ground, Person};
use crate::domain::consent::ConsentEntry;
use crate::domain::outcome::OutcomeKind;
use crate::domain::{
    Basis, ConsentState, DecisionId, OfferId, Placement, PlacementId, PurposeId, Span, SubjectKind, SubjectKinds,
    Timestamp,
};

/// A consent, or its refusal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    state: ConsentState,
    basis: Basis,
    from: Moment,
    until: Option<Moment>,
    channel: Option<String>,
    jurisdiction: Option<String>,
}

/// Something that was shown before.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Past {
    pub(super) place: Place,
    pub(super) offer: OfferId,
    ago: Span,
    times: u32,
    placement: Option<PlacementId>,
    seen: bool,
    /// What the customer then did, at once.
    then: Option<OutcomeKind>,
}

/// A customer as far as written down.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Draft {
    pub(super) attributes: Values,
    pub(super) consents: BTreeMap<PurposeId, Vec<Said>>,
    pub(super) history: Option<Vec<Past>>,
}

/// What a customer has besides an id and attributes.
pub(in crate::policy) const FIELDS: [&str; 2] = ["consents", "history"];

impl Draft {
    /// Reads one field. True unless something is wrong.
    pub(super) fn put(
        &mut self,
        report: &mut Report<'_>,
        what: &str,
        (key, node): (&Key, &Node),
        ground: Ground<'_>,
    ) -> bool {
        match key.text.as_str() {
            "consents" => {
                let said = consents(report, what, node, ground);
                let whole = said.is_some();
                self.consents.extend(said.unwrap_or_default());
                whole
            }
            "history" => {
                self.history = history(report, what, node, ground);
                self.history.is_some()
            }
            _ => attributes::put(report, what, (key, node), ground, &mut self.attributes),
        }
    }

    /// What it says over what another says.
    pub(super) fn over(&self, base: &Self) -> Self {
        let mut both = base.clone();
        both.attributes.extend(self.attributes.clone());
        both.consents.extend(self.consents.clone());
        both.history = self.history.clone().or(both.history);
        both
    }

    /// The customer of a case at `now`.
    pub(super) fn person(&self, name: &str, placement: &Placement, ground: Ground<'_>, now: Timestamp) -> Person {
        let said = self.consents.iter().flat_map(|(purpose, said)| said.iter().map(move |said| (purpose, said)));
        let consents = said.map(|(purpose, said)| ConsentEntry {
            purpose: purpose.clone(),
            state: said.state,
            basis: said.basis,
            valid_from: said.from.at(now),
            valid_until: said.until.map(|until| until.at(now)),
            channel: said.channel.clone(),
            jurisdiction: said.jurisdiction.clone(),
        });
        let mut history = Vec::new();
        for past in self.history.iter().flatten() {
            for _ in 0..past.times {
                history.extend(past.contact(history.len(), placement, ground, now));
            }
        }
        Person {
            name: name.to_owned(),
            attributes: attributes::known(&self.attributes),
            consents: consents.collect(),
            history,
        }
    }
}

impl Past {
    fn contact(&self, number: usize, placement: &Placement, ground: Ground<'_>, now: Timestamp) -> Option<Contact> {
        let at = now.minus(self.ago);
        let placement = match &self.placement {
            Some(id) => ground.known.placements.get(id)?,
            None => placement,
        };
        // A decision of its own for each: its name says nothing, but no two may be the same.
        let mut bits = [0; 10];
        bits[2..].copy_from_slice(&u64::try_from(number).ok()?.to_be_bytes());
        let decision = DecisionId::from_parts(at.0, bits);
        let stands_for = SubjectKinds::of(SubjectKind::Customer);
        let chosen = Chosen { decision, slot: 0, at, reserved_until: at.plus(placement.reservation), stands_for };
        let (placement, offer) = (placement.id.clone(), self.offer.clone());
        let seen = self.seen.then_some(at);
        let at_once = |kind: OutcomeKind| (self.then == Some(kind)).then_some(at);
        let events = self.then.into_iter().chain(seen.map(|_| OutcomeKind::Impression)).map(|kind| (kind, at));
        Some(Contact {
            chosen,
            placement,
            offer,
            seen,
            clicked: at_once(OutcomeKind::Click),
            redeemed: at_once(OutcomeKind::Order),
            events: events.collect(),
            released: false,
        })
    }
}

const STATES: [(&str, ConsentState); 4] = [
    ("granted", ConsentState::Granted),
    ("refused", ConsentState::Refused),
    ("withdrawn", ConsentState::Withdrawn),
    ("unknown", ConsentState::Unknown),
];

fn consents(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    ground: Ground<'_>,
) -> Option<BTreeMap<PurposeId, Vec<Said>>> {
    let what = format!("{what}: consents");
    let Yaml::Map(entries) = &node.value else {
        read::expected(report, &what, node, "purposes and what was said, such as `{offer_personalisation: granted}`");
        return None;
    };
    let mut found = BTreeMap::new();
    let mut whole = true;
    for (key, node) in entries {
        let home = (codes::PURPOSE_UNKNOWN, "purpose", "catalog/purposes.yaml");
        let known = declare::refer(report, home, &what, (key.place, &key.text), ground.known.purposes);
        let what = format!("{what}: `{}`", key.text);
        // What was said once needs no brackets.
        let items = match &node.value {
            Yaml::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let all: Option<Vec<Said>> = items.iter().map(|node| said(report, &what, node, ground)).collect();
        match (PurposeId::new(key.text.as_str()), all) {
            (Ok(purpose), Some(all)) if known => {
                found.insert(purpose, all);
            }
            _ => whole = false,
        }
    }
    whole.then_some(found)
}

fn said(report: &mut Report<'_>, what: &str, node: &Node, ground: Ground<'_>) -> Option<Said> {
    let state_of = |report: &mut Report<'_>, node: &Node| {
        let chosen = read::choice(report, what, node, "state", &STATES.map(|(name, _)| name), &[])?;
        STATES.iter().find(|(name, _)| *name == chosen).map(|(_, state)| *state)
    };
    // Given a day before the case, unless it says otherwise.
    let long_ago = Moment::Before(Span(86_400_000));
    let Yaml::Map(_) = &node.value else {
        let state = state_of(report, node)?;
        let basis = Basis::Consent;
        return Some(Said { state, basis, from: long_ago, until: None, channel: None, jurisdiction: None });
    };
    let fields =
        Fields::open(report, what, node, &["state", "basis", "from", "until", "channel", "jurisdiction"], &[])?;
    let state = fields.need(report, "state", "state: granted").and_then(|node| state_of(report, node));
    let basis = fields.get("basis").map_or(Some(Basis::Consent), |node| purposes::basis(report, what, node));
    let mut moment = |name: &str| {
        let node = fields.get(name)?;
        Some(read::parsed(report, &format!("{what}: `{name}`"), node, MOMENT, Moment::parse))
    };
    let (from, until) = (moment("from"), moment("until"));
    let channel = fields.get("channel").map(|node| channel(report, what, node, ground.known));
    let jurisdiction = fields
        .get("jurisdiction")
        .map(|node| read::parsed(report, what, node, "`EU`, `US` or `US-NY`", jurisdiction::check));
    Some(Said {
        state: state?,
        basis: basis?,
        from: from.unwrap_or(Some(long_ago))?,
        until: until.map_or(Some(None), |until| until.map(Some))?,
        channel: channel.map_or(Some(None), |channel| channel.map(Some))?,
        jurisdiction: jurisdiction.map_or(Some(None), |place| place.map(Some))?,
    })
}

const TIMES_MAX: u32 = 1_000;

fn history(report: &mut Report<'_>, what: &str, node: &Node, ground: Ground<'_>) -> Option<Vec<Past>> {
    let what = format!("{what}: history");
    let mut found = Vec::new();
    let mut whole = true;
    for node in read::list(report, &what, node)? {
        match past(report, &what, node, ground) {
            Some(past) => found.push(past),
            None => whole = false,
        }
    }
    whole.then_some(found)
}

fn past(report: &mut Report<'_>, what: &str, node: &Node, ground: Ground<'_>) -> Option<Past> {
    let fields = Fields::open(report, what, node, &["offer", "ago", "times", "placement", "seen", "then"], &[])?;
    let offer = fields.need(report, "offer", "offer: boots");
    let offer = offer
        .and_then(|node| Some((node.place, read::parsed(report, what, node, "the name of an offer", OfferId::new)?)));
    let ago = fields
        .need(report, "ago", "ago: 3h")
        .and_then(|node| read::parsed(report, what, node, "a span such as `3h` or `2d`", Span::parse));
    let times = fields.get("times").map_or(Some(1), |node| read::whole(report, what, node, 1, TIMES_MAX));
    let placement = fields.get("placement").map(|node| placement(report, what, node, ground));
    let seen = fields.get("seen").map_or(Some(true), |node| read::flag(report, what, node));
    let then = fields.get("then").map(|node| {
        // Whether it was seen is said by `seen`.
        let kinds: Vec<OutcomeKind> = EVENTS.into_iter().filter(|kind| *kind != OutcomeKind::Impression).collect();
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let chosen = read::choice(report, what, node, "event", &names, &[])?;
        kinds.into_iter().find(|kind| kind.name() == chosen)
    });
    let (place, offer) = offer?;
    Some(Past {
        then: then.map_or(Some(None), |then| then.map(Some))?,
        place,
        offer,
        ago: ago?,
        times: times?,
        placement: placement.map_or(Some(None), |placement| placement.map(Some))?,
        seen: seen?,
    })
}

/// The name of a placement that is declared.
pub(super) fn placement(report: &mut Report<'_>, what: &str, node: &Node, ground: Ground<'_>) -> Option<PlacementId> {
    let home = (codes::PLACEMENT_UNKNOWN, "placement", "placements.yaml");
    let id = read::parsed(report, what, node, "a placement id", PlacementId::new)?;
    declare::refer(report, home, what, (node.place, id.as_str()), ground.known.placement_names).then_some(id)
}

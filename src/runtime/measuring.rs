//! Measuring fairness: the decisions of a window are read, and of customers who agreed to be measured the value that
//! names their group. What is found is added up by [`report::fairness`](crate::report::fairness); nobody's value leaves
//! this place. Judges no gate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::RuntimeError;
use super::catalogue::read_catalogue;
use super::reports::{Found as Decision, Pages, Scope};
use crate::bandit;
use crate::config::keyfile::Keys;
use crate::domain::decision::{ContextGroup, Private, Skeleton};
use crate::domain::{
    AttributeId, AttributeScope, Catalogue, Digest, LocalTime, Placement, PlacementId, SubjectId, SubjectState,
    Timestamp, Value,
};
use crate::engine::open_state;
use crate::policy::{
    Asking, Bundle, FairnessAsk, FairnessGate, Finding, ListPrices, Measure, Rule, lacking_to_measure, may_measure,
};
use crate::report::fairness::{
    FairnessReport, Featured, Found, GateMeasured, Offered, PROXY_CUSTOMERS_MAX, ProxyMeasured, hash_report, of_people,
    parity, quantile, scope, told,
};
use crate::store::{By, Store, StoredDecision};

/// Catalogues kept in memory.
const CATALOGUES_MAX: usize = 16;

/// A catalogue as decisions read it, with the list prices of every placement.
struct Sold {
    catalogue: Catalogue,
    lists: BTreeMap<PlacementId, ListPrices>,
}

impl Sold {
    fn new(bundle: &Bundle, catalogue: Catalogue) -> Self {
        let lists = bundle
            .placements
            .values()
            .map(|placement| (placement.id.clone(), ListPrices::of(bundle, placement, catalogue.offers())));
        Self { lists: lists.collect(), catalogue }
    }
}

/// Measures what the fairness gates of bundles ask for.
pub struct Measurer {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The keys of its customers.
    pub keys: Keys,
}

/// Somebody who may be measured, of one decision.
struct Person<'a> {
    subject: SubjectId,
    state: &'a SubjectState,
    private: &'a Private,
}

/// One customer as a proxy sees one.
struct Sight {
    at: Timestamp,
    group: usize,
    x: Vec<(usize, f64)>,
    /// The attributes among those that features read that are known.
    known: BTreeSet<AttributeId>,
}

/// What is gathered for one gate.
struct Gathering<'a> {
    rule: &'a Rule,
    gate: &'a FairnessGate,
    measure: &'a Measure,
    from: Timestamp,
    decisions: u64,
    read: u64,
    offered: BTreeMap<SubjectId, Offered>,
    /// By placement: what its features say of customers, and the customers.
    sights: BTreeMap<&'a PlacementId, (Placement, BTreeMap<SubjectId, Sight>)>,
}

impl Measurer {
    /// Measures every gate of a bundle that asks for it, over the decisions made before `to` (`now`, where it is not
    /// given or later) and from `from` on (where it is not given, as long before as each gate says).
    ///
    /// Time: in proportion to the decisions of that time; memory: a row of each customer measured and gate.
    pub async fn measure(
        &self,
        bundle: &Bundle,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        now: Timestamp,
    ) -> Result<FairnessReport, RuntimeError> {
        let to = to.map_or(now, |to| to.min(now));
        let mut gathering: Vec<Gathering<'_>> =
            bundle.rules.iter().filter_map(|rule| Gathering::new(bundle, rule, from, to)).collect();
        if let Some(first) = gathering.iter().map(|one| one.from).min() {
            let scope = Scope { from: first, to, placement: None };
            let mut pages = Pages::new(self.store.as_ref(), &scope);
            let mut catalogues = BTreeMap::new();
            while let Some(found) = pages.next().await? {
                self.page(bundle, &found, &mut gathering, &mut catalogues, now).await?;
            }
        }
        let gates = gathering.into_iter().map(Gathering::finish).collect();
        Ok(FairnessReport::new(bundle, now, to, gates))
    }

    /// What nobody approved, or no longer, of what measuring a bundle reads.
    pub async fn lacking(&self, bundle: &Bundle, now: Timestamp) -> Result<Vec<Finding>, RuntimeError> {
        Ok(lacking_to_measure(bundle, &self.store.approvals().await?, now))
    }

    /// Keeps a report under its hash, by which bundles name it.
    pub async fn keep(&self, report: &FairnessReport, by: &str) -> Result<Digest, RuntimeError> {
        let (body, at) = (report.body(), self.store.now().await?);
        let hash = hash_report(&body);
        self.store.keep_fairness_report(hash, &body, By { key: by, at }).await?;
        Ok(hash)
    }

    async fn page(
        &self,
        bundle: &Bundle,
        found: &[Decision],
        gathering: &mut [Gathering<'_>],
        catalogues: &mut BTreeMap<u64, Sold>,
        now: Timestamp,
    ) -> Result<(), RuntimeError> {
        let subjects: BTreeSet<SubjectId> = found.iter().filter_map(|one| one.stored.subject).collect();
        let states = self.states(&subjects.into_iter().collect::<Vec<_>>()).await?;
        for Decision { stored, skeleton } in found {
            let Some((placement, asked)) = asked_for(bundle, skeleton) else { continue };
            let Some((subject, state)) = stored.subject.and_then(|subject| states.get(&subject)) else { continue };
            let Some(private) = self.private(stored)? else { continue };
            let jurisdiction = private.context.jurisdiction.as_deref();
            let revision = skeleton.catalogue_revision;
            if !catalogues.contains_key(&revision) {
                if catalogues.len() >= CATALOGUES_MAX {
                    catalogues.pop_first();
                }
                let catalogue = read_catalogue(self.store.as_ref(), revision).await?;
                catalogues.insert(revision, Sold::new(bundle, catalogue));
            }
            let signal = private.consent.signal == Some(true);
            let asking = Asking { placement, state: Some(state), jurisdiction, signal, now };
            let allowed = may_measure(bundle, &asking);
            for one in gathering.iter_mut().filter(|one| asked >= one.from && one.covers(placement, jurisdiction)) {
                one.decisions += 1;
                let spec = bundle.attributes.get(&one.gate.attribute);
                let group = spec.and_then(|spec| one.gate.group_of(spec, state, now));
                let Some(group) = group.filter(|_| allowed) else { continue };
                one.read += 1;
                let person = Person { subject: *subject, state, private: &private };
                one.add(placement, skeleton, catalogues.get(&revision), &person, (group, now));
            }
        }
        Ok(())
    }

    /// Who subjects are today, and what is kept of them, by the id that decisions have; nothing of those erased.
    async fn states(
        &self,
        subjects: &[SubjectId],
    ) -> Result<BTreeMap<SubjectId, (SubjectId, SubjectState)>, RuntimeError> {
        let mut states = BTreeMap::new();
        for then in self.store.subjects(subjects).await? {
            // Who became another one is that one.
            let Some(row) = self.store.find_subject(&then.reference).await? else { continue };
            let key = self.keys.master.unwrap(row.subject, &row.wrapped_key)?;
            states.insert(then.subject, (row.subject, open_state(&key, row.subject, row.version, &row.state)?));
        }
        Ok(states)
    }

    fn private(&self, stored: &StoredDecision) -> Result<Option<Private>, RuntimeError> {
        let (Some(subject), Some(wrapped)) = (stored.subject, &stored.wrapped_key) else { return Ok(None) };
        let key = self.keys.master.unwrap(subject, wrapped)?;
        Ok(Some(stored.record.private(&key)?))
    }
}

/// The placement of a decision as the bundle has it, and when it was made.
fn asked_for<'a>(bundle: &'a Bundle, skeleton: &Skeleton) -> Option<(&'a Placement, Timestamp)> {
    let placement = bundle.placements.get(&skeleton.placement)?;
    (placement.currency == skeleton.terms.currency).then_some((placement, skeleton.at))
}

impl<'a> Gathering<'a> {
    fn new(bundle: &'a Bundle, rule: &'a Rule, from: Option<Timestamp>, to: Timestamp) -> Option<Self> {
        let gate = rule.fairness_gate()?;
        let measure = gate.asks.measure()?;
        let from = from.unwrap_or_else(|| to.minus(measure.window));
        let mut sights = BTreeMap::new();
        if matches!(gate.asks, FairnessAsk::Proxy(_)) {
            sights.extend(scope(bundle, rule).map(|place| (&place.id, (of_people(place), BTreeMap::new()))));
        }
        Some(Self { rule, gate, measure, from, decisions: 0, read: 0, offered: BTreeMap::new(), sights })
    }

    /// Whether a decision is in its scope; where it is not known from where it was asked for, it is.
    fn covers(&self, placement: &Placement, jurisdiction: Option<&str>) -> bool {
        let applies = &self.rule.applies_to;
        applies.covers_placement(placement) && applies.covers_region(jurisdiction) != Some(false)
    }

    fn add(
        &mut self,
        placement: &Placement,
        skeleton: &Skeleton,
        sold: Option<&Sold>,
        person: &Person<'_>,
        (group, now): (usize, Timestamp),
    ) {
        if let Some((place, sights)) = self.sights.get_mut(&placement.id) {
            let newer = sights.get(&person.subject).is_none_or(|sight| sight.at <= skeleton.at);
            if newer {
                sights.insert(person.subject, sight(place, skeleton, person, (group, now)));
            }
            if sights.len() > PROXY_CUSTOMERS_MAX {
                sights.pop_last();
            }
            return;
        }
        let Some((catalogue, lists)) = sold.and_then(|sold| Some((&sold.catalogue, sold.lists.get(&placement.id)?)))
        else {
            return;
        };
        let offers = skeleton.shown.iter().filter_map(|shown| catalogue.offer(shown.offer.as_str()));
        let counted = offers
            .filter(|offer| offer.currency() == placement.currency && self.rule.applies_to.covers(placement, offer));
        let offered = self.offered.entry(person.subject).or_default();
        offered.group = group;
        offered.decisions = offered.decisions.saturating_add(1);
        offered.minor = counted.fold(offered.minor, |sum, offer| sum.saturating_add(lists.less_minor(offer)));
    }

    fn finish(self) -> GateMeasured {
        let (gate, measure) = (self.gate, self.measure);
        let z = quantile(measure.interval);
        let found = match gate.asks {
            FairnessAsk::Proxy(_) => {
                let found = self.sights.into_iter().map(|(id, (place, sights))| {
                    let unknown = unknown(&place, &sights, measure.group_min);
                    let dimensions = place.dimensions();
                    let all: Vec<Featured> =
                        sights.into_values().map(|sight| Featured { group: sight.group, x: sight.x }).collect();
                    ProxyMeasured {
                        placement: id.clone(),
                        features: place.features.iter().map(|feature| feature.text.clone()).collect(),
                        unknown,
                        groups: told(&gate.groups, &all, dimensions, measure.group_min, z),
                    }
                });
                Found::Proxy(found.collect())
            }
            _ => Found::Parity(parity(&gate.groups, self.offered.values(), measure.group_min, z)),
        };
        let (rule, from) = (self.rule.id.clone(), self.from);
        GateMeasured { rule, from, decisions: self.decisions, read: self.read, found }
    }
}

/// The attributes that a placement's features read.
fn attributes(placement: &Placement) -> BTreeSet<&AttributeId> {
    let atoms = placement.features.iter().flat_map(|feature| &feature.atoms);
    atoms.filter_map(|atom| atom.attribute.as_ref()).collect()
}

/// Those of them that too few customers have a value of.
fn unknown(placement: &Placement, sights: &BTreeMap<SubjectId, Sight>, group_min: u32) -> Vec<String> {
    let having = |id: &AttributeId| sights.values().filter(|sight| sight.known.contains(id)).count();
    attributes(placement).into_iter().filter(|id| having(id) < group_min as usize).map(ToString::to_string).collect()
}

/// A customer as the features of a placement see one: by what the decision saw, and otherwise by what is kept.
fn sight(placement: &Placement, skeleton: &Skeleton, person: &Person<'_>, (group, now): (usize, Timestamp)) -> Sight {
    let context = &person.private.context;
    let value = |id: &AttributeId| -> Option<Value> {
        let seen = context.used.iter().find(|(used, _)| used == id).map(|(_, value)| value);
        let kept = || person.state.known.iter().find(|kept| kept.name == id.name() && kept.holds(now));
        let kept = || kept().filter(|_| id.scope() == AttributeScope::Customer).map(|kept| &kept.value);
        seen.or_else(kept).cloned()
    };
    let features = bandit::features(placement, local(context, skeleton.at), &value);
    let one = f64::from(bandit::features::ONE);
    let x = features.sparse().into_iter().map(|(at, x)| (usize::from(at), f64::from(x) / one)).collect();
    let known = attributes(placement).into_iter().filter(|id| value(id).is_some()).cloned().collect();
    Sight { at: skeleton.at, group, x, known }
}

/// The time where the customer was, as far as the record has it.
fn local(context: &ContextGroup, at: Timestamp) -> LocalTime {
    let hour = LocalTime { day: at.day(), minute: u16::from(context.hour) * 60, zone_named: false };
    context.local.unwrap_or(hour)
}

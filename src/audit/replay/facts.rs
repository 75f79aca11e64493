//! What a decision read, made again of its record: the request, the states of its subjects, what was gone and approved.
//! Decides nothing.
//!
//! What was withheld is not in the record, so some other value stands in its place: whatever it is, nobody sees it.

use std::collections::BTreeMap;

use super::Versions;
use crate::bandit::DrawPurpose;
use crate::decision::{Ask, SubjectView, Subjects};
use crate::domain::consent::ConsentEntry;
use crate::domain::decision::{CapReading, ContextGroup, FallbackReason, Private, Skeleton, SubjectRead, Withheld};
use crate::domain::{
    AttributeId, AttributeScope, Customer, DecisionRequest, KnownAttribute, Persona, Placement, PoolKey, Purse, Spend,
    SubjectKind, SubjectKinds, SubjectState, Timestamp, Value,
};
use crate::policy::{Approved, Bundle, ReadOf, Use, UseCase, counters_read};

type Attributes = Vec<(AttributeId, Value)>;

type Kept = Vec<(AttributeId, Withheld)>;

type Values = BTreeMap<String, Value>;

/// A subject as it was read, with what it stood for.
struct Read {
    subject: SubjectRead,
    stands_for: SubjectKinds,
    state: SubjectState,
}

/// Everything that a decision read beside its snapshot's versions and its model.
pub(super) struct Facts {
    request: DecisionRequest,
    subjects: Vec<Read>,
    contended: bool,
    pub(super) purse: Purse,
    pub(super) spend: Spend,
    pub(super) approved: Approved,
}

impl Facts {
    pub(super) fn of(
        (skeleton, private): (&Skeleton, &Private),
        versions: &Versions<'_>,
        placement: &Placement,
    ) -> Self {
        let bundle = versions.bundle;
        let request = request((skeleton, private), versions, placement);
        let group = &private.subject;
        let reads: Vec<SubjectRead> = group.read.into_iter().chain(group.beside.iter().flatten().copied()).collect();
        let named = request.subjects(bundle.counted).into_iter();
        let subjects = named.filter_map(|(reference, stands_for)| {
            let subject = *reads.iter().find(|read| read.kind == reference.kind)?;
            let state = state((skeleton, private), versions, placement, stands_for);
            Some(Read { subject, stands_for, state })
        });
        let mut purse = Purse::default();
        for reading in skeleton.pools.iter().flatten() {
            let period = reading.since.unwrap_or(Timestamp(0));
            purse.set(&PoolKey { name: reading.name.clone(), period }, reading.gone);
        }
        Self {
            subjects: subjects.collect(),
            contended: skeleton.fallback == Some(FallbackReason::Contention),
            purse,
            spend: spend(skeleton, placement),
            approved: approved((skeleton, private), versions),
            request,
        }
    }

    /// The same question as before.
    pub(super) fn ask(&self, skeleton: &Skeleton) -> Ask<'_> {
        Ask {
            request: &self.request,
            request_digest: skeleton.request_digest,
            decision_id: skeleton.decision_id,
            id_minted: skeleton.id_minted,
            attempt: skeleton.attempt,
            purpose: DrawPurpose::Served,
            contended: self.contended,
            purse: &self.purse,
        }
    }

    /// Those whose states were read.
    pub(super) fn subjects(&self) -> Subjects<'_> {
        Subjects::of(self.subjects.iter().map(|Read { subject, stands_for, state }| {
            let SubjectRead { kind, subject, version } = *subject;
            (SubjectView { kind, subject, version, state }, *stands_for)
        }))
    }
}

/// The request as far as a decision can tell it from another.
fn request(
    (skeleton, private): (&Skeleton, &Private),
    versions: &Versions<'_>,
    placement: &Placement,
) -> DecisionRequest {
    let (context, asked) = (&private.context, private.context.asked.as_ref());
    let group = &private.subject;
    let reads =
        |kind: SubjectKind| group.read.iter().chain(group.beside.iter().flatten()).any(|read| read.kind == kind);
    // Whoever was read was named; by which name does not matter.
    let name = |kind: SubjectKind| reads(kind).then(String::new);
    let Given { account, seats, context: of_context } = Given::of(context, versions.bundle);
    let personas = asked.and_then(|asked| asked.weights.as_ref()).map(|weights| {
        let persona = |(at, weight): (u16, &u32)| Persona {
            weight: *weight,
            attributes: seats.iter().find(|(seat, _)| *seat == at).map(|(_, own)| own.clone()).unwrap_or_default(),
        };
        (0..=u16::MAX).zip(weights).map(persona).collect()
    });
    let mut offers: Vec<_> = skeleton
        .candidates
        .iter()
        .filter_map(|row| Some(versions.catalogue.at(row.candidate? as usize)?.0.offer_id.clone()))
        .collect();
    offers.dedup();
    DecisionRequest {
        decision_id: Some(skeleton.decision_id),
        customer: Customer {
            id: name(SubjectKind::Customer),
            session: name(SubjectKind::Session),
            device: name(SubjectKind::Device),
            household: name(SubjectKind::Household),
            attributes: account,
            personas,
        },
        placement: placement.id.clone(),
        count: asked.map(|asked| asked.count),
        jurisdiction: context.jurisdiction.clone(),
        time_zone: asked.and_then(|asked| asked.time_zone.clone()),
        context: of_context,
        basket: context.basket.clone(),
        candidates: asked.is_some_and(|asked| asked.restricted).then_some(offers),
        store: context.store.clone(),
        privacy_signal: private.consent.signal,
    }
}

/// The attributes given.
#[derive(Default)]
struct Given {
    account: Values,
    /// Of each persona that has a seat, by its position in the request.
    seats: Vec<(u16, Values)>,
    context: Values,
}

impl Given {
    fn of(context: &ContextGroup, bundle: &Bundle) -> Self {
        let mut given = Self::default();
        match &context.personas {
            None => given.put(None, (&context.used, context.guarded.as_ref(), Some(&context.withheld)), bundle),
            Some(personas) => {
                for seen in personas {
                    given.seats.push((seen.at, Values::new()));
                    let seat = given.seats.len() - 1;
                    given.put(Some(seat), (&seen.used, seen.guarded.as_ref(), seen.withheld.as_ref()), bundle);
                }
            }
        }
        given
    }

    /// Takes in what was used, what guards saw, and the names of what was withheld.
    fn put(
        &mut self,
        seat: Option<usize>,
        (used, guarded, withheld): (&Attributes, Option<&Attributes>, Option<&Kept>),
        bundle: &Bundle,
    ) {
        for (id, value) in used.iter().chain(guarded.into_iter().flatten()) {
            self.of_scope(seat, id.scope()).insert(id.name().to_owned(), value.clone());
        }
        for (id, _) in withheld.into_iter().flatten().filter(|(_, why)| !is_kept(*why)) {
            if let Some(spec) = bundle.attributes.get(id) {
                let values = self.of_scope(seat, id.scope());
                values.entry(id.name().to_owned()).or_insert_with(|| spec.any_value());
            }
        }
    }

    fn of_scope(&mut self, seat: Option<usize>, scope: AttributeScope) -> &mut Values {
        let seat = seat.and_then(|seat| self.seats.get_mut(seat)).map(|(_, own)| own);
        match (scope, seat) {
            (AttributeScope::Customer, Some(own)) => own,
            (AttributeScope::Customer, None) => &mut self.account,
            _ => &mut self.context,
        }
    }
}

/// Whether something was withheld of what was kept of the customer, and not of what the request said.
fn is_kept(why: Withheld) -> bool {
    matches!(why, Withheld::Expired | Withheld::Undeclared)
}

/// The state of a subject, as far as it was read.
fn state(
    (skeleton, private): (&Skeleton, &Private),
    versions: &Versions<'_>,
    placement: &Placement,
    stands_for: SubjectKinds,
) -> SubjectState {
    let (bundle, now) = (versions.bundle, skeleton.at);
    let readings: Vec<&CapReading> = private.contacts.readings.iter().filter(|reading| reading.slot == 0).collect();
    let rows = (0..u32::MAX).zip(&skeleton.candidates);
    let read: Vec<ReadOf<'_>> = rows
        .filter_map(|(at, row)| {
            let offer = versions.catalogue.at(row.candidate? as usize)?.0;
            Some((offer, readings.iter().filter(|reading| reading.candidate == at).map(|reading| **reading).collect()))
        })
        .collect();
    let mut state = SubjectState {
        cap_set: Some(bundle.cap_set),
        caps: counters_read(bundle, placement, (&read, stands_for), now),
        ..SubjectState::default()
    };
    // Consents and what is kept are the customer's.
    if stands_for.has(SubjectKind::Customer) {
        for entry in private.consent.readings.iter().filter_map(entry) {
            if !state.consents.contains(&entry) {
                state.consents.push(entry);
            }
        }
        let kept = private.context.withheld.iter().filter(|(_, why)| is_kept(*why));
        state.known = kept.map(|(id, why)| known(bundle, id, *why, now)).collect();
        // As it is stored.
        state.known.sort_by(|a, b| a.name.cmp(&b.name));
    }
    state
}

/// What a gate read of what the customer said; nothing where nothing was said.
fn entry(reading: &crate::domain::decision::ConsentReading) -> Option<ConsentEntry> {
    Some(ConsentEntry {
        purpose: reading.purpose.clone(),
        state: reading.state?,
        basis: reading.basis?,
        valid_from: reading.valid_from?,
        valid_until: reading.valid_until,
        channel: reading.channel.clone(),
        jurisdiction: reading.jurisdiction.clone(),
    })
}

/// Something kept that could not be used: a value that has expired, or one that the bundle does not declare.
fn known(bundle: &Bundle, id: &AttributeId, why: Withheld, now: Timestamp) -> KnownAttribute {
    let fits = |value: &Value| bundle.attributes.get(id).is_some_and(|spec| spec.problem(value).is_none());
    let (truth, text) = (Value::Bool(false), Value::Text(String::new()));
    let value = if fits(&truth) { text } else { truth };
    KnownAttribute { name: id.name().to_owned(), value, at: now, until: (why == Withheld::Expired).then_some(now) }
}

/// What campaigns and exploration had spent.
fn spend(skeleton: &Skeleton, placement: &Placement) -> Spend {
    let mut spend = Spend::none(skeleton.at.day());
    if let Some(money) = &skeleton.money {
        let campaigns = money.campaigns.iter().map(|budget| (budget.campaign.clone(), budget.spent_minor));
        spend.campaigns = campaigns.collect();
        let explored = money.exploring.map(|exploring| (placement.id.clone(), exploring.spent_micros));
        spend.explored = explored.into_iter().collect();
    }
    spend
}

/// What people had approved.
fn approved((skeleton, private): (&Skeleton, &Private), versions: &Versions<'_>) -> Approved {
    let Versions { bundle, catalogue, .. } = versions;
    let refused = |of: &Use| {
        let withheld = private.context.withheld.iter().filter(|(id, _)| *id == of.attribute);
        withheld.into_iter().any(|(_, why)| match why {
            Withheld::NotApproved => matches!(of.use_case, UseCase::Rule | UseCase::Feature),
            Withheld::FeatureNotApproved => of.use_case == UseCase::Feature,
            Withheld::RuleNotApproved => of.use_case == UseCase::Rule,
            Withheld::GuardNotApproved => of.use_case == UseCase::Guard,
            Withheld::PriceNotApproved => of.use_case == UseCase::Price,
            _ => false,
        })
    };
    let withheld = bundle.approval_rule().into_iter().flat_map(|rule| {
        skeleton.candidates.iter().filter_map(move |row| {
            let failed = row.failed.iter().find(|failed| failed.rule == rule)?;
            Some((row.candidate?, failed.limit.map(Timestamp)))
        })
    });
    Approved::recorded((bundle, catalogue), refused, &withheld.collect())
}

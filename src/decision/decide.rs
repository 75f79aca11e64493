//! One decision: minimise, judge, value, distribute, draw, justify. Commits nothing and answers nobody.

use std::collections::BTreeMap;

use super::allot::{contender, in_holdout};
use super::ask::{Ask, SubjectView, Subjects};
use super::assess::{Assessed, assess};
use super::check::{Problem, check};
use super::distribute::{reads_offers, score};
use super::money;
use super::personas::Seating;
use super::purpose::Purpose;
use super::slate::{Slate, Table, fill};
use super::snapshot::Snapshot;
use crate::bandit::ModelView;
use crate::domain::decision::{
    Asked, CandidateRow, ConsentGroup, ContactsGroup, ContextGroup, ENCODING, FallbackReason, PersonaSeen, Private,
    Shown, Skeleton, SubjectGroup, SubjectRead, Terms, Withheld,
};
use crate::domain::key::GeneratorKey;
use crate::domain::{
    AttributeId, DecisionRequest, LocalTime, OfferId, Placement, PurposeId, SubjectState, Take, Timestamp, Value,
};
use crate::policy::Seen;

type Attributes = Vec<(AttributeId, Value)>;

/// A decision, before it is sealed and stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The public part of its record.
    pub skeleton: Skeleton,
    /// The private part.
    pub private: Private,
    /// The next state of the subject it is for, if the decision changes it.
    pub next: Option<SubjectState>,
    /// The next states of the subjects beside, in their order; nothing where one stays as it is.
    pub beside: Vec<Option<SubjectState>>,
    /// What it takes of what may run out; without it the decision must not be stored.
    pub takes: Vec<Take>,
}

/// Decides. A function of its arguments: the same ones give the same bytes on any machine.
///
/// `now` is the store's time; for a subject it never runs backwards.
pub fn decide<'s>(
    snapshot: &Snapshot,
    ask: &Ask<'_>,
    subjects: impl Into<Subjects<'s>>,
    generator: &GeneratorKey,
    now: Timestamp,
) -> Result<Decision, Vec<Problem>> {
    let placement = check(&snapshot.bundle, ask.request)?;
    let subjects = subjects.into();
    let subject = subjects.view();
    let now = subjects.last_at().map_or(now, |last| last.max(now));

    let assessed = assess(snapshot, placement, ask.request, subjects.states(), ask.purse, now);
    let Assessed { purpose, seating, seen, windows, mut judged } = assessed;
    let local = local_time(now, windows.zone);
    let contender = contender(placement, subject.map(|view| view.subject));
    let view = snapshot.view(placement, contender);
    let fallback = fallback(placement, ask, subject, &purpose, &judged.rows);
    let money = money::terms(&snapshot.spend, placement, std::mem::take(&mut judged.budgets), now.day());
    let terms = money.as_ref();
    let mut slate = if fallback.is_none() {
        let (apart, seating, windows) = (&judged.apart, &seating, &windows);
        let valued = score(snapshot, placement, &view, (&mut judged.rows, terms), (&seen, apart), local);
        valued.and_then(|valued| {
            let (rows, valued, view) = (judged.rows.as_slice(), &valued, view.as_ref());
            let seen = seen.as_slice();
            let table = Table {
                snapshot,
                placement,
                view,
                ask,
                generator,
                now,
                windows,
                rows,
                seating,
                seen,
                apart,
                valued,
                terms,
            };
            fill(&table, &subjects, &mut judged.pools)
        })
    } else {
        None
    };
    if fallback.is_none() && slate.is_none() {
        judged.pools.give_back();
        // Numbers that failed their check are not recorded as if somebody could draw from them.
        judged.rows.iter_mut().for_each(|row| (row.scored, row.learned) = (None, None));
    }
    let barred = slate.as_mut().is_some_and(|slate| slate.bar(&mut judged.rows));
    let fallback = fallback.or(barred.then_some(FallbackReason::NoEligibleCandidate));
    let slate = slate.filter(|_| !barred);
    let fallback = fallback.or(slate.is_none().then_some(FallbackReason::DistributionInvalid));
    let Slate { slots, shown, readings, features, next, beside, .. } = slate.unwrap_or_else(|| Slate {
        shown: vec![Shown { offer: placement.fallback.offer.clone(), variant: placement.fallback.variant.clone() }],
        ..Slate::default()
    });
    judged.readings.extend(readings);
    let mut features = features.iter().map(|features| features.sparse());
    let (first, later) = (features.next().unwrap_or_default(), features);

    let Kept { used, withheld, personas, guarded } = Kept::of(&seen, &seating);
    let mut skeleton = skeleton(snapshot, (placement, purpose.decided_under), &view, ask, now, shown);
    skeleton.challenger = contender.checked_sub(1).and_then(|at| Some(placement.challengers.get(at)?.id.clone()));
    skeleton.exploration = money::exploration(&view, terms);
    skeleton.money = money;
    skeleton.refused = purpose.refused;
    skeleton.terms.unlearned = purpose.unlearned;
    skeleton.candidates = judged.rows;
    skeleton.slots = slots;
    let chosen = skeleton.chosen().count();
    skeleton.reserved_until = (chosen > 0).then(|| now.plus(placement.reservation));
    skeleton.fallback = fallback;
    let (takes, pools) = judged.pools.done();
    skeleton.pools = pools;
    let private = Private {
        subject: subjects_read(&subjects),
        context: ContextGroup {
            used,
            withheld,
            jurisdiction: ask.request.jurisdiction.clone(),
            hour: local.hour(),
            basket: ask.request.basket.clone(),
            dimensions: u16::try_from(placement.dimensions()).unwrap_or(u16::MAX),
            features: first,
            // Without features of offers all slots of a persona have the same.
            features_later: if reads_offers(placement) || seating.len() > 1 { later.collect() } else { Vec::new() },
            store: ask.request.store.clone(),
            local: snapshot.bundle.local_time_read(placement, ask.request.time_zone.as_deref(), now),
            personas,
            guarded,
            asked: Some(asked(placement, ask.request)),
        },
        consent: ConsentGroup { readings: purpose.readings, signal: ask.request.privacy_signal },
        contacts: ContactsGroup { readings: judged.readings },
    };
    Ok(Decision { skeleton, private, next, beside, takes })
}

/// What else of a request has to be known to decide again.
fn asked(placement: &Placement, request: &DecisionRequest) -> Asked {
    let personas = request.customer.personas.as_ref();
    Asked {
        count: request.count.unwrap_or(placement.slots),
        restricted: request.candidates.is_some(),
        time_zone: request.time_zone.clone(),
        weights: personas.map(|personas| personas.iter().map(|persona| persona.weight).collect()),
    }
}

/// Whose states were read.
fn subjects_read(subjects: &Subjects<'_>) -> SubjectGroup {
    let read = |view: SubjectView<'_>| SubjectRead { kind: view.kind, subject: view.subject, version: view.version };
    let beside: Vec<SubjectRead> = subjects.beside.iter().map(|(view, _)| read(*view)).collect();
    SubjectGroup { read: subjects.view().map(read), beside: (!beside.is_empty()).then_some(beside) }
}

/// What the record keeps of what may be seen.
struct Kept {
    /// The attributes for the first who has a seat.
    used: Attributes,
    /// Whatever was withheld of anybody.
    withheld: Vec<(AttributeId, Withheld)>,
    /// The attributes for each persona.
    personas: Option<Vec<PersonaSeen>>,
    /// What guards saw of anybody.
    guarded: Option<Attributes>,
}

impl Kept {
    fn of(seen: &[Seen], seating: &Seating) -> Self {
        let listed = |used: &BTreeMap<AttributeId, Value>| -> Attributes { used.clone().into_iter().collect() };
        let of_persona = |(seat, seen): (usize, &Seen)| {
            let (at, _) = seating.named(seat)?;
            let guarded = Some(listed(seen.guarded())).filter(|guarded| !guarded.is_empty());
            let withheld = Some(seen.withheld().to_vec()).filter(|withheld| !withheld.is_empty());
            Some(PersonaSeen { at, used: listed(seen.used()), guarded, withheld })
        };
        let (mut withheld, mut guarded) = (Vec::new(), Attributes::new());
        for seen in seen {
            for other in seen.withheld() {
                if !withheld.contains(other) {
                    withheld.push(other.clone());
                }
            }
            for (id, value) in seen.guarded() {
                if !guarded.iter().any(|(other, known)| other == id && known == value) {
                    guarded.push((id.clone(), value.clone()));
                }
            }
        }
        Self {
            used: seen.first().map(|seen| listed(seen.used())).unwrap_or_default(),
            withheld,
            personas: seen.iter().enumerate().map(of_persona).collect(),
            guarded: (!guarded.is_empty()).then_some(guarded),
        }
    }
}

/// Why nothing is drawn at all, if so; the first reason that holds.
fn fallback(
    placement: &Placement,
    ask: &Ask<'_>,
    subject: Option<SubjectView<'_>>,
    purpose: &Purpose,
    rows: &[CandidateRow],
) -> Option<FallbackReason> {
    if ask.contended {
        return Some(FallbackReason::Contention);
    }
    if purpose.closed_by.is_some() {
        return Some(FallbackReason::PurposeRefused);
    }
    if subject.is_some_and(|view| in_holdout(placement, view.subject)) {
        return Some(FallbackReason::Holdout);
    }
    rows.iter().all(|row| !row.failed.is_empty()).then_some(FallbackReason::NoEligibleCandidate)
}

/// What is known of a record before anything is drawn: its names, versions and terms.
fn skeleton(
    snapshot: &Snapshot,
    (placement, purpose): (&Placement, PurposeId),
    view: &ModelView,
    ask: &Ask<'_>,
    now: Timestamp,
    shown: Vec<Shown>,
) -> Skeleton {
    let offers: Vec<&OfferId> = shown.iter().map(|shown| &shown.offer).collect();
    let terms = Terms::of(placement, &offers);
    Skeleton {
        encoding: ENCODING,
        decision_id: ask.decision_id,
        id_minted: ask.id_minted,
        tenant: snapshot.tenant.clone(),
        placement: placement.id.clone(),
        purpose,
        refused: None,
        at: now,
        request_digest: ask.request_digest,
        attempt: ask.attempt,
        build: snapshot.build.clone(),
        bundle: snapshot.bundle.hash,
        catalogue_revision: snapshot.catalogue.revision,
        control_sequence: snapshot.control_sequence,
        model: view.version,
        day: snapshot.day,
        distribution_rule: view.rule(),
        exploration: view.contender().exploration,
        candidates: Vec::new(),
        slots: Vec::new(),
        fallback: None,
        reserved_until: None,
        shown,
        terms,
        commitments: Vec::new(),
        challenger: None,
        money: None,
        prior: Some(view.contender().prior),
        pools: None,
        switches: snapshot.bundle.switches,
    }
}

/// What calendar and clock say where the customer is; UTC where no time zone is given.
fn local_time(now: Timestamp, zone: Option<chrono_tz::Tz>) -> LocalTime {
    let there = zone.and_then(|zone| Some(chrono::DateTime::from_timestamp_millis(now.0)?.with_timezone(&zone)));
    // The clock on the wall read as if it were UTC.
    let wall = there.map_or(now, |there| Timestamp(there.naive_local().and_utc().timestamp_millis()));
    LocalTime { zone_named: zone.is_some(), ..LocalTime::utc(wall) }
}

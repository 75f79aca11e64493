//! One decision: minimise, judge, value, distribute, draw, justify. Commits nothing and answers nobody.

use std::sync::Arc;

use chrono::Timelike as _;

use super::check::{Problem, check};
use super::minimise::{Minimised, minimise};
use super::snapshot::Snapshot;
use crate::bandit::draw::{self, DrawPurpose};
use crate::bandit::{self, Arm, ArmKey, DISTRIBUTION_RULE, Features, ModelView};
use crate::domain::decision::{
    CandidateRow, CapReading, ConsentGroup, ContactsGroup, ContextGroup, Draw, ENCODING, Failed, FallbackReason,
    Private, RefusedPurpose, Scored, Shown, Skeleton, SubjectGroup, SubjectRead, Terms,
};
use crate::domain::key::GeneratorKey;
use crate::domain::{
    AttributeId, AttributeScope, DecisionId, DecisionRequest, Digest, ObjectiveKind, Offer, OfferStatus, Placement,
    Propensity, PurposeId, SubjectId, SubjectKind, SubjectState, Timestamp, Value,
};
use crate::policy::{self, GateVerdict};

/// What is asked, with everything that names it.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The request.
    pub request: &'a DecisionRequest,
    /// Its digest.
    pub request_digest: Digest,
    /// The decision's name.
    pub decision_id: DecisionId,
    /// Whether the server minted the name.
    pub id_minted: bool,
    /// How often it was decided before on state that proved stale.
    pub attempt: u16,
    /// What was read kept changing: answer with the fallback and read no subject.
    pub contended: bool,
}

/// A subject as a decision reads it.
#[derive(Debug, Clone, Copy)]
pub struct SubjectView<'a> {
    /// What kind.
    pub kind: SubjectKind,
    /// Internal id.
    pub subject: SubjectId,
    /// Version of the state.
    pub version: u64,
    /// The state.
    pub state: &'a SubjectState,
}

/// A decision, before it is sealed and stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The public part of its record.
    pub skeleton: Skeleton,
    /// The private part.
    pub private: Private,
    /// The subject's next state, if the decision changes it.
    pub next: Option<SubjectState>,
}

/// Decides. A function of its arguments: the same ones give the same bytes on any machine.
///
/// `now` is the store's time; for a subject it never runs backwards.
pub fn decide(
    snapshot: &Snapshot,
    ask: &Ask<'_>,
    subject: Option<SubjectView<'_>>,
    generator: &GeneratorKey,
    now: Timestamp,
) -> Result<Decision, Vec<Problem>> {
    let placement = check(&snapshot.bundle, ask.request)?;
    let state = subject.map(|view| view.state);
    let now = state.and_then(|state| state.last_at).map_or(now, |last| last.max(now));

    let purpose = Purpose::ask(snapshot, placement, ask.request, state, now);
    let seen = minimise(&snapshot.bundle, placement, ask.request, purpose.personal);
    let hour = local_hour(now, ask.request.time_zone.as_deref());

    let mut judged = judge(snapshot, placement, ask.request, state, &purpose, now);
    let held_out = subject.is_some_and(|view| in_holdout(placement, view.subject));
    let mut fallback = if ask.contended {
        Some(FallbackReason::Contention)
    } else if purpose.closed {
        Some(FallbackReason::PurposeRefused)
    } else if held_out {
        Some(FallbackReason::Holdout)
    } else if judged.rows.iter().all(|row| !row.failed.is_empty()) {
        Some(FallbackReason::NoEligibleCandidate)
    } else {
        None
    };

    let mut drawn = None;
    if fallback.is_none() {
        let model = snapshot.models.get(&placement.id);
        match distribute(snapshot, placement, model, &mut judged.rows, &seen, hour) {
            Some(eligible) => drawn = draw_one(snapshot, ask, generator, &judged.rows, eligible),
            None => fallback = Some(FallbackReason::DistributionInvalid),
        }
        if drawn.is_none() && fallback.is_none() {
            fallback = Some(FallbackReason::DistributionInvalid);
        }
    }
    if fallback == Some(FallbackReason::DistributionInvalid) {
        judged.rows.iter_mut().for_each(|row| row.scored = None);
    }

    let chosen = drawn.as_ref().and_then(|(draw, _)| {
        let row = judged.rows.get(draw.chosen as usize)?;
        snapshot.catalogue.at(row.candidate as usize)
    });
    let next = match (state, chosen) {
        (Some(state), Some((offer, _))) => {
            let mut next = state.clone();
            next.last_at = Some(now);
            policy::count_contact(&snapshot.bundle, placement, offer, &mut next, now);
            Some(next)
        }
        _ => None,
    };
    let shown = chosen.map_or_else(
        || Shown { offer: placement.fallback.offer.clone(), variant: placement.fallback.variant.clone() },
        |(offer, variant)| Shown { offer: offer.offer_id.clone(), variant: variant.variant_id.clone() },
    );
    let (draw, features) = drawn.map_or((None, None), |(draw, features)| (Some(draw), Some(features)));
    let skeleton = Skeleton {
        encoding: ENCODING,
        decision_id: ask.decision_id,
        id_minted: ask.id_minted,
        tenant: snapshot.tenant.clone(),
        placement: placement.id.clone(),
        purpose: purpose.decided_under.clone(),
        refused: purpose.refused.clone(),
        at: now,
        request_digest: ask.request_digest,
        attempt: ask.attempt,
        build: snapshot.build.clone(),
        bundle: snapshot.bundle.hash,
        catalogue_revision: snapshot.catalogue.revision,
        control_sequence: snapshot.control_sequence,
        model: snapshot
            .models
            .get(&placement.id)
            .map_or_else(|| ModelView::prior(placement).version, |model| model.version),
        day: snapshot.day,
        distribution_rule: DISTRIBUTION_RULE,
        exploration: placement.exploration,
        candidates: judged.rows,
        draw,
        fallback,
        reserved_until: draw.map(|_| now.plus(placement.reservation)),
        shown,
        terms: Terms {
            window: placement.objective.window,
            reward_cap_minor: placement.objective.reward_cap_minor,
            half_life_days: placement.half_life_days,
            currency: placement.currency,
        },
        commitments: Vec::new(),
    };
    let private = Private {
        subject: SubjectGroup {
            read: subject.map(|view| SubjectRead { kind: view.kind, subject: view.subject, version: view.version }),
        },
        context: ContextGroup {
            used: seen.used.into_iter().collect(),
            withheld: seen.withheld,
            jurisdiction: ask.request.jurisdiction.clone(),
            hour,
            basket: ask.request.basket.clone(),
            dimensions: u16::try_from(placement.dimensions()).unwrap_or(u16::MAX),
            features: features.map(|features| features.sparse()).unwrap_or_default(),
        },
        consent: ConsentGroup { readings: purpose.readings },
        contacts: ContactsGroup { readings: judged.readings },
    };
    Ok(Decision { skeleton, private, next })
}

/// The purpose a decision is made under, after its gates were asked.
struct Purpose {
    decided_under: PurposeId,
    refused: Option<RefusedPurpose>,
    /// Whether personal attributes may be seen.
    personal: bool,
    /// No purpose is left: house content only.
    closed: bool,
    /// The gate that closes every candidate.
    closed_by: Option<u16>,
    readings: Vec<crate::domain::decision::ConsentReading>,
}

impl Purpose {
    fn ask(
        snapshot: &Snapshot,
        placement: &Placement,
        request: &DecisionRequest,
        state: Option<&SubjectState>,
        now: Timestamp,
    ) -> Self {
        let bundle = &snapshot.bundle;
        let gate = |purpose: &PurposeId| -> GateVerdict {
            policy::gate(bundle, placement, purpose, state, request.jurisdiction.as_deref(), now)
        };
        let own = gate(&placement.purpose);
        let Some(rule) = own.refused_by else {
            return Self {
                decided_under: placement.purpose.clone(),
                refused: None,
                personal: true,
                closed: false,
                closed_by: None,
                readings: own.readings,
            };
        };
        let refused = Some(RefusedPurpose { rule, purpose: placement.purpose.clone() });
        let mut readings = own.readings;
        if let Some(contextual) = bundle.purposes.get(&placement.purpose).and_then(|spec| spec.fallback.clone()) {
            let verdict = gate(&contextual);
            readings.extend(verdict.readings);
            let closed = verdict.refused_by.is_some();
            let closed_by = verdict.refused_by;
            return Self { decided_under: contextual, refused, personal: false, closed, closed_by, readings };
        }
        let decided_under = placement.purpose.clone();
        Self { decided_under, refused, personal: false, closed: true, closed_by: Some(rule), readings }
    }
}

struct Judged {
    rows: Vec<CandidateRow>,
    readings: Vec<CapReading>,
}

/// Every rule on every candidate, no short circuit.
fn judge(
    snapshot: &Snapshot,
    placement: &Placement,
    request: &DecisionRequest,
    state: Option<&SubjectState>,
    purpose: &Purpose,
    now: Timestamp,
) -> Judged {
    let mut judged = Judged { rows: Vec::new(), readings: Vec::new() };
    let mut last: Option<(usize, policy::Verdict)> = None;
    for (position, candidate) in snapshot.catalogue.candidates().iter().enumerate() {
        let Some(offer) = snapshot.catalogue.offers().get(candidate.offer) else { continue };
        if !is_candidate(placement, request, offer) {
            continue;
        }
        // Rules speak about offers; the variants of one offer share the verdict.
        let verdict = match last.take() {
            Some((of, verdict)) if of == candidate.offer => verdict,
            _ => policy::judge(&snapshot.bundle, placement, offer, state, now),
        };
        let row = u32::try_from(judged.rows.len()).unwrap_or(u32::MAX);
        let closed = purpose.closed_by.map(|rule| Failed { rule, observed: None, limit: None });
        judged.rows.push(CandidateRow {
            candidate: u32::try_from(position).unwrap_or(u32::MAX),
            margin_minor: offer.margin_minor(),
            cost_minor: offer.cost_of_showing_minor(),
            failed: closed.into_iter().chain(verdict.failed.iter().copied()).collect(),
            scored: None,
        });
        judged.readings.extend(verdict.readings.iter().map(|(rule, used, limit)| CapReading {
            candidate: row,
            rule: *rule,
            used: *used,
            limit: *limit,
        }));
        last = Some((candidate.offer, verdict));
    }
    judged
}

/// Active, not the placement's own house content, and asked for.
fn is_candidate(placement: &Placement, request: &DecisionRequest, offer: &Offer) -> bool {
    offer.status == OfferStatus::Active
        && offer.offer_id != placement.fallback.offer
        && request.candidates.as_ref().is_none_or(|asked| asked.binary_search(&offer.offer_id).is_ok())
}

/// What the draw needs of the eligible candidates.
struct Eligible {
    rows: Vec<usize>,
    probabilities: Vec<f64>,
    features: Vec<Arc<Features>>,
}

/// The strategy's distribution over the eligible rows, written into them; nothing if it fails its check.
fn distribute(
    snapshot: &Snapshot,
    placement: &Placement,
    model: Option<&Arc<ModelView>>,
    rows: &mut [CandidateRow],
    seen: &Minimised,
    hour: u8,
) -> Option<Eligible> {
    let prior;
    let model = if let Some(model) = model {
        model
    } else {
        prior = Arc::new(ModelView::prior(placement));
        &prior
    };
    let by_offer = placement
        .features
        .iter()
        .flat_map(|feature| &feature.atoms)
        .any(|atom| atom.attribute.as_ref().is_some_and(|id| id.scope() == AttributeScope::Offer));
    let mut shared: Option<(Arc<Features>, Vec<f64>)> = None;
    let mut eligible = Eligible { rows: Vec::new(), probabilities: Vec::new(), features: Vec::new() };
    let mut arms = Vec::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.failed.is_empty()) {
        let (offer, variant) = snapshot.catalogue.at(row.candidate as usize)?;
        let (features, x) = match &shared {
            Some(made) if !by_offer => made.clone(),
            _ => {
                let value = |id: &AttributeId| -> Option<Value> {
                    match id.scope() {
                        AttributeScope::Offer => offer.attribute(id.name()),
                        _ => seen.used.get(id).cloned(),
                    }
                };
                let features = bandit::features(placement, hour, &value);
                let x = features.to_f64();
                let made = (Arc::new(features), x);
                shared = Some(made.clone());
                made
            }
        };
        let key = ArmKey { offer: offer.offer_id.clone(), variant: variant.variant_id.clone() };
        let posterior = model.posterior(&key);
        #[expect(clippy::cast_precision_loss, reason = "bounded far below 2^53 at the door")]
        let (margin, cost) = match placement.objective.kind {
            ObjectiveKind::Margin => (row.margin_minor as f64, row.cost_minor as f64),
            ObjectiveKind::Conversion => (1.0, 0.0),
        };
        arms.push(Arm { margin, cost, estimate: posterior.score(&x), variance: posterior.variance() });
        eligible.rows.push(at);
        eligible.features.push(features);
    }
    let (scores, w) = bandit::distribution(&placement.strategy, &arms);
    let p = bandit::explore(&w, placement.exploration);
    bandit::check(&p, placement.exploration).ok()?;
    for ((at, score), probability) in eligible.rows.iter().zip(&scores).zip(&p) {
        rows.get_mut(*at)?.scored =
            Some(Scored { mean: score.mean, deviation: score.deviation, probability: *probability });
    }
    eligible.probabilities = p;
    Some(eligible)
}

fn draw_one(
    snapshot: &Snapshot,
    ask: &Ask<'_>,
    generator: &GeneratorKey,
    rows: &[CandidateRow],
    eligible: Eligible,
) -> Option<(Draw, Arc<Features>)> {
    let u = draw::uniform(generator, &snapshot.tenant, &ask.decision_id, 0, DrawPurpose::Served);
    let picked = draw::pick(&eligible.probabilities, u)?;
    let chosen = *eligible.rows.get(picked)?;
    let probability = rows.get(chosen)?.scored?.probability;
    let draw = Draw {
        key_period: generator.period,
        u,
        chosen: u32::try_from(chosen).ok()?,
        // Rounding may lift a lone candidate's share a hair above one.
        propensity: Propensity::new(probability.min(1.0)).ok()?,
    };
    Some((draw, eligible.features.into_iter().nth(picked)?))
}

/// The hour of day where the customer is; UTC where no time zone is given.
fn local_hour(now: Timestamp, time_zone: Option<&str>) -> u8 {
    let zone = time_zone.and_then(|name| name.parse().ok()).unwrap_or(chrono_tz::UTC);
    let hour = chrono::DateTime::from_timestamp_millis(now.0).map_or(0, |at| at.with_timezone(&zone).hour());
    u8::try_from(hour).unwrap_or(0)
}

/// Whether a subject belongs to the placement's holdout: fixed by its internal id, so it stays there.
fn in_holdout(placement: &Placement, subject: SubjectId) -> bool {
    use sha2::{Digest as _, Sha256};
    let hash: [u8; 32] = Sha256::new()
        .chain_update(b"proffer/holdout/1")
        .chain_update(placement.id.as_str())
        .chain_update([0])
        .chain_update(subject.0)
        .finalize()
        .into();
    let head = hash.iter().take(8).fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    let share = u64::try_from(placement.holdout.0).unwrap_or(0);
    head % 10_000 < share
}

//! Learning events: what one decision adds to, or takes back from, its model. Reads no outcome and keeps no model.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::fold::{Earned, Exposed, fold};
use crate::bandit::{ArmKey, Features, Increment, generation_and_weight, multiplicities};
use crate::domain::decision::{CandidateRow, Private, Shown, Skeleton};
use crate::domain::key::SubjectKey;
use crate::domain::outcome::OutcomeFact;
use crate::domain::{Curve, DecisionId, Malformed, ModelId, Span, Timestamp};

/// What the learner applied of one slot of a decision so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// Whether its exposure was learned.
    pub exposed: bool,
    /// Whether it counts as accepted.
    pub accepted: bool,
    /// Reported reward in minor units.
    pub reward_minor: i64,
    /// How many steps of its delay curve its weight was gained by; 0 where the placement declares none.
    pub steps: u16,
}

/// What the learner reads of one slot of a decision's record.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// Which decision.
    pub decision_id: DecisionId,
    /// Which of its slots, from 0.
    pub slot: u16,
    /// The model that gave its posterior.
    pub model: ModelId,
    /// The arm.
    pub arm: ArmKey,
    /// Its features.
    pub features: Features,
    /// What the fold reads.
    pub exposed: Exposed,
}

impl Lesson {
    /// Reads a record: a lesson for each slot that shows an offer. From the fallback, and from *nothing*, nothing is
    /// learned.
    pub fn read(skeleton: &Skeleton, private: &Private) -> Result<Vec<Self>, Malformed> {
        let context = &private.context;
        let lesson = |(slot, shown, _): (u16, &Shown, &CandidateRow)| {
            Ok(Self {
                decision_id: skeleton.decision_id,
                slot,
                model: skeleton.model.id,
                arm: ArmKey { offer: shown.offer.clone(), variant: shown.variant.clone() },
                features: Features::from_sparse(context.dimensions.into(), context.features_of(slot))?,
                exposed: Exposed::of(skeleton, slot),
            })
        };
        skeleton.chosen().map(lesson).collect()
    }

    /// What is to be applied of the slot in all, given every outcome known, at an instant.
    pub fn earned(&self, outcomes: &[OutcomeFact], now: Timestamp) -> (Applied, Earned) {
        let of_slot: Vec<OutcomeFact> = outcomes.iter().filter(|fact| fact.is_of(self.slot)).copied().collect();
        let earned = fold(&self.exposed, &of_slot);
        let Earned { exposed, accepted, reward_minor, .. } = earned;
        let age = Span(now.0.saturating_sub(self.exposed.at.0));
        let steps = self.curve().map_or(0, |curve| curve.reached(age));
        (Applied { exposed, accepted, reward_minor, steps }, earned)
    }

    /// When more of its weight is to be learned, given what is applied; nothing where nothing more is, and before it
    /// was seen.
    pub fn due(&self, applied: Applied) -> Option<Timestamp> {
        if self.exposed.terms.unlearned.is_some() {
            return None;
        }
        let next = self.curve().filter(|_| applied.exposed)?.next(applied.steps)?;
        Some(self.exposed.at.plus(next))
    }

    fn curve(&self) -> Option<&Curve> {
        self.exposed.terms.delay.as_ref().map(|delay| delay.curve_of(&self.arm.offer))
    }

    /// The realised margin of what was accepted, where that is learned; minor units.
    fn value(&self, applied: Applied) -> i64 {
        let learned = self.exposed.terms.values.is_some() && applied.accepted;
        if learned { applied.reward_minor.saturating_add(self.exposed.cost_minor) } else { 0 }
    }

    /// The event that leads from what was applied `before` to what is `now`; nothing if that changes no model. What
    /// the customer did not agree to be learned from changes none, though it is counted and reported.
    pub fn event(&self, before: Applied, now: Applied) -> Option<LearningEvent> {
        if self.exposed.terms.unlearned.is_some() {
            return None;
        }
        let (arm, features) = (self.arm.clone(), self.features.clone());
        // Before the exposure was learned nothing of the decision was in the model, whatever was reported.
        let [before, now] = [before, now].map(|told| if told.exposed { told } else { Applied::default() });
        if before == now {
            return None;
        }
        let difference = |after: bool, before: bool| i8::from(after) - i8::from(before);
        let square = |minor: i64| i128::from(minor) * i128::from(minor);
        let (generation, weight) = generation_and_weight(self.exposed.at.day(), self.exposed.terms.half_life_days);
        let gained = |curve: &Curve, told: Applied| if told.exposed { curve.weight(told.steps, weight) } else { 0 };
        let increment = Increment {
            generation,
            weight,
            features,
            matured: self.curve().map(|curve| gained(curve, now) - gained(curve, before)),
            value: self.value(now) - self.value(before),
            exposure: difference(now.exposed, before.exposed),
            accepted: difference(now.accepted, before.accepted),
            reward: now.reward_minor - before.reward_minor,
            reward_squared: square(now.reward_minor) - square(before.reward_minor),
            bags: multiplicities(&self.decision_id, self.slot, self.exposed.terms.bags.unwrap_or(0)),
        };
        Some(LearningEvent { arm, exposed_at: self.exposed.at, increment })
    }
}

/// One event of a model's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearningEvent {
    /// The arm it changes.
    pub arm: ArmKey,
    /// When the decision was seen.
    pub exposed_at: Timestamp,
    /// What it adds.
    pub increment: Increment,
}

/// How an event stands in the store.
#[derive(Encode, Decode)]
struct Encoded {
    #[n(0)]
    encoding: u8,
    #[n(1)]
    arm: ArmKey,
    #[n(2)]
    exposed_at: Timestamp,
    #[n(3)]
    generation: u32,
    #[n(4)]
    weight: i64,
    #[n(5)]
    dimensions: u16,
    #[n(6)]
    features: Vec<(u16, i32)>,
    #[n(7)]
    exposure: i8,
    #[n(8)]
    accepted: i8,
    #[n(9)]
    reward: i64,
    #[cbor(n(10), with = "minicbor::bytes")]
    reward_squared: [u8; 16],
    #[n(11)]
    matured: Option<i64>,
    #[n(12)]
    value: Option<i64>,
    #[n(13)]
    bags: Option<ByteVec>,
}

const ENCODING: u8 = 1;
const SEALED_AS: &str = "learning";

impl LearningEvent {
    /// Encodes and seals under the subject's key: features are personal. The model sequence makes the nonce unique.
    pub fn seal(&self, key: &SubjectKey, decision: DecisionId, sequence: u64) -> Vec<u8> {
        key.seal(SEALED_AS, decision.as_bytes(), sequence, &self.encode())
    }

    /// Opens and decodes.
    pub fn open(key: &SubjectKey, decision: DecisionId, sequence: u64, sealed: &[u8]) -> Result<Self, Malformed> {
        Self::decode(&key.open(SEALED_AS, decision.as_bytes(), sequence, sealed)?)
    }

    /// The event as bytes, before they are sealed.
    pub fn encode(&self) -> Vec<u8> {
        let increment = &self.increment;
        let encoded = Encoded {
            encoding: ENCODING,
            arm: self.arm.clone(),
            exposed_at: self.exposed_at,
            generation: increment.generation,
            weight: increment.weight,
            dimensions: u16::try_from(increment.features.dimensions()).unwrap_or(u16::MAX),
            features: increment.features.sparse(),
            exposure: increment.exposure,
            accepted: increment.accepted,
            reward: increment.reward,
            reward_squared: increment.reward_squared.to_be_bytes(),
            matured: increment.matured,
            value: Some(increment.value).filter(|value| *value != 0),
            bags: Some(&increment.bags).filter(|bags| !bags.is_empty()).map(|bags| bags.clone().into()),
        };
        minicbor::to_vec(encoded).unwrap_or_default()
    }

    /// The event back from its bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let wrong = |what: String| Malformed(format!("a learning event does not decode: {what}"));
        let encoded: Encoded = minicbor::decode(bytes).map_err(|error| wrong(error.to_string()))?;
        if encoded.encoding != ENCODING {
            return Err(wrong(format!("encoding {} is not {ENCODING}", encoded.encoding)));
        }
        let increment = Increment {
            generation: encoded.generation,
            weight: encoded.weight,
            features: Features::from_sparse(encoded.dimensions.into(), &encoded.features)?,
            exposure: encoded.exposure,
            accepted: encoded.accepted,
            reward: encoded.reward,
            reward_squared: i128::from_be_bytes(encoded.reward_squared),
            matured: encoded.matured,
            value: encoded.value.unwrap_or(0),
            bags: encoded.bags.map(Vec::from).unwrap_or_default(),
        };
        Ok(Self { arm: encoded.arm, exposed_at: encoded.exposed_at, increment })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bandit::Model;
    use crate::domain::decision::{AcceptedBy, ExposedBy, Terms};
    use crate::domain::outcome::OutcomeKind;
    use crate::domain::{Currency, Delay, DelayStep, Digest, OfferCurve, OfferId, Percent, VariantId};

    fn lesson() -> Lesson {
        let terms = Terms {
            window: Span(7 * 86_400_000),
            reward_cap_minor: 20_000,
            half_life_days: Some(30),
            currency: Currency::parse("USD").unwrap(),
            accepted_by: None,
            exposed_by: None,
            delay: None,
            values: None,
            bags: None,
            unlearned: None,
        };
        let arm = ArmKey { offer: OfferId::new("boots").unwrap(), variant: VariantId::new("a").unwrap() };
        let features = Features::from_sparse(3, &[(0, 1 << 20), (2, -700_000)]).unwrap();
        Lesson {
            decision_id: DecisionId::from_parts(1, [1; 10]),
            slot: 0,
            model: ModelId([2; 16]),
            arm,
            features,
            exposed: Exposed { at: Timestamp(1_700_000_000_000), margin_minor: 900, cost_minor: 5, terms },
        }
    }

    fn fact(key: u8, kind: OutcomeKind, refers_to: Option<u8>, revenue: Option<i64>) -> OutcomeFact {
        OutcomeFact {
            key: Digest([key; 32]),
            kind,
            occurred_at: Timestamp(1_700_000_000_000 + i64::from(key)),
            refers_to: refers_to.map(|key| Digest([key; 32])),
            revenue_minor: revenue,
            margin_minor: None,
            slot: 0,
        }
    }

    /// Long after the window.
    const LATER: Timestamp = Timestamp(1_700_000_000_000 + 30 * 86_400_000);

    /// The model after the learner looked each time the outcomes known had grown to one of the lengths, and at last.
    fn learn(facts: &[OutcomeFact], looks: &[usize]) -> Model {
        learn_of(&lesson(), facts, looks)
    }

    fn learn_of(lesson: &Lesson, facts: &[OutcomeFact], looks: &[usize]) -> Model {
        let looks: Vec<(usize, Timestamp)> = looks.iter().map(|known| (*known, LATER)).collect();
        learn_at(lesson, facts, &looks, LATER)
    }

    /// The same with an instant for every look.
    fn learn_at(lesson: &Lesson, facts: &[OutcomeFact], looks: &[(usize, Timestamp)], last: Timestamp) -> Model {
        let (mut before, mut sequence) = (Applied::default(), 0);
        let mut model = Model::new(lesson.model, 3);
        for (known, at) in looks.iter().chain([&(facts.len(), last)]) {
            let (now, _) = lesson.earned(facts.get(..*known).unwrap_or(facts), *at);
            if let Some(event) = lesson.event(before, now) {
                sequence += 1;
                assert_eq!(LearningEvent::decode(&event.encode()), Ok(event.clone()));
                model.apply(sequence, &event.arm, &event.increment).unwrap();
            }
            before = now;
        }
        model
    }

    #[test]
    fn a_refund_leaves_the_model_as_if_nothing_had_been_bought() {
        let order = fact(1, OutcomeKind::Order, None, Some(4_000));
        let refund = fact(2, OutcomeKind::Refund, Some(1), Some(4_000));
        let refunded = learn(&[order, refund], &[0, 1, 2]);
        assert_eq!(refunded.digest(), learn(&[], &[]).digest());
        assert_ne!(refunded.digest(), learn(&[order], &[]).digest());
        assert_eq!(refunded.sequence(), 3, "exposure, order, refund");
    }

    /// The lesson of a placement that learns from clicks, or from what was seen.
    fn promising(accepted_by: Option<AcceptedBy>, exposed_by: Option<ExposedBy>) -> Lesson {
        let lesson = lesson();
        let terms = Terms { accepted_by, exposed_by, bags: Some(3), ..lesson.exposed.terms.clone() };
        Lesson { exposed: Exposed { terms, ..lesson.exposed.clone() }, ..lesson }
    }

    #[test]
    fn an_event_without_bags_has_the_bytes_it_had_before_there_were_any() {
        let plain = lesson();
        let terms = Terms { bags: Some(10), ..plain.exposed.terms.clone() };
        let bagged = Lesson { exposed: Exposed { terms, ..plain.exposed.clone() }, ..plain.clone() };
        let (before, now) = (Applied::default(), Applied { exposed: true, ..Applied::default() });
        let event = plain.event(before, now).unwrap();
        // Eleven fields; the fourteenth says how often it counts in each bag.
        assert_eq!(event.encode()[0], 0x8b);
        let with_bags = bagged.event(before, now).unwrap();
        assert_eq!((with_bags.encode()[0], with_bags.encode().len()), (0x8e, event.encode().len() + 13));
        assert_eq!(LearningEvent::decode(&with_bags.encode()), Ok(with_bags.clone()));
        assert_eq!(with_bags.increment.bags, multiplicities(&plain.decision_id, 0, 10));
        let without = Increment { bags: Vec::new(), ..with_bags.increment };
        assert_eq!(without, event.increment);
    }

    #[test]
    fn what_nobody_saw_teaches_nothing_until_its_impression_comes() {
        let lesson = promising(None, Some(ExposedBy::Impression));
        let (order, seen) = (fact(1, OutcomeKind::Order, None, None), fact(2, OutcomeKind::Impression, None, None));
        let exposed_at_once = |facts: &[OutcomeFact]| learn_of(&promising(None, None), facts, &[]).digest();
        assert_eq!(learn_of(&lesson, &[order], &[0, 1]).sequence(), 0);
        assert_eq!(learn_of(&lesson, &[order, seen], &[0, 1, 2]).digest(), exposed_at_once(&[order]));
        assert_eq!(learn_of(&lesson, &[seen, order], &[0, 1, 2]).digest(), exposed_at_once(&[order]));
        assert_eq!(learn_of(&lesson, &[seen], &[0, 1]).digest(), exposed_at_once(&[]));
    }

    /// The lesson of a placement with a delay curve, and a curve of its own for another offer.
    fn growing() -> Lesson {
        let lesson = lesson();
        let curve = |steps: &[(i64, i32)]| {
            let step = |(age, share): &(i64, i32)| DelayStep { age: Span(*age), share: Percent(*share) };
            Curve::new(steps.iter().map(step).collect(), lesson.exposed.terms.window).unwrap()
        };
        let other = OfferCurve { offer: OfferId::new("other").unwrap(), curve: curve(&[(1, 10_000)]) };
        let curve = curve(&[(0, 1_000), (600_000, 3_100), (86_400_000, 7_777), (3 * 86_400_000, 10_000)]);
        let delay = Some(Delay { version: 3, curve, offers: vec![other] });
        let terms = Terms { delay, ..lesson.exposed.terms.clone() };
        Lesson { exposed: Exposed { terms, ..lesson.exposed.clone() }, ..lesson }
    }

    #[test]
    fn a_decision_gains_its_weight_step_by_step_and_its_reward_at_once() {
        let (lesson, decided) = (growing(), growing().exposed.at);
        let order = fact(1, OutcomeKind::Order, None, Some(4_000));
        let at = |facts: &[OutcomeFact], ms: i64| {
            let model = learn_at(&lesson, facts, &[], decided.plus(Span(ms)));
            let (_, statistics) = model.arms().next().unwrap();
            let (generation, sums) = statistics.generations().first_key_value().unwrap();
            let (_, weight) = generation_and_weight(decided.day(), Some(30));
            assert_eq!(*generation, generation_and_weight(decided.day(), Some(30)).0);
            let share = |sum: i128| sum * 10_000 / i128::from(weight);
            (statistics.exposures(), share(sums.w()), share(sums.r()))
        };
        assert_eq!(at(&[], 0), (1, 1_000, 0));
        assert_eq!(at(&[], 599_999), (1, 1_000, 0));
        assert_eq!(at(&[order], 700_000), (1, 3_100, 10_000));
        assert_eq!(at(&[order], 3 * 86_400_000), (1, 10_000, 10_000));
        let (applied, _) = lesson.earned(&[], decided);
        assert_eq!(lesson.due(applied), Some(decided.plus(Span(600_000))));
        assert_eq!(lesson.due(lesson.earned(&[], LATER).0), None);
        assert_eq!(lesson.due(Applied { exposed: false, ..applied }), None, "what was not seen gains no weight");
    }

    #[test]
    fn events_without_steps_and_values_keep_their_bytes() {
        let event = |lesson: &Lesson| {
            let now = Applied { exposed: true, accepted: true, reward_minor: 895, ..Applied::default() };
            lesson.event(Applied::default(), now).unwrap().encode()
        };
        assert_eq!(event(&lesson())[0], 0x8b, "eleven fields, as ever");
        assert_eq!(event(&growing())[0], 0x8c);
    }

    proptest! {
        #[test]
        fn whenever_the_learner_looks_a_grown_decision_is_what_it_is_without_steps(
            facts in proptest::collection::vec(
                (0..9_u8, 0..6_usize, proptest::option::of(0..9_u8), proptest::option::of(0..5_000_i64)), 0..8,
            ),
            looks in proptest::collection::vec((0..8_usize, 0..4 * 86_400_000_i64), 0..8),
            seen in any::<bool>(),
        ) {
            let facts: Vec<OutcomeFact> = facts
                .into_iter()
                .map(|(key, kind, refers_to, revenue)| fact(key, OutcomeKind::ALL[kind], refers_to, revenue))
                .collect();
            let exposed_by = seen.then_some(ExposedBy::Impression);
            let lesson = growing();
            let terms = Terms { exposed_by, bags: Some(3), ..lesson.exposed.terms.clone() };
            let lesson = Lesson { exposed: Exposed { terms, ..lesson.exposed.clone() }, ..lesson };
            // Looks may go back in time: another process may have another clock.
            let looks: Vec<(usize, Timestamp)> =
                looks.into_iter().map(|(known, after)| (known, lesson.exposed.at.plus(Span(after)))).collect();
            let whole = learn_of(&promising(None, exposed_by), &facts, &[]).digest();
            prop_assert_eq!(learn_at(&lesson, &facts, &looks, LATER).digest(), whole);
            // Neither do the looks matter to what it weighs on the way.
            let early = lesson.exposed.at.plus(Span(700_000));
            let at_once = learn_at(&lesson, &facts, &[], early).digest();
            prop_assert_eq!(learn_at(&lesson, &facts, &looks, early).digest(), at_once);
        }

        #[test]
        fn however_often_the_learner_looks_the_integers_are_the_same(
            facts in proptest::collection::vec(
                (0..9_u8, 0..6_usize, proptest::option::of(0..9_u8), proptest::option::of(0..5_000_i64)), 0..8,
            ),
            looks in proptest::collection::vec(0..8_usize, 0..6),
            click in any::<bool>(),
            seen in any::<bool>(),
        ) {
            let facts: Vec<OutcomeFact> = facts
                .into_iter()
                .map(|(key, kind, refers_to, revenue)| fact(key, OutcomeKind::ALL[kind], refers_to, revenue))
                .collect();
            let lesson = promising(click.then_some(AcceptedBy::Click), seen.then_some(ExposedBy::Impression));
            let at_once = learn_of(&lesson, &facts, &[]).digest();
            prop_assert_eq!(learn_of(&lesson, &facts, &looks).digest(), at_once);
            let backwards: Vec<OutcomeFact> = facts.iter().rev().copied().collect();
            // Of equal keys either may count; the same event never differs in what it says.
            if facts.iter().map(|fact| fact.key).collect::<std::collections::BTreeSet<_>>().len() == facts.len() {
                prop_assert_eq!(learn_of(&lesson, &backwards, &looks).digest(), at_once);
            }
        }
    }
}

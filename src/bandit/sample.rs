//! Samples for the tests of this floor: a placement and increments. Holds no test itself.

use super::{Features, Increment, generation_and_weight};
use crate::domain::placement::Fallback;
use crate::domain::{
    Contender, Currency, Day, Exposure, Objective, ObjectiveKind, OfferId, Percent, Placement, PlacementId, Prior,
    PurposeId, Span, Strategy, ValueSource, VariantId,
};

/// A placement without features.
pub(crate) fn placement() -> Placement {
    Placement {
        id: PlacementId::new("home_banner").unwrap(),
        channel: "web".into(),
        purpose: PurposeId::new("offer_personalisation").unwrap(),
        currency: Currency::parse("USD").unwrap(),
        slots: 1,
        nothing_allowed: false,
        objective: Objective {
            kind: ObjectiveKind::Margin,
            window: Span::parse("7d").unwrap(),
            reward_cap_minor: 20_000,
            value: ValueSource::Catalogue,
        },
        exposure: Exposure::Decision,
        delay: None,
        reservation: Span::parse("10m").unwrap(),
        obeys_caps: true,
        counts_toward_caps: true,
        champion: Contender { strategy: Strategy::ThompsonLinear, lambda: 1.0, exploration: 0.05, prior: Prior::None },
        challengers: Vec::new(),
        half_life_days: Some(60),
        features: Vec::new(),
        holdout: Percent::parse("2%").unwrap(),
        fallback: Fallback { offer: OfferId::new("house").unwrap(), variant: VariantId::new("a").unwrap() },
        money: crate::domain::MoneySettings::default(),
    }
}

/// What an exposure on this day (or its correction) changes, for features given as numbers, the intercept first.
pub(crate) fn increment(day: Day, half_life_days: Option<u32>, x: &[f64], exposure: i8, accepted: i8) -> Increment {
    let (generation, weight) = generation_and_weight(day, half_life_days);
    #[expect(clippy::cast_possible_truncation, reason = "casting saturates, and is clamped after")]
    let q20 = |x: &f64| ((x * 1_048_576.0).round() as i32).clamp(-super::features::LIMIT, super::features::LIMIT);
    let sparse: Vec<(u16, i32)> = (0..).zip(x.iter().map(q20)).filter(|(_, x)| *x != 0).collect();
    let features = Features::from_sparse(x.len(), &sparse).unwrap();
    Increment {
        generation,
        weight,
        features,
        exposure,
        accepted,
        reward: 0,
        reward_squared: 0,
        matured: None,
        value: 0,
        bags: Vec::new(),
    }
}

//! What an arm has learned of features, for people: names, effects and how sure they are. Computes no vector and
//! decides nothing.

use super::Posterior;
use crate::domain::placement::Encoder;
use crate::domain::time::WEEKDAYS;
use crate::domain::{AttributeScope, Feature, FeatureAtom, Placement};

/// What one component of the features changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// What it says when it is one.
    pub name: String,
    /// What is added to the expected acceptance then.
    pub effect: f64,
    /// The standard deviation of the belief about that.
    pub deviation: f64,
}

/// The effects that an arm is surest of, at most `count` of them. Of what says nothing about who is asked for (the
/// intercept, and features of offers alone) there is none: it is the same in every decision over the arm.
pub fn effects(posterior: &Posterior, placement: &Placement, count: usize) -> Vec<Effect> {
    let deviation = |at: usize| {
        let mut unit = vec![0.0; posterior.dimensions()];
        if let Some(x) = unit.get_mut(at) {
            *x = 1.0;
        }
        posterior.variance().sqrt() * posterior.score(&unit).bonus
    };
    let named = component_names(placement).into_iter().zip(about_callers(placement)).zip(posterior.theta());
    // What no decision over the arm ever had is still exactly zero.
    let learned = named.enumerate().filter(|(_, ((_, about), effect))| *about && **effect != 0.0);
    let mut effects: Vec<Effect> =
        learned.map(|(at, ((name, _), effect))| Effect { name, effect: *effect, deviation: deviation(at) }).collect();
    let sure = |effect: &Effect| effect.effect.abs() / effect.deviation;
    effects.sort_by(|a, b| sure(b).total_cmp(&sure(a)));
    effects.truncate(count);
    effects
}

/// Of each component, whether it says anything about who is asked for.
fn about_callers(placement: &Placement) -> impl Iterator<Item = bool> {
    let of_offer = |atom: &FeatureAtom| atom.attribute.as_ref().is_some_and(|id| id.scope() == AttributeScope::Offer);
    let features = placement.features.iter().flat_map(move |feature| {
        let about = !feature.atoms.iter().all(of_offer);
        std::iter::repeat_n(about, feature.width())
    });
    std::iter::once(false).chain(features)
}

/// What each component says when it is one, in the order of the vector; the intercept first.
pub fn component_names(placement: &Placement) -> Vec<String> {
    let features = placement.features.iter().flat_map(feature_names);
    std::iter::once("everybody".to_owned()).chain(features).collect()
}

/// Of a product: every component of the first factor with every one of the second, as the vector has them.
fn feature_names(feature: &Feature) -> Vec<String> {
    feature.atoms.iter().map(atom_names).reduce(|first, second| product(&first, &second)).unwrap_or_default()
}

fn product(first: &[String], second: &[String]) -> Vec<String> {
    first.iter().flat_map(|a| second.iter().map(move |b| format!("{a} and {b}"))).collect()
}

fn atom_names(atom: &FeatureAtom) -> Vec<String> {
    let name = atom.attribute.as_ref().map_or("hour", |attribute| attribute.as_str());
    match &atom.encoder {
        Encoder::OneHot(values) => values.iter().map(|value| format!("{name} is {value}")).collect(),
        Encoder::Standardised { mean, scale } => {
            vec![format!("{name} is {}, which is {scale} above {mean}", mean + scale)]
        }
        Encoder::Flag => vec![format!("{name} is true")],
        Encoder::HourOfDay => vec!["at 6 and not at 18 o'clock".to_owned(), "at 0 and not at 12 o'clock".to_owned()],
        Encoder::DayOfWeek => WEEKDAYS.iter().map(|day| format!("on {day}")).collect(),
        Encoder::Weekend => vec!["at the weekend".to_owned()],
        Encoder::Season => vec!["in April and not in October".to_owned(), "in January and not in July".to_owned()],
        Encoder::Holiday(holidays) => {
            let name = holidays.name();
            vec![format!("on a {name}"), format!("right before a {name}")]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::ArmStatistics;
    use crate::bandit::features::{ONE, features};
    use crate::bandit::sample::{self, increment};
    use crate::domain::{AttributeId, Day, LocalTime, Value};

    fn atom(attribute: &str, encoder: Encoder) -> FeatureAtom {
        FeatureAtom { attribute: AttributeId::parse(attribute).ok(), encoder }
    }

    #[test]
    fn every_component_has_its_name_and_products_are_named_in_the_order_of_the_vector() {
        let tier = || atom("customer.tier", Encoder::OneHot(vec!["silver".into(), "gold".into()]));
        let kind = || atom("offer.category", Encoder::OneHot(vec!["shoes".into(), "hats".into(), "tents".into()]));
        let visits = atom("customer.visits", Encoder::Standardised { mean: 4.0, scale: 2.5 });
        let hour = FeatureAtom { attribute: None, encoder: Encoder::HourOfDay };
        let feature = |atoms: Vec<FeatureAtom>| Feature { text: String::new(), atoms };
        let mut placement = sample::placement();
        placement.features = vec![feature(vec![tier(), kind()]), feature(vec![visits]), feature(vec![hour])];
        let names = component_names(&placement);
        assert_eq!(names.len(), placement.dimensions());
        let values = |id: &AttributeId| match id.as_str() {
            "customer.tier" => Some(Value::Text("gold".into())),
            "offer.category" => Some(Value::Text("shoes".into())),
            _ => None,
        };
        let vector = features(&placement, LocalTime { day: Day(0), minute: 360, zone_named: false }, &values);
        let ones = names.iter().zip(vector.as_slice()).filter(|(_, x)| **x == ONE).map(|(name, _)| name.as_str());
        let expected = ["everybody", "customer.tier is gold and offer.category is shoes", "at 6 and not at 18 o'clock"];
        assert_eq!(ones.collect::<Vec<_>>(), expected);
        assert_eq!(names[7], "customer.visits is 6.5, which is 2.5 above 4");
    }

    #[test]
    fn the_effects_an_arm_is_surest_of_come_first_and_what_it_never_met_is_left_out() {
        let mut placement = sample::placement();
        let feature = |attribute, values: &[&str]| Feature {
            text: String::new(),
            atoms: vec![atom(attribute, Encoder::OneHot(values.iter().map(|value| (*value).to_owned()).collect()))],
        };
        placement.features =
            vec![feature("customer.tier", &["silver", "gold", "bronze"]), feature("offer.category", &["shoes"])];
        let mut statistics = ArmStatistics::default();
        for n in 0..400 {
            let gold = f64::from(n % 2);
            // Gold accepts nine times of ten, silver once of ten; all of it are shoes, and no bronze is met.
            let accepted = i8::from((n / 2 % 10 == 0) != (n % 2 == 1));
            statistics.apply(&increment(Day(10), None, &[1.0, 1.0 - gold, gold, 0.0, 1.0], 1, accepted));
        }
        let posterior = Posterior::derive(&statistics, 5, Day(10), None, 1.0).posterior;
        let found = effects(&posterior, &placement, 5);
        let names: Vec<&str> = found.iter().map(|effect| effect.name.as_str()).collect();
        assert_eq!(names, ["customer.tier is gold", "customer.tier is silver"]);
        let [gold, silver] = found.as_slice() else { panic!("{found:?}") };
        assert!((gold.effect - silver.effect - 0.8).abs() < 0.02, "{found:?}");
        assert!(gold.deviation > 0.0 && gold.deviation < 0.5, "{found:?}");
        assert_eq!(effects(&posterior, &placement, 1).len(), 1);
        assert_eq!(effects(&Posterior::prior(5, 1.0), &placement, 5), []);
    }
}

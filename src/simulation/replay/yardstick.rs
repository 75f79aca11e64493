//! Yardsticks of full feedback: what uniform, the best fixed order and an oracle would have earned. Learns nothing.

use std::collections::BTreeMap;

use super::feedback::Event;
use crate::simulation::compare::float;

use crate::domain::OfferId;
pub use crate::simulation::compare::Marks;

/// The offers by their own mean reward over the events in which they are candidates, best first; ties by id. It
/// ignores the context and knows all rewards.
pub fn best_fixed(events: &[Event]) -> Vec<OfferId> {
    let mut sums: BTreeMap<&OfferId, (f64, f64)> = BTreeMap::new();
    for (offer, reward) in events.iter().flat_map(|event| &event.rewards) {
        let (sum, times) = sums.entry(offer).or_default();
        *sum += reward;
        *times += 1.0;
    }
    let mut means: Vec<(f64, &OfferId)> = sums.into_iter().map(|(offer, (sum, times))| (sum / times, offer)).collect();
    means.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    means.into_iter().map(|(_, offer)| offer.clone()).collect()
}

/// What each event would have earned, given an order of offers.
pub fn marks(events: &[Event], order: &[OfferId]) -> Vec<Marks> {
    let places: BTreeMap<&OfferId, usize> = order.iter().zip(0..).collect();
    let mark = |event: &Event| {
        let fixed = event.rewards.iter().min_by_key(|(offer, _)| places.get(offer).copied().unwrap_or(usize::MAX));
        let highest = event.rewards.values().copied().reduce(f64::max);
        Marks {
            uniform: event.rewards.values().sum::<f64>() / float(event.rewards.len()).max(1.0),
            best_fixed: fixed.map_or(0.0, |(_, reward)| *reward),
            oracle: highest.unwrap_or(0.0),
        }
    };
    events.iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn event(rewards: &str) -> Event {
        Event {
            line: 1,
            id: String::new(),
            at: Timestamp(0),
            customer_id: String::new(),
            context: BTreeMap::new(),
            rewards: serde_json::from_str(rewards).unwrap(),
        }
    }

    #[test]
    fn uniform_fixed_and_oracle_follow_their_definitions() {
        let events = [
            event(r#"{"a":1,"b":0,"c":0}"#),
            event(r#"{"a":0,"b":1}"#),
            event(r#"{"a":1,"b":0}"#),
            event(r#"{"b":0,"c":1}"#),
        ];
        let means = Marks::mean(&marks(&events, &best_fixed(&events)));
        assert_eq!((means.best_fixed, means.oracle), (0.75, 1.0));
        assert!((means.uniform - (1.0 / 3.0 + 1.5) / 4.0).abs() < 1e-12);
        assert_eq!(Marks::mean(&marks(&[], &best_fixed(&[]))), Marks::default());
    }

    #[test]
    fn rewards_below_zero_have_an_oracle_below_zero() {
        let events = [event(r#"{"a":-3,"b":-5}"#), event(r#"{"a":-1,"b":-2}"#)];
        let order = best_fixed(&events);
        assert_eq!(order.iter().map(OfferId::as_str).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(Marks::mean(&marks(&events, &order)), Marks { uniform: -2.75, best_fixed: -2.0, oracle: -2.0 });
    }
}

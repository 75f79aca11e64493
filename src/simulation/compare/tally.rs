//! Means, errors, differences and curves of plays. Knows no strategy and no yardstick.

use serde::Serialize;

use super::marks::float;
use super::summary::Played;

/// What the plays of one strategy amount to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::simulation) struct Tally {
    /// Mean reward of each seed that counted any event.
    pub(super) per_seed: Vec<Option<f64>>,
    /// Events that counted, mean over seeds.
    pub(super) matched: f64,
    /// Mean reward over all seeds.
    pub(in crate::simulation) mean: Option<f64>,
    /// Its standard error over seeds.
    pub(in crate::simulation) se: Option<f64>,
    /// Its standard error over events.
    pub(super) se_events: Option<f64>,
    /// No difference is told with a smaller error than this.
    pub(super) doubt_min: f64,
}

impl Tally {
    pub(in crate::simulation) fn of(plays: &[Played]) -> Self {
        let counted = |play: &Played| play.rewards.iter().flatten().count();
        let sum = |play: &Played| play.rewards.iter().flatten().sum::<f64>();
        let ratio = |sum: f64, count: usize| (count > 0).then(|| sum / float(count));
        let per_seed: Vec<Option<f64>> = plays.iter().map(|play| ratio(sum(play), counted(play))).collect();
        let total: usize = plays.iter().map(counted).sum();
        let mean = ratio(plays.iter().map(sum).sum(), total);
        let seeds: Vec<f64> = per_seed.iter().copied().flatten().collect();
        Self {
            matched: float(total) / float(plays.len()).max(1.0),
            se: error(&seeds),
            se_events: mean.and_then(|mean| over_events(plays, mean, total)),
            mean,
            per_seed,
            doubt_min: 0.0,
        }
    }

    /// The same of a log whose rewards have this deviation. A few events that all earned nothing have no spread of
    /// their own: as many drawn from the log at random would have that of the log.
    pub(in crate::simulation) fn of_log(plays: &[Played], deviation: f64) -> Self {
        let tally = Self::of(plays);
        Self { doubt_min: deviation / tally.matched.max(1.0).sqrt(), ..tally }
    }

    /// The larger of both errors.
    fn doubt(&self) -> f64 {
        self.se.unwrap_or(0.0).max(self.se_events.unwrap_or(0.0)).max(self.doubt_min)
    }

    /// Against a number known beforehand.
    pub(super) fn against(&self, value: f64) -> Option<Difference> {
        self.mean.map(|mean| Difference { difference: mean - value, se: self.doubt() })
    }

    /// Against plays that counted other events.
    pub(super) fn apart(&self, other: &Self) -> Option<Difference> {
        let (own, theirs) = (self.doubt(), other.doubt());
        let pair = self.mean.zip(other.mean);
        pair.map(|(mean, than)| Difference { difference: mean - than, se: (own * own + theirs * theirs).sqrt() })
    }
}

/// A difference of two mean rewards.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// First less second, per decision.
    pub difference: f64,
    /// Its standard error: over events or over seeds, whichever is larger.
    pub se: f64,
}

impl Difference {
    /// More than two standard errors above zero.
    pub fn is_more(&self) -> bool {
        self.difference > 2.0 * self.se
    }

    /// More than two standard errors below zero.
    pub fn is_less(&self) -> bool {
        self.difference < -2.0 * self.se
    }
}

/// A curve with its band over seeds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// Mean over seeds.
    pub mean: Vec<f64>,
    /// The lowest seed.
    pub low: Vec<f64>,
    /// The highest seed.
    pub high: Vec<f64>,
}

impl Curve {
    /// Sums of `value(seed, event, reward)` up to each point, over all plays.
    pub(super) fn of(
        plays: &[Played],
        points: &[usize],
        value: &dyn Fn(usize, usize, Option<f64>) -> Option<f64>,
    ) -> Self {
        let of_play = |(seed, play): (usize, &Played)| {
            sums(play.rewards.iter().enumerate().map(|(event, reward)| value(seed, event, *reward)), points)
        };
        let sums: Vec<Vec<f64>> = plays.iter().enumerate().map(of_play).collect();
        let at = |point: usize| sums.iter().filter_map(move |sums| sums.get(point).copied());
        let points = 0..points.len();
        Self {
            mean: points.clone().map(|point| at(point).sum::<f64>() / float(plays.len()).max(1.0)).collect(),
            low: points.clone().map(|point| at(point).reduce(f64::min).unwrap_or(0.0)).collect(),
            high: points.map(|point| at(point).reduce(f64::max).unwrap_or(0.0)).collect(),
        }
    }
}

/// Sums of what counts up to each point.
pub(super) fn sums(values: impl Iterator<Item = Option<f64>>, points: &[usize]) -> Vec<f64> {
    let mut running = vec![0.0];
    let mut sum = 0.0;
    for value in values {
        sum += value.unwrap_or(0.0);
        running.push(sum);
    }
    points.iter().map(|point| running.get(*point).copied().unwrap_or(sum)).collect()
}

/// Plays that count every event, against something known for every seed and event.
pub(super) fn paired(plays: &[Played], than: &dyn Fn(usize, usize) -> f64) -> Difference {
    let events = plays.iter().map(|play| play.rewards.len()).max().unwrap_or(0);
    let mut by_event = vec![0.0; events];
    let mut by_seed = Vec::new();
    for (seed, play) in plays.iter().enumerate() {
        let mut sum = 0.0;
        for (event, (total, reward)) in by_event.iter_mut().zip(&play.rewards).enumerate() {
            let difference = reward.unwrap_or(0.0) - than(seed, event);
            *total += difference / float(plays.len());
            sum += difference;
        }
        by_seed.push(sum / float(events).max(1.0));
    }
    let difference = by_seed.iter().sum::<f64>() / float(plays.len()).max(1.0);
    let se = error(&by_event).unwrap_or(0.0).max(error(&by_seed).unwrap_or(0.0));
    Difference { difference, se }
}

/// Mean reward of each of so many equal stretches of the file, over all seeds.
pub(super) fn parts(plays: &[Played], number: usize) -> Vec<Option<f64>> {
    let part = |at: usize| {
        let rewards = plays.iter().flat_map(|play| {
            let events = play.rewards.len();
            play.rewards.get(at * events / number..(at + 1) * events / number).unwrap_or_default().iter().flatten()
        });
        let (count, sum) = rewards.fold((0, 0.0), |(count, sum), reward| (count + 1, sum + reward));
        (count > 0).then(|| sum / float(count))
    };
    (0..number).map(part).collect()
}

/// What plays realised, where that is another thing than their rewards.
pub(super) fn of_realised(plays: &[Played]) -> Option<Tally> {
    let realised =
        |play: &Played| Played { rewards: play.realised.iter().copied().map(Some).collect(), ..Played::default() };
    let plays: Vec<Played> = plays.iter().filter(|play| !play.realised.is_empty()).map(realised).collect();
    (!plays.is_empty()).then(|| Tally::of(&plays))
}

/// The standard error of the mean of independent numbers; nothing for less than two.
fn error(numbers: &[f64]) -> Option<f64> {
    let number = float(numbers.len());
    let mean = numbers.iter().sum::<f64>() / number;
    let squares: f64 = numbers.iter().map(|value| (value - mean) * (value - mean)).sum();
    (numbers.len() > 1).then(|| (squares / (number - 1.0) / number).sqrt())
}

/// The standard error over events of a mean over all seeds: a ratio of sums, linearised. Seeds share their events, so
/// that what they have in common does not shrink with their number.
fn over_events(plays: &[Played], mean: f64, total: usize) -> Option<f64> {
    let events = plays.iter().map(|play| play.rewards.len()).max().unwrap_or(0);
    let mut away = vec![0.0; events];
    for play in plays {
        for (away, reward) in away.iter_mut().zip(&play.rewards) {
            *away += reward.map_or(0.0, |reward| reward - mean);
        }
    }
    let squares: f64 = away.iter().map(|away| away * away).sum();
    (events > 1).then(|| (squares * float(events) / float(events - 1)).sqrt() / float(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(rewards: &[Option<f64>]) -> Played {
        Played { rewards: rewards.to_vec(), ..Played::default() }
    }

    fn close(found: Option<f64>, expected: f64) {
        assert!(found.is_some_and(|found| (found - expected).abs() < 1e-12), "{found:?} is not {expected}");
    }

    #[test]
    fn means_and_errors_follow_by_hand() {
        let plays = [played(&[Some(1.0), Some(0.0), Some(1.0), Some(0.0)]), played(&[Some(1.0); 4])];
        let tally = Tally::of(&plays);
        assert_eq!((tally.per_seed.as_slice(), tally.matched), (&[Some(0.5), Some(1.0)][..], 4.0));
        close(tally.mean, 0.75);
        close(tally.se, 0.25); // half the distance of the two seeds
        // By event 1, 1/2, 1, 1/2: variance 1/12, over four.
        close(tally.se_events, (1.0_f64 / 12.0 / 4.0).sqrt());
        let difference = paired(&plays, &|_, _| 0.5);
        close(Some(difference.difference), 0.25);
        close(Some(difference.se), 0.25);
        assert!(!difference.is_more());
        assert_eq!(parts(&plays, 2), [Some(0.75), Some(0.75)]);
        assert_eq!(sums(plays[0].rewards.iter().copied(), &[0, 1, 4]), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn what_did_not_count_is_left_out_of_the_mean() {
        let tally = Tally::of(&[played(&[None, Some(1.0), None]), played(&[None, None, None])]);
        assert_eq!((tally.per_seed.as_slice(), tally.matched), (&[Some(1.0), None][..], 0.5));
        assert_eq!((tally.mean, tally.se), (Some(1.0), None));
        let nothing = Tally::of(&[played(&[None])]);
        assert_eq!((nothing.mean, nothing.against(0.0)), (None, None));
    }

    #[test]
    fn a_few_events_of_a_log_that_all_earned_nothing_are_no_proof() {
        let nothing = [played(&[Some(0.0); 100])];
        assert!(Tally::of(&nothing).against(0.01).unwrap().is_less());
        let doubted = Tally::of_log(&nothing, 0.1);
        close(doubted.against(0.01).map(|against| against.se), 0.01);
        assert!(!doubted.against(0.01).unwrap().is_less() && !doubted.apart(&doubted).unwrap().is_less());
    }

    #[test]
    fn a_curve_has_the_mean_and_the_extremes_of_its_seeds() {
        let plays = [played(&[Some(1.0), Some(1.0)]), played(&[Some(0.0), Some(1.0)])];
        let curve = Curve::of(&plays, &[0, 2], &|_, _, reward| reward);
        assert_eq!(curve, Curve { mean: vec![0.0, 1.5], low: vec![0.0, 1.0], high: vec![0.0, 2.0] });
    }
}

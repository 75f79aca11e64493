//! Served equals logged: what decisions draw has the frequencies that their records say. Tests no single decision.
//!
//! `PROFFER_TEST_DECISIONS` asks for more of them: 1,000,000 are the whole trial.

use super::tests::{RULES, ask_with, granted, learned, request, snapshot_of};
use crate::bandit::multiplicities;
use crate::domain::{DecisionId, Propensity, SubjectState};

const PLACEMENTS: &str = "
placements:
  - id: home
    channel: web
    purpose: offer_personalisation
    currency: USD
    slots: 2
    nothing_allowed: true
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    strategy: {name: STRATEGY, exploration: 0.1}
    features: [customer.tier, context.device]
    holdout: 0%
    fallback: {offer: house, variant: a}
";

/// Frequencies drawn against frequencies expected, by bucket: sums of p, of p (1 - p), and of what was drawn.
#[derive(Clone, Copy, Default)]
struct Bucket {
    expected: f64,
    variance: f64,
    drawn: f64,
}

impl Bucket {
    fn add(&mut self, p: f64, drawn: bool) {
        self.expected += p;
        self.variance += p * (1.0 - p);
        self.drawn += f64::from(u8::from(drawn));
    }
}

/// The sum of the squared deviations in units of their variance, and how many buckets had some. Each bucket is a sum of
/// independent draws of different probabilities, so that it is nearly normal; buckets are a little dependent, since
/// every slot draws one candidate.
fn chi_square(buckets: &[Bucket]) -> (f64, usize) {
    let told: Vec<&Bucket> = buckets.iter().filter(|bucket| bucket.variance > 5.0).collect();
    let square =
        |bucket: &&Bucket| (bucket.drawn - bucket.expected) * (bucket.drawn - bucket.expected) / bucket.variance;
    (told.iter().map(square).sum(), told.len())
}

/// The probability of a chi-square at least this large (Wilson and Hilferty 1931).
fn p_value(chi_square: f64, degrees: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let k = degrees as f64;
    let spread = 2.0 / (9.0 * k);
    let z = (libm::cbrt(chi_square / k) - (1.0 - spread)) / spread.sqrt();
    0.5 * libm::erfc(z / 2.0_f64.sqrt())
}

#[test]
fn what_is_served_has_the_frequencies_that_are_logged() {
    let decisions: u64 =
        std::env::var("PROFFER_TEST_DECISIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let strategies = ["thompson_linear", "linucb_randomised, width_max: 2", "squarecb", "bagged_linear", "linucb"];
    let outcomes: Vec<(usize, bool)> = (0..60).map(|n| (n % 6, n * 7 % 11 < 2)).collect();
    let snapshots = strategies.map(|strategy| {
        let mut snapshot = snapshot_of(&PLACEMENTS.replace("STRATEGY", strategy), RULES, &[40, 42, 45, 30, 60, 38, 9]);
        learned(&mut snapshot, &outcomes);
        snapshot
    });
    let (mut by_candidate, mut by_propensity) = ([Bucket::default(); 16], [Bucket::default(); 20]);
    let (mut capped, mut later) = (0_u64, 0_u64);
    // A state is kept for three decisions, so that caps leave candidates out of the second and third.
    let mut state = granted();
    for n in 0..decisions {
        let snapshot = &snapshots[usize::try_from(n / 3 % 5).unwrap()];
        let mut asked = request([Some("gold"), Some("bronze"), None][usize::try_from(n % 3).unwrap()]);
        asked.count = None;
        let decision = ask_with(snapshot, &asked, &state, n).unwrap();
        for (number, slot) in decision.skeleton.slots.iter().enumerate() {
            later += u64::from(number > 0);
            for (row, p) in slot.probabilities.iter().enumerate().filter_map(|(row, p)| Some((row, (*p)?))) {
                let drawn = slot.draw.chosen as usize == row;
                by_candidate[row + 8 * number].add(p, drawn);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 19")]
                by_propensity[((p * 20.0) as usize).min(19)].add(p, drawn);
                assert!(!drawn || slot.draw.propensity == Propensity::new(p.min(1.0)).unwrap());
            }
        }
        let rows = &decision.skeleton.candidates;
        capped += u64::from(rows.iter().any(|row| row.failed.len() == 1 && row.margin_minor > 1_500));
        state = if n % 3 == 2 { granted() } else { decision.next.unwrap_or(state) };
    }
    assert!(capped > decisions / 4 && later > decisions / 4, "{capped} decisions had caps, {later} a second slot");
    for (by, buckets) in [("candidate", &by_candidate[..]), ("propensity", &by_propensity[..])] {
        let (chi_square, degrees) = chi_square(buckets);
        let p = p_value(chi_square, degrees);
        eprintln!("{decisions} decisions by {by}: chi-square {chi_square:.2} of {degrees} buckets, p = {p:.4}");
        assert!(degrees > 8 && p > 1e-4, "by {by}: chi-square {chi_square} of {degrees} buckets, p = {p}");
    }
}

#[test]
fn a_bag_votes_by_what_each_of_its_models_was_dealt() {
    // Without bags in what was learned all models believe the same: nothing, so that all candidates share the vote.
    let snapshot = snapshot_of(&PLACEMENTS.replace("STRATEGY", "bagged_linear, bags: 4"), RULES, &[40, 40]);
    let placement = snapshot.bundle.placement("home").unwrap();
    assert_eq!(placement.bags(), 4);
    let decision = ask_with(&snapshot, &request(Some("gold")), &SubjectState::default(), 3).unwrap();
    assert_eq!(decision.skeleton.terms.bags, Some(4));
    let rows = &decision.skeleton.candidates;
    let scored = rows.iter().filter_map(|row| row.scored.as_ref()?.bags.as_ref());
    assert!(scored.clone().count() > 0 && scored.clone().all(|bags| *bags == vec![0.0; 4]));
    let id = DecisionId::from_parts(1, [1; 10]);
    assert_eq!(multiplicities(&id, 0, 4).len(), 4);
}

//! Served equals logged: what decisions draw has the frequencies that their records say. Tests no single decision.
//!
//! `PROFFER_TEST_DECISIONS` asks for more of them: 1,000,000 are the whole trial.

use super::Snapshot;
use super::money_tests::{campaign, offer, shop, spend};
use super::tests::{ask_purse, ask_with, granted, learned, request, snapshot};
use crate::bandit::multiplicities;
use crate::domain::decision::{CandidateRow, Skeleton};
use crate::domain::{DecisionId, PoolKey, Propensity, Purse, SubjectState, Timestamp};

/// Strategies of which one decides after the other.
const STRATEGIES: [&str; 7] = [
    "thompson_linear",
    "linucb_randomised, width_max: 2",
    "squarecb",
    "bagged_linear",
    "linucb",
    "thompson_beta",
    "thompson_logistic",
];

/// What campaigns have spent when they are looked at anew, in minor units: of 1,000.00 each, of which 500.00 should be.
const SPENT: [[i64; 2]; 3] = [[40_000, 48_000], [52_000, 40_000], [99_000, 60_000]];

/// Decisions between.
const ROUND: u64 = 300;

/// Offers of two campaigns and of none, the last of them under the margin floor.
fn stocked(strategy: &str) -> Snapshot {
    let offers = vec![
        offer(0, 40, 5, 0, Some("sale")),
        offer(1, 42, 0, 0, None),
        offer(2, 45, 6, 2, Some("sale")),
        offer(3, 30, 0, 0, None),
        offer(4, 60, 9, 1, Some("spring")),
        offer(5, 38, 4, 0, Some("spring")),
        offer(6, 9, 0, 0, None),
    ];
    let added = "    slots: 2\n    nothing_allowed: true\n";
    let mut snapshot = shop(strategy, added, offers, vec![campaign("sale", true), campaign("spring", true)]);
    let outcomes: Vec<(usize, bool)> = (0..60).map(|n| (n % 6, n * 7 % 11 < 2)).collect();
    learned(&mut snapshot, &outcomes);
    snapshot
}

/// What an accepted offer spends of which campaign.
fn spends<'a>(skeleton: &'a Skeleton, row: &CandidateRow) -> Option<(&'a str, i64)> {
    let budget = skeleton.money.as_ref()?.campaigns.get(usize::from(row.money?.campaign?))?;
    Some((budget.campaign.as_str(), row.cost_minor + row.money?.discount_minor))
}

/// The multiplier that a row is paced by; nothing of one that no campaign pays.
fn multiplier(skeleton: &Skeleton, row: &CandidateRow) -> Option<f64> {
    Some(skeleton.money.as_ref()?.campaigns.get(usize::from(row.money?.campaign?))?.multiplier)
}

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

/// The whole part of a number, at most `last`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casting saturates")]
fn bucket(number: f64, last: usize) -> usize {
    (number as usize).min(last)
}

#[test]
fn what_is_served_has_the_frequencies_that_are_logged() {
    let decisions: u64 =
        std::env::var("PROFFER_TEST_DECISIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let mut snapshots = STRATEGIES.map(stocked);
    let (mut by_candidate, mut by_propensity) = ([Bucket::default(); 16], [Bucket::default(); 20]);
    let mut by_multiplier = [Bucket::default(); 16];
    let (mut capped, mut later, mut paced, mut unpaced, mut over) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    // A state is kept for three decisions, so that caps leave candidates out of the second and third.
    let (mut state, mut spent) = (granted(), SPENT[0]);
    for n in 0..decisions {
        if n % ROUND == 0 {
            spent = SPENT[usize::try_from(n / ROUND % 3).unwrap()];
        }
        let snapshot = &mut snapshots[usize::try_from(n / 3 % 7).unwrap()];
        spend(snapshot, &[("sale", spent[0]), ("spring", spent[1])], 0);
        let mut asked = request([Some("gold"), Some("bronze"), None][usize::try_from(n % 3).unwrap()]);
        asked.count = None;
        let mut purse = Purse::default();
        for (name, gone) in ["proffer.budget/sale", "proffer.budget/spring"].into_iter().zip(spent) {
            purse.set(&PoolKey { name: name.into(), period: Timestamp(0) }, gone);
        }
        let decision = ask_purse(snapshot, &asked, &state, (n, &purse)).unwrap();
        let rows = &decision.skeleton.candidates;
        for (number, slot) in decision.skeleton.slots.iter().enumerate() {
            later += u64::from(number > 0);
            for (row, p) in slot.probabilities.iter().enumerate().filter_map(|(row, p)| Some((row, (*p)?))) {
                let drawn = slot.draw.chosen as usize == row;
                by_candidate[row + 8 * number].add(p, drawn);
                by_propensity[bucket(p * 20.0, 19)].add(p, drawn);
                if let Some(multiplier) = multiplier(&decision.skeleton, &rows[row]) {
                    by_multiplier[if multiplier > 0.0 { 1 + bucket(multiplier, 14) } else { 0 }].add(p, drawn);
                }
                assert!(!drawn || slot.draw.propensity == Propensity::new(p.min(1.0)).unwrap());
            }
            // Some of what is shown is accepted, so that campaigns run ahead of their plans.
            let accepted = n * 7 % 11 < 3;
            let spends = spends(&decision.skeleton, &rows[slot.draw.chosen as usize]);
            if let Some((id, minor)) = spends.filter(|_| accepted) {
                spent[usize::from(id == "spring")] += minor;
            }
        }
        let multipliers = || rows.iter().filter_map(|row| multiplier(&decision.skeleton, row));
        paced += u64::from(multipliers().any(|multiplier| multiplier > 0.0));
        unpaced += u64::from(multipliers().any(|multiplier| multiplier <= 0.0));
        // A cap keeps what it read to itself, the rule about budgets does not.
        let fails = |told: bool| rows.iter().filter(move |row| row.failed.iter().any(|f| f.observed.is_some() == told));
        capped += u64::from(fails(false).count() > 0);
        over += u64::from(fails(true).count() > 1);
        state = if n % 3 == 2 { granted() } else { decision.next.unwrap_or(state) };
    }
    let counts = format!(
        "{capped} had caps, {later} a second slot, {paced} a multiplier above zero, {unpaced} one of zero, {over} a \
         spent budget"
    );
    eprintln!("{decisions} decisions: {counts}");
    let (quarter, tenth) = (decisions / 4, decisions / 10);
    assert!(capped > quarter && later > quarter && paced > quarter && unpaced > tenth && over > tenth, "{counts}");
    let families =
        [("candidate", &by_candidate[..]), ("propensity", &by_propensity[..]), ("multiplier", &by_multiplier[..])];
    for (by, buckets) in families {
        let (chi_square, degrees) = chi_square(buckets);
        let p = p_value(chi_square, degrees);
        eprintln!("by {by}: chi-square {chi_square:.2} of {degrees} buckets, p = {p:.4}");
        assert!(degrees > 8 && p > 1e-4, "by {by}: chi-square {chi_square} of {degrees} buckets, p = {p}");
    }
}

#[test]
fn a_bag_votes_by_what_each_of_its_models_was_dealt() {
    // Without bags in what was learned all models believe the same: nothing, so that all candidates share the vote.
    let snapshot = snapshot("bagged_linear, bags: 4", "0%", &[40, 40]);
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

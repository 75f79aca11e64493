//! A bag of linear models by online bootstrap (Oza and Russell 2001; Eckles and Kaptein, arXiv 1410.4009): each learned
//! every decision as often as chance dealt it to it, and they vote. Reads no width of a belief: models that were dealt
//! different decisions disagree where little is known.

use super::{Arm, Score};

/// The score by each model of the bag, m mu - c; mean and deviation over the bag.
pub fn scores(arms: &[Arm]) -> Vec<Score> {
    let score = |arm: &Arm| {
        let bags = arm.bags.iter().flat_map(|bags| bags.iter());
        Score::bagged(bags.map(|mean| arm.margin * mean - arm.cost).collect())
    };
    arms.iter().map(score).collect()
}

/// `w_a` = the share of the models by which a is the best; those by which several are give each of them an equal part,
/// so that nobody is tried first because of a name while nothing is known. Nothing has a score of 0 by every model.
/// All NaN if a score is not finite, or has not one number for each model of the bag.
pub fn distribution(scores: &[Score], nothing: bool, bags: u8) -> Vec<f64> {
    let candidates = scores.len() + usize::from(nothing);
    let sound = |score: &Score| {
        score.bags.as_ref().is_some_and(|by| by.len() == usize::from(bags) && by.iter().all(|mean| mean.is_finite()))
    };
    if !scores.iter().all(sound) || bags == 0 {
        return vec![f64::NAN; candidates];
    }
    let mut w = vec![0.0; candidates];
    for bag in 0..usize::from(bags) {
        let by_bag = |score: &Score| score.bags.as_ref().and_then(|by| by.get(bag).copied()).unwrap_or(f64::NAN);
        let means = || scores.iter().map(by_bag).chain(nothing.then_some(0.0));
        let highest = means().fold(f64::NEG_INFINITY, f64::max);
        let best = super::count(means().filter(|mean| *mean >= highest).count());
        let vote = 1.0 / (f64::from(bags) * best);
        w.iter_mut().zip(means()).filter(|(_, mean)| *mean >= highest).for_each(|(share, _)| *share += vote);
    }
    w
}

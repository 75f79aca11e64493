//! Who decides for a subject: the holdout, a challenger or the champion, each a fixed part of all subjects. Decides
//! nothing itself.

use sha2::{Digest as _, Sha256};

use crate::domain::{Placement, SubjectId};

/// Whether a subject belongs to the placement's holdout: fixed by its internal id, so it stays there.
pub(super) fn in_holdout(placement: &Placement, subject: SubjectId) -> bool {
    placement.holdout.0 > 0 && part(b"proffer/holdout/1", placement, subject) < placement.holdout.0
}

/// The contender that decides for a subject, 0 being the champion. Who has no name gets the champion, since nothing
/// says who of them is whom.
pub(super) fn contender(placement: &Placement, subject: Option<SubjectId>) -> usize {
    let Some(subject) = subject.filter(|_| !placement.challengers.is_empty()) else { return 0 };
    let (part, mut end) = (part(b"proffer/contender/1", placement, subject), 0);
    let own = placement.challengers.iter().position(|challenger| {
        end += challenger.share.0;
        part < end
    });
    own.map_or(0, |at| at + 1)
}

/// Where a subject stands among ten thousand parts of all subjects, by its internal id.
fn part(purpose: &[u8], placement: &Placement, subject: SubjectId) -> i32 {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(purpose)
        .chain_update(placement.id.as_str())
        .chain_update([0])
        .chain_update(subject.0)
        .finalize()
        .into();
    let head = hash.iter().take(8).fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    i32::try_from(head % 10_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Challenger, ChallengerId, Contender, Percent, PlacementId, Prior, Strategy};

    const SUBJECTS: u32 = 100_000;

    fn placement(name: &str, shares: &[i32]) -> Placement {
        let mut placement = crate::bandit::sample::placement();
        placement.id = PlacementId::new(name).unwrap();
        placement.holdout = Percent(1_000);
        let by = Contender { strategy: Strategy::Greedy, lambda: 1.0, exploration: 0.0, prior: Prior::None };
        let challenger = |(at, share): (usize, &i32)| Challenger {
            id: ChallengerId::new(format!("c{at}")).unwrap(),
            share: Percent(*share),
            contender: by,
        };
        placement.challengers = shares.iter().enumerate().map(challenger).collect();
        placement
    }

    fn subject(n: u32) -> SubjectId {
        // Ids are random; which ones does not matter here.
        let hash = Sha256::digest(n.to_be_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        SubjectId(id)
    }

    fn allotted(placement: &Placement) -> Vec<usize> {
        (0..SUBJECTS).map(|n| contender(placement, Some(subject(n)))).collect()
    }

    /// Within four deviations of a binomial count.
    fn near(count: usize, of: usize, share: f64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let (count, of) = (count as f64, of as f64);
        (count - of * share).abs() <= 4.0 * (of * share * (1.0 - share)).sqrt()
    }

    fn count(of: &[usize], contender: usize) -> usize {
        of.iter().filter(|by| **by == contender).count()
    }

    #[test]
    fn every_contender_has_its_share_of_the_customers_and_nobody_without_a_name() {
        let home = placement("home", &[1_000, 250, 3_333]);
        let by = allotted(&home);
        for (contender, share) in [(0, 0.541_7), (1, 0.1), (2, 0.025), (3, 0.333_3)] {
            assert!(near(count(&by, contender), by.len(), share), "{contender}: {}", count(&by, contender));
        }
        assert_eq!(contender(&home, None), 0);
        assert_eq!(allotted(&home), by, "a customer stays with a contender");
        assert_eq!(count(&allotted(&placement("home", &[])), 0), by.len());
    }

    #[test]
    fn customers_move_only_as_far_as_shares_do_and_with_no_other_placement() {
        let by = allotted(&placement("home", &[1_000, 250]));
        let mut changed = placement("home", &[1_000, 250]);
        (changed.holdout, changed.champion.exploration) = (Percent(0), 0.5);
        assert_eq!(allotted(&changed), by, "neither the holdout nor a setting moves anybody");
        let wider = allotted(&placement("home", &[1_000, 500]));
        let moved = by.iter().zip(&wider).filter(|(before, after)| before != after);
        assert!(moved.clone().all(|moved| moved == (&0, &2)), "only from the champion to the wider one");
        assert!(near(moved.count(), by.len(), 0.025));
        // Who is a challenger's at one placement is no more often one's at another.
        let other = allotted(&placement("checkout", &[1_000, 250]));
        let own: Vec<usize> = by.iter().zip(other).filter(|(by, _)| **by == 1).map(|(_, other)| other).collect();
        assert!(near(count(&own, 1), own.len(), 0.1), "{} of {}", count(&own, 1), own.len());
    }

    #[test]
    fn the_holdout_is_a_fair_part_of_every_contender() {
        let home = placement("home", &[1_000, 4_000]);
        let by = allotted(&home);
        let held: Vec<bool> = (0..SUBJECTS).map(|n| in_holdout(&home, subject(n))).collect();
        for contender in 0..3 {
            let own: Vec<bool> =
                by.iter().zip(&held).filter(|(by, _)| **by == contender).map(|(_, held)| *held).collect();
            let held = own.iter().filter(|held| **held).count();
            assert!(near(held, own.len(), 0.1), "{contender}: {held} of {}", own.len());
        }
    }
}

//! Which persona each slot of a list is for. Scores and draws nothing.

/// For each slot the persona it is for, by the method of Webster and Sainte-Laguë: the next slot goes to whose weight,
/// divided by twice its slots so far and one, is the largest; of equals to the one named first. So however many slots
/// there are in the end, the first of them are shared as evenly as whole slots allow.
pub(super) fn seats(weights: &[u32], slots: usize) -> Vec<usize> {
    let mut held = vec![0_u64; weights.len()];
    let mut seats = Vec::with_capacity(slots);
    for _ in 0..slots {
        let mut best: Option<(usize, u64, u64)> = None;
        for (at, (weight, held)) in weights.iter().zip(&held).enumerate() {
            let (weight, divisor) = (u64::from(*weight), 2 * held + 1);
            // weight / divisor > best weight / best divisor, in whole numbers.
            if best.is_none_or(|(_, most, by)| weight * by > most * divisor) {
                best = Some((at, weight, divisor));
            }
        }
        let Some((at, _, _)) = best else { break };
        if let Some(held) = held.get_mut(at) {
            *held += 1;
        }
        seats.push(at);
    }
    seats
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::seats;

    #[test]
    fn a_list_is_mixed_by_weight_from_its_first_slot_on() {
        assert_eq!(seats(&[1], 3), [0, 0, 0]);
        assert_eq!(seats(&[1, 1], 4), [0, 1, 0, 1]);
        assert_eq!(seats(&[2, 1], 6), [0, 1, 0, 0, 1, 0]);
        assert_eq!(seats(&[6, 3, 1], 10), [0, 1, 0, 0, 1, 2, 0, 0, 1, 0]);
        assert_eq!(seats(&[], 3), [] as [usize; 0]);
    }

    proptest! {
        #[test]
        fn whole_multiples_of_the_weights_are_met_exactly_and_equal_tastes_never_differ_by_more_than_one(
            weights in proptest::collection::vec(1..9_u32, 1..6),
            rounds in 1..4_u32,
            slots in 0..20_usize,
        ) {
            let count = |seats: &[usize], of: usize| seats.iter().filter(|at| **at == of).count();
            let all = usize::try_from(rounds * weights.iter().sum::<u32>()).unwrap();
            let whole = seats(&weights, all);
            for (at, weight) in weights.iter().enumerate() {
                prop_assert_eq!(count(&whole, at), usize::try_from(rounds * weight).unwrap());
            }
            let some = seats(&weights, slots);
            prop_assert_eq!(&some[..], &seats(&weights, slots + 5)[..slots], "more slots change none before");
            for (a, first) in weights.iter().enumerate() {
                for (b, second) in weights.iter().enumerate() {
                    if first == second {
                        prop_assert!(count(&some, a).abs_diff(count(&some, b)) <= 1);
                    }
                }
            }
        }
    }
}

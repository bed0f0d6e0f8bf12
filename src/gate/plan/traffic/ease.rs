//! From weights to weights in steps: pure numbers.

/// A sum of weights at which one of them is a percent.
const FINE: u64 = 100;

/// The largest change of a share, in percent of the traffic.
pub fn largest_move(from: &[u32], to: &[u32]) -> f64 {
    let (before, after) = (shares(from), shares(to));
    before.iter().zip(&after).map(|(old, new)| (new - old).abs() * 100.0).fold(0.0, f64::max)
}

/// Shares of weights; all 0 where they sum up to nothing.
pub fn shares(weights: &[u32]) -> Vec<f64> {
    let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
    weights.iter().map(|weight| if sum == 0.0 { 0.0 } else { f64::from(*weight) / sum }).collect()
}

/// Weights after each of `count` steps, the last being the target; each step sums up as the target does, or to a multiple
/// of that where it is small, so that each moves about the same share.
pub fn stages(from: &[u32], to: &[u32], count: u32) -> Vec<Vec<u32>> {
    let sum: u64 = to.iter().map(|weight| u64::from(*weight)).sum();
    let sum = sum * FINE.div_ceil(sum.max(1));
    let (start, end) = (shares(from), shares(to));
    (1..=count)
        .map(|stage| {
            if stage == count {
                return to.to_vec();
            }
            let part = f64::from(stage) / f64::from(count);
            let shares: Vec<f64> = start.iter().zip(&end).map(|(a, b)| a + (b - a) * part).collect();
            apportion(&shares, sum)
        })
        .collect()
}

/// The largest move between two stages, from the weights before them on.
pub fn largest_stage(from: &[u32], stages: &[Vec<u32>]) -> f64 {
    let before = std::iter::once(from).chain(stages.iter().map(Vec::as_slice));
    before.zip(stages).map(|(old, new)| largest_move(old, new)).fold(0.0, f64::max)
}

/// Whole numbers in these proportions with exactly this sum: the largest remainders are rounded up.
pub fn apportion(shares: &[f64], sum: u64) -> Vec<u32> {
    let exact: Vec<f64> = shares.iter().map(|share| share * sum as f64).collect();
    let mut whole: Vec<u32> = exact.iter().map(|part| part.floor() as u32).collect();
    let given: u64 = whole.iter().map(|part| u64::from(*part)).sum();
    let mut order: Vec<usize> = (0..whole.len()).collect();
    order.sort_by(|a, b| {
        let rest = |at: &usize| exact[*at] - exact[*at].floor();
        rest(b).total_cmp(&rest(a)).then(a.cmp(b))
    });
    for at in order.into_iter().take(sum.saturating_sub(given) as usize) {
        whole[at] += 1;
    }
    whole
}

/// Everyone gets the same.
pub fn even(count: usize, sum: u64) -> Vec<u32> {
    apportion(&vec![1.0 / count.max(1) as f64; count], sum)
}

/// What one gives up goes to the others in the proportions they have; evenly where they have nothing.
pub fn drained(weights: &[u32], drained: usize) -> Vec<u32> {
    let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let others: Vec<f64> = weights
        .iter()
        .enumerate()
        .map(|(at, weight)| if at == drained { 0.0 } else { f64::from(*weight) })
        .collect();
    let left: f64 = others.iter().sum();
    let count = weights.len().saturating_sub(1).max(1) as f64;
    let shares: Vec<f64> = others
        .iter()
        .enumerate()
        .map(|(at, part)| match (at == drained, left == 0.0) {
            (true, _) => 0.0,
            (false, true) => 1.0 / count,
            (false, false) => part / left,
        })
        .collect();
    apportion(&shares, sum)
}

/// `60/40`.
pub fn joined(weights: &[u32]) -> String {
    weights.iter().map(ToString::to_string).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moves_are_shares_not_weights() {
        assert!((largest_move(&[60, 40], &[50, 50]) - 10.0).abs() < 1e-9);
        assert!((largest_move(&[3, 1], &[75, 25])).abs() < 1e-9);
        assert!((largest_move(&[0, 0], &[1, 0]) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_drained_destination_gives_to_the_others_in_their_proportions() {
        assert_eq!(drained(&[60, 30, 10], 0), [0, 75, 25]);
        assert_eq!(drained(&[100, 0, 0], 0), [0, 50, 50]);
        assert_eq!(drained(&[100, 0], 1), [100, 0]);
        assert_eq!(even(3, 100), [34, 33, 33]);
    }

    fn any_weights(count: usize) -> impl Strategy<Value = Vec<u32>> {
        proptest::collection::vec(0u32..1000, count)
    }

    proptest! {
        #[test]
        fn every_stage_sums_up_and_moves_no_more_than_its_part(
            (from, to, count) in (2usize..6).prop_flat_map(|n| (any_weights(n), any_weights(n), 1u32..20))
        ) {
            prop_assume!(from.iter().sum::<u32>() > 0 && to.iter().sum::<u32>() > 0);
            let sum: u64 = to.iter().map(|it| u64::from(*it)).sum();
            let stages = stages(&from, &to, count);
            prop_assert_eq!(stages.last(), Some(&to));
            let mut before = from.clone();
            for stage in &stages {
                prop_assert_eq!(stage.iter().map(|it| u64::from(*it)).sum::<u64>() % sum, 0);
                let rounding = 200.0 / sum.max(FINE) as f64;
                let most = largest_move(&from, &to) / f64::from(count) + rounding;
                prop_assert!(largest_move(&before, stage) <= most + 1e-6, "{before:?} {stage:?} {most}");
                before.clone_from(stage);
            }
        }

        #[test]
        fn what_is_apportioned_is_all_given(shares in proptest::collection::vec(0.0f64..1.0, 1..8), sum in 0u64..100_000) {
            let total: f64 = shares.iter().sum();
            prop_assume!(total > 0.0);
            let shares: Vec<f64> = shares.iter().map(|share| share / total).collect();
            let whole = apportion(&shares, sum);
            prop_assert_eq!(whole.iter().map(|it| u64::from(*it)).sum::<u64>(), sum);
            for (part, share) in whole.iter().zip(&shares) {
                prop_assert!((f64::from(*part) - share * sum as f64).abs() <= 1.0 + 1e-6);
            }
        }
    }
}
